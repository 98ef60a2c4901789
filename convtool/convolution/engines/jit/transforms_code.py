"""Tiles of an image by transforms: loaded, convolved in pairs, and stored.

See :mod:`~.transforms`.
"""

from typing import Any

import numpy as np
from numba import carray

from convtool.compiled.atomics import fetch_add_one
from convtool.compiled.calls import call_at
from convtool.compiled.jit import compiled, entry, pointer_to
from convtool.compiled.memory import (
    ALIGNMENT,
    address_in,
    aligned,
    allocate,
    pointer,
    pointer_of,
    release,
)
from convtool.convolution.engines.jit.job import INDEX
from convtool.convolution.engines.jit.reading import Input
from convtool.convolution.engines.jit.strip import (
    input_of,
    magnitude,
    output_of,
    pad_line,
    store_lines,
)
from convtool.convolution.engines.jit.survey import least_column, least_sum, sum_of_squares
from convtool.convolution.engines.jit.transform import (
    forward,
    inverse,
    multiply,
    transpose,
)
from convtool.convolution.engines.jit.transforms import APART, OVERLAP_JOB, PLANE_JOB
from convtool.convolution.engines.jit.vectors import fill_line

PLANE_JOB_BYTES = PLANE_JOB.itemsize
plane_job_at = pointer_of(PLANE_JOB)
doubles_at = pointer_of(np.dtype(np.float64))

SURE = 1 - 1e-4
"""The most that rounding takes from a window's sum of magnitudes."""


@compiled
def _load_tile(
    image: Input,
    cval: Any,
    step: int,
    lines: tuple[int, int],
    windows: tuple[int, int],
    work: Any,
    mixed: int,
    plane: int,
    plane_bytes: int,
    stride: int,
    height: int,
    width: int,
) -> None:
    """Write a part of the padded image to one plane for each channel.

    What is left of the planes' ``height`` rows and ``width`` columns becomes 0: it must not depend
    on what lay there before. ``mixed`` is the address of memory for one line of pixels.
    """
    zero = carray(work, (0,)).dtype.type(0)
    size = carray(work, (0,)).itemsize
    count = windows[1] - windows[0]
    pixels = carray(pointer(work, mixed), (count * step,))
    for row in range(lines[1] - lines[0]):
        target = plane + row * stride
        place = target if step == 1 else mixed
        pad_line(image, image.rows[lines[0] + row], windows[0], windows[1], step, cval, place)
        for channel in range(step):
            start = target + channel * plane_bytes
            if step > 1:
                column = carray(pointer(work, start), (count,))
                for x in range(count):
                    column[x] = pixels[x * step + channel]
            fill_line(zero, start + count * size, width - count)
    for row in range(lines[1] - lines[0], height):
        for channel in range(step):
            fill_line(zero, plane + channel * plane_bytes + row * stride, width)


@entry(lambda _: pointer_to(PLANE_JOB), lambda _: pointer_to(OVERLAP_JOB), pointer_to)
def convolve_tile(jobs: Any, units: Any, work: Any) -> None:
    """Convolve a plane of complex numbers in place; ``units`` and ``work`` only tell types."""
    job = carray(jobs, (1,))[0]
    unit = carray(pointer(units, job.unit), (1,))[0]
    down = carray(pointer(work, unit.down), (unit.down_count, 6))
    across = carray(pointer(work, unit.across), (unit.across_count, 6))
    like = down.dtype.type(0)
    size = down.itemsize
    re, im, stride = job.re, job.im, job.stride
    scratch, scratch_stride = job.scratch, job.scratch_stride
    height, width = unit.height, unit.width
    turned_im = scratch + width * scratch_stride
    forward(like, re, im, stride, height, width * size, down)
    transpose(like, re, stride, scratch, scratch_stride, height, width)
    transpose(like, im, stride, turned_im, scratch_stride, height, width)
    forward(like, scratch, turned_im, scratch_stride, width, height * size, across)
    multiply(like, scratch, turned_im, scratch_stride, unit.spectrum, width, height * size)
    inverse(like, scratch, turned_im, scratch_stride, width, height * size, across)
    transpose(like, scratch, scratch_stride, re, stride, job.wide, height)
    transpose(like, turned_im, scratch_stride, im, stride, job.wide, height)
    inverse(like, re, im, stride, height, job.wide * size, down)


