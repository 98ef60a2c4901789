"""Running means along rows, of several rows side by side, a piece of each row at a time.

What lies beyond the end of the rows is read at the start, since the answer may lie where the
pixels do.
"""

from typing import Any

from numba import carray

from convtool.compiled.jit import compiled
from convtool.compiled.memory import ALIGNMENT, pointer
from convtool.ndimage.jit.job import LINE
from convtool.ndimage.jit.lanes import TOGETHER, slide_lanes, to_lanes, to_lines
from convtool.ndimage.jit.memory import copy, padded, read_span
from convtool.ndimage.jit.vectors import call_write, divide

PIECE = 128
"""Pixels of a row that are done at once: those of all rows stay in the first cache."""

STRIDE = PIECE + 8
"""The distance of lines of pieces; at a power of two they would share few places of the cache."""


@compiled
def _beyond(job: Any) -> int:
    """Return how many positions lie beyond the end of a row."""
    after: int = job.wide - 1 - job.left
    return after


@compiled
def running_bytes(job: Any) -> int:
    """Return how much memory `slide_rows` needs; vectors may reach one beyond a line."""
    groups = TOGETHER * (job.wide + 2 * PIECE)
    lines = TOGETHER * (STRIDE + padded(_beyond(job))) + 2 * LINE
    size: int = job.line_bytes * (groups + lines) + 4 * ALIGNMENT
    return size


@compiled
def _read_beyond(job: Any, like: Any, first: int, count: int, target: int) -> None:
    """Read what lies beyond the end of rows."""
    inside, line = job.left + job.width, job.line_bytes * padded(_beyond(job))
    for k in range(count):
        row = job.pixels + (first + k) * job.width * job.pixel_bytes
        read_span(job, like, row, inside, inside + _beyond(job), target + k * line)


@compiled
def _read_groups(
    job: Any,
    like: Any,
    first: int,
    count: int,
    start: int,
    stop: int,
    lines: int,
    beyond: int,
    target: int,
) -> None:
    """Read the positions ``start … stop-1`` of rows, at most a piece, and put them side by side."""
    inside = job.left + job.width
    middle = max(start, min(stop, inside))
    for k in range(count):
        row = job.pixels + (first + k) * job.width * job.pixel_bytes
        line = lines + k * STRIDE * job.line_bytes
        if start < middle:
            read_span(job, like, row, start, middle, line)
        if middle < stop:
            saved = beyond + (k * padded(_beyond(job)) + middle - inside) * job.line_bytes
            copy(like, saved, line + (middle - start) * job.line_bytes, stop - middle)
    to_lanes(like, lines, STRIDE, target, stop - start)


@compiled
def _add_up(like: Any, groups: int, count: int, sums: int) -> None:
    """Write the sums of the first ``count`` groups."""
    pixels = carray(pointer(like, groups), (count, TOGETHER))
    totals = carray(pointer(like, sums), (TOGETHER,))
    for lane in range(TOGETHER):
        totals[lane] = 0
    for position in range(count):
        for lane in range(TOGETHER):
            totals[lane] += pixels[position, lane]


@compiled
def slide_rows(job: Any, like: Any, memory: int, first: int, last: int, out: int) -> None:
    """Write the running means of the rows ``first … last-1`` of an array at ``out``."""
    scalar, wide, extended = job.line_bytes, job.wide, job.width + job.wide - 1
    group = TOGETHER * scalar
    answers = memory + (wide + PIECE) * group
    sums = answers + PIECE * group
    lines = sums + LINE * scalar
    beyond = lines + (TOGETHER * STRIDE + LINE) * scalar
    for top in range(first, last, TOGETHER):
        rows = min(TOGETHER, last - top)
        _read_beyond(job, like, top, rows, beyond)
        for start in range(0, wide, PIECE):
            stop, place = min(start + PIECE, wide), memory + start * group
            _read_groups(job, like, top, rows, start, stop, lines, beyond, place)
        _add_up(like, memory, wide, sums)
        for x in range(0, job.width, PIECE):
            count = min(PIECE, job.width - x)
            start = x + wide
            stop, place = min(start + count, extended), memory + wide * group
            _read_groups(job, like, top, rows, start, stop, lines, beyond, place)
            slide_lanes(like, sums, memory, wide, answers, count)
            copy(like, memory + count * group, memory, wide * TOGETHER)
            divide(
                like,
                job.size,
                job.reciprocal,
                job.corrections,
                answers,
                answers,
                count * TOGETHER,
            )
            to_lines(like, lines, STRIDE, answers, count)
            for k in range(rows):
                place = out + ((top + k) * job.width + x) * job.out_bytes
                call_write(job.write, lines + k * STRIDE * scalar, place, count, job.how)
