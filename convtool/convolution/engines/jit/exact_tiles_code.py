"""Tiles whose values lie so far apart that transforms would round what is small among them.

They are transformed in float64, what is not finite taken out. An answer is kept where it is large
beside the rounding, or where as many pixels as its window holds that are not zero must sum to what
is. The answer of a window of zeros is 0; all others are sums of the window's own products.
"""

from typing import Any

import numpy as np
from numba import carray

from convtool.compiled.calls import call_at
from convtool.compiled.jit import compiled, entry, pointer_to
from convtool.compiled.memory import (
    ALIGNMENT,
    aligned,
    allocate,
    pointer,
    pointer_of,
    release,
)
from convtool.convolution.engines.jit.job import JOB, offset_of
from convtool.convolution.engines.jit.plane import correlate
from convtool.convolution.engines.jit.transforms import APART, OVERLAP_JOB, PLANE_JOB

DOUBLE = 8

NOT_FINITE = 1 << 32
"""What a pixel that is not finite counts among those that are not zero."""

LEAST, MOST = 1e-140, 1e145
"""Magnitudes whose squares float64 holds, and the sums of a tile's."""

PLANE_JOB_BYTES = PLANE_JOB.itemsize
plane_job_at = pointer_of(PLANE_JOB)
doubles_at = pointer_of(np.dtype(np.float64))
counts_at = pointer_of(np.dtype(np.intp))

_JOB_AT = offset_of(OVERLAP_JOB, "job")
_FIRST, _SECOND = (_JOB_AT + offset_of(JOB, name) for name in ("first", "second"))


@compiled
def _class_of(value: float) -> int:
    """Return 0 for zero, 1 for any other finite number, `NOT_FINITE` for the rest."""
    if value == 0:
        return 0
    return 1 if abs(value) < np.inf else NOT_FINITE


@compiled
def _widen(work: Any, source: int, stride: int, pixels: Any, finite: Any) -> tuple[float, float]:
    """Read a plane as float64, and again without what is not finite.

    Returns the largest magnitude and the smallest that is not zero; 0 and inf if there is none.
    """
    largest, smallest = 0.0, np.inf
    for y in range(pixels.shape[0]):
        row = carray(pointer(work, source + y * stride), (pixels.shape[1],))
        for x in range(pixels.shape[1]):
            value = np.float64(row[x])
            kind = _class_of(value)
            pixels[y, x] = value
            finite[y, x] = value if kind == 1 else 0.0
            if kind == 1:
                largest, smallest = max(largest, abs(value)), min(smallest, abs(value))
    return largest, smallest


@compiled
def _sum_of_squares(plane: Any, largest: float) -> float:
    """Return the sum of squares of a plane; inf where float64 does not hold them."""
    if largest == 0:
        return 0.0
    if not LEAST < largest < MOST:
        return np.inf
    total = 0.0
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            total += plane[y, x] * plane[y, x]
    return total


@compiled
def _sum_products(
    precise: Any, record: int, sparse: int, pixels: Any, made: Any, y: int, begin: int, end: int
) -> Any:
    """Make the answers ``begin … end-1`` of a row from their windows' products."""
    return correlate(
        record,
        precise.job.plane,
        sparse,
        pixels.ctypes.data + (y * pixels.shape[1] + begin) * DOUBLE,
        pixels.shape[1],
        1,
        1,
        made.ctypes.data + (y * made.shape[1] + begin) * DOUBLE,
        made.shape[1],
        1,
        end - begin,
    )


@compiled
def _settle(
    unit: Any,
    precise: Any,
    pixels: Any,
    made: Any,
    other: Any,
    counts: Any,
    smallest: float,
    least: float,
    sparse: int,
    shape: tuple[int, int],
    step_y: int,
) -> int:
    """Put sums of products in place of answers that the transforms' rounding may have spoilt.

    Of a pair of kernels, ``other`` are the second one's answers. ``least`` is the magnitude from
    which rounding does not matter. Returns 0 where there was no memory, else 1.
    """
    height, taps = unit.kernel_height, unit.kernel_width
    weights = carray(doubles_at(unit.smallest), (height * taps + 1,))
    first, second = unit.precise + _FIRST, unit.precise + _SECOND
    wide = shape[1] + taps - 1
    done = 1
    for x in range(wide):
        counts[x] = 0
        for y in range(height - 1):
            counts[x] += _class_of(pixels[y, x])
    for y in range(shape[0]):
        for x in range(wide):
            counts[x] += _class_of(pixels[y + height - 1, x])
            if y > 0:
                counts[x] -= _class_of(pixels[y - 1, x])
        if y % step_y:
            continue
        held, begin = 0, -1
        for x in range(taps - 1):
            held += counts[x]
        for x in range(shape[1] + 1):
            spoilt = False
            if x < shape[1]:
                held += counts[x + taps - 1]
                size = max(abs(made[y, x]), abs(other[y, x]))
                if held == 0:
                    made[y, x] = 0.0
                    other[y, x] = 0.0
                elif held >= NOT_FINITE:
                    spoilt = True
                elif not size >= least:
                    spoilt = not smallest * weights[held] >= least
                held -= counts[x]
            if spoilt and begin < 0:
                begin = x
            if begin >= 0 and not spoilt:
                done &= _sum_products(precise, first, sparse, pixels, made, y, begin, x)
                if unit.pair:
                    done &= _sum_products(precise, second, sparse, pixels, other, y, begin, x)
                begin = -1
    return done


