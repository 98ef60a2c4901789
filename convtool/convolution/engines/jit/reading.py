"""What a strip's windows read of an image, looked at before sums are made of it."""

from typing import Any, NamedTuple

import numpy as np
from numba import carray

from convtool.compiled.jit import compiled
from convtool.compiled.memory import aligned, allocate, release
from convtool.convolution.engines.jit.exact_sums import (
    NOTES_BYTES,
    begin_survey,
    float32_at,
    float64_at,
    survey_line,
    surveyed_exact,
)
from convtool.convolution.engines.jit.vectors import (
    VECTOR_BYTES,
    fill_line,
    lanes_of,
    line_is_finite,
)
from convtool.convolution.types import Array


class Input(NamedTuple):
    """An image as the compiled loops read it.

    Scalars of ``size`` bytes at an address, rows ``stride`` scalars apart; the function at ``read``
    converts a line of them. Position p of the padded image reads row ``rows[p]``, column
    ``columns[p]``. Windows that start in ``top … bottom-1`` read no border above or below;
    positions ``left … right-1`` are columns of the image.
    """

    address: int
    stride: int
    size: int
    read: int
    rows: Array
    columns: Array
    top: int
    bottom: int
    left: int
    right: int


@compiled
def _columns_read(image: Input, windows: tuple[int, int], taps: int) -> tuple[int, int]:
    """Return the first and last column that windows read."""
    near, far = image.columns[windows[0]], image.columns[windows[0]]
    for position in range(windows[0], windows[1] + taps - 1):
        near, far = min(near, image.columns[position]), max(far, image.columns[position])
    return max(0, near), far


@compiled
def _run_of_rows(image: Input, position: int, last: int) -> tuple[int, int, int]:
    """Return the first and last row of a run that the border's table names, and what follows it.

    Of the rows, only those are looked at that the table names: the same ones, wherever they are
    held.
    """
    low, high = image.rows[position], image.rows[position]
    position += 1
    while position < last and abs(image.rows[position] - image.rows[position - 1]) <= 1:
        low, high = min(low, image.rows[position]), max(high, image.rows[position])
        position += 1
    return max(0, low), high, position


@compiled
def reads_finite(
    image: Input, rows: tuple[int, int], windows: tuple[int, int], taps: int, step: int
) -> bool:
    """Return whether the pixels that windows read are all finite."""
    near, far = _columns_read(image, windows, taps)
    count = (far - near + 1) * step
    position = rows[0]
    while position < rows[1]:
        low, high, position = _run_of_rows(image, position, rows[1])
        for row in range(low, high + 1):
            start = image.address + (row * image.stride + near * step) * image.size
            if image.size == 4:
                finite = line_is_finite(np.float32(0), start, count)
            else:
                finite = line_is_finite(np.float64(0), start, count)
            if not finite:
                return False
    return True


@compiled
def _survey(
    zero: Any,
    nan: Any,
    cval: Any,
    image: Input,
    rows: tuple[int, int],
    first: int,
    width: int,
    found: int,
) -> None:
    """Survey ``width`` scalars from the ``first`` on of rows, and the value beyond the edge."""
    begin_survey(zero, nan, found)
    fill_line(cval, found + 2 * VECTOR_BYTES, 1)
    survey_line(zero, found + 2 * VECTOR_BYTES, 1, found)
    position = rows[0]
    while position < rows[1]:
        low, high, position = _run_of_rows(image, position, rows[1])
        for row in range(low, high + 1):
            start = image.address + (row * image.stride + first) * image.size
            survey_line(zero, start, width, found)


@compiled
def reads_exact(
    image: Input,
    cval: Any,
    rows: tuple[int, int],
    windows: tuple[int, int],
    kernel: tuple[int, int],
    step: int,
) -> Any:
    """Return whether float64 sums over windows of the shape ``kernel`` are exact.

    False also where there is no memory to find out.
    """
    memory = allocate(NOTES_BYTES + 64)
    if memory == 0:
        return False
    found = aligned(memory)
    near, far = _columns_read(image, windows, kernel[1])
    width = (far - near + 1) * step
    count = kernel[0] * kernel[1]
    if image.size == 4:
        zero, nan = np.float32(0), np.float32(np.nan)
        _survey(zero, nan, np.float32(cval), image, rows, near * step, width, found)
        exact = surveyed_exact(carray(float32_at(found), (2, lanes_of(zero))), count)
    else:
        _survey(np.float64(0), np.nan, np.float64(cval), image, rows, near * step, width, found)
        exact = surveyed_exact(carray(float64_at(found), (2, lanes_of(np.float64(0)))), count)
    release(memory)
    return exact
