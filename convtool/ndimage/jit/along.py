"""A filter along the last axis: each row is read, with what lies beyond its edges, then filtered.

Sums of integers are exact in any order, so that a few of them are added up directly.
"""

from typing import Any

from convtool.compiled.jit import compiled
from convtool.compiled.memory import ALIGNMENT
from convtool.ndimage.jit.job import LINE, UNIFORM
from convtool.ndimage.jit.memory import padded, read_span
from convtool.ndimage.jit.running import running_bytes, slide_rows
from convtool.ndimage.jit.vectors import call_write, divide, weigh

PIECE = 256
"""Sums that are made before they are written, so that they stay in the first cache."""


@compiled
def _runs(job: Any) -> bool:
    """Return whether sums are running ones."""
    runs: bool = job.kind == UNIFORM and job.slides != 0
    return runs


@compiled
def along_bytes(job: Any) -> int:
    """Return how much memory `filter_rows` needs; vectors may reach one beyond a line."""
    if _runs(job):
        running: int = running_bytes(job)
        return running
    line: int = job.line_bytes * padded(job.width + job.wide - 1)
    piece: int = job.line_bytes * (PIECE + 2 * LINE)
    return line + piece + ALIGNMENT


@compiled
def filter_rows(job: Any, like: Any, memory: int, first: int, last: int, out: int) -> None:
    """Filter the rows ``first … last-1``; the first row of the array of answers is at ``out``."""
    if _runs(job):
        slide_rows(job, like, memory, first, last, out)
        return
    width, extended = job.width, job.width + job.wide - 1
    target = memory + job.line_bytes * padded(extended)
    for y in range(first, last):
        read_span(job, like, job.pixels + y * width * job.pixel_bytes, 0, extended, memory)
        place = out + y * width * job.out_bytes
        for x in range(0, width, PIECE):
            count = min(PIECE, width - x)
            weigh(
                like,
                job.kind,
                memory + x * job.line_bytes,
                job.near,
                job.far,
                job.weights,
                job.terms,
                job.start,
                target,
                count,
            )
            if job.kind == UNIFORM:
                divide(like, job.size, job.reciprocal, job.corrections, target, target, count)
            call_write(job.write, target, place + x * job.out_bytes, count, job.how)
