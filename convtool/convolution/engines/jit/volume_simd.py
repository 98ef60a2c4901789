"""Vector code for volumes: sums of rows that lie in several planes, as functions for jitted code.

The planes of a volume are read through a table of addresses, so that a ring of them can be held
and none is moved. `correlate_stack` makes rows of one plane of output from all rows and columns
that the kernel reaches in each plane; `sum_planes` makes rows of several planes of output from one
row of each plane, so that each vector that is loaded serves several outputs.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import INT, Emitter, switched
from convtool.convolution.engines.jit.simd import (
    Block,
    add_rows,
    add_small_rows,
    places_of,
)
from convtool.convolution.engines.jit.vectors import SMALL, WIDE, kind_of, lanes_of_kind
from convtool.records import replace

TALLEST = 4
"""The most rows or planes of output that one block makes of any kernel."""

SMALL_SIDE = 3
"""The side of the cubic kernels that have a block of their own."""

BLOCKS = (
    *((rows, vectors, 0) for rows, vectors in WIDE.items() if rows <= TALLEST),
    *((rows, 1, 0) for rows in WIDE if rows <= TALLEST),
    (*SMALL[SMALL_SIDE], SMALL_SIDE),
)
"""(rows, vectors, side of the kernel or 0 for any) of each block: wide, narrow, and small."""

WIDE_ROWS = tuple(rows for rows in WIDE if rows <= TALLEST)


def _least(b: Any, value: Any, most: Any) -> Any:
    return b.select(b.icmp_signed("<", value, most), value, most)


def _over_blocks(e: Emitter, count: Any, size: int, body: Callable[[Any], None]) -> None:
    """Write a loop over ``count`` positions by blocks; the last overlaps the one before it."""
    b = e.builder
    wide = e.number(size)
    last = b.sub(count, wide)

    def step(place: Any, _: list[Any]) -> list[Any]:
        body(_least(b, b.mul(place, wide), last))
        return []

    e.repeat(b.sdiv(b.add(count, e.number(size - 1)), wide), [], step)


def _row_in(e: Emitter, table: Any, index: Any, offset: Any) -> Any:
    """Return the pointer to a place ``offset`` scalars from an address of the table."""
    address = e.builder.load(e.builder.gep(table, [index]))
    return e.at(e.builder.inttoptr(address, e.scalar.as_pointer()), offset)


def _write_stack(e: Emitter, arguments: Any, number: int) -> None:
    """Write the code that makes ``rows`` rows of one plane of outputs, of a kernel's planes."""
    b = e.builder
    tall, vectors, side = BLOCKS[number]
    pointer = e.scalar.as_pointer()
    table = b.inttoptr(arguments[0], INT.as_pointer())
    stride, offset, weights, depth, height, width, step, target, target_stride, rows, count = (
        arguments[1:]
    )
    block = Block(
        source=None,
        source_stride=stride,
        weights=b.inttoptr(weights, pointer),
        height=height,
        width=width,
        step=step,
        target=b.inttoptr(target, pointer),
        target_stride=target_stride,
        adding=e.number(0),
    )
    zeros = [ir.Constant(e.vector, [0.0] * e.lanes)] * (tall * vectors)
    size = b.mul(height, width)

    def at(y: Any, x: Any) -> None:
        start = b.add(b.add(offset, b.mul(y, stride)), x)

        def add_plane(plane: Any, totals: list[Any]) -> list[Any]:
            first = _row_in(e, table, plane, start)
            here = replace(block, weights=e.at(block.weights, b.mul(plane, size)))

            def row_at(index: Any) -> Any:
                return e.at(first, b.mul(index, stride))

            if side:
                return add_small_rows(e, here, row_at, tall, vectors, totals, side)
            sums = add_rows(e, here, row_at, tall, vectors, zeros)
            return [b.fadd(total, value) for total, value in zip(totals, sums, strict=True)]

        sums = e.repeat(depth, zeros, add_plane)
        end = e.at(block.target, b.add(b.mul(y, target_stride), x))
        places = places_of(e, replace(block, target=end), tall, vectors)
        for place, value in zip(places, sums, strict=True):
            e.store(value, place)

    _over_blocks(
        e, rows, tall, lambda y: _over_blocks(e, count, vectors * e.lanes, lambda x: at(y, x))
    )


