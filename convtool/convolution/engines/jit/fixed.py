"""Kernels of rank 1 in fixed point: whole weights for int16, where that is exact enough."""

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
from convtool.convolution.types import Array
from convtool.kernels.factor import factor

FRACTION = 7
"""Bits after the point in the int16 sums of rounded columns: 255 · 2⁷ just fits."""

INT16_MAX = (1 << 15) - 1
_SUM = (1 << 31) - 1
_EXACT_FLOAT = 1 << 24

WORST = 0.3
"""Rounded weights may change an answer by so much at the most, in grey levels, before rounding."""

ROWS = 4
"""Output rows that are made at once."""

LONGEST = 128
"""Columns and rows of more weights are left to floats."""


FIXED_JOB = job_type(
    *("column_weights", "column_pairs", "row_weights", "row_pairs", "shift", "scale")
)
"""A convolution in fixed point."""


class Fixed(NamedTuple):
    """A kernel in fixed point: whole weights, bits dropped between the passes, and a factor."""

    column: Array
    row: Array
    shift: int
    scale: float


def _fits(column: Array, row: Array, column_peak: float, scale: float) -> bool:
    """Return whether no weight or sum overflows int16; ``column_peak``: the largest column sum."""
    largest = column_peak * np.abs(row).sum()
    return bool(
        max(np.abs(column).max(), np.abs(row).max()) <= INT16_MAX
        and column_peak <= INT16_MAX
        and 255 * np.abs(column).sum() < _SUM
        and largest < _SUM
        and largest * scale < 1 << 21
    )


def _exact(column: Array, row: Array, scale: float) -> Fixed | None:
    """Return whole factors as they are, where nothing has to be rounded before the end."""
    column_peak = 255 * np.abs(column).sum()
    fits = _fits(column, row, column_peak, scale) and column_peak * np.abs(row).sum() < _EXACT_FLOAT
    return Fixed(column.astype(np.int64), row.astype(np.int64), 0, scale) if fits else None


def _whole(line: Array, bits: int) -> Array:
    """Return weights times two to the ``bits``, rounded, their sum too."""
    scaled = np.ldexp(line, bits)
    whole = np.rint(scaled)
    whole[np.abs(line).argmax()] += np.rint(scaled.sum()) - whole.sum()
    return whole


def _rounded(column: Array, row: Array) -> Fixed | None:
    """Return factors rounded to fixed point, where that changes the answer little enough."""
    gain = np.abs(column).sum()
    column, row = column / gain, row * gain
    most, total = np.abs(row).max(), np.abs(row).sum()
    column_bits = min(22, int(np.floor(np.log2(INT16_MAX / np.abs(column).max()))))
    row_bits = int(np.floor(min(np.log2(INT16_MAX / most), np.log2(65700 / total))))
    if column_bits < FRACTION + 1 or not 0 <= row_bits <= 30:
        return None
    down, across = _whole(column, column_bits), _whole(row, row_bits)
    shift, scale = column_bits - FRACTION, 2.0 ** -(FRACTION + row_bits)
    column_peak = float(np.ldexp(255 * np.abs(down).sum(), -shift)) + 1
    error = 0.5**FRACTION / 2 * total
    error += 255 * total * np.abs(np.ldexp(down, -column_bits) - column).sum()
    error += 255 * np.abs(np.ldexp(across, -row_bits) - row).sum()
    if error > WORST or not _fits(down, across, column_peak, scale):
        return None
    return Fixed(down.astype(np.int64), across.astype(np.int64), shift, scale)


def _lifted(kernel: Array) -> tuple[Array, int]:
    """Return a kernel times two to so many bits that its largest weight has 24."""
    bits = 24 - int(np.frexp(np.abs(kernel).max())[1])
    return np.ldexp(kernel, bits), bits


def is_dyadic(kernel: Array) -> bool:
    """Return whether the weights are whole numbers, of 24 bits, over a power of two."""
    scaled, _ = _lifted(kernel)
    return bool(np.all(scaled == np.rint(scaled)))


def fixed_point(kernel: Array) -> Fixed | None:
    """Return a kernel in fixed point, or None where floats serve it better.

    Kernels of whole numbers, or of whole numbers over a power of two, and means are done exactly.
    """
    if max(kernel.shape) > LONGEST or not kernel.any():
        return None
    if bool(np.all(kernel == kernel[0, 0])):
        ones = np.ones(kernel.shape[0]), np.ones(kernel.shape[1])
        value = float(np.float32(kernel[0, 0]))
        return _exact(*ones, value) if value > 0 else None
    scaled, bits = _lifted(kernel)
    dyadic = is_dyadic(kernel)
    factors = factor(scaled if dyadic else kernel)
    if len(factors.columns) != 1:
        return None
    column, row = factors.columns[0], factors.rows[0]
    if not dyadic:
        return _rounded(column, row)
    while bits > 0 and not np.any(np.fmod(column, 2)):
        column, bits = column / 2, bits - 1
    whole = bool(np.all(column == np.rint(column)) and np.all(row == np.rint(row)))
    return _exact(column, row, 2.0**-bits) if whole else None


def _pairs(line: Array, starts: list[int]) -> Array:
    """Return the weights as pairs of int16 in an int32 each, for windows that start so much later.

    Shape (pairs, len(starts)): pair p of a window are the weights 2p - start and 2p - start + 1.
    """
    count = (len(line) + max(starts) + 1) // 2
    table = np.zeros((len(starts), 2 * count), np.int64)
    for shifted, start in zip(table, starts, strict=True):
        shifted[start : start + len(line)] = line
    int16s = table.astype(np.int16).view(np.uint16).astype(np.uint32)
    both = int16s[:, 0::2] | int16s[:, 1::2] << 16
    return np.ascontiguousarray(both.T.view(np.int32))


class Prepared(NamedTuple):
    """The weights as the passes read them; two starts in a row for pixels of one channel."""

    columns: Array
    rows: Array
    fixed: Fixed


def prepared(kernel: Array, channels: int) -> Prepared | None:
    """Return a kernel made ready for the passes, or None where floats serve it better."""
    fixed = fixed_point(kernel)
    if fixed is None:
        return None
    later = [0, 1] if channels == 1 else [0, 0]
    return Prepared(_pairs(fixed.column, list(range(ROWS))), _pairs(fixed.row, later), fixed)


def fixed_strips(job: Job) -> Uint8Strips | None:
    """Return a kernel made ready for 8-bit images, or None where floats serve it better."""
    ready = prepared(job.kernel, job.channels) if fits(job, constants()[0]) else None
    if ready is None:
        return None
    fixed = ready.fixed
    template = template_of(job, FIXED_JOB)
    record = template.view(FIXED_JOB)
    record["column_weights"] = address_of(ready.columns)
    record["row_weights"] = address_of(ready.rows)
    record["column_pairs"], record["row_pairs"] = len(ready.columns), len(ready.rows)
    record["shift"] = fixed.shift
    record["scale"] = np.float32(fixed.scale).view(np.int32)
    total = int(fixed.column.sum())

    def column_of(value: int) -> int:
        return (value * total + (1 << fixed.shift >> 1)) >> fixed.shift

    kept = ready.columns, ready.rows
    return Uint8Strips(job.layout, template, "fixed_strips", column_of, kept)
