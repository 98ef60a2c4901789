"""Sizes: where each output pixel's window lies, for every mode, padding, stride and kernel size."""

import operator
from typing import Any

from convtool.errors import OptionError, ShapeError, check_choice
from convtool.records import Record

MODES = ("same", "valid", "full")
"""What part of the convolution is returned."""

MOST_PIXELS = 2**48
"""The most windows there may be, kept or not: beyond them array sizes and positions overflow."""


class Axis(Record):
    """The windows along one axis."""

    size: int
    """Pixels of the image."""
    taps: int
    """Weights of the kernel."""
    start: int
    """Position of the first window's first pixel (negative: before the image)."""
    dense: int
    """Number of windows at stride 1."""
    stride: int
    """Every ``stride``-th of those windows is kept, starting at the first."""

    @property
    def count(self) -> int:
        """Number of windows kept, the output's size."""
        return -(-self.dense // self.stride)


class Geometry(Record):
    """The windows of a two-dimensional convolution."""

    rows: Axis
    columns: Axis

    @property
    def shape(self) -> tuple[int, int]:
        """The output's height and width."""
        return self.rows.count, self.columns.count


def numbers(value: Any, name: str, dims: int, least: int | None = None) -> tuple[int, ...]:
    """Return an option that is a number, or one for each axis of the kernel, as the latter.

    Raises
    ------
    OptionError
        If it is neither, or below ``least``.

    Examples
    --------
    >>> numbers(2, "stride", 2, 1), numbers((1, 3), "stride", 2, 1)
    ((2, 2), (1, 3))
    """
    items = value if isinstance(value, tuple | list) else (value,) * dims
    try:
        found = tuple(operator.index(item) for item in items)
    except TypeError:
        found = ()
    if len(found) != dims:
        several = {1: "", 2: " or a pair of them"}.get(dims, f" or {dims} of them")
        raise OptionError(f"{name} must be a whole number{several}, not {value!r}")
    if least is not None and min(found) < least:
        raise OptionError(f"{name} must be at least {least}, not {value!r}")
    return found


def pair(value: object, name: str, least: int) -> tuple[int, int]:
    """Return an option that is a number or a pair of numbers as a pair (vertical, horizontal).

    Raises
    ------
    OptionError
        If it is neither, or below ``least``.

    Examples
    --------
    >>> pair(2, "stride", 1), pair((1, 3), "stride", 1)
    ((2, 2), (1, 3))
    """
    first, second = numbers(value, name, 2, least)
    return first, second


def _same_start(taps: int, flipped: bool, origin: int) -> int:
    """Return where the first window starts in mode ``same``."""
    start = origin - (taps - 1) // 2 if flipped else -origin - taps // 2
    if not 0 <= -start < taps:
        raise OptionError(
            f"origin {origin} moves a kernel of {taps} off its pixel; give "
            f"{-(taps // 2)} to {(taps - 1) // 2}"
        )
    return start


def _axis(
    name: str,
    size: int,
    taps: int,
    mode: str,
    padding: int | None,
    stride: int,
    flipped: bool,
    origin: int = 0,
) -> Axis:
    if padding is not None:
        start, dense = -padding, size + 2 * padding - taps + 1
    elif mode == "same":
        start, dense = _same_start(taps, flipped, origin), size
    elif mode == "full":
        start, dense = -(taps - 1), size + taps - 1
    else:
        start, dense = 0, size - taps + 1
    if dense < 1:
        room = size if padding is None else size + 2 * padding
        raise ShapeError(
            f"no output is left: the kernel's {name} is {taps}, the image's only {room}"
            + (" with its padding" if padding else "")
            + "; use mode 'same', more padding or a smaller kernel"
        )
    return Axis(size, taps, start, dense, stride)


def geometry(
    shape: tuple[int, int],
    kernel_shape: tuple[int, int],
    *,
    mode: str = "same",
    padding: object = None,
    stride: object = 1,
    flipped: bool = True,
    origin: tuple[int, int] = (0, 0),
) -> Geometry:
    """Return where the windows of a convolution lie.

    Parameters
    ----------
    shape, kernel_shape : tuple of int
        (H, W) of the image and (KH, KW) of the kernel.
    mode : {'same', 'valid', 'full'}
        As in ``scipy.signal.convolve2d``, but for ``same``, which is as in ``scipy.ndimage``.
    padding : int or (int, int), optional
        Pixels added on each side (vertical, horizontal) before a ``valid`` convolution; takes the
        place of ``mode``. The output has ``floor((H + 2P - KH) / S) + 1`` rows.
    stride : int or (int, int)
        Every S-th row and column of the stride-1 answer is kept, starting at the first.
    flipped : bool
        True for convolution, False for correlation. It matters for even kernels in ``same``: the
        window of correlation starts ``K // 2`` pixels before its output, that of convolution
        ``(K - 1) // 2``, as in ``scipy.ndimage``.
    origin : (int, int)
        By how many pixels the kernel is moved in ``same``, with the signs of ``scipy.ndimage``.

    Raises
    ------
    OptionError
        If mode, padding or stride is not one of those.
    ShapeError
        If no output is left, or more than any memory holds.

    Examples
    --------
    >>> geometry((6, 6), (3, 3), padding=1, stride=2).shape
    (3, 3)
    """
    check_choice("mode", mode, MODES)
    pads: tuple[int | None, int | None] = (None, None)
    if padding is not None:
        if mode == "full":
            raise OptionError("mode 'full' has its own padding; give one of the two")
        pads = pair(padding, "padding", 0)
    strides = pair(stride, "stride", 1)
    if any(origin) and (mode != "same" or padding is not None):
        raise OptionError("origin moves the kernel in mode 'same' alone; leave it out")
    rows, columns = (
        _axis(name, shape[i], kernel_shape[i], mode, pads[i], strides[i], flipped, origin[i])
        for i, name in enumerate(("height", "width"))
    )
    answer = Geometry(rows, columns)
    if rows.dense * columns.dense > MOST_PIXELS:
        raise ShapeError(
            f"an output of {columns.count}×{rows.count} pixels is more than any memory holds; "
            "use less padding"
        )
    return answer
