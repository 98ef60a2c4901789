"""Augmentation: pictures shifted, turned and scaled a little, straight into a network's input."""

from functools import lru_cache
from typing import Any

import numpy as np

from convtool import compiled
from convtool.nn._types import Array


@lru_cache(maxsize=1)
def _function() -> Any:
    from ctypes import c_double as real
    from ctypes import c_ssize_t as number

    return compiled.function("nn_warp", *[number] * 7, real, real, number)


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
    out : ndarray of float32, shape (N, C, H, W), contiguous
    """
    images = np.ascontiguousarray(images, np.uint8)
    index = np.ascontiguousarray(index, np.int64)
    maps = np.ascontiguousarray(maps, np.float64)
    _function()(
        images.ctypes.data,
        *images.shape[1:],
        index.ctypes.data,
        maps.ctypes.data,
        len(index),
        gain,
        offset,
        out.ctypes.data,
    )
