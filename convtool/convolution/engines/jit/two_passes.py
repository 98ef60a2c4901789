"""8-bit images, 8 bits out, by a kernel of rank 1: fixed-point arithmetic in two passes.

The column pass reads the image where it lies and leaves words; beyond the left and right edge these
are copied by the border's table; the row pass makes the answer of them.
"""

from functools import partial
from typing import Any

import numpy as np
from numba import carray

from convtool.convolution.engines import Job
from convtool.convolution.engines.jit.atomics import take_next
from convtool.convolution.engines.jit.fixed import prepared
from convtool.convolution.engines.jit.job import address_of, pointer
from convtool.convolution.engines.jit.lanes import LANES
from convtool.convolution.engines.jit.octets import (
    OctetStrips,
    fits,
    job_type,
    strips_address,
    template_of,
)
from convtool.convolution.engines.jit.vectors import used
from convtool.convolution.engines.jit.words import (
    ROWS,
    column_pass,
    grey_row_pass,
    row_pass,
)

FIXED_JOB = job_type(
    *("column_weights", "column_pairs", "row_weights", "row_pairs", "shift", "scale")
)
"""A convolution in fixed point."""


def _make_strips(jobs: Any, index: Any, octet: Any, word: Any, _: Any) -> None:
    """Make strips of an 8-bit answer until none is left; further arguments only tell types."""
    job = carray(jobs, (1,))[0]
    step = job.channels
    width = job.width * step
    rows = carray(pointer(index, job.rows), (job.row_count,))
    columns = carray(pointer(index, job.columns), (job.column_count,))
    strips = carray(pointer(index, job.strips), (job.strip_count, 4))
    stride = -(-job.column_count * step // LANES) * LANES + 4 * LANES + 2 * step
    words = np.empty((ROWS, stride), np.int16)
    inside = (job.right - job.left) * step
    outside = np.full(inside, np.uint8(job.outside))
    nowhere = np.empty(width, np.uint8)
    lines = np.empty(2 * job.column_pairs, np.intp)
    targets = np.empty(ROWS, np.intp)
    taken = take_next(job.counter)
    while taken < job.strip_count:
        for y in range(strips[taken, 0], strips[taken, 1], ROWS):
            for k in range(2 * job.column_pairs):
                row = rows[min(y + k, job.row_count - 1)]
                lines[k] = job.pixels + row * job.pixels_stride
                if row < 0:
                    lines[k] = outside.ctypes.data
            for k in range(ROWS):
                targets[k] = job.out + (y + k) * job.out_stride
                if y + k >= strips[taken, 1]:
                    targets[k] = nowhere.ctypes.data
            column_pass(
                lines.ctypes.data,
                job.column_weights,
                job.column_pairs,
                job.shift,
                words.ctypes.data + 2 * job.left * step,
                stride,
                inside,
            )
            for first, last in ((0, job.left), (job.right, job.column_count)):
                for position in range(first, last):
                    column = columns[position]
                    for channel in range(step):
                        for k in range(ROWS):
                            value = np.int16(job.outside_words)
                            if column >= 0:
                                value = words[k, (job.left + column) * step + channel]
                            words[k, position * step + channel] = value
            if step == 1:
                grey_row_pass(
                    words.ctypes.data,
                    stride,
                    job.row_weights,
                    job.row_pairs,
                    step,
                    targets.ctypes.data,
                    width,
                    job.scale,
                )
            else:
                row_pass(
                    words.ctypes.data,
                    stride,
                    job.row_weights,
                    job.row_pairs,
                    step,
                    targets.ctypes.data,
                    width,
                    job.scale,
                )
        taken = take_next(job.counter)
    used(words)
    used(outside)
    used(nowhere)
    used(lines)
    used(targets)


def fixed_strips(job: Job) -> OctetStrips | None:
    """Return a kernel made ready for 8-bit images, or None where floats serve it better."""
    ready = prepared(job.kernel, job.channels) if fits(job, LANES) else None
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
    return OctetStrips(
        job.layout, template, partial(strips_address, _make_strips, FIXED_JOB), column_of, kept
    )
