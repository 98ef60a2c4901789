"""Strips of 8-bit images by kernels of rank 1 in 16 bits: see :mod:`~.whole`."""

from typing import Any

import numpy as np
from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.jit import entry, pointer_to
from convtool.compiled.memory import ALIGNMENT, aligned, allocate, pointer, release
from convtool.convolution.engines.jit.job import INDEX
from convtool.convolution.engines.jit.lanes import LANES, fill_uint8
from convtool.convolution.engines.jit.whole import ROWS, WHOLE_JOB
from convtool.convolution.engines.jit.whole_passes import OUTPUTS, sum_columns, sum_rows


@entry(*(pointer_to(kind) for kind in (WHOLE_JOB, INDEX, np.dtype(np.uint8), np.dtype(np.uint16))))
def make_strips(jobs: Any, index: Any, pixel: Any, int16: Any) -> None:
    """Make strips of an 8-bit answer until none is left; further arguments only tell types.

    Rows that are shorter than a vector are copied, so that whole vectors are read and written.
    """
    job = carray(jobs, (1,))[0]
    step = job.channels
    width = job.width * step
    rows = carray(pointer(index, job.rows), (job.row_count,))
    columns = carray(pointer(index, job.columns), (job.column_count,))
    strips = carray(pointer(index, job.strips), (job.strip_count, 4))
    held = job.height + ROWS - 1
    stride = -(-job.column_count * step // LANES) * LANES + OUTPUTS
    inside = (job.right - job.left) * step
    copied = held * LANES if inside < LANES else 0
    memory = allocate(2 * ROWS * stride + 8 * held + OUTPUTS + copied + inside + 2 * ALIGNMENT)
    if memory == 0:
        job.failed = 1
        return
    sums = aligned(memory)
    int16s = carray(pointer(int16, sums), (ROWS, stride))
    lines = aligned(sums + 2 * ROWS * stride)
    line = carray(pointer(index, lines), (held,))
    start_of_spare = lines + 8 * held
    spare = carray(pointer(pixel, start_of_spare), (OUTPUTS,))
    copies = start_of_spare + OUTPUTS
    outside = copies + copied
    fill_uint8(outside, job.outside, inside)
    taken = fetch_add_one(job.counter)
    while taken < job.strip_count:
        for y in range(strips[taken, 0], strips[taken, 1], ROWS):
            for k in range(held):
                row = rows[min(y + k, job.row_count - 1)]
                line[k] = job.pixels + row * job.pixels_stride if row >= 0 else outside
                if copied > 0:
                    source = carray(pointer(pixel, line[k]), (inside,))
                    line[k] = copies + k * LANES
                    copy = carray(pointer(pixel, line[k]), (LANES,))
                    for place in range(inside):
                        copy[place] = source[place]
            sum_columns(
                job.column_pattern,
                lines,
                job.column_weights,
                job.height,
                sums + 2 * job.left * step,
                stride,
                max(inside, LANES),
            )
            for first, last in ((0, job.left), (job.right, job.column_count)):
                for position in range(first, last):
                    column = columns[position]
                    for channel in range(step):
                        for k in range(ROWS):
                            value = np.uint16(job.outside_sum)
                            if column >= 0:
                                value = int16s[k, (job.left + column) * step + channel]
                            int16s[k, position * step + channel] = value
            for k in range(min(ROWS, strips[taken, 1] - y)):
                target = job.out + (y + k) * job.out_stride
                sum_rows(
                    job.row_pattern,
                    sums + 2 * k * stride,
                    job.row_weights,
                    job.taps,
                    step,
                    target if width >= OUTPUTS else start_of_spare,
                    max(width, OUTPUTS),
                    job.bias,
                    job.multiplier,
                    job.shift,
                )
                if width < OUTPUTS:
                    answer = carray(pointer(pixel, target), (width,))
                    for place in range(width):
                        answer[place] = spare[place]
        taken = fetch_add_one(job.counter)
    release(memory)
