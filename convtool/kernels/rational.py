"""Kernels of integers, possibly times one common factor, and their exact factors.

Sums of moderate integers are exact in floating point. Integer factors of such a kernel preserve
this; singular vectors do not.
"""

import math
from typing import NamedTuple

import numpy as np

from convtool.kernels.weights import FloatArray

LARGEST = 1 << 20
"""The largest multiple of a common factor to search for."""

LARGEST_DENOMINATOR = 1 << 12
"""The largest multiple of the common factor for the smallest value."""

FEW = 64
"""Number of weights to examine first in larger kernels, as most have no common factor."""

DYADIC_BITS = 24
"""The largest number of bits of dyadic fractions."""

CLOSE = 8
"""Relative tolerance for multiples of the factor, in epsilons."""

MOST_FACTORS = 8
"""The largest rank for exact factors."""

MOST_PIVOTS = 64
"""The largest number of pivot candidates."""

FACTOR_BITS, FRACTION_BITS = 25, 12
"""The largest number of bits of an exact factor's entries, and of their fractional part, for which
products and sums are exact in float64."""


class Whole(NamedTuple):
    """Coprime integers and their common factor."""

    numbers: FloatArray
    factor: float


def whole_numbers(values: FloatArray) -> Whole | None:
    """Return values as integers times one common factor, or None if that is impossible.

    Parameters
    ----------
    values : ndarray
        Float32 or float64, finite, of any shape.

    Returns
    -------
    Whole or None
        The integers, in the shape and type of `values`, and the factor; the products equal `values`
        up to a few units in the last place.

    Examples
    --------
    >>> whole_numbers(np.array([2.0, -4, 2]))
    Whole(numbers=array([ 1., -2.,  1.]), factor=2.0)
    >>> whole_numbers(np.full(2, 1 / 9))
    Whole(numbers=array([1., 1.]), factor=0.1111111111111111)
    >>> whole_numbers(np.exp(-np.arange(3.0))) is None
    True
    """
    if values.size > FEW and whole_numbers(values.ravel()[:: values.size // FEW + 1]) is None:
        return None
    largest = float(np.abs(values).max(initial=0))
    if largest == 0:
        return Whole(values, 1.0)
    unit = _dyadic_unit(values, largest) or _common_unit(values, largest)
    if unit is None:
        return None
    factor = largest / round(largest / unit)
    numbers = np.rint(values / factor) + 0
    close = np.abs(numbers * factor - values) <= _close(values) * np.abs(values)
    return Whole(numbers.astype(values.dtype), factor) if close.all() else None


def _close(values: FloatArray) -> float:
    return CLOSE * float(np.finfo(values.dtype).eps)


def _dyadic_unit(values: FloatArray, largest: float) -> float | None:
    """Return the greatest common divisor of integers or dyadic fractions."""
    shift = 0
    if largest >= 2.0**53 or not np.array_equal(values, np.rint(values)):
        shift = DYADIC_BITS - math.frexp(largest)[1]
        values = np.ldexp(values, shift)
        if not np.array_equal(values, np.rint(values)):
            return None
    return math.ldexp(float(np.gcd.reduce(values.astype(np.int64), axis=None)), -shift)


def _common_unit(values: FloatArray, largest: float) -> float | None:
    """Return the greatest common divisor of values, up to rounding.

    The ratio of a value to the smallest is a fraction whose denominator divides the smallest's
    multiple.
    """
    magnitudes = np.abs(values[values != 0])
    smallest, numerator = float(magnitudes.min()), 1
    if largest > LARGEST * smallest:
        return None
    for value in set(magnitudes.tolist()):
        denominator = _denominator(value / smallest, _close(values))
        numerator = math.lcm(numerator, denominator)
        if denominator == 0 or numerator > LARGEST_DENOMINATOR:
            return None
    return smallest / numerator if largest * numerator <= LARGEST * smallest else None


def _denominator(ratio: float, close: float) -> int:
    """Return the denominator of a fraction that equals a number up to rounding, or 0.

    It is found by continued fractions. (Importing ``fractions`` takes 4 ms.)
    """
    rest, above, below = ratio, (0, 1), (1, 0)
    while below[1] <= LARGEST_DENOMINATOR:
        whole = math.floor(rest)
        above, below = (
            (above[1], whole * above[1] + above[0]),
            (below[1], whole * below[1] + below[0]),
        )
        if abs(above[1] / below[1] - ratio) <= close * ratio:
            return below[1]
        if rest == whole:
            return 0
        rest = 1 / (rest - whole)
    return 0


def exact_factors(numbers: FloatArray, rank: int) -> tuple[FloatArray, FloatArray] | None:
    """Return columns and rows whose products sum exactly to an integer matrix.

    Parameters
    ----------
    numbers : ndarray
        Integers as floats, shape (M, N).
    rank : int
        The rank of the matrix, at least 1.

    Returns
    -------
    columns, rows : ndarray
        Shapes (rank, M) and (rank, N): integers or dyadic fractions. None if elimination would
        round.

    Notes
    -----
    Gaussian elimination subtracts a pivot's column times its row, divided by the pivot, until
    the remainder is zero. A matrix of full rank is the sum of its own rows, or columns.

    Examples
    --------
    >>> columns, rows = exact_factors(np.array([[0.0, 1, 0], [1, 1, 1], [0, 1, 0]]), 2)
    >>> columns, rows
    (array([[1., 1., 1.],
           [0., 1., 0.]]), array([[0., 1., 0.],
           [1., 0., 1.]]))
    """
    found = _eliminated(numbers, rank) if rank <= MOST_FACTORS else None
    if found is not None or rank < min(numbers.shape):
        return found
    return own_lines(numbers)


def own_lines(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Factor a matrix into unit vectors and its own rows, or its own columns and unit vectors.

    There are min(M, N) products, which are exact.

    Examples
    --------
    >>> columns, rows = own_lines(np.array([[1.0, 2, 3], [4, 5, 6]]))
    >>> columns, rows
    (array([[1., 0.],
           [0., 1.]]), array([[1., 2., 3.],
           [4., 5., 6.]]))
    """
    height, width = matrix.shape
    if height <= width:
        return np.eye(height, dtype=matrix.dtype), matrix
    return np.ascontiguousarray(matrix.T), np.eye(width, dtype=matrix.dtype)


def _eliminated(numbers: FloatArray, rank: int) -> tuple[FloatArray, FloatArray] | None:
    rest, columns, rows = numbers, [], []
    for _ in range(rank):
        product = _product(rest)
        if product is None:
            return None
        column, row = product
        rest = rest - np.outer(column, row)
        columns.append(column)
        rows.append(row)
    return None if rest.any() else (np.array(columns), np.array(rows))


def _product(rest: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Return the column and row to subtract, for the smallest pivot that divides one of them."""
    places = np.argwhere(rest)
    sizes = np.abs(rest[rest != 0])
    for i, j in places[np.argsort(sizes, kind="stable")[:MOST_PIVOTS]]:
        column, row, pivot = rest[:, j], rest[i], rest[i, j]
        for down, across in ((column, row / pivot), (column / pivot, row)):
            if _is_exact(down) and _is_exact(across):
                return down + 0, across + 0
    return None


def _is_exact(line: FloatArray) -> bool:
    """Return whether a line's entries have few enough bits for exact products and sums."""
    lifted = np.ldexp(line, FRACTION_BITS)
    return bool(np.abs(lifted).max() < 2.0**FACTOR_BITS and np.all(lifted == np.rint(lifted)))
