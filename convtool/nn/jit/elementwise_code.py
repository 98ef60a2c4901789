"""What follows a sum of products: normalisation, pooling, activation, dropout; and the way back.

Each picture is read once and written once. Channels lie side by side and are taken a vector at a
time; what pads the last vector is kept at zero.
"""

from math import sqrt
from typing import Any

import numpy as np

from convtool.compiled.jit import compiled
from convtool.nn.jit.operations import LEAKY, MAXIMUM, MEAN, RELU, SIGMOID, TANH
from convtool.nn.jit.simd import (
    WIDTH,
    exponential,
    keep,
    load,
    operation,
    select_equal,
    select_greater,
    splat,
    store,
    unpack,
)


@compiled
def _activate(kind: int, slope: Any, v: Any) -> Any:
    zero, one = splat(np.float32(0)), splat(np.float32(1))
    if kind == RELU:
        return select_greater(zero, v, zero, v)
    if kind == LEAKY:
        return select_greater(v, zero, v, v * splat(slope))
    if kind == SIGMOID:
        return one / (one + exponential(zero - v))
    if kind == TANH:
        two = splat(np.float32(2))
        return two / (one + exponential(zero - two * v)) - one
    return v


@compiled
def _slope(kind: int, slope: Any, y: Any) -> Any:
    """Return the activation's derivative at the pre-activation, from its value there."""
    zero, one = splat(np.float32(0)), splat(np.float32(1))
    if kind == RELU:
        return select_greater(y, zero, one, zero)
    if kind == LEAKY:
        return select_greater(y, zero, one, splat(slope))
    if kind == SIGMOID:
        return y * (one - y)
    if kind == TANH:
        return one - y * y
    return one


@operation
def post_forward(mem: Any, row: Any) -> None:
    """Scale and shift, pool, activate and drop: from z to the next operation's input y.

    ``where`` keeps, for a maximum, the number of the tap that held it first.
    """
    (
        first,
        last,
        z,
        z_p,
        z_row,
        y,
        y_p,
        y_row,
        where,
        columns,
        channels,
        height,
        width,
        pool_h,
        pool_w,
        pooling,
        activation,
        slope,
        affine,
        key,
        threshold,
        scale,
        drop_p,
        drop_c,
        mask,
        training,
    ) = unpack(row, 26)
    for p in range(first, last):
        for i in range(height):
            for k in range(width):
                for j in range(0, columns, WIDTH):
                    corner = z + p * z_p + i * pool_h * z_row + k * pool_w * columns + j
                    best = load(mem, corner)
                    if affine >= 0:
                        gain, offset = load(mem, affine + j), load(mem, affine + columns + j)
                        best = best * gain + offset
                    winner = splat(np.float32(0))
                    for tap in range(1, pool_h * pool_w):
                        v = load(mem, corner + tap // pool_w * z_row + tap % pool_w * columns)
                        if affine >= 0:
                            gain, offset = load(mem, affine + j), load(mem, affine + columns + j)
                            v = v * gain + offset
                        if pooling == MAXIMUM:
                            winner = select_greater(v, best, splat(np.float32(tap)), winner)
                            best = select_greater(v, best, v, best)
                        else:
                            best = best + v
                    if pooling == MEAN and pool_h * pool_w > 1:
                        best = best * splat(np.float32(1) / np.float32(pool_h * pool_w))
                    best = _activate(activation, mem[slope], best)
                    place = (i * width + k) * columns + j
                    if key >= 0 and training:
                        start = p * drop_p + j * drop_c + i * width + k
                        best = best * keep(start, drop_c, key, threshold, mem[scale])
                    if j + WIDTH > channels:
                        best = best * load(mem, mask + j)
                    store(mem, y + p * y_p + i * y_row + k * columns + j, best)
                    if pooling == MAXIMUM and training:
                        store(mem, where + p * height * width * columns + place, winner)


@operation
def post_backward(mem: Any, row: Any) -> None:
    """Send the gradient dy of y back to dz: through dropout, activation and pooling.

    It becomes the gradient before the scaling, not yet through it.
    """
    (
        first,
        last,
        dy,
        dy_p,
        y,
        y_p,
        y_row,
        where,
        dz,
        dz_p,
        dz_row,
        columns,
        height,
        width,
        pool_h,
        pool_w,
        pooling,
        activation,
        slope,
        key,
        threshold,
        scale,
        drop_p,
        drop_c,
    ) = unpack(row, 24)
    zero = splat(np.float32(0))
    share = splat(np.float32(1) / np.float32(pool_h * pool_w))
    for p in range(first, last):
        for i in range(height):
            for k in range(width):
                for j in range(0, columns, WIDTH):
                    place = (i * width + k) * columns + j
                    g = load(mem, dy + p * dy_p + place)
                    value = load(mem, y + p * y_p + i * y_row + k * columns + j)
                    if key >= 0:
                        start = p * drop_p + j * drop_c + i * width + k
                        g = g * keep(start, drop_c, key, threshold, mem[scale])
                        value = value * splat(np.float32(1) / mem[scale])
                    g = g * _slope(activation, mem[slope], value)
                    corner = dz + p * dz_p + i * pool_h * dz_row + k * pool_w * columns + j
                    if pooling == MAXIMUM:
                        winner = load(mem, where + p * height * width * columns + place)
                        for tap in range(pool_h * pool_w):
                            at = corner + tap // pool_w * dz_row + tap % pool_w * columns
                            store(mem, at, select_equal(winner, splat(np.float32(tap)), g, zero))
                    else:
                        g = g * share
                        for tap in range(pool_h * pool_w):
                            store(mem, corner + tap // pool_w * dz_row + tap % pool_w * columns, g)


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
