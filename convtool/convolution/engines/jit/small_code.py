"""Strips of 8-bit images by small kernels: see :mod:`~.small`."""

from typing import Any

import numpy as np
from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.jit import entry, pointer_to
from convtool.compiled.memory import ALIGNMENT, aligned, allocate, pointer, release
from convtool.convolution.engines.jit.job import INDEX
from convtool.convolution.engines.jit.lanes import LANES, fill_uint8
from convtool.convolution.engines.jit.products import (
    lift,
    magnitude_of_products,
    sum_products_3,
    sum_products_5,
)
from convtool.convolution.engines.jit.small import ROWS, SMALL_JOB


@entry(*(pointer_to(kind) for kind in (SMALL_JOB, INDEX, np.dtype(np.int16))))
def make_strips(jobs: Any, index: Any, int16: Any) -> None:
    """Make strips of an 8-bit answer until none is left; further arguments only tell types."""
    job = carray(jobs, (1,))[0]
    step = job.channels
    width = job.width * step
    rows = carray(pointer(index, job.rows), (job.row_count,))
    columns = carray(pointer(index, job.columns), (job.column_count,))
    strips = carray(pointer(index, job.strips), (job.strip_count, 4))
    held = job.side + ROWS - 1
    wide = job.column_count * step + 2 * LANES
    inside = (job.right - job.left) * step
    memory = allocate(2 * held * wide + 8 * (held + ROWS) + width + 2 * ALIGNMENT)
    if memory == 0:
        job.failed = 1
        return
    start_of_sums = aligned(memory)
    fill_uint8(start_of_sums, 0, 2 * held * wide)
    int16s = carray(pointer(int16, start_of_sums), (held, wide))
    lines = aligned(start_of_sums + 2 * held * wide)
    line_addresses = carray(pointer(index, lines), (held,))
    targets = lines + 8 * held
    target_addresses = carray(pointer(index, targets), (ROWS,))
    nowhere = targets + 8 * ROWS
    taken = fetch_add_one(job.counter)
    while taken < job.strip_count:
        start, stop = strips[taken, 0], strips[taken, 1]
        ready = start
        for y in range(start, stop, ROWS):
            while ready < min(y + held, job.row_count):
                line = int16s[ready % held]
                row = rows[ready]
                if row < 0:
                    for place in range(wide):
                        line[place] = np.int16(job.outside_sum)
                else:
                    lift(
                        job.pixels + row * job.pixels_stride,
                        job.lift,
                        (start_of_sums + 2 * (ready % held) * wide) + 2 * job.left * step,
                        inside,
                    )
                    for first, last in ((0, job.left), (job.right, job.column_count)):
                        for position in range(first, last):
                            column = columns[position]
                            for channel in range(step):
                                value = np.int16(job.outside_sum)
                                if column >= 0:
                                    value = line[(job.left + column) * step + channel]
                                line[position * step + channel] = value
                ready += 1
            for k in range(held):
                line_addresses[k] = start_of_sums + 2 * ((y + k) % held) * wide
            for k in range(ROWS):
                inner = y + k < stop
                target_addresses[k] = job.out + (y + k) * job.out_stride if inner else nowhere
            if job.kernels == 2:
                magnitude_of_products(lines, job.weights, step, job.scale, targets, width)
            elif job.side == 3:
                sum_products_3(lines, job.weights, step, job.fraction, targets, width)
            else:
                sum_products_5(lines, job.weights, step, job.fraction, targets, width)
        taken = fetch_add_one(job.counter)
    release(memory)
