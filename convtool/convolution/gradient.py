"""Magnitude and direction of the gradient that a pair of derivative kernels estimates."""

from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from convtool.arrays import adopt
from convtool.convolution import axes, dtypes
from convtool.convolution.pictures import filtered
from convtool.convolution.types import Array, Border, Engine, Mode
from convtool.errors import KernelError, OptionError
from convtool.kernels.spec import kernel as named_kernel
from convtool.kernels.spec import parse
from convtool.kernels.weights import checked, is_even


class Options(TypedDict, total=False):
    """What both functions take besides the pair: options of :func:`convtool.convolve`."""

    mode: Mode
    border: Border | None
    cval: float
    padding: int | tuple[int, int] | None
    stride: int | tuple[int, int]
    engine: Engine
    threads: int | None


def _as_pair(pair: ArrayLike | str) -> Array:
    kernels = named_kernel(pair) if isinstance(pair, str) else checked(pair, pair=True)
    if kernels.ndim != 3 or len(kernels) != 2:
        raise KernelError(
            f"a gradient needs a pair of kernels, shape (2, KH, KW), not {kernels.shape};"
            " use 'sobel', 'prewitt' or 'scharr'"
        )
    return kernels


def _check_names(options: Options) -> None:
    for name in options.keys() - Options.__annotations__.keys():
        valid = ", ".join(Options.__annotations__)
        raise OptionError(f"a gradient has no option {name!r}; it takes dtype, {valid}")


def _check_direction(pair: ArrayLike | str) -> None:
    if isinstance(pair, str) and (spec := parse(pair)).is_gradient and not spec.has_direction:
        raise KernelError(
            f"kernel {pair!r} has derivatives along the diagonals, and a direction needs those of "
            "rows and columns; use 'sobel', 'prewitt' or 'scharr'"
        )


def _derivatives(
    image: Array, pair: ArrayLike | str, dtype: DTypeLike | None, options: Options
) -> list[Array]:
    """Return the vertical and the horizontal derivative, in double where the answer is double."""
    _check_names(options)
    floating = np.float64 if dtypes.output_type(np.dtype(np.float32), dtype) == np.float64 else None
    return [filtered(image, (one,), False, dtype=floating, **options) for one in _as_pair(pair)]


def _channels_last(image: ArrayLike, channel_axis: int | None) -> Array:
    """Return an image with its axis of channels moved to the end.

    Raises
    ------
    ShapeError
        If the shape leaves open which axis that is.
    """
    pixels = adopt(image)
    rows, columns = axes.kernel_axes(pixels.shape, 2, channel_axis=channel_axis)
    return pixels.transpose(rows, columns, *({*range(pixels.ndim)} - {rows, columns}))


def _stored(values: Array, dtype: DTypeLike | None) -> Array:
    if dtype is None:
        return values
    answer = np.empty(values.shape, dtypes.output_type(values.dtype, dtype))
    with np.errstate(all="ignore"):
        dtypes.store(values, answer)
    return answer


def gradient_magnitude(
    image: ArrayLike,
    pair: ArrayLike | str = "sobel",
    *,
    channel_axis: int | None = None,
    dtype: DTypeLike | None = None,
    out: Array | None = None,
    **options: Unpack[Options],
) -> Array:
    """Return the length of the gradient, sqrt(gx² + gy²).

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C)
        Real pixels of any type; each channel has its own gradient.
    pair : array_like, shape (2, KH, KW), or str
        The kernels of the vertical derivative (which answers to horizontal edges) and of the
        horizontal one, or the name of such a pair: ``sobel``, ``prewitt``, ``scharr``. They are
        not flipped; for the antisymmetric presets flipping changes nothing in the length. A pair of
        an even size, such as ``roberts``, is convolved: its window begins at the pixel, as that of
        ``scipy.ndimage.convolve`` and of scikit-image's ``roberts`` does.
    channel_axis : int, optional
        The axis of channels, as for :func:`convtool.convolve`.
    dtype : dtype, optional
        Type of the answer, as for :func:`convtool.convolve`.
    out : ndarray, optional
        Where to write the answer, as for :func:`convtool.convolve`.
    **options
        ``mode``, ``border``, ``cval``, ``padding``, ``stride``, ``engine``, ``threads``: as for
        :func:`convtool.convolve`.

    Returns
    -------
    ndarray, shape (H', W') or (H', W', C)
        Never negative; in units of the image times those of the kernels.

    Raises
    ------
    KernelError
        If ``pair`` is not a pair.
    ShapeError, PixelTypeError, OptionError, EngineError
        As :func:`convtool.convolve` does.

    Examples
    --------
    >>> ramp = np.arange(25.0).reshape(5, 5)
    >>> float(gradient_magnitude(ramp, "sobel")[2, 2]) == float(np.hypot(8 * 5, 8 * 1))
    True
    """
    _check_names(options)
    kernels = _as_pair(pair)
    pixels = _channels_last(image, channel_axis)
    place = out
    if channel_axis is not None and isinstance(out, np.ndarray) and out.ndim == pixels.ndim:
        place = np.moveaxis(out, channel_axis, -1)
    flipped = is_even(kernels)
    answer = filtered(pixels, tuple(kernels), flipped, dtype=dtype, out=place, **options)
    if out is not None:
        return out
    return answer if channel_axis is None else np.moveaxis(answer, -1, channel_axis)


def gradient_direction(
    image: ArrayLike,
    pair: ArrayLike | str = "sobel",
    *,
    channel_axis: int | None = None,
    dtype: DTypeLike | None = None,
    **options: Unpack[Options],
) -> Array:
    """Return the angle in which the image brightens fastest, atan2(gy, gx).

    Parameters and errors as for :func:`gradient_magnitude`, but that there is no ``out``.

    Returns
    -------
    ndarray, shape (H', W') or (H', W', C)
        Radians in (-π, π]: 0 to the right, π/2 downwards (rows count down); 0 where the gradient
        is zero.

    Examples
    --------
    >>> float(gradient_direction(np.tile(np.arange(5.0), (5, 1)).T)[2, 2])
    1.5707963267948966
    """
    _check_direction(pair)
    down, right = _derivatives(_channels_last(image, channel_axis), pair, dtype, options)
    answer = _stored(angles(down, right), dtype)
    return answer if channel_axis is None else np.moveaxis(answer, -1, channel_axis)


def angles(down: Array, right: Array) -> Array:
    """Return the angles of derivatives, the first of which is overwritten with them.

    Examples
    --------
    >>> angles(np.array([1.0, -0.0]), np.array([0.0, -0.0])).tolist()
    [1.5707963267948966, 0.0]
    """
    # Adding zero turns -0.0 into 0.0, so that no angle of a flat or straight edge becomes -π.
    return np.arctan2(down + 0.0, right + 0.0, out=down)