@compiled
def _clear(like: Any, plane: int, stride: int, rows: int, width: int) -> None:
    """Write zeros to a plane."""
    for row in range(rows):
        fill_line(like, plane + row * stride, width)


@compiled
def _load_tiles(
    image: Input,
    cval: Any,
    step: int,
    lines: tuple[int, int],
    windows: tuple[int, int, int],
    unit: Any,
    work: Any,
    mixed: int,
    start: int,
    stride: int,
) -> None:
    """Write what ``lines[1]`` lines from the first on read, of two tiles: where each one begins.

    The second may be of no window; its planes become 0.
    """
    like = carray(work, (0,)).dtype.type(0)
    plane_bytes = unit.height * stride
    for half in range(2):
        begin, end = windows[half], windows[half + 1]
        place = start + half * step * plane_bytes
        if begin == end:
            _clear(like, place, stride, step * unit.height, unit.width)
            continue
        _load_tile(
            image,
            cval,
            step,
            (lines[0], lines[0] + lines[1] + unit.kernel_height - 1),
            (begin, end + unit.kernel_width - 1),
            work,
            mixed,
            place,
            plane_bytes,
            stride,
            unit.height,
            unit.width,
        )


@compiled
def _bound(unit: Any, work: Any, task: Any, plane: int, squares: float, wide: int) -> Any:
    """Return a lower bound of the sum of the products' magnitudes, for any window of a plane."""
    height, taps = unit.kernel_height, unit.kernel_width
    shape = task.rows + height - 1, wide + taps - 1
    limit = np.sqrt(squares / (shape[0] * shape[1])) / 2
    if limit == 0:
        return 0.0
    rounded = carray(work, (0,)).dtype.type(limit)
    least = taps * least_column(rounded, work, plane, task.stride, shape, height, task.scratch)
    weights = carray(doubles_at(unit.smallest), (height * taps + 1,))
    count = min(height * taps, int(least / rounded * SURE))
    return rounded * weights[count]


@compiled
def _reaches(unit: Any, work: Any, task: Any, squares: tuple[float, float], need: float) -> Any:
    """Return whether what any window sums to is at least as large as what is needed."""
    if not _bound(unit, work, task, task.re, squares[0], task.near) >= need:
        return False
    if task.far == 0 or unit.pair:
        return True
    return _bound(unit, work, task, task.im, squares[1], task.far) >= need


