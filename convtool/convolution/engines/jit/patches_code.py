"""Small pictures, copied side by side into a canvas that strips code makes in one go."""

from typing import Any

from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.calls import call_at, call_group, call_line
from convtool.compiled.jit import compiled, entry, pointer_to
from convtool.compiled.memory import ALIGNMENT, address_in, aligned, allocate, pointer, release
from convtool.convolution.engines.jit.copies import copy_rows
from convtool.convolution.engines.jit.filling import fill_columns
from convtool.convolution.engines.jit.job import FAILED, INDEX, PATCHES_JOB, TAKEN


@compiled
def _fill(job: Any, pixel: Any, canvas: int) -> None:
    """Write the value beyond the edge everywhere; borders that repeat pixels are written later."""
    scalars = carray(pixel, (1,))
    line = carray(pointer(pixel, canvas), (job.canvas_bytes // scalars.itemsize,))
    for place in range(len(line)):
        line[place] = carray(pointer(pixel, job.outside), (1,))[0]


@compiled
def _gather(job: Any, index: Any, pixel: Any, spare: int, canvas: int, first: int) -> None:
    """Copy pictures from the ``first`` on into the canvas, the last one again past the end."""
    stride = job.canvas_stride
    for k in range(job.group):
        number = min(first + k, job.patches - 1)
        start = canvas + job.top * stride + k * job.pitch
        source, source_stride = job.pixels + number * job.patch_bytes + job.own_start, job.row_bytes
        if job.read != 0:
            scalars = job.own_bytes // carray(pixel, (1,)).itemsize
            if job.packed != 0:
                call_line(job.read, source, spare, job.own_rows * scalars)
            else:
                for y in range(job.own_rows):
                    call_line(
                        job.read, source + y * source_stride, spare + y * job.own_bytes, scalars
                    )
            source, source_stride = spare, job.own_bytes
        copy_rows(source, source_stride, start + job.left, stride, job.own_rows, job.own_bytes)
        if job.fills != 0:
            fill_columns(job, index, pixel, start, stride, job.own_rows)
    rows = carray(pointer(index, job.rows), (job.row_count,))
    shift = job.top - rows[job.top]
    for outside in ((0, job.top), (job.top + job.own_rows, job.row_count)):
        for position in range(outside[0], outside[1]):
            if rows[position] >= 0:
                source = canvas + (rows[position] + shift) * stride
                copy_rows(source, 0, canvas + position * stride, 0, 1, stride)


@compiled
def _scatter(job: Any, made: int, first: int) -> None:
    """Copy the answers of pictures from the ``first`` on to where they belong."""
    for number in range(first, min(first + job.group, job.patches)):
        copy_rows(
            made + (number - first) * job.made_pitch,
            job.made_stride,
            job.out + number * job.answer_bytes,
            job.answer_stride,
            job.answer_rows,
            job.answer_row_bytes,
        )


@compiled
def _write(job: Any, ends: int, first: int) -> None:
    """Convert the answers of pictures from the ``first`` on, and write them where they belong."""
    for k in range(job.group):
        source, target = ends + k * job.end_bytes, job.out + (first + k) * job.answer_bytes
        if job.answer_stride == job.answer_row_bytes:
            call_line(job.write, source, target, job.answer_rows * job.width)
        else:
            for y in range(job.answer_rows):
                place = target + y * job.answer_stride
                call_line(job.write, source + y * job.end_stride, place, job.width)


@entry(*(lambda *kinds, n=n: pointer_to((PATCHES_JOB, INDEX, *kinds)[n]) for n in range(3)))
def make_patches(jobs: Any, index: Any, pixel: Any) -> None:
    """Make the answers of pictures, until none is left; further arguments only tell types."""
    job = carray(jobs, (1,))[0]
    own = job.own_rows * job.own_bytes
    written = job.group * job.end_bytes if job.write != 0 else 0
    sizes = job.strip_bytes + own + job.canvas_bytes + job.made_bytes + written
    memory = allocate(sizes + 5 * ALIGNMENT)
    if memory == 0:
        job.failed = 1
        return
    strip = aligned(memory)
    spare = aligned(strip + job.strip_bytes)
    canvas = aligned(spare + own)
    made = aligned(canvas + job.canvas_bytes)
    ends = aligned(made + job.made_bytes)
    copy_rows(job.strip, 0, strip, 0, 1, job.strip_bytes)
    fields = carray(pointer(index, strip), (job.strip_bytes // 8,))
    fields[0], fields[1], fields[job.strip_counter // 8] = canvas, made, strip + TAKEN
    _fill(job, pixel, canvas)
    many = job.group * job.turn
    turns = (job.patches + many - 1) // many
    taken = fetch_add_one(address_in(jobs) + TAKEN)
    while taken < turns and job.failed == 0:
        for first in range(taken * many, min((taken + 1) * many, job.patches), job.group):
            _gather(job, index, pixel, spare, canvas, first)
            done = 0
            if job.together != 0 and first + job.group <= job.patches:
                target = job.out + first * job.answer_bytes if job.write == 0 else ends
                ahead = job.pixels + (first + job.group) * job.patch_bytes
                done = call_group(job.together, address_in(jobs), canvas, made, target, ahead)
                if done != 0 and job.write != 0:
                    _write(job, ends, first)
            if done == 0:
                for k in range(0 if job.fills != 0 else job.group):
                    start = canvas + k * job.pitch
                    fill_columns(job, index, pixel, start, job.canvas_stride, job.row_count)
                fields[TAKEN // 8] = 0
                call_at(job.function, strip)
                if fields[FAILED // 8] != 0:
                    job.failed = 1
                _scatter(job, made, first)
        taken = fetch_add_one(address_in(jobs) + TAKEN)
    release(memory)
