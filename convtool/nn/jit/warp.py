"""Augmentation: pictures shifted, turned and scaled a little, straight into a network's input."""

from math import floor
from typing import Any

from numba import njit

from convtool.convolution.engines.jit.compile import cached
from convtool.nn._types import Array


@cached(njit, nogil=True)
def _value(images: Any, n: int, row: int, column: int, channel: int) -> float:
    """Return a pixel, or 0 outside the picture."""
    if row < 0 or column < 0 or row >= images.shape[1] or column >= images.shape[2]:
        return 0.0
    return float(images[n, row, column, channel])


@cached(njit, nogil=True)
def _warp(images: Any, index: Any, maps: Any, gain: float, offset: float, out: Any) -> None:
    height, width = images.shape[1], images.shape[2]
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    for p in range(index.size):
        n = index[p]
        a, b, c, d, down, right = maps[p]
        for i in range(height):
            for j in range(width):
                y, x = i - middle_row, j - middle_column
                row = a * y + b * x + middle_row + down
                column = c * y + d * x + middle_column + right
                top, left = floor(row), floor(column)
                lower, after = row - top, column - left
                for channel in range(images.shape[3]):
                    value = _value(images, n, top, left, channel) * (1 - lower) * (1 - after)
                    if after > 0:
                        value += _value(images, n, top, left + 1, channel) * (1 - lower) * after
                    if lower > 0:
                        value += _value(images, n, top + 1, left, channel) * lower * (1 - after)
                        value += _value(images, n, top + 1, left + 1, channel) * lower * after
                    out[p, channel, i, j] = value * gain + offset


def warp(images: Array, index: Array, maps: Array, gain: float, offset: float, out: Array) -> None:
    """Sample pictures through affine maps, bilinearly, 0 beyond their edge.

    Parameters
    ----------
    images : ndarray of uint8, shape (M, H, W, C)
    index : ndarray of int64, shape (N,)
        Which pictures.
    maps : ndarray of float64, shape (N, 6)
        ``a, b, c, d, down, right``: the output's pixel (y, x), counted from the middle, shows the
        input's ``(a y + b x + down, c y + d x + right)``.
    gain, offset : float
        What becomes of a value v: ``gain v + offset``.
    out : ndarray of float32, shape (N, C, H, W)
    """
    _warp(images, index, maps, gain, offset, out)
