"""Small pictures of a canvas, correlated together: answers are written where they belong."""

from typing import Any

from numba import carray

from convtool.compiled.jit import INT, compiled, entry, pointer_to
from convtool.compiled.memory import pointer
from convtool.convolution.engines.jit.filling import fill_columns
from convtool.convolution.engines.jit.job import INDEX, KERNEL, PATCHES_JOB
from convtool.convolution.engines.jit.together import (
    FIRST_SIDE,
    TOGETHER,
    TOGETHER_ROWS,
    make_lines_together,
    make_together,
)
from convtool.convolution.engines.jit.vectors import SMALL_SIDES, line_is_finite


@compiled
def _choice(height: int, taps: int, rows: int) -> int:
    """Return the block for a kernel: the tallest that both it and the answer have the rows for."""
    choice = 0
    for number in range(len(TOGETHER_ROWS)):
        if TOGETHER_ROWS[number] <= min(height, rows):
            choice = number
    for number in range(len(SMALL_SIDES)):
        if height == taps and height == SMALL_SIDES[number] and rows >= TOGETHER_ROWS[-1]:
            choice = FIRST_SIDE + number
    return choice


@entry(
    lambda _: pointer_to(PATCHES_JOB),
    pointer_to,
    lambda _: pointer_to(INDEX),
    lambda _: pointer_to(KERNEL),
    *[INT] * 4,
    result=INT,
)
def correlate_together(
    jobs: Any,
    work: Any,
    index: Any,
    kernels: Any,
    canvas: int,
    sums: int,
    target: int,
    ahead: int,
) -> int:
    """Make the answers of `TOGETHER` pictures; returns 0 where windows must be looked at first.

    ``canvas``, ``sums`` (scratch) and ``target`` are addresses; all but ``jobs`` of the pointers
    only tell types.
    """
    job = carray(jobs, (1,))[0]
    kernel = carray(pointer(kernels, job.kernel), (1,))[0]
    like = carray(work, (0,)).dtype.type(0)
    size = carray(work, (0,)).itemsize
    if job.guarded != 0 and not line_is_finite(like, canvas, job.canvas_bytes // size):
        return 0
    stride, pitch = job.canvas_stride // size, job.pitch // size
    end_stride, apart = job.end_stride // size, job.end_bytes // size
    rows, width = job.answer_rows, job.width
    if kernel.parts == 0:
        make_together(
            _choice(kernel.height, kernel.taps, rows),
            like,
            canvas,
            stride,
            kernel.dense,
            kernel.height,
            kernel.taps,
            job.channels,
            target,
            end_stride,
            pitch,
            apart,
            rows,
            width,
            ahead,
            job.ahead_bytes,
        )
        return 1
    part = TOGETHER * rows * job.pitch
    for number in range(kernel.parts):
        start = sums + number * part
        make_together(
            _choice(kernel.height, 1, rows),
            like,
            canvas + job.summed_start,
            stride,
            kernel.columns + number * kernel.height * size,
            kernel.height,
            1,
            1,
            start + job.summed_start,
            pitch,
            pitch,
            rows * pitch,
            rows,
            job.summed_bytes // size,
            ahead,
            job.ahead_bytes,
        )
        fill_columns(job, index, work, start, job.pitch, TOGETHER * rows)
    make_lines_together(
        like,
        sums,
        part // size,
        kernel.rows,
        kernel.parts,
        kernel.taps,
        job.channels,
        target,
        end_stride,
        rows * pitch,
        apart,
        pitch,
        width,
        rows,
    )
    return 1