@compiled
def _narrow(work: Any, made: Any, target: int, stride: int, rows: int) -> None:
    """Write answers to a plane of the working type."""
    for y in range(rows):
        row = carray(pointer(work, target + y * stride), (made.shape[1],))
        for x in range(made.shape[1] - APART // DOUBLE):
            row[x] = made[y, x]


@entry(lambda _: pointer_to(PLANE_JOB), lambda _: pointer_to(OVERLAP_JOB), pointer_to)
def convolve_exactly(jobs: Any, units: Any, work: Any) -> None:
    """Convolve a plane of complex numbers in place, as locally as direct sums would.

    ``units`` and ``work`` only tell types.
    """
    job = carray(jobs, (1,))[0]
    unit = carray(pointer(units, job.unit), (1,))[0]
    precise = carray(pointer(units, unit.precise), (1,))[0]
    height, width = unit.height, unit.width
    stride, scratch_stride = width * DOUBLE + APART, height * DOUBLE + APART
    plane_bytes = height * stride
    total = 4 * plane_bytes + 2 * width * scratch_stride + width * DOUBLE
    memory = allocate(total + PLANE_JOB_BYTES + 2 * ALIGNMENT)
    if memory == 0:
        job.failed = 1
        return
    start = aligned(memory)
    shape = height, width + APART // DOUBLE
    pixels_re = carray(doubles_at(start), shape)
    pixels_im = carray(doubles_at(start + plane_bytes), shape)
    made_re = carray(doubles_at(start + 2 * plane_bytes), shape)
    made_im = carray(doubles_at(start + 3 * plane_bytes), shape)
    scratch = start + 4 * plane_bytes
    counts = carray(counts_at(scratch + 2 * width * scratch_stride), (width,))
    tasks = aligned(scratch + 2 * width * scratch_stride + width * DOUBLE)
    task = carray(plane_job_at(tasks), (1,))[0]
    largest_re, smallest_re = _widen(work, job.re, job.stride, pixels_re[:, :width], made_re)
    largest_im, smallest_im = _widen(work, job.im, job.stride, pixels_im[:, :width], made_im)
    squares = _sum_of_squares(made_re[:, :width], largest_re)
    squares += _sum_of_squares(made_im[:, :width], largest_im)
    least = precise.rounding * np.sqrt(squares) / unit.tolerance
    if 0 < squares < np.inf:
        task.unit, task.stride, task.wide = unit.precise, stride, job.wide
        task.re, task.im = made_re.ctypes.data, made_im.ctypes.data
        task.scratch, task.scratch_stride = scratch, scratch_stride
        call_at(precise.convolve_plane, tasks)
    sparse = 1 if unit.sparse else 0
    near, far = (job.rows, job.near), (job.rows, job.far)
    step_y = precise.job.step_y
    if unit.pair:
        done = _settle(
            unit,
            precise,
            pixels_re,
            made_re,
            made_im,
            counts,
            smallest_re,
            least,
            sparse,
            near,
            step_y,
        )
    else:
        done = _settle(
            unit,
            precise,
            pixels_re,
            made_re,
            made_re,
            counts,
            smallest_re,
            least,
            sparse,
            near,
            step_y,
        )
        done &= _settle(
            unit,
            precise,
            pixels_im,
            made_im,
            made_im,
            counts,
            smallest_im,
            least,
            sparse,
            far,
            step_y,
        )
    _narrow(work, made_re, job.re, job.stride, job.rows)
    _narrow(work, made_im, job.im, job.stride, job.rows)
    if not done:
        job.failed = 1
    release(memory)
