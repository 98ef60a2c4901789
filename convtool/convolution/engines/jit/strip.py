"""A strip of an image: border, type conversion, stride and gradient magnitude in one pass."""

from typing import Any, NamedTuple

from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.calls import call_line
from convtool.compiled.jit import compiled, entry, pointer_to
from convtool.compiled.memory import address_in, allocate, pointer, release
from convtool.convolution.engines.jit.job import (
    INDEX,
    JOB,
    NEVER,
    WHERE_NOT_EXACT,
    WHERE_NOT_FINITE,
    offset_of,
)
from convtool.convolution.engines.jit.line_simd import PIXEL
from convtool.convolution.engines.jit.plane import correlate
from convtool.convolution.engines.jit.reading import Input, reads_exact, reads_finite
from convtool.convolution.engines.jit.vectors import (
    VECTOR_BYTES,
    copy_line,
    fill_line,
    halve_line,
    lanes_of,
    largest_of_line,
    magnitude_line,
    scale_for,
    thin_line,
)

SCRATCH_SCALARS = 1 << 16
"""Scalars of a converted group of rows: they stay in L2."""

_FIRST, _SECOND = offset_of(JOB, "first"), offset_of(JOB, "second")


class Output(NamedTuple):
    """The output of compiled loops: the same fields as the input, and the convolution's stride."""

    address: int
    stride: int
    size: int
    write: int
    step_y: int
    step_x: int


class Kernel(NamedTuple):
    """A kernel for compiled loops: the address of its record, its height and its width."""

    address: int
    height: int
    taps: int


@compiled
def pad_line(
    image: Input, row: int, first: int, last: int, step: int, cval: Any, target: int
) -> None:
    """Write the positions ``first … last-1`` of a padded image's row, in the type of ``cval``."""
    size = VECTOR_BYTES // lanes_of(cval)
    if row < 0:
        fill_line(cval, target, (last - first) * step)
        return
    source = image.address + row * image.stride * image.size
    scalar = step * image.size
    start = min(max(first, image.left), last)
    stop = max(start, min(last, image.right))
    if start < stop:
        call_line(
            image.read,
            source + image.columns[start] * scalar,
            target + (start - first) * step * size,
            (stop - start) * step,
        )
    for outside in ((first, start), (stop, last)):
        for position in range(outside[0], outside[1]):
            place = target + (position - first) * step * size
            column = image.columns[position]
            if column < 0:
                fill_line(cval, place, step)
            else:
                call_line(image.read, source + column * scalar, place, step)


@compiled
def keep_pixels(like: Any, line: int, step: int, stride: int, count: int) -> None:
    """Move every ``stride``-th pixel of a line at an address, ``count`` of them, to its front."""
    size = VECTOR_BYTES // lanes_of(like)
    if step == 1 and stride in (2, 4):
        if stride == 4:
            halve_line(like, line, 2 * count - 1)
        halve_line(like, line, count)
        return
    first = 0
    if step <= PIXEL and step * stride >= PIXEL:
        thin_line(like, line, step, stride, count)
        first = count - 1
    for pixel in range(first, count):
        copy_line(like, line + pixel * stride * step * size, line + pixel * step * size, step)


