"""Where the windows of a three-dimensional kernel lie along each axis of a volume."""

from convtool.convolution.geometry import MODES, MOST_PIXELS, Axis
from convtool.errors import OptionError, ShapeError, check_choice

NAMES = ("depth", "height", "width")
"""What the axes are called."""

Axes = tuple[Axis, Axis, Axis]
Triple = tuple[int, int, int]


def _start(taps: int, mode: str, flipped: bool, origin: int) -> int:
    """Return the position of the first window's first voxel."""
    if mode == "full":
        return 1 - taps
    if mode == "valid":
        return 0
    centre = (taps - 1) // 2 - origin if flipped else taps // 2 + origin
    if not 0 <= centre < taps:
        raise OptionError(
            f"origin {origin} lies outside a kernel of {taps} weights; "
            f"use {-(taps // 2)} to {(taps - 1) // 2}"
        )
    return -centre


def layout(
    shape: Triple, kernel_shape: Triple, *, mode: str, flipped: bool, origin: Triple = (0, 0, 0)
) -> Axes:
    """Return where the windows lie along each axis.

    Parameters
    ----------
    shape, kernel_shape : tuple of int
        (D, H, W) of the volume and (KD, KH, KW) of the kernel.
    mode : {'same', 'valid', 'full'}
        As for :func:`convtool.convolve`.
    flipped : bool
        True for convolution, False for correlation.
    origin : tuple of int
        Moves the windows along each axis, as in ``scipy.ndimage``; 0 for ``valid`` and ``full``.

    Raises
    ------
    OptionError
        If the mode is none of these, or the origin lies outside the kernel.
    ShapeError
        If no output is left, or more than any memory holds.

    Examples
    --------
    >>> [axis.start for axis in layout((9, 9, 9), (3, 4, 5), mode="same", flipped=False)]
    [-1, -2, -2]
    >>> [axis.dense for axis in layout((9, 9, 9), (3, 4, 5), mode="full", flipped=True)]
    [11, 12, 13]
    """
    check_choice("mode", mode, MODES)
    if mode != "same" and any(origin):
        raise OptionError(f"origin moves the windows of mode 'same', not of {mode!r}; leave it out")
    axes = []
    for name, size, taps, shift in zip(NAMES, shape, kernel_shape, origin, strict=True):
        grown = {"same": size, "full": size + taps - 1, "valid": size - taps + 1}[mode]
        if grown < 1:
            raise ShapeError(
                f"no output is left: the kernel's {name} is {taps}, the volume's only {size}; "
                "use mode 'same' or a smaller kernel"
            )
        axes.append(Axis(size, taps, _start(taps, mode, flipped, shift), grown, 1))
    depth, height, width = axes
    if depth.dense * height.dense * width.dense > MOST_PIXELS:
        raise ShapeError(
            f"an output of {width.dense}×{height.dense}×{depth.dense} voxels is more than any "
            "memory holds; use a smaller kernel"
        )
    return depth, height, width
