"""8-bit images, 8 bits out, by kernels of 3×3 and 5×5: products rounded to 16-bit words."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numba import carray

from convtool.convolution.engines import Array, Job
from convtool.convolution.engines.jit.atomics import take_next
from convtool.convolution.engines.jit.fixed import WORD, WORST, is_dyadic
from convtool.convolution.engines.jit.job import address_of, pointer
from convtool.convolution.engines.jit.lanes import LANES
from convtool.convolution.engines.jit.octets import (
    OctetStrips,
    fits,
    job_type,
    strips_address,
    template_of,
)
from convtool.convolution.engines.jit.products import (
    MULTIPLIER,
    ROWS,
    length_of_products,
    lift,
    sum_products_3,
    sum_products_5,
)
from convtool.convolution.engines.jit.vectors import used

SIDES = (3, 5)
"""Sides of the square kernels that are done so."""

LIFT = 7
"""Bits by which pixels can be moved up within a word."""

SMALL_JOB = job_type("side", "kernels", "weights", "lift", "fraction", "scale")
"""Small kernels, one or two: their side, a vector for each weight, bits that pixels are moved up
by, and how many bits of a sum are a fraction: as a number, and as the bits of a float32 factor."""


class Words(NamedTuple):
    """Weights of kernels as words, times two to the 15 - ``lift`` + ``fraction``."""

    weights: Array
    lift: int
    fraction: int


def _bits_above(kernels: Array) -> int | None:
    """Return the fewest bits above the point for which all weights fit words; at most `LIFT`."""
    for above in range(LIFT):
        weights = np.rint(np.ldexp(kernels, 15 - above))
        if weights.max() <= WORD and weights.min() >= -WORD - 1:
            return above
    return None


def _fraction(kernels: Array, most: int) -> int | None:
    """Return the most bits below the point, 1 to ``most``, with which no sum leaves a word."""
    size = kernels[0].size
    positive, negative = (np.maximum(sign * kernels, 0).sum(axis=(1, 2)).max() for sign in (1, -1))
    for bits in range(most, 0, -1):
        sums = np.ldexp(255 * max(positive, negative), bits)
        if sums + size / 2 + (1 << bits) / 2 <= WORD:
            return bits
    return None


def as_words(kernels: Array) -> Words | None:
    """Return the weights of kernels as words, or None where answers would not be near enough.

    Kernels of whole numbers over a power of two are done exactly or not at all.

    Parameters
    ----------
    kernels : ndarray, shape (N, KH, KW)
        The kernels, whose sums are made of the same words.
    """
    above = _bits_above(kernels)
    fraction = None if above is None else _fraction(kernels, LIFT - above)
    if above is None or fraction is None:
        return None
    weights = np.rint(np.ldexp(kernels, 15 - above))
    for kernel, rounded in zip(kernels, weights, strict=True):
        if is_dyadic(kernel):
            parts = np.ldexp(kernel, fraction)
            near = bool(np.all(parts == np.rint(parts)))
        else:
            products = kernel.size * 0.5 ** (fraction + 1)
            error = products + 255 * np.abs(np.ldexp(rounded, above - 15) - kernel).sum()
            near = bool(error <= WORST)
        if not near:
            return None
    return Words(weights.astype(np.int16), above + fraction, fraction)


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
            begin, end = lines.ctypes.data, targets.ctypes.data
            if job.kernels == 2:
                length_of_products(begin, job.weights, step, job.scale, end, width)
            elif job.side == 3:
                sum_products_3(begin, job.weights, step, job.fraction, end, width)
            else:
                sum_products_5(begin, job.weights, step, job.fraction, end, width)
        taken = take_next(job.counter)
    used(words)
    used(nowhere)
    used(lines)
    used(targets)


def small_strips(job: Job) -> OctetStrips | None:
    """Return small kernels made ready for 8-bit images, or None where floats serve them better."""
    height, width = job.kernel.shape
    square = height == width and height in (SIDES if len(job.kernels) == 1 else SIDES[:1])
    if MULTIPLIER is None or not square or not fits(job, LANES):
        return None
    words = as_words(np.stack(job.kernels))
    if words is None:
        return None
    vectors = np.repeat(words.weights.reshape(-1, 1), LANES, axis=1)
    template = template_of(job, SMALL_JOB)
    record = template.view(SMALL_JOB)
    record["side"], record["kernels"] = height, len(job.kernels)
    record["weights"], record["lift"] = address_of(vectors), words.lift
    record["fraction"] = words.fraction
    record["scale"] = np.float32(0.5**words.fraction).view(np.int32)
    return OctetStrips(
        job.layout,
        template,
        partial(strips_address, _make_strips, SMALL_JOB),
        lambda v: v << words.lift,
        (vectors,),
    )
