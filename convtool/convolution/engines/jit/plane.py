"""A plane of outputs, cut into blocks: dense, by factors, or weight by weight.

A plane's scalars lie in rows; channels are interleaved, so that a kernel's next column is ``step``
scalars on.
"""

from typing import Any

from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from convtool.compiled.calls import NOTHING, call
from convtool.compiled.jit import INT, compiled, entry, pointer_to, value_of
from convtool.compiled.memory import aligned, allocate, pointer, release
from convtool.convolution.engines.jit.job import INDEX, KERNEL, offset_of
from convtool.convolution.engines.jit.vectors import (
    BLOCKS,
    LEAST_LINE,
    NARROW,
    ROWS,
    SMALL_SIDES,
    add_weighted_line,
    call_plane,
    fill_line,
    lanes_of,
    make_lines,
    make_plane,
)
from convtool.convolution.engines.jit.weights import Weights

_CORRELATION = offset_of(KERNEL, "correlation")

FIRST_SMALL = len(BLOCKS) - len(SMALL_SIDES)

PASS_SCALARS = 12288
"""Scalars of the column passes that a row pass reads: they stay in L1."""


@entry(value_of, *[INT] * 11)
def plane(
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
) -> bool:
    """Correlate by factors: column passes into scratch, then all row passes at once.

    Returns False where there is no memory for the scratch.
    """
    columns, rows = weights.columns, weights.rows
    parts, height, _ = columns.shape
    taps = rows.shape[1]
    like = rows[0, 0]
    size = rows.itemsize
    group = min(count, ROWS[-1])
    halo = (taps - 1) * step
    chunk = min(width, max(4 * halo, PASS_SCALARS // (parts * group)))
    wide = -(-(chunk + halo) // 16) * 16
    memory = allocate(parts * group * wide * size + 64)
    if memory == 0:
        return False
    scratch = aligned(memory)
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
    release(memory)
    return True


@entry(
    lambda _: pointer_to(KERNEL), pointer_to, lambda _: pointer_to(INDEX), *[INT] * 10, result=INT
)
def correlate_plane(
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
) -> int:
    """Correlate a plane of the working type, ``count`` rows of ``width`` scalars of output.

    ``kernels`` points to a :data:`~.job.KERNEL`; ``work`` and ``index`` only tell types. Returns 0
    where there was no memory, else 1.
    """
    kernel = carray(kernels, (1,))[0]
    weights = Weights(
        carray(pointer(work, kernel.dense), (kernel.height, kernel.taps)),
        carray(pointer(index, kernel.order), (kernel.height,)),
        carray(pointer(work, kernel.columns), (kernel.parts, kernel.height, 1)),
        carray(pointer(work, kernel.rows), (kernel.parts, kernel.taps)),
        False,
    )
    done = True
    if sparse:
        _correlate_sparse(
            weights, source, source_stride, step, phases, target, target_stride, count, width
        )
    elif weights.columns.shape[0] > 0:
        done = _correlate_factored(
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
    return 1 if done else 0


@intrinsic  # type: ignore[untyped-decorator]
def correlate(
    _typing: Any,
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
    """Call the correlation of the kernel whose record lies at an address; see `correlate_plane`."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        integer = ir.IntType(64)
        place = builder.add(arguments[0], ir.Constant(integer, _CORRELATION))
        correlation = builder.load(builder.inttoptr(place, integer.as_pointer()))
        rest = [arguments[0], NOTHING, NOTHING, *arguments[1:]]
        return call(builder, correlation, rest, integer)

    return types.intp(*[types.intp] * 11), generate
