"""Filters along one axis, and along the last two at once: threads take blocks until none is left.

A band of rows that has been filtered along one axis is still in the second cache when it is
filtered along the other.
"""

from typing import Any

from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.jit import entry, pointer_to
from convtool.compiled.memory import ALIGNMENT, aligned, allocate, release
from convtool.ndimage.jit.along import along_bytes, filter_rows
from convtool.ndimage.jit.down import down_bytes, filter_block, rows_read, write_orders
from convtool.ndimage.jit.job import JOB


@entry(pointer_to(JOB), pointer_to)
def filter_down(jobs: Any, like: Any) -> None:
    """Filter along an axis that is not the last: bands of rows, or whole columns."""
    job = carray(jobs, (1,))[0]
    memory = allocate(down_bytes(job) + 2 * ALIGNMENT)
    if memory == 0:
        job.failed = 1
        return
    lines = aligned(memory)
    write_orders(job, lines)
    wide = job.blocks * job.block_width
    shares, bands = -(-job.width // wide), -(-job.height // job.block_rows)
    taken = fetch_add_one(job.counter)
    while taken < job.tasks:
        first, band = taken % shares * wide, taken // shares % bands
        start = band * job.block_rows
        stop = min(start + job.block_rows, job.height)
        for x in range(first, min(first + wide, job.width), job.block_width):
            filter_block(job, like, lines, job.pixels, taken // shares // bands, x, start, stop)
        taken = fetch_add_one(job.counter)
    release(memory)


@entry(pointer_to(JOB), pointer_to)
def filter_along(jobs: Any, like: Any) -> None:
    """Filter along the last axis, a block of rows at a time."""
    job = carray(jobs, (1,))[0]
    memory = allocate(along_bytes(job) + 2 * ALIGNMENT)
    if memory == 0:
        job.failed = 1
        return
    lines = aligned(memory)
    taken = fetch_add_one(job.counter)
    while taken < job.tasks:
        first = taken * job.block_rows
        last = min(first + job.block_rows, job.height)
        filter_rows(job, like, lines, first, last, job.out)
        taken = fetch_add_one(job.counter)
    release(memory)


@entry(pointer_to(JOB), pointer_to)
def filter_along_down(jobs: Any, like: Any) -> None:
    """Filter along the last axis, then the last but one, a band of rows at a time.

    The rows that a band is made of are filtered along in scratch memory.
    """
    along, down = carray(jobs, (2,))[0], carray(jobs, (2,))[1]
    room, more = down_bytes(down) + ALIGNMENT, along_bytes(along) + ALIGNMENT
    line = down.width * down.pixel_bytes
    memory = allocate(room + more + line * (down.block_rows + 2 * down.tall) + 3 * ALIGNMENT)
    if memory == 0:
        along.failed = 1
        return
    lines = aligned(memory)
    others = aligned(lines + room)
    between = aligned(others + more)
    write_orders(down, lines)
    bands = -(-down.height // down.block_rows)
    taken = fetch_add_one(along.counter)
    while taken < along.tasks:
        depth, start = taken // bands, taken % bands * down.block_rows
        stop = min(start + down.block_rows, down.height)
        first, last = rows_read(down, start, stop)
        plane = depth * down.height
        array = between - (plane + first) * line
        filter_rows(along, like, others, plane + first, plane + last, array)
        for x in range(0, down.width, down.block_width):
            filter_block(down, like, lines, array, depth, x, start, stop)
        taken = fetch_add_one(along.counter)
    release(memory)


@entry(pointer_to(JOB), pointer_to)
def filter_down_along(jobs: Any, like: Any) -> None:
    """Filter along the last axis but one, then the last, a band of rows at a time.

    The second job reads the answers of the first, or the pixels and adds to the answers.
    """
    down, along = carray(jobs, (2,))[0], carray(jobs, (2,))[1]
    room = down_bytes(down) + ALIGNMENT
    memory = allocate(room + along_bytes(along) + 2 * ALIGNMENT)
    if memory == 0:
        down.failed = 1
        return
    lines = aligned(memory)
    others = aligned(lines + room)
    write_orders(down, lines)
    bands = -(-down.height // down.block_rows)
    taken = fetch_add_one(down.counter)
    while taken < down.tasks:
        depth, start = taken // bands, taken % bands * down.block_rows
        stop = min(start + down.block_rows, down.height)
        for x in range(0, down.width, down.block_width):
            filter_block(down, like, lines, down.pixels, depth, x, start, stop)
        first = depth * down.height
        filter_rows(along, like, others, first + start, first + stop, along.out)
        taken = fetch_add_one(down.counter)
    release(memory)
