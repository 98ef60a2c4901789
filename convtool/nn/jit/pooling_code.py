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
def _noise(
    mem: Any, start: int, step: int, key: int, threshold: int, normals: int, level: int
) -> Any:
    """Return the factors of dropout, or of Gaussian dropout where there are `normals`."""
    if normals > 0:
        return splat(np.float32(1)) + normal(start, step, key, normals) * splat(mem[level])
    return keep(start, step, key, threshold, mem[level])


@compiled
def _first_tap(start: int, dilation: int) -> int:
    """Return the first pixel of a window that is not before the picture."""
    return 0 if start >= 0 else (dilation - 1 - start) // dilation


@compiled
def _last_tap(start: int, dilation: int, taps: int, size: int) -> int:
    """Return the end of a window's pixels that are not beyond `size`."""
    if start + (taps - 1) * dilation < size:
        return taps
    return (size - start + dilation - 1) // dilation


@operation
def post_forward(mem: Any, row: Any) -> None:
    """Scale and shift, pool, activate and drop: from z to the next operation's input y.

    Windows meet only what is inside the picture. ``where`` keeps, for a maximum, the number of the
    tap that held it first.
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
        stride_h,
        stride_w,
        dilation_h,
        dilation_w,
        top,
        left,
        pooled_h,
        pooled_w,
        counted_h,
        counted_w,
        include_pad,
        pooling,
        activation,
        slope,
        affine,
        key,
        threshold,
        normals,
        level,
        drop_p,
        drop_c,
        mask,
        training,
    ) = unpack(row, 38)
    for p in range(first, last):
        for i in range(height):
            low = i * stride_h - top
            ty0, ty1 = _first_tap(low, dilation_h), _last_tap(low, dilation_h, pool_h, pooled_h)
            for k in range(width):
                side = k * stride_w - left
                tx0, tx1 = (
                    _first_tap(side, dilation_w),
                    _last_tap(side, dilation_w, pool_w, pooled_w),
                )
                count = (ty1 - ty0) * (tx1 - tx0)
                if include_pad:
                    count = _last_tap(low, dilation_h, pool_h, counted_h)
                    count *= _last_tap(side, dilation_w, pool_w, counted_w)
                for j in range(0, columns, WIDTH):
                    corner = z + p * z_p + low * z_row + side * columns + j
                    best = load(mem, corner + ty0 * dilation_h * z_row + tx0 * dilation_w * columns)
                    if affine >= 0:
                        gain, offset = load(mem, affine + j), load(mem, affine + columns + j)
                        best = best * gain + offset
                    winner = splat(np.float32(ty0 * pool_w + tx0))
                    for ty in range(ty0, ty1):
                        line = corner + ty * dilation_h * z_row
                        for tx in range(tx0 + 1 if ty == ty0 else tx0, tx1):
                            v = load(mem, line + tx * dilation_w * columns)
                            if affine >= 0:
                                gain = load(mem, affine + j)
                                v = v * gain + load(mem, affine + columns + j)
                            if pooling == MAXIMUM:
                                tap = splat(np.float32(ty * pool_w + tx))
                                winner = select_greater(v, best, tap, winner)
                                best = select_greater(v, best, v, best)
                            else:
                                best = best + v
                    if pooling == MEAN and count > 1:
                        best = best * splat(np.float32(1) / np.float32(count))
                    best = _activate(activation, mem[slope], best)
                    place = (i * width + k) * columns + j
                    if key >= 0 and training:
                        start = p * drop_p + j * drop_c + i * width + k
                        best = best * _noise(mem, start, drop_c, key, threshold, normals, level)
                    if j + WIDTH > channels:
                        best = best * load(mem, mask + j)
                    store(mem, y + p * y_p + i * y_row + k * columns + j, best)
                    if pooling == MAXIMUM and training:
                        store(mem, where + p * height * width * columns + place, winner)


@operation
def post_backward(mem: Any, row: Any) -> None:
    """Send the gradient dy of y back to dz: through dropout, activation and pooling.

    It becomes the gradient before the scaling, not yet through it. Where windows overlap it is
    added to what dz holds.
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
        stride_h,
        stride_w,
        dilation_h,
        dilation_w,
        top,
        left,
        pooled_h,
        pooled_w,
        counted_h,
        counted_w,
        include_pad,
        pooling,
        overlap,
        activation,
        slope,
        key,
        threshold,
        normals,
        level,
        drop_p,
        drop_c,
    ) = unpack(row, 37)
    zero = splat(np.float32(0))
    for p in range(first, last):
        for i in range(height):
            low = i * stride_h - top
            ty0, ty1 = _first_tap(low, dilation_h), _last_tap(low, dilation_h, pool_h, pooled_h)
            for k in range(width):
                side = k * stride_w - left
                tx0, tx1 = (
                    _first_tap(side, dilation_w),
                    _last_tap(side, dilation_w, pool_w, pooled_w),
                )
                count = (ty1 - ty0) * (tx1 - tx0)
                if include_pad:
                    count = _last_tap(low, dilation_h, pool_h, counted_h)
                    count *= _last_tap(side, dilation_w, pool_w, counted_w)
                share = splat(np.float32(1) / np.float32(count))
                for j in range(0, columns, WIDTH):
                    place = (i * width + k) * columns + j
                    g = load(mem, dy + p * dy_p + place)
                    value = load(mem, y + p * y_p + i * y_row + k * columns + j)
                    if key >= 0:
                        start = p * drop_p + j * drop_c + i * width + k
                        factor = _noise(mem, start, drop_c, key, threshold, normals, level)
                        g = g * factor
                        value = select_equal(factor, zero, zero, value / factor)
                    g = g * _slope(activation, mem[slope], value)
                    winner = g
                    if pooling == MAXIMUM:
                        winner = load(mem, where + p * height * width * columns + place)
                    else:
                        g = g * share
                    corner = dz + p * dz_p + low * dz_row + side * columns + j
                    for ty in range(ty0, ty1):
                        line = corner + ty * dilation_h * dz_row
                        for tx in range(tx0, tx1):
                            part = g
                            if pooling == MAXIMUM:
                                tap = splat(np.float32(ty * pool_w + tx))
                                part = select_equal(winner, tap, g, zero)
                            at = line + tx * dilation_w * columns
                            if overlap:
                                part = part + load(mem, at)
                            store(mem, at, part)
