"""Linear light: the transfer function of sRGB undone before filtering and redone after it.

References
----------
IEC 61966-2-1:1999, section 5.2: the transfer function, here continued to negative values by its
mirror image and to values above white by its own formula.
"""

import numpy as np

from convtool.images.image import Pixels
from convtool.images.tone import working_dtype

ALREADY_LINEAR = frozenset({"exr", "hdr", "pfm"})
"""Formats whose values are proportional to light."""

_LINEAR_BELOW, _SLOPE, _OFFSET, _POWER = 0.04045, 12.92, 0.055, 2.4


def to_linear(pixels: Pixels, peak: float) -> Pixels:
    """Return pixels as light, white being the same value as before.

    Parameters
    ----------
    pixels : ndarray
        Encoded as sRGB.
    peak : float
        The value of white.

    Returns
    -------
    ndarray
        Of the type that the pixels are computed in.

    Examples
    --------
    >>> to_linear(np.array([0, 128, 255], np.uint8), 255.0).round(2)
    array([  0.  ,  55.04, 255.  ], dtype=float32)
    """
    if pixels.dtype.kind == "u" and pixels.itemsize <= 2:
        table = _light(np.arange(np.iinfo(pixels.dtype).max + 1) / peak) * peak
        looked_up: Pixels = table.astype(np.float32)[pixels]
        return looked_up
    return (_light(pixels / peak) * peak).astype(working_dtype(pixels.dtype), copy=False)


def to_encoded(values: Pixels, peak: float) -> Pixels:
    """Undo `to_linear`, for values that may lie beyond black and white.

    Examples
    --------
    >>> to_encoded(np.array([-55.04, 0, 55.04, 255]), 255.0).round(1)
    array([-128.,    0.,  128.,  255.])
    """
    size = np.abs(values) / values.dtype.type(peak)
    curve = (1 + _OFFSET) * np.power(size, 1 / _POWER) - _OFFSET
    encoded = np.where(size <= _LINEAR_BELOW / _SLOPE, size * _SLOPE, curve)
    signed: Pixels = np.copysign(encoded * peak, values).astype(values.dtype, copy=False)
    return signed


def _light(values: Pixels) -> Pixels:
    """Decode the sRGB transfer function."""
    size = np.abs(values)
    curve = np.power((size + _OFFSET) / (1 + _OFFSET), _POWER)
    light: Pixels = np.copysign(np.where(size <= _LINEAR_BELOW, size / _SLOPE, curve), values)
    return light
