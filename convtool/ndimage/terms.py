"""Filters along one axis: which pixels are added up, in which order, by which weights."""

import sys
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.ndimage.jit.job import ANTISYMMETRIC, SYMMETRIC, UNIFORM, WEIGHTED
from convtool.records import Record

Array = NDArray[Any]


class Filter(Record, eq=False):
    """A filter along one axis.

    Attributes
    ----------
    kind : int
        How it adds up: see :mod:`~.jit.job`.
    taps : int
        Pixels that it reaches over.
    before : int
        How many of them lie before the pixel.
    rule : str
        Its border: a key of :data:`convtool.convolution.borders.RULES`.
    cval : float
        The pixel beyond the edge of a constant border.
    near, far, weights : ndarray
        The terms of the sum, in order.
    start : float
        What is added to the first: a zero, whose sign SciPy's first sum has.
    """

    kind: int
    taps: int
    before: int
    rule: str
    cval: float
    near: Array
    far: Array
    weights: Array
    start: float = -0.0


def weighted(weights: Array, origin: int, rule: str, cval: float) -> Filter:
    """Return the filter of :func:`scipy.ndimage.correlate1d`, with its order of additions.

    Odd numbers of weights that are the same from both ends, or opposite, are taken in pairs.
    """
    return _weighted(weights.tobytes(), origin, rule, cval)


@lru_cache(maxsize=64)
def _weighted(data: bytes, origin: int, rule: str, cval: float) -> Filter:
    weights = np.frombuffer(data, np.float64)
    taps = len(weights)
    before, middle = taps // 2 + origin, taps // 2
    kind = WEIGHTED
    if taps % 2:
        left, right = weights[:middle][::-1], weights[middle + 1 :]
        epsilon = sys.float_info.epsilon
        if not (np.abs(right - left) > epsilon).any():
            kind = SYMMETRIC
        elif not (np.abs(right + left) > epsilon).any():
            kind = ANTISYMMETRIC
    if kind == WEIGHTED:
        near = np.append(taps - 1, np.arange(taps - 1))
        far = np.zeros(taps, np.intp)
    else:
        near = np.append(middle, np.arange(middle))
        far = np.append(middle, np.arange(taps - 1, middle, -1))
    near, far = near.astype(np.intp), far.astype(np.intp)
    return Filter(kind, taps, before, rule, cval, near, far, weights[near])


@lru_cache(maxsize=64)
def uniform(size: int, origin: int, rule: str, cval: float) -> Filter:
    """Return the filter of :func:`scipy.ndimage.uniform_filter1d`."""
    near = np.arange(size, dtype=np.intp)
    return Filter(UNIFORM, size, size // 2 + origin, rule, cval, near, near, np.ones(size), 0.0)


@lru_cache(maxsize=64, typed=True)
def gaussian_weights(sigma: Any, order: int, radius: int) -> Array:
    """Return samples of a Gaussian or of its derivative, as they are correlated.

    A derivative is the Gaussian times a polynomial. To differentiate is to multiply the
    polynomial's coefficients by a matrix: (q·p)' = (q' - q·x/sigma²)·p.
    """
    variance = sigma * sigma
    x = np.arange(-radius, radius + 1)
    values = np.exp(-0.5 / variance * x**2)
    values = values / values.sum()
    if order:
        differentiate = np.diag(np.arange(1, order + 1), 1) + np.diag(
            np.ones(order) / -variance, -1
        )
        coefficients = np.eye(order + 1)[0]
        for _ in range(order):
            coefficients = differentiate.dot(coefficients)
        values = (x[:, None] ** np.arange(order + 1)).dot(coefficients) * values
    return np.ascontiguousarray(values[::-1], np.float64)
