"""Kernels whose sums over 8-bit pixels fit 16 bits: whole numbers of rank 1 over a divisor.

Plans and the compiled engine both ask here, so that a plan names what runs.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from convtool.convolution.engines import Array, factoring
from convtool.kernels.rational import whole_numbers

LONGEST = 15
"""Columns and rows of more weights are left to running sums and to products of pairs."""

LARGEST_DIVISOR = 256
"""255 times the divisor, and what is added for rounding, fit 16 bits."""

_CLOSE = 1e-12


class Uint16Sums(NamedTuple):
    """A kernel as whole numbers: the product of a column and a row, over a divisor.

    Attributes
    ----------
    column, row : tuple of int
        Weights of 0 and more.
    divisor : int
        A power of two; or odd, where all weights are 1. No less than the sum of all products, so
        that no answer saturates.
    """

    column: tuple[int, ...]
    row: tuple[int, ...]
    divisor: int


@lru_cache(maxsize=64)
def _uint16_sums(weights: bytes, shape: tuple[int, int]) -> Uint16Sums | None:
    kernel = np.frombuffer(weights).reshape(shape)
    if max(shape) > LONGEST or kernel.min() < 0 or np.count_nonzero(kernel) < 2:
        return None
    found = factoring(kernel, np.dtype(np.float32))
    if found.rank != 1 or not found.exact or found.factors is None:
        return None
    lines = whole_numbers(found.factors.columns[0]), whole_numbers(found.factors.rows[0])
    if lines[0] is None or lines[1] is None:
        return None
    column, row = (tuple(int(abs(number)) for number in line.numbers) for line in lines if line)
    factor = abs(lines[0].factor * lines[1].factor)
    numerator, divisor = factor.as_integer_ratio()
    if divisor <= LARGEST_DIVISOR:
        column = tuple(numerator * number for number in column)
    elif set(column) == set(row) == {1}:
        divisor = round(1 / factor)
        if divisor % 2 == 0 or abs(factor * divisor - 1) > _CLOSE:
            return None
    fits = sum(column) * sum(row) <= divisor <= LARGEST_DIVISOR
    return Uint16Sums(column, row, divisor) if fits else None


def uint16_sums(kernel: Array) -> Uint16Sums | None:
    """Return a kernel of float64 as whole numbers whose sums fit 16 bits, or None if it is no such.

    Examples
    --------
    >>> uint16_sums(np.outer([1, 2, 1], [1, 2, 1]) / 16)
    Uint16Sums(column=(1, 2, 1), row=(1, 2, 1), divisor=16)
    >>> uint16_sums(np.full((5, 5), 1 / 25))
    Uint16Sums(column=(1, 1, 1, 1, 1), row=(1, 1, 1, 1, 1), divisor=25)
    >>> uint16_sums(np.full((4, 3), 1 / 12)) is None  # answers may lie halfway
    True
    """
    return _uint16_sums(kernel.tobytes(), (kernel.shape[0], kernel.shape[1]))