@compiled
def _least_answer(work: Any, task: Any, step_y: int) -> float:
    """Return the smallest magnitude of a plane's answers."""
    least = carray(work, (0,)).dtype.type(np.inf)
    rows, stride = -(-task.rows // step_y), task.stride * step_y
    least = least_sum(least, task.re, stride, 1, rows, task.near)
    if task.far > 0:
        least = least_sum(least, task.im, stride, 1, rows, task.far)
    return np.float64(least)


@compiled
def _gather(
    work: Any,
    made: int,
    shape: tuple[int, int],
    first: int,
    count: int,
    step: int,
    step_y: int,
    plane: int,
    stride: int,
) -> None:
    """Copy ``count`` pixels of a plane's kept rows to interleaved rows, to scalar ``first`` on."""
    rows = carray(pointer(work, made), shape)
    for line in range(shape[0]):
        row = carray(pointer(work, plane + line * step_y * stride), (count,))
        for x in range(count):
            rows[line, first + x * step] = row[x]


@compiled
def _convolve_well(unit: Any, work: Any, task: Any, tasks: int, step_y: int) -> Any:
    """Convolve a plane of complex numbers in place, if rounding does not matter: see `OVERLAP_JOB`.

    Returns whether that is so. If not, the plane is what it was, unless all weights have one sign:
    then answers are looked at afterwards, since their magnitudes bound the sums of products'.
    """
    like = carray(work, (0,)).dtype.type(0)
    squares_re = np.float64(sum_of_squares(like, task.re, task.stride, unit.height, unit.width))
    squares_im = np.float64(0)
    if not unit.pair:
        squares_im += sum_of_squares(like, task.im, task.stride, unit.height, unit.width)
    squares = squares_re + squares_im
    if not unit.least <= squares <= unit.most:
        return False
    need = unit.rounding * np.sqrt(squares) / unit.tolerance
    if unit.signed and not _reaches(unit, work, task, (squares_re, squares_im), need):
        return False
    call_at(unit.convolve_plane, tasks)
    return unit.signed != 0 or _least_answer(work, task, step_y) >= need


@entry(lambda _: pointer_to(OVERLAP_JOB), pointer_to, lambda _: pointer_to(INDEX))
def make_tiles(jobs: Any, work: Any, index: Any) -> None:
    """Make pairs of tiles until none is left; further arguments only tell types."""
    unit = carray(jobs, (1,))[0]
    job = unit.job
    image, out = input_of(job, index), output_of(job)
    strips = carray(pointer(index, job.strips), (job.strip_count, 4))
    like = carray(work, (0,)).dtype.type(0)
    size = carray(work, (0,)).itemsize
    cval = carray(work, (0,)).dtype.type(job.cval)
    step = job.channels
    stride, scratch_stride = unit.width * size + APART, unit.height * size + APART
    plane_bytes = unit.height * stride
    planes = 2 * step
    wide = unit.width - unit.kernel_width + 1
    most = unit.height * 2 * wide * step
    total = (planes + unit.pair) * plane_bytes + 2 * unit.width * scratch_stride
    total += ((1 + unit.pair) * most + unit.width * step) * size + 3 * ALIGNMENT
    memory = allocate(total + PLANE_JOB_BYTES)
    if memory == 0:
        job.failed = 1
        return
    start = aligned(memory)
    spare = start + planes * plane_bytes
    scratch = spare + unit.pair * plane_bytes
    made = scratch + 2 * unit.width * scratch_stride
    other = made + most * size
    mixed = other + unit.pair * most * size
    tasks = aligned(mixed + unit.width * step * size)
    task = carray(plane_job_at(tasks), (1,))[0]
    task.unit, task.stride = address_in(jobs), stride
    task.scratch, task.scratch_stride = scratch, scratch_stride
    task.failed = 0
    taken = fetch_add_one(job.counter)
    while taken < job.strip_count:
        lines = strips[taken, 0], strips[taken, 1]
        first, last = strips[taken, 2], strips[taken, 3]
        middle = min(last, first + wide)
        line = lines[0] * out.step_y
        high = (lines[1] - 1 - lines[0]) * out.step_y + 1
        shape = lines[1] - lines[0], (last - first) * step
        task.rows = high
        _load_tiles(
            image, cval, step, (line, high), (first, middle, last), unit, work, mixed, start, stride
        )
        for number in range(planes):
            re = start + number * plane_bytes
            im = spare if unit.pair else re + plane_bytes
            if unit.pair or number % 2 == 0:
                task.re, task.im = re, im
                task.wide = min(wide, last - first)
                task.near = middle - first if number < step else last - middle
                task.far = middle - first if number + 1 < step else last - middle
                if unit.pair:
                    _clear(like, spare, stride, unit.height, unit.width)
                    task.far = task.near
                if not unit.checked:
                    call_at(unit.convolve_plane, tasks)
                elif not _convolve_well(unit, work, task, tasks, out.step_y):
                    if unit.signed == 0:
                        _load_tiles(
                            image,
                            cval,
                            step,
                            (line, high),
                            (first, middle, last),
                            unit,
                            work,
                            mixed,
                            start,
                            stride,
                        )
                        if unit.pair:
                            _clear(like, spare, stride, unit.height, unit.width)
                    call_at(unit.convolve_exactly, tasks)
            begin, end = (first, middle) if number < step else (middle, last)
            column = (begin - first) * step + number % step
            _gather(work, made, shape, column, end - begin, step, out.step_y, re, stride)
            if unit.pair:
                _gather(work, other, shape, column, end - begin, step, out.step_y, im, stride)
        if unit.pair:
            magnitude(like, made, other, shape[0] * shape[1])
        store_lines(like, made, shape[1], out, lines[0], first, last, shape[0], step)
        taken = fetch_add_one(job.counter)
    if task.failed:
        job.failed = 1
    release(memory)
