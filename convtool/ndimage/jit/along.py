"""A filter along the last axis: each row is read, with what lies beyond its edges, then filtered.

Running sums of `TOGETHER` rows are made at once, since each waits for the one before in its row.
Sums of integers are exact in any order, so that a few of them are added up directly.
"""

from typing import Any

from numba import carray

from convtool.compiled.jit import compiled
from convtool.compiled.memory import ALIGNMENT, pointer
from convtool.ndimage.jit.job import LINE, UNIFORM
from convtool.ndimage.jit.memory import fill, padded, read_span
from convtool.ndimage.jit.vectors import call_write, divide, weigh

TOGETHER = 8
PIECE = 256
"""Sums that are made before they are written, so that they stay in the first cache."""


@compiled
def _slide(
    like: Any, sources: int, sums: int, targets: int, stride: int, size: int, count: int
) -> None:
    """Go on with the running sums of `TOGETHER` lines for ``count`` pixels.

    ``sums`` are those of the pixels before, ``sources`` where their windows begin.
    """
    e = carray(pointer(like, sources), (TOGETHER, stride))
    s = carray(pointer(like, sums), (TOGETHER,))
    a = carray(pointer(like, targets), (TOGETHER, PIECE))
    s0, s1, s2, s3, s4, s5, s6, s7 = s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
    for x in range(count):
        new = x + size
        s0 += e[0, new] - e[0, x]
        s1 += e[1, new] - e[1, x]
        s2 += e[2, new] - e[2, x]
        s3 += e[3, new] - e[3, x]
        s4 += e[4, new] - e[4, x]
        s5 += e[5, new] - e[5, x]
        s6 += e[6, new] - e[6, x]
        s7 += e[7, new] - e[7, x]
        a[0, x] = s0
        a[1, x] = s1
        a[2, x] = s2
        a[3, x] = s3
        a[4, x] = s4
        a[5, x] = s5
        a[6, x] = s6
        a[7, x] = s7
    s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = s0, s1, s2, s3, s4, s5, s6, s7


@compiled
def _slide_rows(
    job: Any, like: Any, memory: int, stride: int, first: int, count: int, targets: int
) -> None:
    """Write the running means of ``count`` rows from ``first`` on, which have been read."""
    sums = targets + TOGETHER * PIECE * job.line_bytes
    spare = sums + TOGETHER * job.line_bytes
    line = job.line_bytes * stride
    state = carray(pointer(like, sums), (TOGETHER,))
    sum_of = carray(pointer(like, spare), (1,))
    for k in range(TOGETHER):
        state[k] = 0
    for k in range(count):
        _weigh(job, like, memory + k * line, spare, 1)
        state[k] = sum_of[0]
        _write(job, like, spare, job.out + (first + k) * job.width * job.out_bytes, 1)
    for x in range(1, job.width, PIECE):
        piece = min(PIECE, job.width - x)
        source = memory + (x - 1) * job.line_bytes
        _slide(like, source, sums, targets, stride, job.wide, piece)
        for k in range(count):
            place = job.out + ((first + k) * job.width + x) * job.out_bytes
            _write(job, like, targets + k * PIECE * job.line_bytes, place, piece)


@compiled
def _weigh(job: Any, like: Any, source: int, target: int, count: int) -> None:
    weigh(
        like,
        job.kind,
        source,
        job.near,
        job.far,
        job.weights,
        job.terms,
        job.start,
        target,
        count,
    )


@compiled
def _write(job: Any, like: Any, source: int, target: int, count: int) -> None:
    """Write sums as answers."""
    if job.kind == UNIFORM:
        divide(like, job.size, job.reciprocal, job.divides, source, source, count)
    call_write(job.write, source, target, count, job.how)


@compiled
def _held(job: Any) -> int:
    """Return how many rows are held at once."""
    return TOGETHER if job.kind == UNIFORM and job.slides else 1


@compiled
def along_bytes(job: Any) -> int:
    """Return how much memory `filter_rows` needs; vectors may reach one beyond a line."""
    line: int = job.line_bytes * padded(job.width + job.wide - 1)
    pieces: int = job.line_bytes * (TOGETHER * PIECE + 2 * LINE)
    lines: int = _held(job) * line
    return lines + pieces + ALIGNMENT


@compiled
def filter_rows(job: Any, like: Any, memory: int, first: int, last: int) -> None:
    """Filter the rows ``first … last-1``."""
    width, extended, held = job.width, job.width + job.wide - 1, _held(job)
    stride = padded(extended)
    line = job.line_bytes * stride
    target = memory + held * line
    if held > 1:
        fill(like, memory, 0, held * stride)
    for y in range(first, last):
        slot = (y - first) % held
        source = memory + slot * line
        read_span(job, like, job.pixels + y * width * job.pixel_bytes, 0, extended, source)
        if held > 1:
            if slot == held - 1 or y == last - 1:
                _slide_rows(job, like, memory, stride, y - slot, slot + 1, target)
            continue
        place = job.out + y * width * job.out_bytes
        for x in range(0, width, PIECE):
            count = min(PIECE, width - x)
            _weigh(job, like, source + x * job.line_bytes, target, count)
            _write(job, like, target, place + x * job.out_bytes, count)
