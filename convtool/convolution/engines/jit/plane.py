"""A plane of outputs, cut into blocks: dense, by factors, or weight by weight.

A plane's scalars lie in rows; channels are interleaved, so that a kernel's next column is ``step``
scalars on.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba import carray, from_dtype, types
from numba.extending import intrinsic

from convtool.convolution.engines import Array, DType
from convtool.convolution.engines.jit.compile import cached, compiled
from convtool.convolution.engines.jit.job import KERNEL, pointer
from convtool.convolution.engines.jit.running import PIXELS as SUMMED_PIXELS
from convtool.convolution.engines.jit.running import ROWS as SUMMED_ROWS
from convtool.convolution.engines.jit.running import slide_across, slide_down
from convtool.convolution.engines.jit.vectors import (
    BLOCKS,
    LEAST_LINE,
    NARROW,
    ROWS,
    SMALL_SIDES,
    add_weighted_line,
    call_plane,
    convert_line,
    fill_line,
    lanes_of,
    make_lines,
    make_plane,
    used,
)

FIRST_SMALL = len(BLOCKS) - len(SMALL_SIDES)

PASS_SCALARS = 12288
"""Scalars of the column passes that a row pass reads: they stay in L1."""

_keep: list[Any] = []
"""Compiled functions whose addresses are in use."""


class Weights(NamedTuple):
    """A kernel as the compiled loops take it.

    ``dense`` is (KH, KW) with its rows ordered by phase, ``order`` the kernel's row of each;
    ``columns`` (parts, KH, 1), ordered alike, and ``rows`` (parts, KW) are its factors; no parts
    where it is not done by factors. ``uniform``: all weights are the same, and running sums are
    worth their while.
    """

    dense: Array
    order: Array
    columns: Array
    rows: Array
    uniform: bool


def _plane_loops(
    like: Any,
    source: int,
    source_stride: int,
    weights: int,
    height: int,
    taps: int,
    step: int,
    target: int,
    target_stride: int,
    rows: int,
    width: int,
    phases: int,
) -> None:
    """Correlate a plane of ``rows`` × ``width`` outputs by the blocks that fit it best.

    ``like`` is any number of the working type; source, weights and target are addresses. For
    ``phases`` see :class:`~.simd.Plane`.
    """
    lanes = lanes_of(like)
    tallest = min(rows, max(1, height // phases))
    choice = 0
    for candidate in range(len(ROWS)):
        if ROWS[candidate] <= tallest:
            choice = candidate
    if width < BLOCKS[choice][1] * lanes:
        choice = len(ROWS) + (len(NARROW) if tallest >= ROWS[-1] else 0)
        while BLOCKS[choice][2] < NARROW[-1] and lanes // BLOCKS[choice][2] > width:
            choice += 1
    for number in range(len(SMALL_SIDES)):
        small = BLOCKS[FIRST_SMALL + number]
        fits = rows >= small[0] and width >= small[1] * lanes and phases == 1
        if fits and height == SMALL_SIDES[number] and taps == height:
            choice = FIRST_SMALL + number
    make_plane(
        choice,
        like,
        source,
        source_stride,
        weights,
        height,
        taps,
        step,
        target,
        target_stride,
        rows,
        width,
        phases,
    )


@lru_cache(maxsize=2)
def plane_address(dtype: DType) -> int:
    """Return the address of the compiled loops over blocks for a working type."""
    signature = types.void(from_dtype(dtype), *[types.intp] * 11)
    loops = cached(numba.cfunc, signature)(_plane_loops)
    _keep.append(loops)
    address: int = loops.address
    return address


@compiled
def _correlate_sparse(
    weights: Weights,
    source: int,
    source_stride: int,
    step: int,
    phases: int,
    target: int,
    target_stride: int,
    count: int,
    width: int,
) -> None:
    """Correlate weight by weight, those of zero left out, so that they carry no NaN or inf."""
    dense = weights.dense
    size = dense.itemsize
    for y in range(count):
        end = target + y * target_stride * size
        fill_line(dense.dtype.type(0), end, width)
        for k in range(dense.shape[0]):
            line = source + (y * phases + weights.order[k]) * source_stride * size
            for x in range(dense.shape[1]):
                if dense[k, x] != 0:
                    add_weighted_line(dense[k, x], line + x * step * size, end, width)


@compiled
def _correlate_factored(
    plane: int,
    weights: Weights,
    source: int,
    source_stride: int,
    step: int,
    phases: int,
    target: int,
    target_stride: int,
    count: int,
    width: int,
) -> None:
    """Correlate by factors: column passes into scratch, then all row passes at once."""
    columns, rows = weights.columns, weights.rows
    parts, height, _ = columns.shape
    taps = rows.shape[1]
    like = rows[0, 0]
    size = rows.itemsize
    group = min(count, ROWS[-1])
    halo = (taps - 1) * step
    chunk = min(width, max(4 * halo, PASS_SCALARS // (parts * group)))
    wide = -(-(chunk + halo) // 16) * 16
    made = np.empty(parts * group * wide + 16, rows.dtype)
    scratch = -(-made.ctypes.data // 64) * 64
    y = 0
    while y < count:
        lines = min(group, count - y)
        x = 0
        while x < width:
            now = min(chunk, width - x)
            start = source + (y * phases * source_stride + x) * size
            for part in range(parts):
                call_plane(
                    plane,
                    like,
                    start,
                    source_stride,
                    columns.ctypes.data + part * height * size,
                    height,
                    1,
                    1,
                    scratch + part * group * wide * size,
                    wide,
                    lines,
                    now + halo,
                    phases,
                )
            if lines == ROWS[-1] and now >= LEAST_LINE * lanes_of(like):
                make_lines(
                    like,
                    scratch,
                    wide,
                    group * wide,
                    rows.ctypes.data,
                    parts,
                    taps,
                    step,
                    target + (y * target_stride + x) * size,
                    target_stride,
                    now,
                )
                x += now
                continue
            for line in range(lines):
                call_plane(
                    plane,
                    like,
                    scratch + line * wide * size,
                    group * wide,
                    rows.ctypes.data,
                    parts,
                    taps,
                    step,
                    target + ((y + line) * target_stride + x) * size,
                    target_stride,
                    1,
                    now,
                    1,
                )
            x += now
        y += lines
    used(made)


@compiled
def _correlate_uniform(
    weights: Weights,
    source: int,
    source_stride: int,
    step: int,
    phases: int,
    target: int,
    target_stride: int,
    count: int,
    width: int,
) -> None:
    """Correlate with equal weights by running sums: a pixel costs the same for any kernel.

    They start anew in each plane.
    """
    dense = weights.dense
    height, taps = dense.shape
    like = dense[0, 0]
    size = dense.itemsize
    halo = (taps - 1) * step
    wide = width + halo
    room = wide + (SUMMED_PIXELS + 1) * step
    sums = np.zeros((SUMMED_ROWS, room), np.float64)
    nothing = np.zeros(wide, dense.dtype)
    made = np.empty((SUMMED_ROWS, width + SUMMED_PIXELS * step), dense.dtype)
    start = sums.ctypes.data + 8 * step
    last = start + 8 * (SUMMED_ROWS - 1) * room
    for k in range(height):
        line = source + k * source_stride * size
        slide_down(like, last, line, nothing.ctypes.data, last, wide)
    for y in range(0, count, SUMMED_ROWS):
        lines = min(SUMMED_ROWS, count - y)
        before = last
        for r in range(lines):
            here = start + 8 * r * room
            if y + r == 0:
                sums[0] = sums[SUMMED_ROWS - 1]
            else:
                for phase in range(phases):
                    old = source + ((y + r - 1) * phases + phase) * source_stride * size
                    new = old + height * source_stride * size
                    slide_down(like, before, new, old, here, wide)
                    before = here
            before = here
        slide_across(
            like,
            step,
            start,
            room,
            halo,
            np.float64(like),
            made.ctypes.data,
            made.shape[1],
            width,
        )
        for r in range(lines):
            end = target + (y + r) * target_stride * size
            convert_line(made, made.ctypes.data + r * made.shape[1] * size, made, end, width)
    used(nothing)
    used(sums)
    used(made)


def _correlate(
    kernels: Any,
    work: Any,
    index: Any,
    plane: int,
    sparse: int,
    source: int,
    source_stride: int,
    step: int,
    phases: int,
    target: int,
    target_stride: int,
    count: int,
    width: int,
) -> None:
    """Correlate a plane of the working type, ``count`` rows of ``width`` scalars of output.

    ``kernels`` points to a :data:`~.job.KERNEL`; ``work`` and ``index`` only tell types.
    """
    kernel = carray(kernels, (1,))[0]
    weights = Weights(
        carray(pointer(work, kernel.dense), (kernel.height, kernel.taps)),
        carray(pointer(index, kernel.order), (kernel.height,)),
        carray(pointer(work, kernel.columns), (kernel.parts, kernel.height, 1)),
        carray(pointer(work, kernel.rows), (kernel.parts, kernel.taps)),
        kernel.uniform != 0,
    )
    if sparse:
        _correlate_sparse(
            weights, source, source_stride, step, phases, target, target_stride, count, width
        )
    elif weights.uniform:
        _correlate_uniform(
            weights, source, source_stride, step, phases, target, target_stride, count, width
        )
    elif weights.columns.shape[0] > 0:
        _correlate_factored(
            plane, weights, source, source_stride, step, phases, target, target_stride, count, width
        )
    else:
        dense = weights.dense
        call_plane(
            plane,
            dense[0, 0],
            source,
            source_stride,
            dense.ctypes.data,
            dense.shape[0],
            dense.shape[1],
            step,
            target,
            target_stride,
            count,
            width,
            phases,
        )


@lru_cache(maxsize=2)
def correlation_address(dtype: DType) -> int:
    """Return the address of the compiled correlation of planes of a working type.

    It is compiled by itself, since it takes longest, and serves images and answers of any type.
    """
    pointers = [types.CPointer(from_dtype(kind)) for kind in (KERNEL, dtype, np.dtype(np.intp))]
    signature = types.void(*pointers, *[types.intp] * 10)
    made = cached(numba.cfunc, signature, error_model="numpy")(_correlate)
    _keep.append(made)
    address: int = made.address
    return address


@intrinsic  # type: ignore[untyped-decorator]
def correlate(
    _typing: Any,
    correlation: Any,
    kernel: Any,
    plane: Any,
    sparse: Any,
    source: Any,
    source_stride: Any,
    step: Any,
    phases: Any,
    target: Any,
    target_stride: Any,
    count: Any,
    width: Any,
) -> Any:
    """Call the correlation at an address with the kernel at another; see `_correlate`."""
    integer = ir.IntType(64)
    kind = ir.FunctionType(ir.VoidType(), [integer] * 13)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        nothing = ir.Constant(integer, 0)
        builder.call(function, [arguments[1], nothing, nothing, *arguments[2:]])
        return context.get_dummy_value()

    return types.void(*[types.intp] * 12), generate
