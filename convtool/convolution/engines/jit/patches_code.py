"""Small pictures, all of one shape: each is padded in scratch memory and correlated at once."""

from typing import Any

from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.calls import call_line
from convtool.compiled.jit import compiled, entry, pointer_to
from convtool.compiled.memory import ALIGNMENT, address_in, aligned, allocate, pointer, release
from convtool.convolution.engines.jit.job import (
    INDEX,
    JOB,
    NEVER,
    PATCHES_JOB,
    WHERE_NOT_EXACT,
    WHERE_NOT_FINITE,
    offset_of,
)
from convtool.convolution.engines.jit.plane import correlate
from convtool.convolution.engines.jit.reading import Input, reads_exact, reads_finite
from convtool.convolution.engines.jit.strip import Output, input_of, output_of, store_lines
from convtool.convolution.engines.jit.vectors import copy_line, fill_line

_FIRST = offset_of(JOB, "first")


@compiled
def _pad_row(
    image: Input,
    row: int,
    work: Any,
    target: int,
    span: tuple[int, int, int],
    step: int,
    cval: Any,
    in_place: bool,
) -> None:
    """Write a row of the padded picture; ``span`` is where its own columns lie, and the width."""
    left, right, width = span
    size = carray(work, (0,)).itemsize
    source = image.address + (row * image.stride + image.columns[left] * step) * image.size
    place, count = target + left * step * size, (right - left) * step
    if in_place:
        copy_line(cval, source, place, count)
    else:
        call_line(image.read, source, place, count)
    line = carray(pointer(work, target), (width * step,))
    shift = left - image.columns[left]
    for outside in ((0, left), (right, width)):
        for position in range(outside[0], outside[1]):
            column = image.columns[position]
            for channel in range(step):
                value = cval
                if column >= 0:
                    value = line[(column + shift) * step + channel]
                line[position * step + channel] = value


@compiled
def _pad(
    image: Input,
    work: Any,
    target: int,
    rows: tuple[int, int, int],
    span: tuple[int, int, int],
    step: int,
    cval: Any,
    in_place: bool,
) -> None:
    """Write a padded picture; ``rows`` and ``span``: where its own lie, and how many there are."""
    top, bottom, height = rows
    line_bytes = span[2] * step * carray(work, (0,)).itemsize
    for position in range(top, bottom):
        row = image.rows[position]
        _pad_row(image, row, work, target + position * line_bytes, span, step, cval, in_place)
    shift = top - image.rows[top]
    for outside in ((0, top), (bottom, height)):
        for position in range(outside[0], outside[1]):
            row = image.rows[position]
            place = target + position * line_bytes
            if row < 0:
                fill_line(cval, place, span[2] * step)
            else:
                copy_line(cval, target + (row + shift) * line_bytes, place, span[2] * step)


@entry(lambda _: pointer_to(PATCHES_JOB), pointer_to, lambda _: pointer_to(INDEX))
def make_patches(jobs: Any, work: Any, index: Any) -> None:
    """Make the answers of pictures, until none is left; further arguments only tell types."""
    unit = carray(jobs, (1,))[0]
    job = unit.job
    image, out = input_of(job, index), output_of(job)
    strip = carray(pointer(index, job.strips), (4,))
    like = carray(work, (0,)).dtype.type(0)
    size = carray(work, (0,)).itemsize
    cval = carray(work, (0,)).dtype.type(job.cval)
    step, height, taps = job.channels, job.first.height, job.first.taps
    kernel = address_in(jobs) + _FIRST
    rows = image.top, min(image.bottom + height - 1, job.row_count), job.row_count
    span = image.left, min(image.right, job.column_count), job.column_count
    count, width = strip[1] - strip[0], (strip[3] - strip[2]) * step
    padded = (rows[2] * span[2] * step * size + ALIGNMENT) // ALIGNMENT * ALIGNMENT
    memory = allocate(padded + count * width * size + ALIGNMENT)
    if memory == 0:
        job.failed = 1
        return
    start = aligned(memory)
    made = start + padded
    turns = (unit.patches + unit.at_once - 1) // unit.at_once
    taken = fetch_add_one(job.counter)
    while taken < turns and job.failed == 0:
        first = taken * unit.at_once
        for number in range(first, min(first + unit.at_once, unit.patches)):
            patch = Input(
                image.address + number * unit.patch_bytes,
                image.stride,
                image.size,
                image.read,
                image.rows,
                image.columns,
                image.top,
                image.bottom,
                image.left,
                image.right,
            )
            sparse = 0
            if job.guarded != NEVER:
                kept = False
                windows = (strip[2], strip[3])
                if job.guarded == WHERE_NOT_FINITE:
                    kept = reads_finite(patch, (0, rows[2]), windows, taps, step)
                elif job.guarded == WHERE_NOT_EXACT:
                    kept = reads_exact(patch, cval, (0, rows[2]), windows, (height, taps), step)
                sparse = 0 if kept else 1
            _pad(patch, work, start, rows, span, step, cval, job.in_place != 0)
            answer = out.address + number * unit.answer_bytes
            end, end_stride = made, width
            if job.direct != 0:
                end, end_stride = answer, out.stride
            done = correlate(
                kernel,
                job.plane,
                sparse,
                start,
                span[2] * step,
                step,
                out.step_y,
                end,
                end_stride,
                count,
                width,
            )
            if done == 0:
                job.failed = 1
            if job.direct == 0:
                place = Output(answer, out.stride, out.size, out.write, out.step_y, out.step_x)
                store_lines(like, made, width, place, 0, strip[2], strip[3], count, step)
        taken = fetch_add_one(job.counter)
    release(memory)
