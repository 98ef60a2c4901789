"""Dense kernels by the convolution theorem: overlap-save in compiled transforms, on threads.

A transform is of complex numbers, and a tile's pixels are real: two planes (tiles, or channels) go
through it together, one as the real part and one as the imaginary, and come out apart, since the
kernel is real. Of a pair of kernels, whose answers' length is wanted, one is the real and the other
the imaginary part, and each plane goes alone.

References
----------
A. V. Oppenheim, R. W. Schafer, Discrete-Time Signal Processing, section 8.7.3 (overlap-save).
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numba import carray, cfunc, from_dtype, types

from convtool.convolution.engines import Array, DType, Job, Span, StripCorrelator
from convtool.convolution.engines.jit import team
from convtool.convolution.engines.jit.atomics import call_at, take_next
from convtool.convolution.engines.jit.compile import cached, compiled
from convtool.convolution.engines.jit.job import (
    INDEX,
    JOB,
    address_in,
    address_of,
    describe_call,
    describe_layout,
    pointer,
)
from convtool.convolution.engines.jit.strip import (
    Input,
    input_of,
    lengths,
    output_of,
    pad_line,
    store_lines,
)
from convtool.convolution.engines.jit.transform import (
    APART,
    forward,
    frequencies,
    inverse,
    multiply,
    roots_of_unity,
    transpose,
)
from convtool.convolution.engines.jit.vectors import fill_line, used
from convtool.convolution.engines.overlap import tiling
from convtool.convolution.source import Source
from convtool.errors import EngineError

WRITES: frozenset[DType] = frozenset({np.dtype(np.uint8), np.dtype(np.uint16)})
"""Types, beside the working one, that are written by the compiled code."""

OVERLAP_JOB = np.dtype(
    [
        ("job", JOB),
        *((name, np.intp) for name in ("height", "width", "kernel_height", "kernel_width")),
        *((name, np.intp) for name in ("spectrum", "down", "down_count", "across")),
        *((name, np.intp) for name in ("across_count", "pair", "convolve_plane")),
    ],
    align=True,
)
"""A convolution by transforms: lengths, the kernel's sizes, addresses; ``pair`` is not 0 for two
kernels. A strip of ``job`` is two tiles side by side."""

PLANE_JOB = np.dtype(
    [
        *((name, np.intp) for name in ("unit", "re", "im", "stride")),
        *((name, np.intp) for name in ("scratch", "scratch_stride", "wide")),
    ]
)
"""A plane of complex numbers: its convolution, addresses, distances in bytes, and how much of the
answer is wanted."""


@compiled
def _load_tile(
    image: Input,
    cval: Any,
    step: int,
    lines: tuple[int, int],
    windows: tuple[int, int],
    into: Array,
    work: Any,
    plane: int,
    plane_bytes: int,
    stride: int,
    height: int,
    width: int,
) -> None:
    """Write a part of the padded image to one plane for each channel.

    What is left of the planes' ``height`` rows and ``width`` columns becomes 0: it must not depend
    on what lay there before.
    """
    size = into.itemsize
    zero = into.dtype.type(0)
    count = windows[1] - windows[0]
    mixed = np.empty(count * step, into.dtype)
    for row in range(lines[1] - lines[0]):
        target = plane + row * stride
        place = target if step == 1 else mixed.ctypes.data
        pad_line(image, image.rows[lines[0] + row], windows[0], windows[1], step, cval, into, place)
        for channel in range(step):
            start = target + channel * plane_bytes
            if step > 1:
                column = carray(pointer(work, start), (count,))
                for x in range(count):
                    column[x] = mixed[x * step + channel]
            fill_line(zero, start + count * size, width - count)
    for row in range(lines[1] - lines[0], height):
        for channel in range(step):
            fill_line(zero, plane + channel * plane_bytes + row * stride, width)
    used(mixed)


def _convolve_plane(jobs: Any, units: Any, work: Any, _: Any, __: Any) -> None:
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
def _gather(
    made: Array,
    first: int,
    count: int,
    step: int,
    step_y: int,
    work: Any,
    plane: int,
    stride: int,
) -> None:
    """Copy ``count`` pixels of a plane's kept rows to interleaved rows, to scalar ``first`` on."""
    for line in range(made.shape[0]):
        row = carray(pointer(work, plane + line * step_y * stride), (count,))
        for x in range(count):
            made[line, first + x * step] = row[x]


