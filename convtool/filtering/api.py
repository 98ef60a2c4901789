"""The public function for one picture in memory: what ``convtool filter`` does with a file."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike

from convtool.errors import OptionError
from convtool.filtering.options import FilterOptions
from convtool.images.image import Image, as_image
from convtool.images.kernels import kernel_spec
from convtool.kernels.spec import KernelSpec
from convtool.kernels.weights import checked
from convtool.records import names_of, replace

if TYPE_CHECKING:
    from convtool.filtering.mask import Mask

Kernels = str | ArrayLike | KernelSpec | Sequence[Any]
"""One kernel, or a sequence of several: specs, as for `convtool.kernel`, and weights."""


class Options(TypedDict, total=False):
    """The options of `filter_image`: the fields of `FilterOptions`, in more forms."""

    mode: str
    border: str | None
    cval: float
    padding: int | tuple[int, int] | None
    stride: int | tuple[int, int]
    engine: str
    threads: int | None
    bias: float
    correlate: bool
    gray: bool
    direction: bool
    range: str
    depth: str
    alpha: str
    linear: bool
    region: tuple[int, int, int, int] | None
    mask: "Mask | Image | ArrayLike | os.PathLike[str] | None"
    channels: str | None
    nan: str
    nodata: float | None


def filter_image(image: Image | ArrayLike, kernels: Kernels, **options: Unpack[Options]) -> Image:
    """Filter a picture as ``convtool filter`` does: alpha, tone, depth and metadata included.

    :func:`convtool.convolve` computes with the numbers of an array. This function treats them as a
    picture: colours are filtered multiplied by alpha, and the result has the picture's depth.

    Parameters
    ----------
    image : Image or array_like
        What :func:`convtool.read` returns, or an array of shape (H, W), (H, W, 3) for colour,
        (H, W, 2) or (H, W, 4) with alpha.
    kernels : str, array_like, or sequence of these
        One kernel, or several that are applied in order: a spec as for :func:`convtool.kernel`,
        where a pair such as ``sobel`` gives the magnitude of the gradient; or weights of shape
        (KH, KW), or (2, KH, KW) in an ndarray for a pair.
    mode : {'same', 'valid', 'full'}
        As for :func:`convtool.convolve`, as are ``border``, ``cval``, ``padding``, ``stride``,
        ``engine`` and ``threads``.
    bias : float
        Added after the last kernel, in units of the picture's pixels.
    correlate : bool
        Do not flip the kernels.
    gray : bool
        Filter 0.299 R + 0.587 G + 0.114 B.
    direction : bool
        Return the angle of the gradient (``sobel``, ``prewitt``, ``scharr``): black to the right, a
        quarter of white downwards.
    range : {'clip', 'abs', 'offset', 'stretch'}
        How values below black and above white are mapped to the depth of the result.
    depth : {'keep', '8', '16', 'float', ...}
        The depth of the result.
    alpha : {'premultiply', 'keep'}
        Filter colours multiplied by alpha, or filter colours alone.
    linear : bool
        Filter in linear light: undo the transfer function of sRGB first and redo it last.
    region : (int, int, int, int), optional
        Left, top, width and height of the part to filter.
    mask : Image, array_like, str or path-like, optional
        A grey picture of the same size, or its file: filter where it is white (for bool arrays
        where it is True), keep pixels where it is black, blend in between.
    channels : str, optional
        Filter only these, as in ``"R,G"``; ``"L"`` for the luminance, ``"A"`` for alpha.
    nan : {'keep', 'fill', 'refuse'}
        What becomes of NaN and infinity.
    nodata : float, optional
        The value of missing pixels, filled as by ``nan="fill"``; NaN for none.

    Returns
    -------
    Image
        The picture, with the metadata of the given one. Its ``notes`` say what a user should know,
        such as the share of clipped values.

    Raises
    ------
    OptionError
        If an option is unknown or has a value that it cannot have, or options exclude each other.
    KernelError
        If a kernel is not usable.
    ShapeError, PixelTypeError
        If the array is no picture, or no output is left.
    NonFiniteError
        If the picture contains NaN or infinity, with ``nan="refuse"``.
    EngineError
        If the engine cannot do it.

    Examples
    --------
    >>> picture = np.zeros((6, 8, 3), np.uint8)
    >>> picture[:, 4:] = 200, 100, 0
    >>> edges = filter_image(picture, ["gaussian:sigma=1", "sobel"], gray=True)
    >>> edges, edges.pixels[3].tolist()
    (Image(6×8, grey, uint8), [2, 28, 140, 255, 255, 140, 28, 2])
    """
    known = names_of(FilterOptions)
    for name in options:
        if name not in known:
            raise OptionError(f"a filter has no option {name!r}; it takes {', '.join(known)}")
    given: dict[str, Any] = dict(options)
    if given.get("mask") is not None:
        from convtool.filtering.mask import as_mask

        given["mask"] = as_mask(given["mask"])
    if isinstance(given.get("region"), list):
        given["region"] = tuple(given["region"])
    from convtool.filtering.memory import filter_image as filtered

    found = filtered(as_image(image), _specs(kernels), FilterOptions(**given))
    return replace(found.image, notes=found.warnings)


def _specs(kernels: Kernels) -> list[KernelSpec]:
    """Return the kernels that are given as one or as a sequence of several."""
    if isinstance(kernels, list | tuple) and all(map(_is_kernel, kernels)):
        return [_spec(one) for one in kernels]
    return [_spec(kernels)]


def _is_kernel(value: object) -> bool:
    """Return whether an element of a sequence is a kernel of its own, not a row of one."""
    return isinstance(value, str | KernelSpec) or np.ndim(value) > 1  # type: ignore[arg-type]


def _spec(kernel: Any) -> KernelSpec:
    if isinstance(kernel, KernelSpec):
        return kernel
    if isinstance(kernel, str):
        return kernel_spec(kernel)
    weights = checked(kernel, pair=True)
    name = "×".join(map(str, weights.shape))
    return KernelSpec(f"array of {name}", name, weights, "magnitude" if weights.ndim == 3 else None)
