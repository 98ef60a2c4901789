"""Rows copied between arrays, as they are or turned round, by vectors as long as a row allows."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import loop, number
from convtool.compiled.jit import compiled
from convtool.convolution.engines.jit.lanes import load, store, written

PIECES = (64, 32, 16, 8, 4, 2, 1)
"""Bytes of the vectors that rows are copied by."""

TURNED = (16, 8, 4, 2, 1)
"""Scalars of the vectors that rows are turned round by."""


def _row(b: Any, line: Any, place: Any, count: Any, vector: Any, turned: bool) -> None:
    """Write the copy of a row that holds at least one vector; the last overlaps the one before."""
    last = b.sub(count, number(vector.count))
    size = number(vector.element.width // 8)

    def copied(start: Any, end: Any) -> None:
        value = load(b, b.add(line, b.mul(start, size)), vector)
        if turned:
            order = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), _turned(vector))
            value = b.shuffle_vector(value, ir.Constant(vector, ir.Undefined), order)
        store(b, value, b.add(place, b.mul(end, size)))

    def one(n: Any, _: list[Any]) -> list[Any]:
        start = b.mul(n, number(vector.count))
        copied(start, b.sub(last, start) if turned else start)
        return []

    with b.if_then(b.icmp_signed(">", last, number(0))):
        loop(b, b.sdiv(b.sub(count, number(1)), number(vector.count)), [], one)
    copied(last, number(0) if turned else last)


def _turned(vector: Any) -> list[int]:
    return list(range(vector.count))[::-1]


def _by_length(b: Any, arguments: Any, vectors: list[Any], turned: bool) -> None:
    """Write the copy of a row once for each length of vector: it takes the longest it holds."""
    source, target, count = arguments
    done = b.append_basic_block("done")
    for vector in vectors:
        fits, other = b.append_basic_block("fits"), b.append_basic_block("shorter")
        b.cbranch(b.icmp_signed(">=", count, number(vector.count)), fits, other)
        b.position_at_end(fits)
        _row(b, source, target, count, vector, turned)
        b.branch(done)
        b.position_at_end(other)
    b.branch(done)
    b.position_at_end(done)


def _copy_row(b: Any, arguments: Any) -> None:
    _by_length(b, arguments, [ir.VectorType(ir.IntType(8), piece) for piece in PIECES], False)


@intrinsic  # type: ignore[untyped-decorator]
def copy_row(_typing: Any, source: Any, target: Any, length: Any) -> Any:
    """Copy ``length`` bytes, at least one, from one address to another."""
    return types.void(*[types.intp] * 3), written("convtool_copy_row", _copy_row, 3)


@intrinsic  # type: ignore[untyped-decorator]
def turn_row(_typing: Any, like: Any, source: Any, target: Any, count: Any) -> Any:
    """Copy ``count`` scalars, at least one, with the last scalar first.

    ``like`` is a pointer that only tells the type.
    """
    width = like.dtype.bitwidth
    vectors = [ir.VectorType(ir.IntType(width), piece) for piece in TURNED]

    def write(b: Any, arguments: Any) -> None:
        _by_length(b, arguments, vectors, True)

    call = written(f"convtool_turn_row_{width}", write, 3)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return call(context, builder, signature, arguments[1:])

    return types.void(like, *[types.intp] * 3), generate


@compiled
def copy_rows(
    source: int, source_stride: int, target: int, target_stride: int, rows: int, length: int
) -> None:
    """Copy ``rows`` rows of ``length`` bytes, at least one, between addresses; strides in bytes."""
    for y in range(rows):
        copy_row(source + y * source_stride, target + y * target_stride, length)


@compiled
def turn_rows(
    like: Any,
    source: int,
    source_stride: int,
    target: int,
    target_stride: int,
    rows: int,
    count: int,
) -> None:
    """Copy ``rows`` rows of ``count`` scalars with the last scalar first; strides in bytes."""
    for y in range(rows):
        turn_row(like, source + y * source_stride, target + y * target_stride, count)
