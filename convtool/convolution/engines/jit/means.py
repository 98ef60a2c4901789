"""8-bit images, 8 bits out, by equal weights: running sums, at the same cost for any size."""

from functools import partial
from typing import Any

import numpy as np
from numba import carray

from convtool.convolution.engines import Array, Job
from convtool.convolution.engines.jit.atomics import take_next
from convtool.convolution.engines.jit.compile import compiled
from convtool.convolution.engines.jit.job import pointer
from convtool.convolution.engines.jit.lanes import BYTES
from convtool.convolution.engines.jit.octets import (
    OctetStrips,
    fits,
    job_type,
    strips_address,
    template_of,
)
from convtool.convolution.engines.jit.sums import (
    BLOCK,
    STEPS,
    slide_octets_across,
    slide_octets_down,
)
from convtool.convolution.engines.jit.vectors import used

TALLEST = 257
"""So many rows of octets add up to what a 16-bit word holds, and no more."""

_EXACT_FLOAT = 1 << 24
_LARGEST = 1 << 21

MEAN_JOB = job_type("height", "taps", "scale")
"""A mean: the window's rows and columns, and the bits of the float32 weight."""


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


def _make_strips(jobs: Any, index: Any, octet: Any, word: Any, _: Any) -> None:
    """Make strips of an 8-bit answer until none is left; further arguments only tell types."""
    job = carray(jobs, (1,))[0]
    step = job.channels
    width, inside = job.width * step, (job.right - job.left) * step
    rows = carray(pointer(index, job.rows), (job.row_count,))
    columns = carray(pointer(index, job.columns), (job.column_count,))
    strips = carray(pointer(index, job.strips), (job.strip_count, 4))
    sums = np.empty((1 + job.column_count) * step + BYTES, np.uint16)
    outside = np.full(inside, np.uint8(job.outside))
    nothing = np.zeros(inside, np.uint8)
    before = np.zeros(BYTES, np.int32)
    spare = np.empty(BLOCK, np.uint8)
    first = sums.ctypes.data + 2 * step
    rest = (width - 1) % BLOCK + 1
    taken = take_next(job.counter)
    while taken < job.strip_count:
        start, stop = strips[taken, 0], strips[taken, 1]
        sums[:] = 0
        for position in range(start, stop + job.height - 1):
            row = rows[position]
            entering = job.pixels + row * job.pixels_stride
            if row < 0:
                entering = outside.ctypes.data
            y = position - job.height + 1
            leaving = nothing.ctypes.data
            if y > start:
                gone = rows[y - 1]
                leaving = job.pixels + gone * job.pixels_stride
                if gone < 0:
                    leaving = outside.ctypes.data
            slide_octets_down(entering, leaving, first + 2 * job.left * step, inside)
            if y < start:
                continue
            _extend(sums, columns, job, np.uint16(job.outside_words))
            for channel in range(step):
                total = 0
                for tap in range(job.taps - 1):
                    total += int(sums[(1 + tap) * step + channel])
                before[channel] = total
            target = job.out + y * job.out_stride
            slide_octets_across(
                step,
                first,
                (job.taps - 1) * step,
                before.ctypes.data,
                target,
                spare.ctypes.data,
                width,
                job.scale,
            )
            end = carray(pointer(octet, target), (width,))
            for place in range(rest):
                end[width - rest + place] = spare[place]
        taken = take_next(job.counter)
    used(sums)
    used(outside)
    used(nothing)
    used(before)
    used(spare)


def mean_strips(job: Job) -> OctetStrips | None:
    """Return equal weights made ready for 8-bit images, or None where they do not fit integers."""
    height, taps = job.kernel.shape
    value = float(np.float32(job.kernel[0, 0]))
    most = 255 * height * taps
    exact = height <= TALLEST and most < _EXACT_FLOAT and value > 0 and most * value < _LARGEST
    if not (exact and job.channels in STEPS and fits(job, 1)):
        return None
    template = template_of(job, MEAN_JOB)
    record = template.view(MEAN_JOB)
    record["height"], record["taps"] = height, taps
    record["scale"] = np.float32(value).view(np.int32)
    return OctetStrips(
        job.layout,
        template,
        partial(strips_address, _make_strips, MEAN_JOB),
        lambda pixel: pixel * height,
    )
