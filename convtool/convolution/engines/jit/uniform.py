"""A plane of outputs by a kernel of equal weights: a pixel costs the same for any size."""

from typing import Any

import numpy as np
from numba import carray

from convtool.compiled.jit import INT, compiled, entry, pointer_to
from convtool.compiled.memory import aligned, allocate, pointer, release
from convtool.convolution.engines.jit.block_sums import COLUMNS as BLOCK_COLUMNS
from convtool.convolution.engines.jit.block_sums import ROWS as BLOCK_ROWS
from convtool.convolution.engines.jit.block_sums import sum_across, sum_columns, write_rows
from convtool.convolution.engines.jit.job import INDEX, KERNEL
from convtool.convolution.engines.jit.running import PIXELS as SUMMED_PIXELS
from convtool.convolution.engines.jit.running import ROWS as SUMMED_ROWS
from convtool.convolution.engines.jit.running import slide_across, slide_down
from convtool.convolution.engines.jit.survey import least_sum
from convtool.convolution.engines.jit.vectors import (
    copy_line,
    fill_line,
    largest_of_line,
    line_is_finite,
)

NO_MEMORY, DONE, DOUBTFUL = range(3)
"""How running sums end."""

ROUNDING = 2.0**-53
"""How much an addition of float64 rounds, relative to its sum."""

TOLERANCE = 0.5e-5
"""How much of the least answer rounding may leave of values that are no longer in the window."""

TALLEST_BLOCK = 32
"""The most rows of output whose windows are summed together."""

WIDEST_BLOCK = 1024
"""The most scalars of a row whose windows are summed together: their sums stay in L2."""


@compiled
def _correlate_running(
    dense: Any,
    source: int,
    source_stride: int,
    step: int,
    phases: int,
    target: int,
    target_stride: int,
    count: int,
    width: int,
    checked: bool,
) -> int:
    """Correlate with equal weights by running sums: a pixel costs the same for any kernel.

    They start again in each plane. ``checked``: look whether what rounding leaves of values that
    are no longer in the window could show. Returns `DONE`, `DOUBTFUL` if that is so, or
    `NO_MEMORY`.
    """
    height, taps = dense.shape
    like = dense[0, 0]
    size = dense.itemsize
    halo = (taps - 1) * step
    wide = width + halo
    room = wide + (SUMMED_PIXELS + 1) * step
    made_stride = width + SUMMED_PIXELS * step
    memory = allocate(8 * SUMMED_ROWS * room + (wide + SUMMED_ROWS * made_stride) * size + 64)
    if memory == 0:
        return NO_MEMORY
    state = DONE
    largest = dense.dtype.type(0)
    least = dense.dtype.type(np.inf)
    sums = aligned(memory)
    nothing = sums + 8 * SUMMED_ROWS * room
    made = nothing + wide * size
    fill_line(np.float64(0), sums, SUMMED_ROWS * room)
    fill_line(dense.dtype.type(0), nothing, wide)
    start = sums + 8 * step
    last = start + 8 * (SUMMED_ROWS - 1) * room
    for k in range(height):
        line = source + k * source_stride * size
        slide_down(like, last, line, nothing, last, wide)
        if checked:
            largest = max(largest, largest_of_line(like, line, wide))
    for y in range(0, count, SUMMED_ROWS):
        lines = min(SUMMED_ROWS, count - y)
        before = last
        for r in range(lines):
            here = start + 8 * r * room
            if y + r == 0:
                copy_line(np.float64(0), sums + 8 * (SUMMED_ROWS - 1) * room, sums, room)
            else:
                for phase in range(phases):
                    old = source + ((y + r - 1) * phases + phase) * source_stride * size
                    new = old + height * source_stride * size
                    slide_down(like, before, new, old, here, wide)
                    before = here
                    if checked:
                        largest = max(largest, largest_of_line(like, new, wide))
            before = here
        slide_across(
            like,
            step,
            start,
            room,
            halo,
            np.float64(like),
            made,
            made_stride,
            width,
        )
        for r in range(lines):
            end = target + (y + r) * target_stride * size
            copy_line(like, made + r * made_stride * size, end, width)
        if checked:
            least = least_sum(least, made, made_stride * size, 1, lines, width)
            for r in range(lines):
                if not line_is_finite(like, made + r * made_stride * size, width):
                    state = DOUBTFUL
            if state == DOUBTFUL:
                break
    release(memory)
    if checked:
        down = taps * (count * phases + height) * (height + 2)
        across = (width // step + taps) * height * (taps + 2)
        noise = ROUNDING * (down + across) * np.float64(largest) * abs(np.float64(like))
        if not noise <= TOLERANCE * np.float64(least):
            state = DOUBTFUL
    return state


@entry(
    lambda _: pointer_to(KERNEL), pointer_to, lambda _: pointer_to(INDEX), *[INT] * 10, result=INT
)
def correlate_uniform(
    kernels: Any,
    work: Any,
    _index: Any,
    _plane: int,
    sparse: int,
    source: int,
    source_stride: int,
    step: int,
    phases: int,
    target: int,
    target_stride: int,
    count: int,
    width: int,
) -> int:
    """Correlate a plane with equal weights; arguments are those of :func:`~.plane.correlate_plane`.

    By running sums; where those could leave a trace, by sums of each window's own pixels, shared
    within blocks. ``sparse``: running sums are not exact. In float32 their rounding may still not
    show; in float64 it does.
    """
    kernel = carray(kernels, (1,))[0]
    dense = carray(pointer(work, kernel.dense), (kernel.height, kernel.taps))
    if sparse == 0 or dense.itemsize == 4:
        state = _correlate_running(
            dense,
            source,
            source_stride,
            step,
            phases,
            target,
            target_stride,
            count,
            width,
            sparse != 0,
        )
        if state != DOUBTFUL:
            return 1 if state == DONE else 0
    height, taps = dense.shape
    like = dense[0, 0]
    size = dense.itemsize
    halo = (taps - 1) * step
    tallest = min(TALLEST_BLOCK, (height - 1) // phases + 1)
    tallest = max(BLOCK_ROWS, tallest - tallest % BLOCK_ROWS)
    chunk = min(width, max(WIDEST_BLOCK, 4 * halo) // step * step)
    room = (chunk + halo) * BLOCK_ROWS
    window = (halo + step) * BLOCK_ROWS
    total = tallest // BLOCK_ROWS * room + 2 * window + tallest * BLOCK_COLUMNS
    memory = allocate(8 * total + BLOCK_ROWS * chunk * size + 64)
    if memory == 0:
        return 0
    sums = aligned(memory)
    near = sums + 8 * (tallest // BLOCK_ROWS * room)
    far = near + 8 * window
    held = far + 8 * window
    spare = sums + 8 * total
    for x in range(0, width, chunk):
        now = min(chunk, width - x)
        for y in range(0, count, tallest):
            rows = min(tallest, count - y)
            start = source + (y * phases * source_stride + x) * size
            sum_columns(
                like, start, source_stride, height, phases, rows, held, sums, room, now + halo
            )
            for r in range(0, rows, BLOCK_ROWS):
                here = sums + 8 * (r // BLOCK_ROWS) * room
                end = target + ((y + r) * target_stride + x) * size
                sum_across(step, here, taps, now // step, near, far)
                if rows - r >= BLOCK_ROWS:
                    write_rows(like, here, np.float64(like), end, target_stride, now)
                    continue
                write_rows(like, here, np.float64(like), spare, now, now)
                for line in range(rows - r):
                    made = spare + line * now * size
                    copy_line(like, made, end + line * target_stride * size, now)
    release(memory)
    return 1
