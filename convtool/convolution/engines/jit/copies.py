"""Rows of bytes copied between arrays, by vectors as long as a row allows."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import loop, number
from convtool.convolution.engines.jit.lanes import load, store, written

PIECES = (64, 32, 16, 8, 4, 2, 1)
"""Bytes of the vectors; a row is copied by the longest that it holds, the last one overlapping."""


def _copy_row(b: Any, line: Any, place: Any, length: Any, piece: int) -> None:
    """Write the copy of a row that holds at least one vector of ``piece`` bytes."""
    vector = ir.VectorType(ir.IntType(8), piece)
    last = b.sub(length, number(piece))
    end = load(b, b.add(line, last), vector)

    def one(n: Any, _: list[Any]) -> list[Any]:
        offset = b.mul(n, number(piece))
        store(b, load(b, b.add(line, offset), vector), b.add(place, offset))
        return []

    with b.if_then(b.icmp_signed(">", last, number(0))):
        loop(b, b.sdiv(b.sub(length, number(1)), number(piece)), [], one)
    store(b, end, b.add(place, last))


def _copy_rows(b: Any, arguments: Any) -> None:
    """Write the loop over rows once for each length of vector."""
    source, source_stride, target, target_stride, rows, length = arguments
    done = b.append_basic_block("done")
    for piece in PIECES:
        fits, other = b.append_basic_block(f"by_{piece}"), b.append_basic_block("shorter")
        b.cbranch(b.icmp_signed(">=", length, number(piece)), fits, other)
        b.position_at_end(fits)

        def row(k: Any, _: list[Any], piece: int = piece) -> list[Any]:
            line = b.add(source, b.mul(k, source_stride))
            _copy_row(b, line, b.add(target, b.mul(k, target_stride)), length, piece)
            return []

        loop(b, rows, [], row)
        b.branch(done)
        b.position_at_end(other)
    b.branch(done)
    b.position_at_end(done)


@intrinsic  # type: ignore[untyped-decorator]
def copy_rows(
    _typing: Any,
    source: Any,
    source_stride: Any,
    target: Any,
    target_stride: Any,
    rows: Any,
    length: Any,
) -> Any:
    """Copy ``rows`` rows of ``length`` bytes, at least one, between addresses; strides in bytes."""
    return types.void(*[types.intp] * 6), written("convtool_copy_rows", _copy_rows, 6)