def _write_sums(e: Emitter, arguments: Any, number: int) -> None:
    """Write the code that makes a row of each of several planes, of one row of each plane read."""
    b = e.builder
    tall, vectors, _ = BLOCKS[number]
    pointer = e.scalar.as_pointer()
    table = b.inttoptr(arguments[0], INT.as_pointer())
    offset, weights, depth, target, target_stride, count = arguments[1:]
    block = Block(
        source=None,
        source_stride=e.number(0),
        weights=b.inttoptr(weights, pointer),
        height=depth,
        width=e.number(1),
        step=e.number(1),
        target=b.inttoptr(target, pointer),
        target_stride=target_stride,
        adding=e.number(0),
    )
    zeros = [ir.Constant(e.vector, [0.0] * e.lanes)] * (tall * vectors)

    def at(x: Any) -> None:
        start = b.add(offset, x)
        sums = add_rows(
            e, block, lambda index: _row_in(e, table, index, start), tall, vectors, zeros, taps=1
        )
        places = places_of(e, replace(block, target=e.at(block.target, x)), tall, vectors)
        for place, value in zip(places, sums, strict=True):
            e.store(value, place)

    _over_blocks(e, count, vectors * e.lanes, at)


def _choice_of(
    name: str, write: Callable[[Emitter, Any, int], None], cases: range, like: Any, count: int
) -> Any:
    """Return a generator of calls of one of several functions: the first argument says which."""
    scalar = kind_of(like)

    def function_for(module: Any, number: int) -> Any:
        """Return a function of its own for a block, so that it has the registers to itself."""
        kind = ir.FunctionType(ir.VoidType(), [INT] * count)
        function = ir.Function(module, kind, f"convtool_{name}_{number}_{like}")
        function.linkage = "internal"
        function.attributes.add("noinline")
        builder = ir.IRBuilder(function.append_basic_block("start"))
        write(Emitter(builder, scalar, lanes_of_kind(like)), function.args, number)
        builder.ret_void()
        return function

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        def call(number: int) -> None:
            builder.call(function_for(builder.module, number), arguments[2:])

        switched(builder, arguments[0], cases, call)
        return context.get_dummy_value()

    return generate


@intrinsic  # type: ignore[untyped-decorator]
def correlate_stack(
    _typing: Any,
    choice: Any,
    like: Any,
    table: Any,
    stride: Any,
    offset: Any,
    weights: Any,
    depth: Any,
    height: Any,
    taps: Any,
    step: Any,
    target: Any,
    target_stride: Any,
    rows: Any,
    width: Any,
) -> Any:
    """Make rows of a plane by blocks ``BLOCKS[choice]``, from ``depth`` planes.

    Plane k begins ``offset`` scalars from the address at place k of the table; its rows are
    ``stride`` scalars apart. Weights of a plane are added up before they are added to those of
    others, so that long sums round less. Needs a block's rows and width.
    """
    generate = _choice_of("stack", _write_stack, range(len(BLOCKS)), like, 12)
    return types.void(types.intp, like, *[types.intp] * 12), generate


@intrinsic  # type: ignore[untyped-decorator]
def sum_planes(
    _typing: Any,
    choice: Any,
    like: Any,
    table: Any,
    offset: Any,
    weights: Any,
    depth: Any,
    target: Any,
    target_stride: Any,
    width: Any,
) -> Any:
    """Make rows of ``width`` scalars, row r from places r … r+depth-1 of the table.

    ``BLOCKS[choice]`` says how many rows. Each place has an address, from which a row begins
    ``offset`` scalars on. Needs a block's width.
    """
    generate = _choice_of("sums", _write_sums, range(len(BLOCKS) - 1), like, 7)
    return types.void(types.intp, like, *[types.intp] * 7), generate
