"""Strips of 8-bit images by equal weights: see :mod:`~.means`."""

from typing import Any

import numpy as np
from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.jit import compiled, entry, pointer_to
from convtool.compiled.memory import ALIGNMENT, aligned, allocate, pointer, release
from convtool.convolution.engines.jit.job import INDEX
from convtool.convolution.engines.jit.lanes import BYTES, fill_uint8
from convtool.convolution.engines.jit.means import MEAN_JOB
from convtool.convolution.engines.jit.sums import BLOCK, slide_across, slide_down
from convtool.convolution.types import Array


@compiled
def _extend(sums: Array, columns: Array, job: Any, outside: Any) -> None:
    """Write the columns' sums beyond the edges: those of the columns that are read there."""
    step = job.channels
    for first, last in ((0, job.left), (job.right, job.column_count)):
        for position in range(first, last):
            column = columns[position]
            for channel in range(step):
                value = outside
                if column >= 0:
                    value = sums[(1 + job.left + column) * step + channel]
                sums[(1 + position) * step + channel] = value


@entry(
    *(
        pointer_to(kind)
        for kind in (MEAN_JOB, INDEX, np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.int32))
    )
)
def make_strips(jobs: Any, index: Any, pixel: Any, column_sum: Any, window_sum: Any) -> None:
    """Make strips of an 8-bit answer until none is left; further arguments only tell types."""
    job = carray(jobs, (1,))[0]
    step = job.channels
    width, inside = job.width * step, (job.right - job.left) * step
    rows = carray(pointer(index, job.rows), (job.row_count,))
    columns = carray(pointer(index, job.columns), (job.column_count,))
    strips = carray(pointer(index, job.strips), (job.strip_count, 4))
    count = (1 + job.column_count) * step + BYTES
    memory = allocate(2 * count + 4 * BYTES + BLOCK + 2 * inside + 2 * ALIGNMENT)
    if memory == 0:
        job.failed = 1
        return
    start_of_sums = aligned(memory)
    sums = carray(pointer(column_sum, start_of_sums), (count,))
    start_of_before = aligned(start_of_sums + 2 * count)
    before = carray(pointer(window_sum, start_of_before), (BYTES,))
    start_of_spare = start_of_before + 4 * BYTES
    spare = carray(pointer(pixel, start_of_spare), (BLOCK,))
    outside = start_of_spare + BLOCK
    nothing = outside + inside
    fill_uint8(outside, job.outside, inside)
    fill_uint8(nothing, 0, inside)
    fill_uint8(start_of_before, 0, 4 * BYTES)
    first = start_of_sums + 2 * step
    rest = (width - 1) % BLOCK + 1
    taken = fetch_add_one(job.counter)
    while taken < job.strip_count:
        start, stop = strips[taken, 0], strips[taken, 1]
        fill_uint8(start_of_sums, 0, 2 * count)
        for position in range(start, stop + job.height - 1):
            row = rows[position]
            entering = job.pixels + row * job.pixels_stride if row >= 0 else outside
            y = position - job.height + 1
            leaving = nothing
            if y > start:
                gone = rows[y - 1]
                leaving = job.pixels + gone * job.pixels_stride if gone >= 0 else outside
            slide_down(entering, leaving, first + 2 * job.left * step, inside)
            if y < start:
                continue
            _extend(sums, columns, job, np.uint16(job.outside_sum))
            for channel in range(step):
                total = 0
                for tap in range(job.taps - 1):
                    total += int(sums[(1 + tap) * step + channel])
                before[channel] = total
            target = job.out + y * job.out_stride
            slide_across(
                step,
                first,
                (job.taps - 1) * step,
                start_of_before,
                target,
                start_of_spare,
                width,
                job.scale,
            )
            end = carray(pointer(pixel, target), (width,))
            for place in range(rest):
                end[width - rest + place] = spare[place]
        taken = fetch_add_one(job.counter)
    release(memory)
