"""8-bit images, 8 bits out, by kernels of 3×3 and 5×5: products rounded to 16-bit integers."""

from typing import NamedTuple

import numpy as np

from convtool.convolution.engines import Job
from convtool.convolution.engines.jit.fixed import INT16_MAX, WORST, is_dyadic
from convtool.convolution.engines.jit.job import address_of
from convtool.convolution.engines.jit.uint8 import (
    Uint8Strips,
    constants,
    fits,
    job_type,
    template_of,
)
from convtool.convolution.types import Array

ROWS = 4
"""Output rows that are made at once."""

SIDES = (3, 5)
"""Sides of the square kernels that are done so."""

LIFT = 7
"""Bits by which pixels can be moved up within int16."""

SMALL_JOB = job_type("side", "kernels", "weights", "lift", "fraction", "scale")
"""Small kernels, one or two: their side, a vector for each weight, bits that pixels are moved up
by, and how many bits of a sum are a fraction: as a number, and as the bits of a float32 factor."""


class Int16Weights(NamedTuple):
    """Weights of kernels as int16, times two to the 15 - ``lift`` + ``fraction``."""

    weights: Array
    lift: int
    fraction: int


def _bits_above(kernels: Array) -> int | None:
    """Return the fewest bits above the point for which all weights fit int16; at most `LIFT`."""
    for above in range(LIFT):
        weights = np.rint(np.ldexp(kernels, 15 - above))
        if weights.max() <= INT16_MAX and weights.min() >= -INT16_MAX - 1:
            return above
    return None


def _fraction(kernels: Array, most: int) -> int | None:
    """Return the most bits below the point, 1 to ``most``, with which no sum leaves int16."""
    size = kernels[0].size
    positive, negative = (np.maximum(sign * kernels, 0).sum(axis=(1, 2)).max() for sign in (1, -1))
    for bits in range(most, 0, -1):
        sums = np.ldexp(255 * max(positive, negative), bits)
        if sums + size / 2 + (1 << bits) / 2 <= INT16_MAX:
            return bits
    return None


def as_int16(kernels: Array) -> Int16Weights | None:
    """Return the weights of kernels as int16, or None where answers would not be near enough.

    Kernels of whole numbers over a power of two are done exactly or not at all.

    Parameters
    ----------
    kernels : ndarray, shape (N, KH, KW)
        The kernels, whose sums are made of the same pixels.
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
    return Int16Weights(weights.astype(np.int16), above + fraction, fraction)


def small_strips(job: Job) -> Uint8Strips | None:
    """Return small kernels made ready for 8-bit images, or None where floats serve them better."""
    height, width = job.kernel.shape
    square = height == width and height in (SIDES if len(job.kernels) == 1 else SIDES[:1])
    lanes, rounds_products = constants()
    if not (rounds_products and square and fits(job, lanes)):
        return None
    int16s = as_int16(np.stack(job.kernels))
    if int16s is None:
        return None
    vectors = np.repeat(int16s.weights.reshape(-1, 1), lanes, axis=1)
    template = template_of(job, SMALL_JOB)
    record = template.view(SMALL_JOB)
    record["side"], record["kernels"] = height, len(job.kernels)
    record["weights"], record["lift"] = address_of(vectors), int16s.lift
    record["fraction"] = int16s.fraction
    record["scale"] = np.float32(0.5**int16s.fraction).view(np.int32)
    return Uint8Strips(
        job.layout,
        template,
        "small_strips",
        lambda v: v << int16s.lift,
        (vectors,),
    )
