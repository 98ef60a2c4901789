"""A filter along the last axis: each row is read, with what lies beyond its edges, then filtered.

Running sums of `TOGETHER` rows are made at once, since each waits for the one before in its row.
Sums of integers are exact in any order, so that a few of them are added up directly.
"""

from typing import Any

from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.jit import compiled, entry, pointer_to
from convtool.compiled.memory import ALIGNMENT, aligned, allocate, pointer, release
from convtool.ndimage.jit.job import JOB, UNIFORM
from convtool.ndimage.jit.memory import fill, padded, read_span
from convtool.ndimage.jit.vectors import call_write, divide, weigh

TOGETHER = 8


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


@entry(pointer_to(JOB), pointer_to)
def filter_along(jobs: Any, like: Any) -> None:
    """Filter blocks of rows until none is left."""
    job = carray(jobs, (1,))[0]
    width, extended = job.width, job.width + job.wide - 1
    stride = padded(extended)
    line = job.line_bytes * stride
    held = TOGETHER if job.kind == UNIFORM else 1
    # Vectors may reach one vector beyond a line.
    memory = allocate(2 * held * line + 3 * ALIGNMENT)
    if memory == 0:
        job.failed = 1
        return
    sources = aligned(memory)
    targets = sources + held * line
    fill(like, sources, 0, 2 * held * stride)
    taken = fetch_add_one(job.counter)
    while taken < job.tasks:
        first = taken * job.block_rows
        last = min(first + job.block_rows, job.height)
        for y in range(first, last):
            slot = (y - first) % held
            source, target = sources + slot * line, targets + slot * line
            read_span(job, like, job.pixels + y * width * job.pixel_bytes, 0, extended, source)
            count = 1 if job.kind == UNIFORM and job.slides else width
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
            if slot < held - 1 and y < last - 1:
                continue
            if job.kind == UNIFORM and job.slides:
                _slide(like, sources, targets, stride, job.wide, width)
            for k in range(slot + 1):
                target = targets + k * line
                place = job.out + (y - slot + k) * width * job.out_bytes
                if job.kind == UNIFORM:
                    divide(like, job.size, job.reciprocal, job.divides, target, target, width)
                call_write(job.write, target, place, width, job.how)
        taken = fetch_add_one(job.counter)
    release(memory)
