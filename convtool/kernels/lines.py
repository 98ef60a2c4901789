"""The column and row of a separable kernel in textbook scaling, and the noise gain."""

import numpy as np

from convtool.kernels import factor
from convtool.kernels.rational import whole_numbers
from convtool.kernels.weights import FloatArray, Weights
from convtool.records import Record

_NO_SUM = 1e-9
"""Relative tolerance for a zero sum, with respect to the sum of magnitudes."""

_LEAST_UNIT = 2.0**-52
"""The smallest common factor to interpret as the reciprocal of an integer."""


class Lines(Record):
    """The column and the row whose outer product is a kernel."""

    column: tuple[float, ...]
    row: tuple[float, ...]
    """``kernel[i, j] = column[i] * row[j]``."""


def lines_of(kernel: Weights) -> Lines:
    """Return the column and the row of a separable kernel.

    Parameters
    ----------
    kernel : ndarray
        float64, shape (KH, KW), finite, of rank 1 or 0.

    Returns
    -------
    Lines
        An integer kernel has integer lines. In any other, the column sums to 1, or the row if the
        column sums to 0: an averaging kernel is the product of two averages.

    Examples
    --------
    >>> lines_of(np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]))
    Lines(column=(1.0, 2.0, 1.0), row=(-1.0, 0.0, 1.0))
    >>> lines_of(np.full((2, 4), 1 / 8))
    Lines(column=(0.5, 0.5), row=(0.25, 0.25, 0.25, 0.25))
    """
    found = factor.factor(kernel, rank=1)
    column, row = found.columns[0], found.rows[0]
    if not np.array_equal(kernel, np.rint(kernel)):
        scale = _sum(column) or 1 / (_sum(row) or 1.0)
        column, row = _times(column, 1 / scale), _times(row, scale)
    return Lines(tuple(column.tolist()), tuple(row.tolist()))


def _sum(line: FloatArray) -> float:
    total = float(line.sum())
    return total if abs(total) > _NO_SUM * float(np.abs(line).sum()) else 0.0


def _times(line: FloatArray, scale: float) -> FloatArray:
    """Multiply a line by a number, rounding only once if it is integers times one factor."""
    whole = whole_numbers(line)
    if whole is None:
        return line * scale
    unit = whole.factor * scale
    inverse = np.rint(1 / unit) if abs(unit) > _LEAST_UNIT else 0.0
    exact = inverse and abs(unit * inverse - 1) < len(line) * 4 * np.finfo(float).eps
    return whole.numbers / inverse if exact else whole.numbers * unit


def noise_gain(kernel: Weights) -> float:
    """Return the factor by which a kernel multiplies the variance of white noise: Σ F².

    Parameters
    ----------
    kernel : ndarray
        float64, shape (KH, KW), finite.

    Returns
    -------
    float
        inf if it exceeds float64.

    References
    ----------
    B. Jähne, Digital Image Processing, section 4.2.8: the variance of uncorrelated pixels after a
    linear filter.

    Examples
    --------
    >>> noise_gain(np.outer([1, 2, 1], [1, 2, 1]) / 16) == 9 / 64
    True
    """
    with np.errstate(over="ignore", under="ignore"):
        return float(np.square(kernel).sum())
