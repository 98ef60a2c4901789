"""Kernels of rank 1 whose sums over 8-bit pixels fit 16 bits, exactly or by rounded products.

Plans and the compiled engine both ask here, so that a plan names what runs.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from convtool.convolution.engines import factoring
from convtool.convolution.types import Array
from convtool.kernels.rational import whole_numbers

LONGEST = 15
"""Columns and rows of more weights are left to running sums and to products of pairs."""

LARGEST_DIVISOR = 256
"""255 times the divisor, and what is added for rounding, fit 16 bits."""

_CLOSE = 1e-12

PRODUCT_SHAPES = ((3, 3), (5, 5))
"""Kernels that are done by rounded products."""

PRODUCT_BITS = 15
"""Bits below the point of their weights."""

FRACTION = 7
"""Bits below the point of their sums: 255 times two to that fits a signed word."""

WORST = 0.3
"""Rounding may change an answer by so much at the most, in grey levels, before it is rounded."""


class Uint16Sums(NamedTuple):
    """A kernel as whole numbers: the product of a column and a row, over a divisor."""

    column: tuple[int, ...]
    row: tuple[int, ...]
    """Weights of 0 and more."""
    divisor: int
    """A power of two; or odd, where all weights are 1. No less than the sum of all products, so
    that no answer saturates."""


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


class Uint16Products(NamedTuple):
    """A kernel as the product of a column and a row, times two to twice `PRODUCT_BITS`."""

    column: tuple[int, ...]
    row: tuple[int, ...]
    """Weights of 0 and more, no more than two to the `PRODUCT_BITS` together."""


def _rounded(line: Array) -> Array:
    """Return weights times two to the `PRODUCT_BITS`, rounded, their sum too."""
    scaled = np.ldexp(line, PRODUCT_BITS)
    whole = np.rint(scaled)
    whole[line.argmax()] += np.rint(scaled.sum()) - whole.sum()
    return whole


@lru_cache(maxsize=64)
def _uint16_products(weights: bytes, shape: tuple[int, int]) -> Uint16Products | None:
    kernel = np.frombuffer(weights).reshape(shape)
    if shape not in PRODUCT_SHAPES or kernel.min() < 0:
        return None
    found = factoring(kernel, np.dtype(np.float32))
    if found.rank != 1 or found.whole or found.factors is None:
        return None
    column, row = np.abs(found.factors.columns[0]), np.abs(found.factors.rows[0])
    column, row = column / column.sum(), row * column.sum()
    down, across = _rounded(column), _rounded(row)
    if across.sum() > 1 << PRODUCT_BITS or max(down.max(), across.max()) >= 1 << PRODUCT_BITS:
        return None
    error = sum(shape) * 0.5 ** (FRACTION + 1)
    error += 255 * np.abs(np.ldexp(down, -PRODUCT_BITS) - column).sum()
    error += 255 * np.abs(np.ldexp(across, -PRODUCT_BITS) - row).sum()
    if error > WORST:
        return None
    return Uint16Products(*(tuple(int(number) for number in line) for line in (down, across)))


def uint16_products(kernel: Array) -> Uint16Products | None:
    """Return a kernel of float64 for products that are rounded to 16 bits, or None.

    Kernels of whole numbers times a common factor are not taken: their answers can be exact.

    Examples
    --------
    >>> line = np.exp(-(np.arange(-1.0, 2) ** 2) / 2)
    >>> uint16_products(np.outer(line, line) / line.sum() ** 2)
    Uint16Products(column=(8981, 14806, 8981), row=(8981, 14806, 8981))
    >>> uint16_products(np.outer([1, 2, 1], [1, 2, 1]) / 16) is None
    True
    """
    return _uint16_products(kernel.tobytes(), (kernel.shape[0], kernel.shape[1]))
