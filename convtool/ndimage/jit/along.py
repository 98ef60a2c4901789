"""A filter along the last axis: each row is read, with what lies beyond its edges, then filtered.

Running sums of `TOGETHER` rows are made at once, since each waits for the one before in its row.
Sums of integers are exact in any order, so that a few of them are added up directly.
"""

from typing import Any

from numba import carray

from convtool.compiled.jit import compiled
from convtool.compiled.memory import ALIGNMENT, pointer
from convtool.ndimage.jit.job import UNIFORM
from convtool.ndimage.jit.memory import fetch_span, fill, padded, read_span
from convtool.ndimage.jit.vectors import call_write, divide, weigh

TOGETHER = 8
PIECE = 512
"""Sums that are made before they are written, so that they stay in the first cache."""


@compiled
def _slide(like: Any, sources: int, targets: int, stride: int, size: int, count: int) -> None:
    """Write the running sums of `TOGETHER` lines, of which the first are there."""
    e = carray(pointer(like, sources), (TOGETHER, stride))
    a = carray(pointer(like, targets), (TOGETHER, stride))
    s0, s1, s2, s3 = a[0, 0], a[1, 0], a[2, 0], a[3, 0]
    s4, s5, s6, s7 = a[4, 0], a[5, 0], a[6, 0], a[7, 0]
    for x in range(1, count):
        new, old = x + size - 1, x - 1
        s0 += e[0, new] - e[0, old]
        s1 += e[1, new] - e[1, old]
        s2 += e[2, new] - e[2, old]
        s3 += e[3, new] - e[3, old]
        s4 += e[4, new] - e[4, old]
        s5 += e[5, new] - e[5, old]
        s6 += e[6, new] - e[6, old]
        s7 += e[7, new] - e[7, old]
        a[0, x] = s0
        a[1, x] = s1
        a[2, x] = s2
        a[3, x] = s3
        a[4, x] = s4
        a[5, x] = s5
        a[6, x] = s6
        a[7, x] = s7


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
    lines: int = 2 * _held(job) * line
    return lines + ALIGNMENT


@compiled
def filter_rows(job: Any, like: Any, memory: int, first: int, last: int) -> None:
    """Filter the rows ``first … last-1``."""
    width, extended, held = job.width, job.width + job.wide - 1, _held(job)
    stride = padded(extended)
    line = job.line_bytes * stride
    targets = memory + held * line
    if held > 1:
        fill(like, memory, 0, 2 * held * stride)
    for y in range(first, last):
        slot = (y - first) % held
        source, target = memory + slot * line, targets + slot * line
        read_span(job, like, job.pixels + y * width * job.pixel_bytes, 0, extended, source)
        if held > 1:
            _weigh(job, like, source, target, 1)
            if slot == held - 1 or y == last - 1:
                _slide(like, memory, targets, stride, job.wide, width)
                for k in range(slot + 1):
                    place = job.out + (y - slot + k) * width * job.out_bytes
                    _write(job, like, targets + k * line, place, width)
            continue
        place = job.out + y * width * job.out_bytes
        for x in range(0, width, PIECE):
            count = min(PIECE, width - x)
            if y + 1 < last:
                following = job.pixels + ((y + 1) * width + x) * job.pixel_bytes
                fetch_span(following, count * job.pixel_bytes)
            _weigh(job, like, source + x * job.line_bytes, target, count)
            _write(job, like, target, place + x * job.out_bytes, count)
