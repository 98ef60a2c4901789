"""8-bit images, 8 bits out, by whole numbers of rank 1 over a divisor: exact sums in 16 bits."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from convtool.convolution.engines import Array, Job
from convtool.convolution.engines.jit.job import address_of
from convtool.convolution.engines.jit.uint8 import (
    Uint8Strips,
    constants,
    fits,
    job_type,
    template_of,
)
from convtool.convolution.engines.uint16_sums import uint16_sums

ROWS = 4
"""Output rows that are made at once."""

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
    """

    taps: int
    equal: bool
    symmetric: bool

    def takes(self, line: tuple[int, ...]) -> bool:
        """Return whether the code is right for a line of weights."""
        return (
            self.taps in (ANY, len(line))
            and (not self.equal or set(line) == {1})
            and (not self.symmetric or (line[0] == 1 and line == line[::-1]))
        )


PATTERNS = (
    Pattern(3, True, True),
    Pattern(5, True, True),
    Pattern(7, True, True),
    Pattern(ANY, True, True),
    Pattern(3, False, True),
    Pattern(5, False, True),
    Pattern(ANY, False, False),
)
"""The first one that takes a line is used; the last one takes any."""

WHOLE_JOB = job_type(
    *("column_pattern", "column_weights", "height", "row_pattern", "row_weights", "taps"),
    *("halves", "bias", "multiplier", "shift"),
)
"""A convolution by whole numbers: for each pass the place in `PATTERNS`, the address of a vector
for each weight, and the number of weights; and how sums are divided, see `Division`."""


class Division(NamedTuple):
    """How sums become pixels: (s + bias) · multiplier / 2¹⁶, without a fraction, and a shift.

    ``halves``: 1 for a power of two; 1 is added first to those whose quotient is odd, so that what
    lies halfway goes to the even number.
    """

    halves: int
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
    Division(halves=1, bias=7, multiplier=4096, shift=0)
    >>> division(9)
    Division(halves=0, bias=4, multiplier=58255, shift=3)
    """
    shift = divisor.bit_length() - 1
    if divisor == 1 << shift:
        return Division(1, divisor // 2 - 1, 1 << 16 - shift, 0)
    sums = np.arange(255 * divisor + 1)
    nearest = (2 * sums + divisor) // (2 * divisor)
    down = (1 << 16 + shift) // divisor
    for multiplier, bias in ((down + 1, divisor // 2), (down, divisor // 2 + 1)):
        if np.array_equal((sums + bias) * multiplier >> 16 + shift, nearest):
            break
    return Division(0, bias, multiplier, shift)


def _vectors(line: tuple[int, ...], lanes: int) -> Array:
    """Return a vector for each weight."""
    return np.repeat(np.array(line, np.uint16)[:, None], lanes, axis=1)


def _pattern(line: tuple[int, ...]) -> int:
    return next(place for place, pattern in enumerate(PATTERNS) if pattern.takes(line))


def whole_strips(job: Job) -> Uint8Strips | None:
    """Return a kernel made ready for 8-bit images, or None where its sums do not fit 16 bits."""
    sums = uint16_sums(job.kernel)
    lanes = constants()[0]
    if sums is None or not fits(job, 2 * lanes):
        return None
    column, row = _vectors(sums.column, lanes), _vectors(sums.row, lanes)
    template = template_of(job, WHOLE_JOB)
    record = template.view(WHOLE_JOB)
    record["column_pattern"], record["row_pattern"] = _pattern(sums.column), _pattern(sums.row)
    record["column_weights"], record["row_weights"] = address_of(column), address_of(row)
    record["height"], record["taps"] = len(sums.column), len(sums.row)
    for name, value in division(sums.divisor)._asdict().items():
        record[name] = value
    total = sum(sums.column)
    return Uint8Strips(
        job.layout, template, "whole_strips", lambda pixel: pixel * total, (column, row)
    )
