"""Derivatives from their 1-D factors: Sobel, Scharr, Prewitt, Frei-Chen, Farid; Roberts.

``horizontal`` responds to horizontal edges (the brightness changes from row to row); ``vertical``
is its transpose. A pair has the horizontal one first.
"""

import math

import numpy as np

from convtool.errors import KernelError
from convtool.kernels.weights import Weights

DIFFERENCE = np.array([-1.0, 0, 1])
ONES = np.ones(3)
SCHARR_SMOOTH = np.array([3.0, 10, 3])
FREI_CHEN_SMOOTH = np.array([1, math.sqrt(2), 1])

# H. Farid, E. P. Simoncelli (2004), table 1, five taps; as in skimage.filters.farid.
FARID_SMOOTH = np.array(
    [
        0.0376593171958126,
        0.249153396177344,
        0.426374573253687,
        0.249153396177344,
        0.0376593171958126,
    ]
)
FARID_DIFFERENCE = np.array(
    [-0.109603762960254, -0.276690988455557, 0, 0.276690988455557, 0.109603762960254]
)


def binomial_derivative(length: int, order: int) -> Weights:
    """Return the difference of an order with binomial smoothing, shape (length,), integers.

    ``order`` factors [-1 1] and ``length - 1 - order`` factors [1 1] are convolved.

    References
    ----------
    OpenCV, ``getDerivKernels``.

    Examples
    --------
    >>> binomial_derivative(5, 1).tolist(), binomial_derivative(3, 2).tolist()
    ([-1.0, -2.0, 0.0, 2.0, 1.0], [1.0, -2.0, 1.0])
    """
    if order >= length:
        raise KernelError(
            f"a derivative of order {order} needs more than {order} taps; choose a larger size"
        )
    weights = np.ones(1)
    for index in range(length - 1):
        weights = np.convolve(weights, [-1, 1] if index < order else [1, 1])
    return weights


def sobel(size: int, dx: int | None = None, dy: int | None = None) -> Weights:
    """Return the pair of first derivatives, or the one derivative of orders `dy` and `dx`."""
    if dx is None and dy is None:
        return _pair(binomial_derivative(size, 1), binomial_derivative(size, 0))
    vertical = binomial_derivative(size, dy or 0)
    return np.outer(vertical, binomial_derivative(size, dx or 0))


def prewitt() -> Weights:
    """Return the pair of differences with equal weights, shape (2, 3, 3)."""
    return _pair(DIFFERENCE, ONES)


def scharr() -> Weights:
    """Return the pair of differences with weights 3 10 3, shape (2, 3, 3)."""
    return _pair(DIFFERENCE, SCHARR_SMOOTH)


def frei_chen() -> Weights:
    """Return the pair of differences with weights 1 √2 1, shape (2, 3, 3)."""
    return _pair(DIFFERENCE, FREI_CHEN_SMOOTH)


def farid() -> Weights:
    """Return the pair of differences of Farid and Simoncelli, shape (2, 5, 5)."""
    return _pair(FARID_DIFFERENCE, FARID_SMOOTH)


def roberts() -> Weights:
    """Return the pair of differences along the falling and the rising diagonal, (2, 2, 2)."""
    return np.array([[[1.0, 0], [0, -1]], [[0, 1], [-1, 0]]])


def laplacian_sobel(size: int) -> Weights:
    """Return the sum of the second derivatives in both directions; its centre is negative."""
    curved = np.outer(binomial_derivative(size, 2), binomial_derivative(size, 0))
    return curved + curved.T


def _pair(difference: Weights, smooth: Weights) -> Weights:
    horizontal = np.outer(difference, smooth)
    return np.stack([horizontal, horizontal.T])
