"""A filter along an axis that is not the last: rows of a block of columns go through a ring.

The ring holds as many rows as the kernel and one more, so that they stay in the first cache. Rows
beyond the end are read at the start, since the answer may lie where the pixels do.
"""

from typing import Any

from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.calls import call_line
from convtool.compiled.jit import compiled, entry, pointer_to
from convtool.compiled.memory import ALIGNMENT, aligned, allocate, release
from convtool.ndimage.jit.job import JOB, UNIFORM
from convtool.ndimage.jit.memory import copy, fill, padded, to_indices
from convtool.ndimage.jit.vectors import call_write, divide, slide, weigh


@compiled
def _read(job: Any, like: Any, place: int, position: int, target: int, count: int) -> None:
    """Read a block's row at a position of the windows; ``place`` is where its first row lies."""
    rows = carray(to_indices(job.rows), (job.height + job.tall - 1,))
    row = rows[position]
    if row < 0:
        fill(like, target, job.cval, count)
    else:
        call_line(job.read, place + row * job.width * job.pixel_bytes, target, count)


@compiled
def _order(job: Any, first: int, stride: int, near: int, far: int) -> None:
    """Write where in the ring the terms of a row's sum lie; ``first`` is its first row's slot."""
    ring = job.tall + 1
    nears = carray(to_indices(near), (job.terms,))
    fars = carray(to_indices(far), (job.terms,))
    near_taps = carray(to_indices(job.near), (job.terms,))
    far_taps = carray(to_indices(job.far), (job.terms,))
    for term in range(job.terms):
        slot = first + near_taps[term]
        nears[term] = (slot - ring if slot >= ring else slot) * stride
        slot = first + far_taps[term]
        fars[term] = (slot - ring if slot >= ring else slot) * stride


@entry(pointer_to(JOB), pointer_to)
def filter_down(jobs: Any, like: Any) -> None:
    """Filter blocks of columns until none is left."""
    job = carray(jobs, (1,))[0]
    taps, height = job.tall, job.height
    blocks = -(-job.width // job.block_width)
    stride, inside = padded(job.block_width), job.top + height
    ring, after, line = taps + 1, taps - 1 - job.top, job.line_bytes * stride
    memory = allocate((ring + after + 2) * line + 16 * job.terms + 2 * ALIGNMENT)
    if memory == 0:
        job.failed = 1
        return
    lines = aligned(memory)
    saved = lines + ring * line
    total = saved + after * line
    answer = total + line if job.kind == UNIFORM else total
    near = total + 2 * line
    far = near + 8 * job.terms
    taken = fetch_add_one(job.counter)
    while taken < job.tasks:
        first = taken // blocks * height * job.width + taken % blocks * job.block_width
        count = min(job.block_width, job.width - taken % blocks * job.block_width)
        place = job.pixels + first * job.pixel_bytes
        for position in range(after):
            _read(job, like, place, inside + position, saved + position * line, count)
        slot = 0
        for position in range(height + taps - 1):
            newest = lines + slot * line
            if position < inside:
                _read(job, like, place, position, newest, count)
            else:
                copy(like, saved + (position - inside) * line, newest, count)
            slot = slot + 1 if slot + 1 < ring else 0
            y = position - taps + 1
            if y < 0:
                continue
            if job.kind == UNIFORM and y > 0:
                gone = lines + slot * line
                slide(
                    like,
                    job.size,
                    job.reciprocal,
                    job.divides,
                    total,
                    answer,
                    count,
                    newest,
                    gone,
                )
            else:
                oldest = slot + 1 if slot + 1 < ring else 0
                _order(job, oldest, stride, near, far)
                weigh(
                    like,
                    job.kind,
                    lines,
                    near,
                    far,
                    job.weights,
                    job.terms,
                    job.start,
                    total,
                    count,
                )
                if job.kind == UNIFORM:
                    divide(like, job.size, job.reciprocal, job.divides, total, answer, count)
            target = job.out + (first + y * job.width) * job.out_bytes
            call_write(job.write, answer, target, count, job.how)
        taken = fetch_add_one(job.counter)
    release(memory)
