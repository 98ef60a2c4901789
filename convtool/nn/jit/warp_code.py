"""Pictures sampled through affine maps: see :mod:`~.warp`."""

from math import floor
from typing import Any

from numba import types

from convtool.compiled.jit import INT, compiled, entry

_BYTES, _INTS = types.CPointer(types.uint8), types.CPointer(types.int64)
_DOUBLES, _FLOATS = types.CPointer(types.float64), types.CPointer(types.float32)


@compiled
def _value(
    images: Any,
    start: int,
    height: int,
    width: int,
    channels: int,
    row: int,
    column: int,
) -> float:
    """Return a pixel of the picture and channel that start there, or 0 outside the picture."""
    if row < 0 or column < 0 or row >= height or column >= width:
        return 0.0
    return float(images[start + (row * width + column) * channels])


@entry(_BYTES, INT, INT, INT, _INTS, _DOUBLES, INT, types.float64, types.float64, _FLOATS)
def warp(
    images: Any,
    height: int,
    width: int,
    channels: int,
    index: Any,
    maps: Any,
    count: int,
    gain: float,
    offset: float,
    out: Any,
) -> None:
    """Sample ``count`` pictures of these sizes."""
    size = height * width
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    for p in range(count):
        picture = index[p] * size * channels
        a, b, c = maps[6 * p], maps[6 * p + 1], maps[6 * p + 2]
        d, down, right = maps[6 * p + 3], maps[6 * p + 4], maps[6 * p + 5]
        for i in range(height):
            for j in range(width):
                y, x = i - middle_row, j - middle_column
                row = a * y + b * x + middle_row + down
                column = c * y + d * x + middle_column + right
                top, left = floor(row), floor(column)
                lower, after = row - top, column - left
                for channel in range(channels):
                    start = picture + channel
                    value = _value(images, start, height, width, channels, top, left)
                    value = value * (1 - lower) * (1 - after)
                    if after > 0:
                        corner = _value(images, start, height, width, channels, top, left + 1)
                        value += corner * (1 - lower) * after
                    if lower > 0:
                        corner = _value(images, start, height, width, channels, top + 1, left)
                        value += corner * lower * (1 - after)
                        corner = _value(images, start, height, width, channels, top + 1, left + 1)
                        value += corner * lower * after
                    out[(p * channels + channel) * size + i * width + j] = value * gain + offset
