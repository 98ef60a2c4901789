"""Image quality metrics: mean-square error, PSNR, structural similarity."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convtool.arrays import adopt
from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.images.image import PIXEL_TYPES, Image, name_of, peak_of
from convtool.kernels.weights import FloatArray
from convtool.records import Record

_WINDOW = 11
_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03
_BYTE = 255.0


class Peak(Record):
    """The value that PSNR and SSIM take for the largest possible one, and why."""

    value: float
    """In pixel units."""
    reason: str
    """Where it comes from, in words."""


def peak_for(images: Sequence[Image], given: float | None = None) -> Peak:
    """Return the peak for measuring differences from some pictures, the pages of a file.

    Parameters
    ----------
    images : sequence of Image
        The references.
    given : float, optional
        The peak that a user chose.

    Returns
    -------
    Peak
        For integers, white of their type. For floats: 1 if all values lie within 0 to 1; 255 if
        they lie within 0 to 255 and exceed 127; else their range, largest minus smallest. NaN and
        infinity are left out. For pages of several types, the largest peak.

    Examples
    --------
    >>> peak_for([Image(np.array([[0.0, 250.0]]))])
    Peak(value=255.0, reason='floats within 0 to 255')
    >>> peak_for([Image(np.array([[-300.0, 500.0]]))]).value
    800.0
    """
    if given is not None:
        return Peak(_checked(given), "given")
    whites = [Peak(one.peak, f"white of {one.type.name}") for one in images if one.type.is_integer]
    floats = [_known(one) for one in images if not one.type.is_integer]
    found = [*whites, _peak_of_floats(floats)] if floats else whites
    return max(found, key=lambda peak: peak.value)


def _checked(peak: float) -> float:
    if not 0 < peak < math.inf:
        raise OptionError(f"peak {peak:g}: give a finite number above 0")
    return peak


def _known(image: Image) -> NDArray[Any]:
    nodata = image.metadata.nodata
    return image.pixels if nodata is None else image.pixels[image.pixels != nodata]


def _peak_of_floats(arrays: Sequence[NDArray[Any]]) -> Peak:
    finite = [values for array in arrays if (values := array[np.isfinite(array)]).size]
    low = min((float(values.min()) for values in finite), default=0.0)
    high = max((float(values.max()) for values in finite), default=0.0)
    if low >= 0 and high <= 1:
        return Peak(1.0, "floats within 0 to 1")
    if low >= 0 and _BYTE / 2 < high <= _BYTE:
        return Peak(_BYTE, "floats within 0 to 255")
    if high > low:
        return Peak(high - low, "the range of the floats")
    return Peak(abs(high), "the only value of the floats")


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
        The largest possible value; by default that of `peak_for` for `a`.

    Returns
    -------
    float
        20·log10(peak / √MSE) in dB; inf for equal pictures.

    Raises
    ------
    ShapeError, PixelTypeError
        As for `mse`, and if the type of `a` has no peak and none is given.
    OptionError
        If a given peak is not a finite number above 0.

    Examples
    --------
    >>> round(psnr(np.array([[0, 255]], np.uint8), np.array([[0, 253]], np.uint8)), 2)
    45.12
    >>> psnr([[0.5]], [[0.5]])
    inf
    """
    peak = _default_peak(a) if peak is None else _checked(peak)
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
        The largest possible value; by default that of `peak_for` for `a`.

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
    peak = _default_peak(a) if peak is None else _checked(peak)
    first, second = (np.atleast_3d(one.astype(np.float64)) for one in _pair(a, b))
    channels = range(first.shape[2])
    return float(np.mean([_ssim(first[:, :, c], second[:, :, c], peak) for c in channels]))


def _default_peak(a: ArrayLike) -> float:
    if isinstance(a, Image):
        return peak_for([a]).value
    array = adopt(a, "a", "measured")
    if array.dtype.kind == "f" and name_of(array.dtype) in PIXEL_TYPES:
        return _peak_of_floats([array]).value
    return peak_of(array.dtype)


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
    first, second = adopt(a, "a", "measured"), adopt(b, "b", "measured")
    if first.shape != second.shape:
        raise ShapeError(f"pictures of {first.shape} and {second.shape}; give equal shapes")
    if first.ndim not in (2, 3) or first.size == 0:
        raise ShapeError(f"a picture of shape {first.shape}; give (H, W) or (H, W, C), not empty")
    for array in (first, second):
        if array.dtype.kind == "c":
            raise PixelTypeError(f"a picture of type {array.dtype}; give real numbers")
    return first, second