@compiled
def _clear(like: Any, plane: int, stride: int, rows: int, width: int) -> None:
    """Write zeros to a plane."""
    for row in range(rows):
        fill_line(like, plane + row * stride, width)


def _make_units(jobs: Any, pixels: Any, work: Any, written: Any, index: Any) -> None:
    """Make pairs of tiles until none is left; further arguments only tell types."""
    unit = carray(jobs, (1,))[0]
    job = unit.job
    image, out = input_of(job, pixels, index), output_of(job, written)
    strips = carray(pointer(index, job.strips), (job.strip_count, 4))
    into = carray(work, (0,))
    like = into.dtype.type(0)
    size = into.itemsize
    cval = into.dtype.type(job.cval)
    step = job.channels
    stride, scratch_stride = unit.width * size + APART, unit.height * size + APART
    plane_bytes = unit.height * stride
    planes = 2 * step
    total = (planes + unit.pair) * plane_bytes + 2 * unit.width * scratch_stride
    memory = np.empty(total // size + 16, into.dtype)
    start = -(-memory.ctypes.data // 64) * 64
    spare = start + planes * plane_bytes
    scratch = spare + unit.pair * plane_bytes
    wide = unit.width - unit.kernel_width + 1
    tasks = np.empty(1, PLANE_JOB)
    task = tasks[0]
    task.unit, task.stride = address_in(jobs), stride
    task.scratch, task.scratch_stride = scratch, scratch_stride
    taken = take_next(job.counter)
    while taken < job.strip_count:
        lines = strips[taken, 0], strips[taken, 1]
        first, last = strips[taken, 2], strips[taken, 3]
        middle = min(last, first + wide)
        line = lines[0] * out.step_y
        high = (lines[1] - 1 - lines[0]) * out.step_y + 1
        made = np.empty((lines[1] - lines[0], (last - first) * step), into.dtype)
        other = np.empty((made.shape[0] * unit.pair, made.shape[1]), into.dtype)
        for half in range(2):
            begin, end = (first, middle) if half == 0 else (middle, last)
            place = start + half * step * plane_bytes
            if begin == end:
                _clear(like, place, stride, step * unit.height, unit.width)
                continue
            _load_tile(
                image,
                cval,
                step,
                (line, line + high + unit.kernel_height - 1),
                (begin, end + unit.kernel_width - 1),
                into,
                work,
                place,
                plane_bytes,
                stride,
                unit.height,
                unit.width,
            )
        for number in range(planes):
            re = start + number * plane_bytes
            im = spare if unit.pair else re + plane_bytes
            if unit.pair:
                _clear(like, spare, stride, unit.height, unit.width)
            if unit.pair or number % 2 == 0:
                task.re, task.im = re, im
                task.wide = min(wide, last - first)
                call_at(unit.convolve_plane, tasks.ctypes.data)
            begin, end = (first, middle) if number < step else (middle, last)
            column = (begin - first) * step + number % step
            _gather(made, column, end - begin, step, out.step_y, work, re, stride)
            if unit.pair:
                _gather(other, column, end - begin, step, out.step_y, work, im, stride)
        if unit.pair:
            lengths(made, other)
        store_lines(made, made.shape[1], out, lines[0], first, last, made.shape[0], step)
        taken = take_next(job.counter)
    used(memory)
    used(tasks)


_keep: list[Any] = []
"""Compiled functions whose addresses are in use."""


@lru_cache(maxsize=2)
def plane_address(dtype: DType) -> int:
    """Return the address of compiled code that convolves a plane, for a working type."""
    kinds = [types.CPointer(from_dtype(kind)) for kind in (PLANE_JOB, OVERLAP_JOB, dtype)]
    signature = types.void(*kinds, types.intp, types.intp)
    loops = cached(cfunc, signature, error_model="numpy")(_convolve_plane)
    _keep.append(loops)
    address: int = loops.address
    return address


@lru_cache(maxsize=64)
def units_address(image: DType, work: DType, out: DType) -> int:
    """Return the address of compiled code that makes a job's tiles, for these types."""
    kinds = (OVERLAP_JOB, image, work, out, INDEX)
    signature = types.void(*(types.CPointer(from_dtype(dtype)) for dtype in kinds))
    loops = cached(cfunc, signature, error_model="numpy")(_make_units)
    _keep.append(loops)
    address: int = loops.address
    return address


def _spectrum(kernels: tuple[Array, ...], lengths: tuple[int, int], dtype: DType) -> Array:
    """Return what spectra are multiplied by, shape (2, width, height), in the transforms' order.

    It is the conjugate of a real kernel's spectrum, since it correlates, and holds the factor that
    the inverse leaves out.
    """
    padded = np.zeros(lengths, np.complex128)
    height, width = kernels[0].shape
    for kernel, unit in zip(kernels, (1, 1j), strict=False):
        padded[:height, :width] += unit * kernel
    down, across = map(frequencies, lengths)
    ordered = np.fft.ifft2(padded)[np.ix_(down, across)].T
    return np.ascontiguousarray([ordered.real, ordered.imag], dtype)


class _Units:
    """A kernel made ready; it holds the arrays whose addresses stand in its record."""

    def __init__(self, job: Job, lengths: tuple[int, int]) -> None:
        self.dtype, self.layout = job.dtype, job.layout
        self.spectrum = _spectrum(job.kernels, lengths, job.dtype)
        self.roots = [roots_of_unity(length, job.dtype) for length in lengths]
        self.template = np.zeros(OVERLAP_JOB.itemsize, np.uint8)
        record = self.template.view(OVERLAP_JOB)
        record["job"]["channels"] = job.channels
        describe_layout(record["job"], job.layout)
        record["height"], record["width"] = lengths
        record["kernel_height"], record["kernel_width"] = job.kernel.shape
        record["spectrum"] = address_of(self.spectrum)
        record["down"], record["across"] = map(address_of, self.roots)
        record["down_count"], record["across_count"] = map(len, self.roots)
        record["pair"] = len(job.kernels) - 1
        record["convolve_plane"] = plane_address(job.dtype)

    def run(self, source: Source, out: Array, origin: Span, strips: Array, workers: int) -> None:
        """Make strips of the answer, each two tiles: see :class:`~..StripCorrelator`."""
        memory = self.template.copy()
        address, kept = describe_call(memory, self.layout, source, out, origin, strips)
        function = units_address(source.pixels.dtype, self.dtype, out.dtype)
        team.run(function, address, min(workers, len(strips)))
        del kept


def prepare(job: Job) -> StripCorrelator:
    """Make a correlator that multiplies spectra.

    Raises
    ------
    EngineError
        If the kernel is larger than any transform.
    """
    height, width, _ = job.shape
    chosen = tiling((job.kernel.shape[0], job.kernel.shape[1]), (height, width))
    if chosen is None:
        raise EngineError(
            f"engine 'numba-fft' has no transforms for a kernel of {job.kernel.shape[0]}×"
            f"{job.kernel.shape[1]}; choose engine 'fft'"
        )
    lines = (chosen.tile[0] - 1) // job.layout.rows.stride + 1
    return StripCorrelator(
        _Units(job, chosen.lengths).run, (lines, 2 * chosen.tile[1]), WRITES, team.rouse
    )
