"""A strip of an image: border, type conversion, stride and two kernels' length, in one pass."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import carray, cfunc, from_dtype, types

from convtool.convolution.engines import Array, DType
from convtool.convolution.engines.jit.atomics import take_next
from convtool.convolution.engines.jit.compile import cached, compiled
from convtool.convolution.engines.jit.job import INDEX, JOB, address_in, offset_of, pointer
from convtool.convolution.engines.jit.plane import correlate
from convtool.convolution.engines.jit.simd import PIXEL
from convtool.convolution.engines.jit.vectors import (
    VECTOR_BYTES,
    convert_line,
    fill_line,
    halve_line,
    lanes_of,
    largest_of_line,
    line_is_finite,
    magnitude_line,
    thin_line,
    used,
)

SCRATCH_SCALARS = 1 << 16
"""Scalars of a converted group of rows: they stay in L2."""

_FIRST, _SECOND = offset_of(JOB, "first"), offset_of(JOB, "second")

_keep: list[Any] = []
"""Compiled functions whose addresses are in use."""


class Input(NamedTuple):
    """An image as the compiled loops read it.

    Scalars of the type of the (empty) array ``like`` at an address, rows ``stride`` scalars apart.
    Position p of the padded image reads row ``rows[p]``, column ``columns[p]``. Windows that start
    in ``top … bottom-1`` read no border above or below; positions ``left … right-1`` are columns
    of the image.
    """

    address: int
    stride: int
    like: Array
    rows: Array
    columns: Array
    top: int
    bottom: int
    left: int
    right: int


class Output(NamedTuple):
    """Where the compiled loops write: as for the input, and the strides of the convolution."""

    address: int
    stride: int
    like: Array
    step_y: int
    step_x: int


class Kernel(NamedTuple):
    """What the compiled loops know of a kernel: the address of its record, and its sides."""

    address: int
    height: int
    taps: int


@compiled
def is_finite(like: Any, source: int, source_stride: int, rows: int, width: int) -> bool:
    """Return whether a plane holds neither NaN nor inf."""
    size = VECTOR_BYTES // lanes_of(like)
    for line in range(rows):
        if not line_is_finite(like, source + line * source_stride * size, width):
            return False
    return True


@compiled
def pad_line(
    image: Input, row: int, first: int, last: int, step: int, cval: Any, into: Array, target: int
) -> None:
    """Write the positions ``first … last-1`` of a padded image's row, in the working type."""
    size = into.itemsize
    if row < 0:
        fill_line(cval, target, (last - first) * step)
        return
    source = image.address + row * image.stride * image.like.itemsize
    scalar = step * image.like.itemsize
    start = min(max(first, image.left), last)
    stop = max(start, min(last, image.right))
    if start < stop:
        convert_line(
            image.like,
            source + image.columns[start] * scalar,
            into,
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
                convert_line(image.like, source + column * scalar, into, place, step)


@compiled
def keep_pixels(made: Array, line: int, step: int, stride: int, count: int) -> None:
    """Move every ``stride``-th pixel of a line at an address, ``count`` of them, to its front."""
    like = made[0, 0]
    if step == 1 and stride in (2, 4):
        if stride == 4:
            halve_line(like, line, 2 * count - 1)
        halve_line(like, line, count)
        return
    first = 0
    if step <= PIXEL and step * stride >= PIXEL:
        thin_line(like, line, step, stride, count)
        first = count - 1
    size = made.itemsize
    for pixel in range(first, count):
        convert_line(
            made, line + pixel * stride * step * size, made, line + pixel * step * size, step
        )


@compiled
def store_lines(
    made: Array, width: int, out: Output, y: int, first: int, last: int, count: int, step: int
) -> None:
    """Write rows of answers for the windows ``first … last-1``, those that the stride keeps."""
    size = made.itemsize
    kept = -(-first // out.step_x)
    near = kept * out.step_x - first
    number = (last - first - near + out.step_x - 1) // out.step_x
    for line in range(count):
        start = made.ctypes.data + line * width * size
        end = out.address + ((y + line) * out.stride + kept * step) * out.like.itemsize
        if out.step_x == 1:
            convert_line(made, start, out.like, end, width)
            continue
        start += near * step * size
        keep_pixels(made, start, step, out.step_x, number)
        convert_line(made, start, out.like, end, number * step)


@compiled
def lengths(made: Array, other: Array) -> None:
    """Put the length of each vector (made, other) in place of ``made``."""
    like, count = made[0, 0], made.size
    largest = max(
        largest_of_line(like, made.ctypes.data, count),
        largest_of_line(like, other.ctypes.data, count),
    )
    scale = made.dtype.type(1)
    if largest > 0 and np.isfinite(largest):
        scale = made.dtype.type(2.0 ** -np.floor(np.log2(largest)))
    magnitude_line(scale, made.ctypes.data, other.ctypes.data, count)


@compiled
def reads_finite(
    into: Array,
    image: Input,
    rows: tuple[int, int],
    windows: tuple[int, int],
    taps: int,
    step: int,
) -> bool:
    """Return whether the pixels that windows read are all finite.

    Of the rows, only those that the border's table names are looked at: the same ones, wherever
    they are held. They are of the working type, that of ``into``.
    """
    like = into.dtype.type(0)
    left = image.columns[windows[0] : windows[1] + taps - 1]
    near, far = max(0, left.min()), left.max()
    k = rows[0]
    while k < rows[1]:
        low, high = image.rows[k], image.rows[k]
        k += 1
        while k < rows[1] and abs(image.rows[k] - image.rows[k - 1]) <= 1:
            low, high = min(low, image.rows[k]), max(high, image.rows[k])
            k += 1
        low = max(0, low)
        start = image.address + (low * image.stride + near * step) * into.itemsize
        if not is_finite(like, start, image.stride, high - low + 1, (far - near + 1) * step):
            return False
    return True


@compiled
def _make_strip(
    correlation: int,
    plane: int,
    into: Array,
    kernel: Kernel,
    second: Kernel,
    guarded: bool,
    image: Input,
    cval: Any,
    step: int,
    out: Output,
    lines: tuple[int, int],
    windows: tuple[int, int],
    in_place: bool,
    direct: bool,
) -> None:
    """Make the output rows ``lines``, from the windows (stride 1) that start at ``windows``.

    Rows are made in groups. Where a group's windows lie inside the image, and the image is of the
    working type (``in_place``), they are read where they are; else padded rows are written to
    scratch, converted. Answers of the working type at stride 1 (``direct``) are written where they
    belong; else through scratch.
    """
    height, taps = kernel.height, kernel.taps
    size = into.itemsize
    sparse = 0
    if guarded:
        span = lines[0] * out.step_y, (lines[1] - 1) * out.step_y + height
        sparse = 0 if reads_finite(into, image, span, windows, taps, step) else 1
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
            need = (count - 1) * out.step_y + height
            if part == 1:
                start = (
                    image.address
                    + (image.rows[line] * image.stride + image.columns[first] * step) * size
                )
                stride = image.stride
                padded = into.reshape(0, 0)
            else:
                stride = width + (taps - 1) * step
                padded = np.empty((need, stride), into.dtype)
                start = padded.ctypes.data
                for k in range(need):
                    place = start + k * stride * size
                    pad_line(
                        image, image.rows[line + k], first, last + taps - 1, step, cval, into, place
                    )
            if direct:
                end = out.address + (y * out.stride + first * step) * size
                correlate(
                    correlation,
                    kernel.address,
                    plane,
                    sparse,
                    start,
                    stride,
                    step,
                    out.step_y,
                    end,
                    out.stride,
                    count,
                    width,
                )
                used(padded)
                continue
            made = np.empty((count, width), into.dtype)
            correlate(
                correlation,
                kernel.address,
                plane,
                sparse,
                start,
                stride,
                step,
                out.step_y,
                made.ctypes.data,
                width,
                count,
                width,
            )
            if second.height > 0:
                other = np.empty((count, width), into.dtype)
                correlate(
                    correlation,
                    second.address,
                    plane,
                    sparse,
                    start,
                    stride,
                    step,
                    out.step_y,
                    other.ctypes.data,
                    width,
                    count,
                    width,
                )
                lengths(made, other)
            used(padded)
            store_lines(made, width, out, y, first, last, count, step)
        y += count


@compiled
def input_of(job: Any, pixels: Any, index: Any) -> Input:
    """Return a job's image; ``pixels`` and ``index`` are pointers that only tell types."""
    return Input(
        job.pixels,
        job.pixels_stride,
        carray(pixels, (0,)),
        carray(pointer(index, job.rows), (job.row_count,)),
        carray(pointer(index, job.columns), (job.column_count,)),
        job.top,
        job.bottom,
        job.left,
        job.right,
    )


@compiled
def output_of(job: Any, written: Any) -> Output:
    """Return where a job's answer goes; ``written`` is a pointer that only tells a type."""
    return Output(job.out, job.out_stride, carray(written, (0,)), job.step_y, job.step_x)


def _make_strips(jobs: Any, pixels: Any, work: Any, written: Any, index: Any) -> None:
    """Make strips (first and last line, first and last window), until none is left to take.

    All but ``jobs`` are pointers that only tell types: of the image, of the arithmetic, of the
    answer, and of indices.
    """
    job = carray(jobs, (1,))[0]
    start = address_in(jobs)
    first = Kernel(start + _FIRST, job.first.height, job.first.taps)
    second = Kernel(start + _SECOND, job.second.height, job.second.taps)
    into = carray(work, (0,))
    image, out = input_of(job, pixels, index), output_of(job, written)
    strips = carray(pointer(index, job.strips), (job.strip_count, 4))
    cval = into.dtype.type(job.cval)
    taken = take_next(job.counter)
    while taken < job.strip_count:
        _make_strip(
            job.correlation,
            job.plane,
            into,
            first,
            second,
            job.guarded != 0,
            image,
            cval,
            job.channels,
            out,
            (strips[taken, 0], strips[taken, 1]),
            (strips[taken, 2], strips[taken, 3]),
            job.in_place != 0,
            job.direct != 0,
        )
        taken = take_next(job.counter)


@lru_cache(maxsize=64)
def strips_address(image: DType, work: DType, out: DType) -> int:
    """Return the address of compiled code that makes a job's strips, for these types."""
    kinds = [types.CPointer(from_dtype(dtype)) for dtype in (JOB, image, work, out, INDEX)]
    loops = cached(cfunc, types.void(*kinds), error_model="numpy")(_make_strips)
    _keep.append(loops)
    address: int = loops.address
    return address
