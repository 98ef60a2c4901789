"""Borders of small pictures in a canvas."""

from typing import Any

from numba import carray

from convtool.compiled.jit import compiled
from convtool.compiled.memory import pointer
from convtool.convolution.engines.jit.copies import copy_rows, turn_rows


@compiled
def fill_columns(job: Any, index: Any, pixel: Any, start: int, stride: int, rows: int) -> None:
    """Repeat the own columns of a picture in a canvas in the border's, in so many rows of it."""
    size = carray(pixel, (1,)).itemsize
    border = carray(pointer(index, job.border), (job.border_count, 4))
    for k in range(job.border_count):
        source, target = start + border[k, 0] * size, start + border[k, 1] * size
        if border[k, 3] != 0:
            turn_rows(pixel, source, stride, target, stride, rows, border[k, 2])
        else:
            copy_rows(source, stride, target, stride, rows, border[k, 2] * size)
