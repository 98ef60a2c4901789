"""Magnitude and direction of the gradient that a pair of derivative kernels estimates."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from convtool.convolution import dtypes
from convtool.convolution.api import correlate
from convtool.convolution.engines import Array
from convtool.errors import KernelError
from convtool.kernels.spec import kernel as named_kernel


def _as_pair(pair: ArrayLike | str) -> Array:
    kernels = np.asarray(named_kernel(pair) if isinstance(pair, str) else pair)
    if kernels.ndim != 3 or len(kernels) != 2:
        raise KernelError(
            f"a gradient needs a pair of kernels, shape (2, KH, KW), not {kernels.shape};"
            " use 'sobel', 'prewitt' or 'scharr'"
        )
    return kernels


def _derivatives(
    image: ArrayLike, pair: ArrayLike | str, options: dict[str, object]
) -> list[Array]:
    return [
        correlate(image, kernel, **options)  # type: ignore[arg-type]
        for kernel in _as_pair(pair)
    ]


def _stored(values: Array, dtype: DTypeLike | None) -> Array:
    if dtype is None:
        return values
    answer = np.empty(values.shape, dtypes.output_type(values.dtype, dtype))
    dtypes.store(values, answer)
    return answer


def gradient_magnitude(
    image: ArrayLike,
    pair: ArrayLike | str = "sobel",
    *,
    dtype: DTypeLike | None = None,
    **options: object,
) -> Array:
    """Return the length of the gradient, sqrt(gx² + gy²).

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C)
        Real pixels of any type; each channel has its own gradient.
    pair : array_like, shape (2, KH, KW), or str
        The kernels of the vertical derivative (which answers to horizontal edges) and of the
        horizontal one, or the name of such a pair: ``sobel``, ``prewitt``, ``scharr``. They are
        not flipped; for the antisymmetric presets flipping changes nothing in the length.
    dtype : dtype, optional
        Type of the answer, as for :func:`convtool.convolve`.
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

    Examples
    --------
    >>> ramp = np.arange(25.0).reshape(5, 5)
    >>> float(gradient_magnitude(ramp, "sobel")[2, 2]) == float(np.hypot(8 * 5, 8 * 1))
    True
    """
    down, right = _derivatives(image, pair, options)
    np.hypot(down, right, out=down)
    return _stored(down, dtype)


def gradient_direction(
    image: ArrayLike,
    pair: ArrayLike | str = "sobel",
    *,
    dtype: DTypeLike | None = None,
    **options: object,
) -> Array:
    """Return the angle in which the image brightens fastest, atan2(gy, gx).

    Parameters and errors as for :func:`gradient_magnitude`.

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
    down, right = _derivatives(image, pair, options)
    # Adding zero turns -0.0 into 0.0, so that no angle of a flat or straight edge becomes -π.
    np.arctan2(down + 0.0, right + 0.0, out=down)
    return _stored(down, dtype)
