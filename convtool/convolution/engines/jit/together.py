"""LLVM's vector code for small pictures: blocks that take a vector from each of several.

Where a row of one picture is shorter than a block, the vectors of a block come from several
pictures, which share each weight. All work at addresses, as :mod:`~.vectors` does.
"""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import Emitter, switched
from convtool.convolution.engines.jit import simd
from convtool.convolution.engines.jit.patches import ROWS_TOGETHER, pictures_together
from convtool.convolution.engines.jit.vectors import (
    SMALL_SIDES,
    VECTOR_BYTES,
    kind_of,
    lanes_of_kind,
)
from convtool.records import replace

TOGETHER = pictures_together(VECTOR_BYTES)
"""Pictures that blocks take a vector of each from."""

TOGETHER_ROWS = (1, 3, ROWS_TOGETHER)
"""Rows of such blocks."""

FIRST_SIDE = len(TOGETHER_ROWS)
"""Where the blocks for kernels of some sides begin."""

TOGETHER_BLOCKS = tuple((rows, 0) for rows in TOGETHER_ROWS) + tuple(
    (TOGETHER_ROWS[-1], side) for side in SMALL_SIDES
)
"""(rows, side of the kernel or 0 for any) of each such block."""


def _block_of(builder: Any, scalar: Any, values: Sequence[Any], aparts: Sequence[Any]) -> Any:
    """Return a block from a function's arguments, in the order of `make_together`."""
    start, start_stride, weights, kh, kw, channels, end, end_stride = values
    pointer = scalar.as_pointer()
    return simd.Block(
        source=builder.inttoptr(start, pointer),
        source_stride=start_stride,
        weights=builder.inttoptr(weights, pointer),
        height=kh,
        width=kw,
        step=channels,
        target=builder.inttoptr(end, pointer),
        target_stride=end_stride,
        adding=ir.Constant(ir.IntType(64), 0),
        source_apart=aparts[0],
        target_apart=aparts[1],
    )


@intrinsic  # type: ignore[untyped-decorator]
def make_together(
    _typing: Any,
    choice: Any,
    like: Any,
    source: Any,
    source_stride: Any,
    weights: Any,
    height: Any,
    width: Any,
    step: Any,
    target: Any,
    target_stride: Any,
    source_apart: Any,
    target_apart: Any,
    rows: Any,
    columns: Any,
    ahead: Any,
    ahead_bytes: Any,
) -> Any:
    """Make planes of `TOGETHER` pictures of blocks ``TOGETHER_BLOCKS[choice]``.

    The pictures lie ``source_apart`` scalars apart, and their answers ``target_apart``.
    """
    signature = types.void(types.intp, like, *[types.intp] * 14)
    scalar = kind_of(like)
    integer = ir.IntType(64)

    def function_for(module: Any, number: int) -> Any:
        """Return a function of its own for a block, so that it has the registers to itself."""
        tall, side = TOGETHER_BLOCKS[number]
        kind = ir.FunctionType(ir.VoidType(), [integer] * 14)
        name = f"convtool_together_{number}_{like}"
        if name in module.globals:
            return module.globals[name]
        function = ir.Function(module, kind, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        builder = ir.IRBuilder(function.append_basic_block("start"))
        block = _block_of(builder, scalar, function.args[:8], function.args[8:10])
        block = replace(block, ahead=function.args[12], ahead_bytes=function.args[13])
        rows, width = function.args[10:12]
        plane = simd.Plane(rows, width, ir.Constant(integer, 1))
        emitter = Emitter(builder, scalar, lanes_of_kind(like))
        simd.correlate_plane(emitter, block, plane, tall, TOGETHER, side)
        builder.ret_void()
        return function

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        def write(number: int) -> None:
            builder.call(function_for(builder.module, number), arguments[2:])

        switched(builder, arguments[0], range(len(TOGETHER_BLOCKS)), write)
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def make_lines_together(
    _typing: Any,
    like: Any,
    source: Any,
    part_stride: Any,
    weights: Any,
    parts: Any,
    taps: Any,
    step: Any,
    target: Any,
    target_stride: Any,
    source_apart: Any,
    target_apart: Any,
    line_stride: Any,
    width: Any,
    rows: Any,
) -> Any:
    """Make lines of `TOGETHER` pictures, as `make_lines`; needs as many as a block has rows."""
    scalar = kind_of(like)
    integer = ir.IntType(64)
    tall = TOGETHER_ROWS[-1]

    def function_for(module: Any) -> Any:
        """Return a function of its own, so that it has the registers to itself."""
        kind = ir.FunctionType(ir.VoidType(), [integer] * 13)
        function = ir.Function(module, kind, f"convtool_lines_together_{like}")
        function.linkage = "internal"
        function.attributes.add("noinline")
        builder = ir.IRBuilder(function.append_basic_block("start"))
        line_stride, width, rows = function.args[10:]
        block = _block_of(builder, scalar, function.args[:8], function.args[8:10])
        emitter = Emitter(builder, scalar, lanes_of_kind(like))
        last = builder.sub(rows, emitter.number(tall))

        def group(place: Any, _: list[Any]) -> list[Any]:
            y = builder.mul(place, emitter.number(tall))
            y = builder.select(builder.icmp_signed("<", y, last), y, last)
            here = replace(
                block,
                source=emitter.at(block.source, builder.mul(y, line_stride)),
                target=emitter.at(block.target, builder.mul(y, block.target_stride)),
            )
            simd.correlate_lines(emitter, here, line_stride, width, tall, TOGETHER)
            return []

        groups = builder.sdiv(builder.add(rows, emitter.number(tall - 1)), emitter.number(tall))
        emitter.repeat(groups, [], group)
        builder.ret_void()
        return function

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        builder.call(function_for(builder.module), arguments[1:])
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 13), generate
