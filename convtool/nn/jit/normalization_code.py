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
    f = unpack(row, "moments")
    zero = splat(np.float32(0))
    for j in range(0, f.columns, WIDTH):
        centre, sums, squares = zero, zero, zero
        if f.last > f.first:
            for i in range(f.pixels):
                centre = centre + load(mem, f.z + f.first * f.z_p + j + i * f.columns)
            centre = centre * splat(np.float32(1) / np.float32(f.pixels))
        for p in range(f.first, f.last):
            part, part_squares = zero, zero
            base = f.z + p * f.z_p + j
            for i in range(f.pixels):
                v = load(mem, base + i * f.columns) - centre
                part = part + v
                part_squares = part_squares + v * v
            sums, squares = sums + part, squares + part_squares
        store(mem, f.target + j, centre)
        store(mem, f.target + f.columns + j, sums)
        store(mem, f.target + 2 * f.columns + j, squares)


@operation
def norm_forward(mem: Any, row: Any) -> None:
    """From all threads' moments to scale and shift; thread 0 also moves the running statistics.

    The threads' means and squares are merged by the formula of Chan, Golub, LeVeque (1983).
    """
    f = unpack(row, "norm_forward")
    epsilon, momentum = np.float64(mem[f.numbers]), np.float64(mem[f.numbers + 1])
    for c in range(f.channels):
        centre, spread = np.float64(mem[f.mean + c]), np.float64(mem[f.variance + c])
        if f.training:
            old_centre, old_spread = centre, spread
            seen, squares = 0.0, 0.0
            centre = np.float64(0)
            for t in range(f.threads):
                size = float((f.count * (t + 1) // f.threads - f.count * t // f.threads) * f.pixels)
                if size > 0:
                    at = f.partial + t * f.partial_step + c
                    distance = np.float64(mem[at + f.columns]) / size
                    own = np.float64(mem[at]) + distance
                    own_squares = np.float64(mem[at + 2 * f.columns]) - distance * distance * size
                    gap = own - centre
                    squares += max(own_squares, 0.0) + gap * gap * seen * size / (seen + size)
                    seen += size
                    centre += gap * size / seen
            spread = np.float64(squares / seen)
            if f.leader:
                mem[f.mean + c] = np.float32(old_centre + momentum * (centre - old_centre))
                unbiased = squares / (seen - 1)
                mem[f.variance + c] = np.float32(old_spread + momentum * (unbiased - old_spread))
        inverse = 1.0 / sqrt(spread + epsilon)
        gain = np.float64(mem[f.gamma + c]) * inverse
        mem[f.affine + c] = np.float32(gain)
        mem[f.affine + f.columns + c] = np.float32(np.float64(mem[f.beta + c]) - centre * gain)
        mem[f.affine + 2 * f.columns + c] = np.float32(centre)
        mem[f.affine + 3 * f.columns + c] = np.float32(inverse)


@operation
def norm_sums(mem: Any, row: Any) -> None:
    """Sum ``dv`` and ``dv * xhat`` by channel."""
    f = unpack(row, "norm_sums")
    zero = splat(np.float32(0))
    for j in range(0, f.columns, WIDTH):
        centre = load(mem, f.affine + 2 * f.columns + j)
        inverse = load(mem, f.affine + 3 * f.columns + j)
        sums, products = zero, zero
        for p in range(f.first, f.last):
            part, part_products = zero, zero
            for i in range(f.height):
                from_z = f.z + p * f.z_p + i * f.width * f.columns + j
                from_dz = f.dz + p * f.dz_p + i * f.dz_row + j
                for k in range(f.width):
                    g = load(mem, from_dz + k * f.columns)
                    part = part + g
                    part_products = part_products + g * (load(mem, from_z + k * f.columns) - centre)
            sums, products = sums + part, products + part_products * inverse
        store(mem, f.target + j, sums)
        store(mem, f.target + f.columns + j, products)


@operation
def norm_backward(mem: Any, row: Any) -> None:
    """From all threads' sums to the gradients of scale and shift, and dz's coefficients."""
    f = unpack(row, "norm_backward")
    for c in range(f.channels):
        one, two = 0.0, 0.0
        for t in range(f.threads):
            one += mem[f.partial + t * f.partial_step + c]
            two += mem[f.partial + t * f.partial_step + f.columns + c]
        if f.leader:
            mem[f.dbeta + c] = np.float32(one)
            mem[f.dgamma + c] = np.float32(two)
        centre = np.float64(mem[f.affine + 2 * f.columns + c])
        inverse = np.float64(mem[f.affine + 3 * f.columns + c])
        gain = np.float64(mem[f.gamma + c]) * inverse
        mem[f.affine + 4 * f.columns + c] = np.float32(gain)
        mem[f.affine + 5 * f.columns + c] = np.float32(-gain * inverse * two / f.count)
        mem[f.affine + 6 * f.columns + c] = np.float32(
            gain * (inverse * centre * two - one) / f.count
        )


@operation
def norm_apply(mem: Any, row: Any) -> None:
    """Take dz through the scaling: ``dz = a dz + b z + c``, channel by channel."""
    f = unpack(row, "norm_apply")
    for j in range(0, f.columns, WIDTH):
        a = load(mem, f.affine + 4 * f.columns + j)
        b = load(mem, f.affine + 5 * f.columns + j)
        c = load(mem, f.affine + 6 * f.columns + j)
        for p in range(f.first, f.last):
            for i in range(f.height):
                from_z = f.z + p * f.z_p + i * f.width * f.columns + j
                from_dz = f.dz + p * f.dz_p + i * f.dz_row + j
                for k in range(f.width):
                    at = from_dz + k * f.columns
                    store(mem, at, a * load(mem, at) + b * load(mem, from_z + k * f.columns) + c)
