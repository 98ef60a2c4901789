"""Magnitudes of two derivatives of an image of two dimensions, as scikit-image scales them."""

from math import sqrt

import numpy as np

from convtool.convolution.api import convolve
from convtool.convolution.gradient import gradient_magnitude
from convtool.convolution.types import Array, Border
from convtool.filters.values import Values
from convtool.kernels.weights import Weights

SMALL = 1 << 16
"""Images of up to so many pixels stay in the cache: two convolutions take less time than to make
the engine for pairs ready."""


def pair_magnitude(values: Values, pair: Weights, rule: Border, cval: float = 0.0) -> Array:
    """Return the root of half the sum of two squared derivatives.

    Parameters
    ----------
    values : Values
        The pixels, shape (H, W), and their unit.
    pair : ndarray, shape (2, KH, KW)
        Antisymmetric kernels: whether they are flipped does not matter. Even ones are convolved.
    rule : str
        The border.
    cval : float
        The value beyond the edge for ``constant``.

    Examples
    --------
    >>> pair = np.array([[[0.0, 0, 0], [-1, 0, 1], [0, 0, 0]], [[0, -1, 0], [0, 0, 0], [0, 1, 0]]])
    >>> ramp = Values(np.tile(np.arange(3.0), (3, 1)), 1.0, np.dtype(float))
    >>> pair_magnitude(ramp, pair, "nearest")[1].round(3).tolist()
    [0.707, 1.414, 0.707]
    """
    pixels, unit, dtype = values
    kernels, outside = pair * (unit / sqrt(2)), cval / unit
    if pixels.size > SMALL:
        return gradient_magnitude(pixels, kernels, border=rule, cval=outside, dtype=dtype)
    one, other = (
        convolve(pixels, kernel, border=rule, cval=outside, dtype=dtype) for kernel in kernels
    )
    np.square(one, out=one)
    one += np.square(other, out=other)
    return np.sqrt(one, out=one)
