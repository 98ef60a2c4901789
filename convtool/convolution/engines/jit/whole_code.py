"""Strips of 8-bit images by whole numbers of rank 1: see :mod:`~.whole`."""

from typing import Any

import numpy as np
from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.jit import entry, pointer_to
from convtool.compiled.memory import ALIGNMENT, aligned, allocate, pointer, release
from convtool.convolution.engines.jit.job import INDEX
from convtool.convolution.engines.jit.lanes import LANES, fill_uint8
from convtool.convolution.engines.jit.whole import ROWS, WHOLE_JOB
from convtool.convolution.engines.jit.whole_passes import sum_columns, sum_rows


@entry(*(pointer_to(kind) for kind in (WHOLE_JOB, INDEX, np.dtype(np.uint16))))
def make_strips(jobs: Any, index: Any, word: Any) -> None:
    """Make strips of an 8-bit answer until none is left; further arguments only tell types."""
    job = carray(jobs, (1,))[0]
    step = job.channels
    width = job.width * step
    rows = carray(pointer(index, job.rows), (job.row_count,))
    columns = carray(pointer(index, job.columns), (job.column_count,))
    strips = carray(pointer(index, job.strips), (job.strip_count, 4))
    held = job.height + ROWS - 1
    stride = -(-job.column_count * step // LANES) * LANES
    inside = (job.right - job.left) * step
    memory = allocate(2 * ROWS * stride + 8 * held + inside + 2 * ALIGNMENT)
    if memory == 0:
        job.failed = 1
        return
    sums = aligned(memory)
    words = carray(pointer(word, sums), (ROWS, stride))
    lines = aligned(sums + 2 * ROWS * stride)
    line = carray(pointer(index, lines), (held,))
    outside = lines + 8 * held
    fill_uint8(outside, job.outside, inside)
    taken = fetch_add_one(job.counter)
    while taken < job.strip_count:
        for y in range(strips[taken, 0], strips[taken, 1], ROWS):
            for k in range(held):
                row = rows[min(y + k, job.row_count - 1)]
                line[k] = job.pixels + row * job.pixels_stride if row >= 0 else outside
            sum_columns(
                job.column_pattern,
                lines,
                job.column_weights,
                job.height,
                sums + 2 * job.left * step,
                stride,
                inside,
            )
            for first, last in ((0, job.left), (job.right, job.column_count)):
                for position in range(first, last):
                    column = columns[position]
                    for channel in range(step):
                        for k in range(ROWS):
                            value = np.uint16(job.outside_sum)
                            if column >= 0:
                                value = words[k, (job.left + column) * step + channel]
                            words[k, position * step + channel] = value
            for k in range(min(ROWS, strips[taken, 1] - y)):
                sum_rows(
                    2 * job.row_pattern + job.halves,
                    sums + 2 * k * stride,
                    job.row_weights,
                    job.taps,
                    step,
                    job.out + (y + k) * job.out_stride,
                    width,
                    job.bias,
                    job.multiplier,
                    job.shift,
                )
        taken = fetch_add_one(job.counter)
    release(memory)
