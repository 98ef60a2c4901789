"""Image quality metrics: mean-square error, PSNR, structural similarity."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convtool.errors import PixelTypeError, ShapeError
from convtool.images.image import peak_of
from convtool.kernels.weights import FloatArray

_WINDOW = 11
_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03


def mse(a: ArrayLike, b: ArrayLike) -> float:
    """Return the mean-square error of two pictures.

    Parameters
    ----------
    a, b : array_like
        Pictures of the same shape, (H, W) or (H, W, C), any real type.

    Returns
    -------
    float
        In squared pixel units, computed in float64; NaN if a picture contains NaN.

    Raises
    ------
    ShapeError
        Where the shapes differ or are empty.
    PixelTypeError
        Where an array is not real.

    Examples
    --------
    >>> mse(np.array([[0, 255]], np.uint8), np.array([[0, 253]], np.uint8))
    2.0
    """
    first, second = _pair(a, b)
    difference = (first.astype(np.float64) - second).ravel()
    return float(difference @ difference / difference.size)


def psnr(a: ArrayLike, b: ArrayLike, peak: float | None = None) -> float:
    """Return the peak signal-to-noise ratio of two pictures.

    Parameters
    ----------
    a, b : array_like
        Pictures of the same shape.
    peak : float, optional
        The value of white; by default 255, 65535 or 1.0, by the type of `a`.

    Returns
    -------
    float
        20·log10(peak / √MSE) in dB; inf for equal pictures.

    Raises
    ------
    ShapeError, PixelTypeError
        As for `mse`, and if the type of `a` has no peak and none is given.

    Examples
    --------
    >>> round(psnr(np.array([[0, 255]], np.uint8), np.array([[0, 253]], np.uint8)), 2)
    45.12
    >>> psnr([[0.5]], [[0.5]])
    inf
    """
    peak = peak_of(np.asarray(a).dtype) if peak is None else peak
    return decibels(mse(a, b), peak)


def decibels(error: float, peak: float) -> float:
    """Return the PSNR of a mean-square error, inf for 0.

    Examples
    --------
    >>> decibels(1.0, 10.0)
    20.0
    """
    return math.inf if error == 0 else 20 * math.log10(peak) - 10 * math.log10(error)


def ssim(a: ArrayLike, b: ArrayLike, peak: float | None = None) -> float:
    """Return the mean structural similarity of two pictures.

    Parameters
    ----------
    a, b : array_like
        Pictures of the same shape, (H, W) or (H, W, C).
    peak : float, optional
        The value of white; by default by the type of `a`.

    Returns
    -------
    float
        At most 1, for equal pictures. Means, variances and covariance are weighted by a Gaussian
        window of 11×11 pixels, sigma 1.5, at all positions where it fits into the picture; smaller
        pictures use the largest odd window that fits. Channels are averaged.

    Raises
    ------
    ShapeError, PixelTypeError
        As for `psnr`.

    References
    ----------
    Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from error
    visibility to structural similarity", IEEE Trans. Image Processing 13 (2004), pp. 600-612,
    equation 13 and section III-C.

    Examples
    --------
    >>> picture = np.arange(400.0).reshape(20, 20) / 400
    >>> round(ssim(picture, picture), 6)
    1.0
    """
    peak = peak_of(np.asarray(a).dtype) if peak is None else peak
    first, second = (np.atleast_3d(one.astype(np.float64)) for one in _pair(a, b))
    channels = range(first.shape[2])
    return float(np.mean([_ssim(first[:, :, c], second[:, :, c], peak) for c in channels]))


def _ssim(a: FloatArray, b: FloatArray, peak: float) -> float:
    size = min(_WINDOW, *a.shape)
    window = _gaussian(size - 1 + size % 2)
    c1, c2 = (_K1 * peak) ** 2, (_K2 * peak) ** 2
    mean_a, mean_b = _averaged(a, window), _averaged(b, window)
    var_a = _averaged(a * a, window) - mean_a**2
    var_b = _averaged(b * b, window) - mean_b**2
    both = _averaged(a * b, window) - mean_a * mean_b
    above = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    below = (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return float((above / below).mean())


def _gaussian(size: int) -> FloatArray:
    offsets = np.arange(size) - size // 2
    line = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    line /= line.sum()
    window: FloatArray = np.outer(line, line)
    return window


def _averaged(values: FloatArray, window: FloatArray) -> FloatArray:
    from convtool.convolution.api import correlate

    averaged: FloatArray = correlate(values, window, mode="valid")
    return averaged


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    first, second = np.asarray(a), np.asarray(b)
    if first.shape != second.shape:
        raise ShapeError(f"pictures of {first.shape} and {second.shape}; give equal shapes")
    if first.ndim not in (2, 3) or first.size == 0:
        raise ShapeError(f"a picture of shape {first.shape}; give (H, W) or (H, W, C), not empty")
    for array in (first, second):
        if array.dtype.kind not in "biuf":
            raise PixelTypeError(f"a picture of type {array.dtype}; give real numbers")
    return first, second
