"""8-bit images, 8 bits out, by kernels of rank 1 in 16 bits: exact sums, or rounded products."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from convtool.convolution.engines import Job
from convtool.convolution.engines.jit.job import address_of
from convtool.convolution.engines.jit.uint8 import (
    Uint8Strips,
    constants,
    fits,
    job_type,
    template_of,
)
from convtool.convolution.engines.uint16_sums import (
    PRODUCT_BITS,
    uint16_products,
    uint16_sums,
)
from convtool.convolution.types import Array

ROWS = 4
"""Output rows that are made at once."""

LIFT = 7
"""Bits by which pixels are moved up for rounded products: :data:`~..uint16_sums.FRACTION`, in a
file that compiled functions are known to depend on."""

ANY = 0
"""Stands for any number of weights, in a loop; other numbers of them are written out."""


class Pattern(NamedTuple):
    """Lines of weights that have code of their own.

    Attributes
    ----------
    taps : int
        How many weights; or `ANY`.
    equal : bool
        Whether all are 1.
    symmetric : bool
        Whether the first and last are 1 and the others lie symmetrically.
    rounded : bool
        Whether products are rounded: see :class:`~..uint16_sums.Uint16Products`.
    """

    taps: int
    equal: bool = False
    symmetric: bool = False
    rounded: bool = False

    def takes(self, line: tuple[int, ...], rounded: bool) -> bool:
        """Return whether the code is right for a line of weights."""
        return (
            self.rounded == rounded
            and self.taps in (ANY, len(line))
            and (not self.equal or set(line) == {1})
            and (not self.symmetric or (line[0] == 1 and line == line[::-1]))
        )


PATTERNS = (
    Pattern(3, equal=True),
    Pattern(5, equal=True),
    Pattern(7, equal=True),
    Pattern(ANY, equal=True),
    Pattern(3, symmetric=True),
    Pattern(5, symmetric=True),
    Pattern(ANY),
    Pattern(3, rounded=True),
    Pattern(5, rounded=True),
)
"""The first one that takes a line is used; one of them takes any whole numbers."""


class RowPattern(NamedTuple):
    """A pattern, and whether sums are divided by a power of two."""

    pattern: Pattern
    halves: bool


ROW_PATTERNS = tuple(
    RowPattern(pattern, halves)
    for pattern in PATTERNS
    for halves in ((True,) if pattern.rounded else (False, True))
)
"""What the row pass has code for."""

WHOLE_JOB = job_type(
    *("column_pattern", "column_weights", "height", "row_pattern", "row_weights", "taps"),
    *("bias", "multiplier", "shift"),
)
"""A convolution in 16 bits: for each pass the place in `PATTERNS` or `ROW_PATTERNS`, the address of
a vector for each weight, and the number of weights; and how sums are divided, see `Division`."""


class Division(NamedTuple):
    """How sums become pixels: (s + bias) · multiplier / 2¹⁶, without a fraction, and a shift.

    ``halves``: whether it is by a power of two; 1 is added first to sums whose quotient is odd, so
    that what lies halfway goes to the even number.
    """

    halves: bool
    bias: int
    multiplier: int
    shift: int


@lru_cache(maxsize=16)
def division(divisor: int) -> Division:
    """Return how sums of up to 255 times a divisor are divided by it, rounded to nearest.

    All sums of an odd divisor are tried.

    References
    ----------
    T. Granlund, P. L. Montgomery, "Division by invariant integers using multiplication", PLDI 1994;
    A. D. Robison, "N-bit unsigned division via N-bit multiply-add", ARITH 2005: either the rounded
    up or the rounded down reciprocal is exact.

    Examples
    --------
    >>> division(16)
    Division(halves=True, bias=7, multiplier=4096, shift=0)
    >>> division(9)
    Division(halves=False, bias=4, multiplier=58255, shift=3)
    """
    shift = divisor.bit_length() - 1
    if divisor == 1 << shift:
        return Division(True, divisor // 2 - 1, 1 << 16 - shift, 0)
    sums = np.arange(255 * divisor + 1)
    nearest = (2 * sums + divisor) // (2 * divisor)
    down = (1 << 16 + shift) // divisor
    for multiplier, bias in ((down + 1, divisor // 2), (down, divisor // 2 + 1)):
        if np.array_equal((sums + bias) * multiplier >> 16 + shift, nearest):
            break
    return Division(False, bias, multiplier, shift)


def _vectors(line: tuple[int, ...], lanes: int) -> Array:
    """Return a vector for each weight."""
    return np.repeat(np.array(line, np.uint16)[:, None], lanes, axis=1)


def _pattern(line: tuple[int, ...], rounded: bool) -> Pattern:
    return next(pattern for pattern in PATTERNS if pattern.takes(line, rounded))


def whole_strips(job: Job) -> Uint8Strips | None:
    """Return a kernel made ready for 8-bit images, or None where 16 bits do not do for it."""
    if not fits(job, 1):
        return None
    sums = uint16_sums(job.kernel)
    if sums is not None:
        total = sum(sums.column)
        made = division(sums.divisor)
        return _strips(job, sums.column, sums.row, False, made, lambda pixel: pixel * total)
    products = uint16_products(job.kernel) if constants()[1] else None
    if products is None:
        return None
    column = np.array(products.column)

    def column_of(pixel: int) -> int:
        return int(((pixel << LIFT) * column + (1 << PRODUCT_BITS - 1) >> PRODUCT_BITS).sum())

    made = division(1 << LIFT)
    return _strips(job, products.column, products.row, True, made, column_of)


def _strips(
    job: Job,
    column: tuple[int, ...],
    row: tuple[int, ...],
    rounded: bool,
    made: Division,
    column_of: Callable[[int], int],
) -> Uint8Strips:
    lanes = constants()[0]
    kept = _vectors(column, lanes), _vectors(row, lanes)
    template = template_of(job, WHOLE_JOB)
    record = template.view(WHOLE_JOB)
    record["column_pattern"] = PATTERNS.index(_pattern(column, rounded))
    record["row_pattern"] = ROW_PATTERNS.index(RowPattern(_pattern(row, rounded), made.halves))
    record["column_weights"], record["row_weights"] = map(address_of, kept)
    record["height"], record["taps"] = len(column), len(row)
    record["bias"], record["multiplier"], record["shift"] = made[1:]
    return Uint8Strips(job.layout, template, "whole_strips", column_of, kept)