@compiled
def store_lines(
    like: Any,
    made: int,
    width: int,
    out: Output,
    y: int,
    first: int,
    last: int,
    count: int,
    step: int,
) -> None:
    """Write rows of answers for the windows ``first … last-1``, those that the stride keeps.

    ``made`` is the address of ``count`` rows of ``width`` scalars of the working type.
    """
    size = VECTOR_BYTES // lanes_of(like)
    kept = -(-first // out.step_x)
    near = kept * out.step_x - first
    number = (last - first - near + out.step_x - 1) // out.step_x
    if number < 1:
        return
    for line in range(count):
        start = made + line * width * size
        end = out.address + ((y + line) * out.stride + kept * step) * out.size
        if out.step_x == 1:
            call_line(out.write, start, end, width)
            continue
        start += near * step * size
        keep_pixels(like, start, step, out.step_x, number)
        call_line(out.write, start, end, number * step)


@compiled
def magnitude(like: Any, made: int, other: int, count: int) -> None:
    """Put the magnitude of each vector (made, other) in place of ``made``; both are addresses."""
    largest = max(largest_of_line(like, made, count), largest_of_line(like, other, count))
    magnitude_line(scale_for(largest), made, other, count)


@compiled
def _make_strip(
    plane: int,
    like: Any,
    kernel: Kernel,
    second: Kernel,
    guarded: int,
    image: Input,
    cval: Any,
    step: int,
    out: Output,
    lines: tuple[int, int],
    windows: tuple[int, int],
    in_place: bool,
    direct: bool,
) -> bool:
    """Make the output rows ``lines``, from the windows (stride 1) that start at ``windows``.

    Rows are made in groups. Where a group's windows lie inside the image, and the image is of the
    working type (``in_place``), they are read where they are; else padded rows are written to
    scratch, converted. Answers of the working type at stride 1 (``direct``) are written where they
    belong; else through scratch. Returns False where there is no memory for that.
    """
    height, taps = kernel.height, kernel.taps
    size = VECTOR_BYTES // lanes_of(like)
    sparse = 0
    if guarded != NEVER:
        span = lines[0] * out.step_y, (lines[1] - 1) * out.step_y + height
        kept = False
        if guarded == WHERE_NOT_FINITE:
            kept = reads_finite(image, span, windows, taps, step)
        elif guarded == WHERE_NOT_EXACT:
            kept = reads_exact(image, cval, span, windows, (height, taps), step)
        sparse = 0 if kept else 1
    inner = min(max(windows[0], image.left), windows[1])
    outer = min(max(inner, image.right - taps + 1), windows[1])
    group = max(2 * height, SCRATCH_SCALARS // ((windows[1] - windows[0]) * step))
    y = lines[0]
    while y < lines[1]:
        line = y * out.step_y
        inside = in_place and line >= image.top and line < image.bottom
        count = lines[1] - y
        if not (inside and direct):
            count = min(count, group)
        if line < image.top:
            count = min(count, (image.top - line + out.step_y - 1) // out.step_y)
        elif inside:
            count = min(count, (image.bottom - line + out.step_y - 1) // out.step_y)
        need = (count - 1) * out.step_y + height
        for part in range(3):
            if part == 0:
                first, last = windows[0], inner if inside else windows[1]
            elif part == 1:
                first, last = inner, outer if inside else inner
            else:
                first, last = outer, windows[1] if inside else outer
            if first >= last:
                continue
            width = (last - first) * step
            wide = width + (taps - 1) * step
            padded = 0 if part == 1 else need * wide
            answers = 0 if direct else count * width
            memory = allocate((padded + (2 if second.height > 0 else 1) * answers) * size + 1)
            if memory == 0:
                return False
            made = memory + padded * size
            if part == 1:
                start = (
                    image.address
                    + (image.rows[line] * image.stride + image.columns[first] * step) * size
                )
                stride = image.stride
            else:
                start, stride = memory, wide
                for k in range(need):
                    place = start + k * stride * size
                    pad_line(image, image.rows[line + k], first, last + taps - 1, step, cval, place)
            end, end_stride = made, width
            if direct:
                end = out.address + (y * out.stride + first * step) * size
                end_stride = out.stride
            done = correlate(
                kernel.address,
                plane,
                sparse,
                start,
                stride,
                step,
                out.step_y,
                end,
                end_stride,
                count,
                width,
            )
            if second.height > 0 and done != 0:
                other = made + answers * size
                done = correlate(
                    second.address,
                    plane,
                    sparse,
                    start,
                    stride,
                    step,
                    out.step_y,
                    other,
                    width,
                    count,
                    width,
                )
                magnitude(like, made, other, count * width)
            if not direct:
                store_lines(like, made, width, out, y, first, last, count, step)
            release(memory)
            if done == 0:
                return False
        y += count
    return True


@compiled
def input_of(job: Any, index: Any) -> Input:
    """Return a job's image; ``index`` is a pointer that only tells a type."""
    return Input(
        job.pixels,
        job.pixels_stride,
        job.pixel_bytes,
        job.read,
        carray(pointer(index, job.rows), (job.row_count,)),
        carray(pointer(index, job.columns), (job.column_count,)),
        job.top,
        job.bottom,
        job.left,
        job.right,
    )


@compiled
def output_of(job: Any) -> Output:
    """Return where a job's answer goes."""
    return Output(job.out, job.out_stride, job.out_bytes, job.write, job.step_y, job.step_x)


@entry(lambda _: pointer_to(JOB), pointer_to, lambda _: pointer_to(INDEX))
def make_strips(jobs: Any, work: Any, index: Any) -> None:
    """Make strips (first and last line, first and last window), until none is left to take.

    All but ``jobs`` are pointers that only tell types: of the arithmetic, and of indices.
    """
    job = carray(jobs, (1,))[0]
    start = address_in(jobs)
    first = Kernel(start + _FIRST, job.first.height, job.first.taps)
    second = Kernel(start + _SECOND, job.second.height, job.second.taps)
    like = carray(work, (0,)).dtype.type(0)
    image, out = input_of(job, index), output_of(job)
    strips = carray(pointer(index, job.strips), (job.strip_count, 4))
    cval = carray(work, (0,)).dtype.type(job.cval)
    taken = fetch_add_one(job.counter)
    while taken < job.strip_count:
        done = _make_strip(
            job.plane,
            like,
            first,
            second,
            job.guarded,
            image,
            cval,
            job.channels,
            out,
            (strips[taken, 0], strips[taken, 1]),
            (strips[taken, 2], strips[taken, 3]),
            job.in_place != 0,
            job.direct != 0,
        )
        if not done:
            job.failed = 1
            return
        taken = fetch_add_one(job.counter)
