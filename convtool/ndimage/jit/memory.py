"""Lines of pixels in scratch memory. Pointers called ``like`` tell the type of their scalars."""

from typing import Any

import numpy as np
from numba import carray

from convtool.compiled.calls import call_line
from convtool.compiled.jit import compiled
from convtool.compiled.memory import pointer, pointer_of
from convtool.ndimage.jit.job import LINE
from convtool.ndimage.jit.vectors import prefetch

CACHE_LINE = 64

to_indices = pointer_of(np.dtype(np.intp))


@compiled
def padded(count: int) -> int:
    """Return the least multiple of `LINE` that is not less."""
    return (count + LINE - 1) // LINE * LINE


@compiled
def fill(like: Any, target: int, value: Any, count: int) -> None:
    """Write a value to ``count`` scalars."""
    line = carray(pointer(like, target), (count,))
    for place in range(count):
        line[place] = value


@compiled
def copy(like: Any, source: int, target: int, count: int) -> None:
    """Copy ``count`` scalars."""
    line = carray(pointer(like, source), (count,))
    other = carray(pointer(like, target), (count,))
    for place in range(count):
        other[place] = line[place]


@compiled
def _read_edge(job: Any, like: Any, row: int, first: int, last: int, target: int) -> None:
    """Read the positions ``first … last-1`` beyond an edge of a row."""
    columns = carray(to_indices(job.columns), (job.width + job.wide - 1,))
    for position in range(first, last):
        place = target + (position - first) * job.line_bytes
        if columns[position] < 0:
            fill(like, place, job.cval, 1)
        else:
            call_line(job.read, row + columns[position] * job.pixel_bytes, place, 1)


@compiled
def read_span(job: Any, like: Any, row: int, first: int, last: int, target: int) -> None:
    """Read the positions ``first … last-1`` of a row of pixels at an address, border and all."""
    start, stop = job.left, job.left + job.width
    begin, end = max(first, start), min(last, stop)
    _read_edge(job, like, row, first, min(start, last), target)
    if begin < end:
        place = target + (begin - first) * job.line_bytes
        call_line(job.read, row + (begin - start) * job.pixel_bytes, place, end - begin)
    beyond = max(stop, first)
    _read_edge(job, like, row, beyond, last, target + (beyond - first) * job.line_bytes)


@compiled
def fetch_span(place: int, count: int) -> None:
    """Have so many bytes fetched that are soon to be read; the processor foresees no jumps."""
    for line in range(place, place + count, CACHE_LINE):
        prefetch(line)
