"""8-bit images, 8 bits out, by a kernel of rank 1: fixed-point arithmetic in two passes.

The column pass reads the image where it lies and leaves int16; beyond the left and right edge these
are copied by the border's table; the row pass makes the answer of them.
"""

from typing import Any

import numpy as np
from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.jit import entry, pointer_to
from convtool.compiled.memory import aligned, allocate, pointer, release
from convtool.convolution.engines.jit.fixed import FIXED_JOB, ROWS
from convtool.convolution.engines.jit.int16_passes import (
    column_pass,
    grey_row_pass,
    row_pass,
)
from convtool.convolution.engines.jit.job import INDEX
from convtool.convolution.engines.jit.lanes import LANES, fill_uint8


@entry(
    *(pointer_to(kind) for kind in (FIXED_JOB, INDEX, np.dtype(np.int16))),
)
def make_strips(jobs: Any, index: Any, int16: Any) -> None:
    """Make strips of an 8-bit answer until none is left; further arguments only tell types."""
    job = carray(jobs, (1,))[0]
    step = job.channels
    width = job.width * step
    rows = carray(pointer(index, job.rows), (job.row_count,))
    columns = carray(pointer(index, job.columns), (job.column_count,))
    strips = carray(pointer(index, job.strips), (job.strip_count, 4))
    stride = -(-job.column_count * step // LANES) * LANES + 4 * LANES + 2 * step
    inside = (job.right - job.left) * step
    memory = allocate(2 * ROWS * stride + inside + width + 8 * (2 * job.column_pairs + ROWS) + 128)
    if memory == 0:
        job.failed = 1
        return
    sums = aligned(memory)
    int16s = carray(pointer(int16, sums), (ROWS, stride))
    lines = aligned(sums + 2 * ROWS * stride)
    line = carray(pointer(index, lines), (2 * job.column_pairs,))
    targets = lines + 16 * job.column_pairs
    target = carray(pointer(index, targets), (ROWS,))
    outside = targets + 8 * ROWS
    nowhere = outside + inside
    fill_uint8(outside, job.outside, inside)
    taken = fetch_add_one(job.counter)
    while taken < job.strip_count:
        for y in range(strips[taken, 0], strips[taken, 1], ROWS):
            for k in range(2 * job.column_pairs):
                row = rows[min(y + k, job.row_count - 1)]
                line[k] = job.pixels + row * job.pixels_stride if row >= 0 else outside
            for k in range(ROWS):
                inner = y + k < strips[taken, 1]
                target[k] = job.out + (y + k) * job.out_stride if inner else nowhere
            column_pass(
                lines,
                job.column_weights,
                job.column_pairs,
                job.shift,
                sums + 2 * job.left * step,
                stride,
                inside,
            )
            for first, last in ((0, job.left), (job.right, job.column_count)):
                for position in range(first, last):
                    column = columns[position]
                    for channel in range(step):
                        for k in range(ROWS):
                            value = np.int16(job.outside_sum)
                            if column >= 0:
                                value = int16s[k, (job.left + column) * step + channel]
                            int16s[k, position * step + channel] = value
            if step == 1:
                grey_row_pass(
                    sums,
                    stride,
                    job.row_weights,
                    job.row_pairs,
                    step,
                    targets,
                    width,
                    job.scale,
                )
            else:
                row_pass(
                    sums,
                    stride,
                    job.row_weights,
                    job.row_pairs,
                    step,
                    targets,
                    width,
                    job.scale,
                )
        taken = fetch_add_one(job.counter)
    release(memory)
