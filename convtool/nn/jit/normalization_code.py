"""Batch normalisation: the statistics of a batch, and the way back through the scaling.

Channels lie side by side and are taken a vector at a time.
"""

from math import sqrt
from typing import Any

import numpy as np

from convtool.nn.jit.simd import WIDTH, load, operation, splat, store, unpack


@operation
def moments(mem: Any, row: Any) -> None:
    """Write for each channel the first picture's mean, and the sums of distances from it.

    Sum and sum of squares are taken of ``z - anchor``: with an anchor amid the numbers nothing
    is lost when a small variance sits on a large mean.
    """
    first, last, z, z_p, pixels, columns, target = unpack(row, 7)
    zero = splat(np.float32(0))
    for j in range(0, columns, WIDTH):
        centre, sums, squares = zero, zero, zero
        if last > first:
            for i in range(pixels):
                centre = centre + load(mem, z + first * z_p + j + i * columns)
            centre = centre * splat(np.float32(1) / np.float32(pixels))
        for p in range(first, last):
            part, part_squares = zero, zero
            base = z + p * z_p + j
            for i in range(pixels):
                v = load(mem, base + i * columns) - centre
                part = part + v
                part_squares = part_squares + v * v
            sums, squares = sums + part, squares + part_squares
        store(mem, target + j, centre)
        store(mem, target + columns + j, sums)
        store(mem, target + 2 * columns + j, squares)


@operation
def norm_forward(mem: Any, row: Any) -> None:
    """From all threads' moments to scale and shift; thread 0 also moves the running statistics.

    The threads' means and squares are merged by the formula of Chan, Golub, LeVeque (1983).
    """
    (
        threads,
        partial,
        partial_step,
        count,
        pixels,
        columns,
        channels,
        gamma,
        beta,
        mean,
        variance,
        numbers,
        affine,
        leader,
        training,
    ) = unpack(row, 15)
    epsilon, momentum = np.float64(mem[numbers]), np.float64(mem[numbers + 1])
    for c in range(channels):
        centre, spread = np.float64(mem[mean + c]), np.float64(mem[variance + c])
        if training:
            old_centre, old_spread = centre, spread
            seen, squares = 0.0, 0.0
            centre = np.float64(0)
            for t in range(threads):
                size = float((count * (t + 1) // threads - count * t // threads) * pixels)
                if size > 0:
                    at = partial + t * partial_step + c
                    distance = np.float64(mem[at + columns]) / size
                    own = np.float64(mem[at]) + distance
                    own_squares = np.float64(mem[at + 2 * columns]) - distance * distance * size
                    gap = own - centre
                    squares += max(own_squares, 0.0) + gap * gap * seen * size / (seen + size)
                    seen += size
                    centre += gap * size / seen
            spread = np.float64(squares / seen)
            if leader:
                mem[mean + c] = np.float32(old_centre + momentum * (centre - old_centre))
                unbiased = squares / (seen - 1)
                mem[variance + c] = np.float32(old_spread + momentum * (unbiased - old_spread))
        inverse = 1.0 / sqrt(spread + epsilon)
        gain = np.float64(mem[gamma + c]) * inverse
        mem[affine + c] = np.float32(gain)
        mem[affine + columns + c] = np.float32(np.float64(mem[beta + c]) - centre * gain)
        mem[affine + 2 * columns + c] = np.float32(centre)
        mem[affine + 3 * columns + c] = np.float32(inverse)


@operation
def norm_sums(mem: Any, row: Any) -> None:
    """Sum ``dv`` and ``dv * xhat`` by channel."""
    (
        first,
        last,
        z,
        z_p,
        dz,
        dz_p,
        dz_row,
        height,
        width,
        columns,
        affine,
        target,
    ) = unpack(row, 12)
    zero = splat(np.float32(0))
    for j in range(0, columns, WIDTH):
        centre = load(mem, affine + 2 * columns + j)
        inverse = load(mem, affine + 3 * columns + j)
        sums, products = zero, zero
        for p in range(first, last):
            part, part_products = zero, zero
            for i in range(height):
                from_z = z + p * z_p + i * width * columns + j
                from_dz = dz + p * dz_p + i * dz_row + j
                for k in range(width):
                    g = load(mem, from_dz + k * columns)
                    part = part + g
                    part_products = part_products + g * (load(mem, from_z + k * columns) - centre)
            sums, products = sums + part, products + part_products * inverse
        store(mem, target + j, sums)
        store(mem, target + columns + j, products)


@operation
def norm_backward(mem: Any, row: Any) -> None:
    """From all threads' sums to the gradients of scale and shift, and dz's coefficients."""
    (
        threads,
        partial,
        partial_step,
        count,
        columns,
        channels,
        gamma,
        affine,
        dgamma,
        dbeta,
        leader,
    ) = unpack(row, 11)
    for c in range(channels):
        one, two = 0.0, 0.0
        for t in range(threads):
            one += mem[partial + t * partial_step + c]
            two += mem[partial + t * partial_step + columns + c]
        if leader:
            mem[dbeta + c] = np.float32(one)
            mem[dgamma + c] = np.float32(two)
        centre = np.float64(mem[affine + 2 * columns + c])
        inverse = np.float64(mem[affine + 3 * columns + c])
        gain = np.float64(mem[gamma + c]) * inverse
        mem[affine + 4 * columns + c] = np.float32(gain)
        mem[affine + 5 * columns + c] = np.float32(-gain * inverse * two / count)
        mem[affine + 6 * columns + c] = np.float32(gain * (inverse * centre * two - one) / count)


@operation
def norm_apply(mem: Any, row: Any) -> None:
    """Take dz through the scaling: ``dz = a dz + b z + c``, channel by channel."""
    first, last, z, z_p, dz, dz_p, dz_row, height, width, columns, affine = unpack(row, 11)
    for j in range(0, columns, WIDTH):
        a = load(mem, affine + 4 * columns + j)
        b = load(mem, affine + 5 * columns + j)
        c = load(mem, affine + 6 * columns + j)
        for p in range(first, last):
            for i in range(height):
                from_z = z + p * z_p + i * width * columns + j
                from_dz = dz + p * dz_p + i * dz_row + j
                for k in range(width):
                    at = from_dz + k * columns
                    store(mem, at, a * load(mem, at) + b * load(mem, from_z + k * columns) + c)
