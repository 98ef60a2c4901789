"""What follows the sums and their scaling: pooling, activation, dropout; and the way back.

Each picture is read once and written once. Channels lie side by side and are taken a vector at a
time; what pads the last vector is kept at zero.
"""

from typing import Any

import numpy as np

from convtool.compiled.jit import compiled
from convtool.nn.jit.noise_simd import keep, normal
from convtool.nn.jit.operations import LEAKY, MAXIMUM, MEAN, RELU, SIGMOID, TANH
from convtool.nn.jit.simd import (
    WIDTH,
    exponential,
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


@compiled
def _noise(mem: Any, f: Any, p: int, pixel: int, channel: int) -> Any:
    """Return the factors of dropout, or of Gaussian dropout where there are `normals`."""
    start = p * f.drop_p + channel * f.drop_c + pixel
    if f.normals > 0:
        draw = normal(start, f.drop_c, f.key, f.normals)
        return splat(np.float32(1)) + draw * splat(mem[f.level])
    return keep(start, f.drop_c, f.key, f.threshold, mem[f.level])


@compiled
def _scaled(mem: Any, f: Any, channel: int, v: Any) -> Any:
    """Return a vector scaled and shifted, where there is batch normalisation."""
    if f.affine >= 0:
        return v * load(mem, f.affine + channel) + load(mem, f.affine + f.columns + channel)
    return v


@compiled
def _last_tap(start: int, dilation: int, taps: int, size: int) -> int:
    """Return the end of a window's pixels that are not beyond `size`."""
    if start + (taps - 1) * dilation < size:
        return taps
    return (size - start + dilation - 1) // dilation


@compiled
def _taps(start: int, dilation: int, taps: int, size: int) -> tuple[int, int]:
    """Return the first of a window's pixels inside the picture, and the end of them."""
    first = 0 if start >= 0 else (dilation - 1 - start) // dilation
    return first, _last_tap(start, dilation, taps, size)


@compiled
def _divisor(f: Any, low: int, side: int, inside: int) -> Any:
    """Return over how many pixels a window's mean is taken; `inside` lie in the picture."""
    if f.include_pad:
        rows = _last_tap(low, f.dilation_h, f.pool_h, f.counted_h)
        return rows * _last_tap(side, f.dilation_w, f.pool_w, f.counted_w)
    return inside


@operation
def post_forward(mem: Any, row: Any) -> None:
    """Scale and shift, pool, activate and drop: from z to the next operation's input y.

    Windows meet only what is inside the picture. ``where`` keeps, for a maximum, the number of the
    tap that held it first.
    """
    f = unpack(row, "post_forward")
    down, across = f.dilation_h * f.z_row, f.dilation_w * f.columns
    for p in range(f.first, f.last):
        for i in range(f.height):
            low = i * f.stride_h - f.top
            ty0, ty1 = _taps(low, f.dilation_h, f.pool_h, f.pooled_h)
            for k in range(f.width):
                side = k * f.stride_w - f.left
                tx0, tx1 = _taps(side, f.dilation_w, f.pool_w, f.pooled_w)
                count = _divisor(f, low, side, (ty1 - ty0) * (tx1 - tx0))
                pixel = i * f.width + k
                for j in range(0, f.columns, WIDTH):
                    corner = f.z + p * f.z_p + low * f.z_row + side * f.columns + j
                    best = _scaled(mem, f, j, load(mem, corner + ty0 * down + tx0 * across))
                    winner = splat(np.float32(ty0 * f.pool_w + tx0))
                    for ty in range(ty0, ty1):
                        for tx in range(tx0 + 1 if ty == ty0 else tx0, tx1):
                            v = _scaled(mem, f, j, load(mem, corner + ty * down + tx * across))
                            if f.pooling == MAXIMUM:
                                tap = splat(np.float32(ty * f.pool_w + tx))
                                winner = select_greater(v, best, tap, winner)
                                best = select_greater(v, best, v, best)
                            else:
                                best = best + v
                    if f.pooling == MEAN and count > 1:
                        best = best * splat(np.float32(1) / np.float32(count))
                    best = _activate(f.activation, mem[f.slope], best)
                    if f.key >= 0 and f.training:
                        best = best * _noise(mem, f, p, pixel, j)
                    if j + WIDTH > f.channels:
                        best = best * load(mem, f.mask + j)
                    store(mem, f.y + p * f.y_p + i * f.y_row + k * f.columns + j, best)
                    if f.pooling == MAXIMUM and f.training:
                        at = (p * f.height * f.width + pixel) * f.columns + j
                        store(mem, f.where + at, winner)


@operation
def post_backward(mem: Any, row: Any) -> None:
    """Send the gradient dy of y back to dz: through dropout, activation and pooling.

    It becomes the gradient before the scaling, not yet through it. Where windows overlap it is
    added to what dz holds.
    """
    f = unpack(row, "post_backward")
    zero = splat(np.float32(0))
    down, across = f.dilation_h * f.dz_row, f.dilation_w * f.columns
    for p in range(f.first, f.last):
        for i in range(f.height):
            low = i * f.stride_h - f.top
            ty0, ty1 = _taps(low, f.dilation_h, f.pool_h, f.pooled_h)
            for k in range(f.width):
                side = k * f.stride_w - f.left
                tx0, tx1 = _taps(side, f.dilation_w, f.pool_w, f.pooled_w)
                count = _divisor(f, low, side, (ty1 - ty0) * (tx1 - tx0))
                share = splat(np.float32(1) / np.float32(count))
                pixel = i * f.width + k
                for j in range(0, f.columns, WIDTH):
                    g = load(mem, f.dy + p * f.dy_p + pixel * f.columns + j)
                    value = load(mem, f.y + p * f.y_p + i * f.y_row + k * f.columns + j)
                    if f.key >= 0:
                        factor = _noise(mem, f, p, pixel, j)
                        g = g * factor
                        value = select_equal(factor, zero, zero, value / factor)
                    g = g * _slope(f.activation, mem[f.slope], value)
                    winner = g
                    if f.pooling == MAXIMUM:
                        at = (p * f.height * f.width + pixel) * f.columns + j
                        winner = load(mem, f.where + at)
                    else:
                        g = g * share
                    corner = f.dz + p * f.dz_p + low * f.dz_row + side * f.columns + j
                    for ty in range(ty0, ty1):
                        for tx in range(tx0, tx1):
                            part = g
                            if f.pooling == MAXIMUM:
                                tap = splat(np.float32(ty * f.pool_w + tx))
                                part = select_equal(winner, tap, g, zero)
                            at = corner + ty * down + tx * across
                            if f.overlap:
                                part = part + load(mem, at)
                            store(mem, at, part)
