"""8-bit images, 8 bits out, by a kernel of 3×3 or 5×5: products rounded to 16-bit words."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import carray, cfunc, from_dtype, types

from convtool.convolution.engines import Array, Job
from convtool.convolution.engines.jit.atomics import take_next
from convtool.convolution.engines.jit.compile import cached
from convtool.convolution.engines.jit.fixed import WORD, WORST, is_dyadic
from convtool.convolution.engines.jit.job import INDEX, address_of, pointer
from convtool.convolution.engines.jit.lanes import LANES
from convtool.convolution.engines.jit.octets import OctetStrips, fits, job_type, template_of
from convtool.convolution.engines.jit.products import (
    MULTIPLIER,
    ROWS,
    lift,
    sum_products_3,
    sum_products_5,
)
from convtool.convolution.engines.jit.vectors import used

SIDES = (3, 5)
"""Sides of the square kernels that are done so."""

LIFT = 7
"""Bits by which pixels can be moved up within a word."""

SMALL_JOB = job_type("side", "weights", "lift", "fraction")
"""A small kernel: its side, a vector for each weight, bits that pixels are moved up by, and how
many bits of a sum are a fraction."""


class Words(NamedTuple):
    """Weights as words, times two to the 15 - ``lift`` + ``fraction``; see :data:`SMALL_JOB`."""

    weights: Array
    lift: int
    fraction: int


def as_words(kernel: Array) -> Words | None:
    """Return the weights of a kernel as words, or None where the answers would not be near enough.

    Kernels of whole numbers over a power of two are done exactly or not at all.
    """
    for above in range(LIFT):
        weights = np.rint(np.ldexp(kernel, 15 - above))
        if weights.max() <= WORD and weights.min() >= -WORD - 1:
            break
    else:
        return None
    most = 255 * max(kernel[kernel > 0].sum(), -kernel[kernel < 0].sum())
    for fraction in range(LIFT - above, 0, -1):
        if np.ldexp(most, fraction) + kernel.size / 2 + (1 << fraction) / 2 <= WORD:
            break
    else:
        return None
    if is_dyadic(kernel):
        parts = np.ldexp(kernel, fraction)
        near = bool(np.all(parts == np.rint(parts)))
    else:
        products = kernel.size * 0.5 ** (fraction + 1)
        error = products + 255 * np.abs(np.ldexp(weights, above - 15) - kernel).sum()
        near = bool(error <= WORST)
    return Words(weights.astype(np.int16), above + fraction, fraction) if near else None


def _make_strips(jobs: Any, index: Any, octet: Any, word: Any, _: Any) -> None:
    """Make strips of an 8-bit answer until none is left; further arguments only tell types."""
    job = carray(jobs, (1,))[0]
    step = job.channels
    width = job.width * step
    rows = carray(pointer(index, job.rows), (job.row_count,))
    columns = carray(pointer(index, job.columns), (job.column_count,))
    strips = carray(pointer(index, job.strips), (job.strip_count, 4))
    held = job.side + ROWS - 1
    words = np.zeros((held, job.column_count * step + 2 * LANES), np.int16)
    inside = (job.right - job.left) * step
    nowhere = np.empty(width, np.uint8)
    lines = np.empty(held, np.intp)
    targets = np.empty(ROWS, np.intp)
    taken = take_next(job.counter)
    while taken < job.strip_count:
        start, stop = strips[taken, 0], strips[taken, 1]
        ready = start
        for y in range(start, stop, ROWS):
            while ready < min(y + held, job.row_count):
                line = words[ready % held]
                row = rows[ready]
                if row < 0:
                    line[:] = np.int16(job.outside_words)
                else:
                    lift(
                        job.pixels + row * job.pixels_stride,
                        job.lift,
                        line.ctypes.data + 2 * job.left * step,
                        inside,
                    )
                    for first, last in ((0, job.left), (job.right, job.column_count)):
                        for position in range(first, last):
                            column = columns[position]
                            for channel in range(step):
                                value = np.int16(job.outside_words)
                                if column >= 0:
                                    value = line[(job.left + column) * step + channel]
                                line[position * step + channel] = value
                ready += 1
            for k in range(held):
                lines[k] = words[(y + k) % held].ctypes.data
            for k in range(ROWS):
                targets[k] = job.out + (y + k) * job.out_stride
                if y + k >= stop:
                    targets[k] = nowhere.ctypes.data
            make = (
                lines.ctypes.data,
                job.weights,
                step,
                job.fraction,
                targets.ctypes.data,
                width,
            )
            if job.side == 3:
                sum_products_3(*make)
            else:
                sum_products_5(*make)
        taken = take_next(job.counter)
    used(words)
    used(nowhere)
    used(lines)
    used(targets)


_keep: list[Any] = []
"""Compiled functions whose addresses are in use."""


@lru_cache(maxsize=1)
def small_address() -> int:
    """Return the address of compiled code that makes a job's strips."""
    others = (INDEX, np.dtype(np.uint8), np.dtype(np.int16), INDEX)
    kinds = [types.CPointer(from_dtype(dtype)) for dtype in (SMALL_JOB, *others)]
    loops = cached(cfunc, types.void(*kinds), error_model="numpy")(_make_strips)
    _keep.append(loops)
    address: int = loops.address
    return address


def small_strips(job: Job) -> OctetStrips | None:
    """Return a small kernel made ready for 8-bit images, or None where floats serve it better."""
    height, width = job.kernel.shape
    square = height == width and height in SIDES
    if MULTIPLIER is None or not square or not fits(job, LANES):
        return None
    words = as_words(job.kernel)
    if words is None:
        return None
    vectors = np.repeat(words.weights.reshape(-1, 1), LANES, axis=1)
    template = template_of(job, SMALL_JOB)
    record = template.view(SMALL_JOB)
    record["side"], record["weights"] = height, address_of(vectors)
    record["lift"], record["fraction"] = words.lift, words.fraction
    return OctetStrips(job.layout, template, small_address, lambda v: v << words.lift, (vectors,))
