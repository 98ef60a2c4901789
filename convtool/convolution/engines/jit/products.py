"""Vector code for 8-bit images by small kernels: products and sums in int16.

Pixels are lifted, their bits moved up; an instruction multiplies sixteen or more of them by weights
below one and rounds the products to int16, whose low bits are a fraction of a grey level. Each
vector that is loaded serves :data:`ROWS` rows of output.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import call, number, same, splat
from convtool.convolution.engines.jit.int16_passes import add_products, interleaved, restored
from convtool.convolution.engines.jit.lanes import (
    BYTES,
    FAMILY,
    FLOATS,
    I16,
    I32,
    INT,
    INT16S,
    LANES,
    SUMS,
    UINT8S,
    load,
    narrowed,
    over_blocks,
    store,
    whole,
    written,
)
from convtool.convolution.engines.jit.small import ROWS

_MULTIPLIER = "llvm.x86.avx512.pmul.hr.sw.512" if FAMILY.avx512 else "llvm.x86.avx2.pmul.hr.sw"
"""The processor's instruction that multiplies 16-bit integers and keeps the rounded upper half;
code for others is never called."""


def _lift(b: Any, arguments: Any) -> None:
    source, bits, target, width = arguments
    places = splat(b, b.trunc(bits, I16), INT16S)

    def block(x: Any) -> None:
        int16s = b.zext(load(b, b.add(source, x), UINT8S), INT16S)
        store(b, b.shl(int16s, places), b.add(target, b.mul(x, number(2))))

    over_blocks(b, width, block)


def _table(b: Any, weights: Any, count: int) -> list[Any]:
    return [load(b, b.add(weights, number(BYTES * k)), INT16S) for k in range(count)]


def _address(b: Any, start: Any, index: int) -> Any:
    return b.load(b.inttoptr(b.add(start, number(8 * index)), INT.as_pointer()))


def _sums(
    b: Any, lines: Any, step: Any, x: Any, side: int, tables: Sequence[list[Any]]
) -> list[list[Any]]:
    """Return the sums of products of a block: for each table of weights, of each row of output."""
    sums: list[list[Any]] = [[None] * ROWS for _ in tables]
    for line in range(side + ROWS - 1):
        start = _address(b, lines, line)
        for tap in range(side):
            place = b.add(x, b.mul(step, number(tap)))
            int16s = load(b, b.add(start, b.mul(place, number(2))), INT16S)
            for row in range(max(0, line - side + 1), min(ROWS, line + 1)):
                for table, totals in zip(tables, sums, strict=True):
                    weight = table[(line - row) * side + tap]
                    product = call(b, _MULTIPLIER, INT16S, int16s, weight)
                    before = totals[row]
                    totals[row] = product if before is None else b.add(before, product)
    return sums


def _sum_products(b: Any, arguments: Any, side: int) -> None:
    lines, weights, step, fraction, targets, width = arguments
    bits = b.trunc(fraction, I16)
    places = splat(b, bits, INT16S)
    one = ir.Constant(I16, 1)
    below_half = splat(b, b.sub(b.lshr(b.shl(one, bits), one), one), INT16S)
    table = _table(b, weights, side * side)

    def block(x: Any) -> None:
        (sums,) = _sums(b, lines, step, x, side, [table])
        for row, total in enumerate(sums):
            odd = b.and_(b.lshr(total, places), same(INT16S, 1))
            made = b.ashr(b.add(b.add(total, below_half), odd), places)
            store(b, narrowed(b, made), b.add(_address(b, targets, row), x))

    over_blocks(b, width, block)


def _magnitude_of_products(b: Any, arguments: Any) -> None:
    lines, weights, step, scale_bits, targets, width = arguments
    scale = splat(b, b.bitcast(b.trunc(scale_bits, I32), ir.FloatType()), FLOATS)
    table = _table(b, weights, 18)
    zero = same(SUMS, 0)

    def block(x: Any) -> None:
        for row, (down, across) in enumerate(
            zip(*_sums(b, lines, step, x, 3, [table[:9], table[9:]]), strict=True)
        ):
            halves = []
            for pairs in interleaved(b, down, across):
                square = b.sitofp(add_products(b, zero, pairs, pairs), FLOATS)
                root = call(b, f"llvm.sqrt.v{LANES // 2}f32", FLOATS, square)
                halves.append(whole(b, root, scale))
            made = narrowed(b, restored(b, *halves))
            store(b, made, b.add(_address(b, targets, row), x))

    over_blocks(b, width, block)


@intrinsic  # type: ignore[untyped-decorator]
def lift(_typing: Any, source: Any, bits: Any, target: Any, width: Any) -> Any:
    """Widen uint8 to int16, moved up by ``bits``: at least :data:`~.lanes.LANES` of them."""
    return types.void(*[types.intp] * 4), written("convtool_lift", _lift, 4)


@intrinsic  # type: ignore[untyped-decorator]
def sum_products_3(
    _typing: Any, lines: Any, weights: Any, step: Any, fraction: Any, targets: Any, width: Any
) -> Any:
    """Make :data:`ROWS` uint8 rows by a kernel of 3×3.

    ``lines`` and ``targets`` are where the addresses of int16 rows and of uint8 rows stand;
    ``weights`` is where a vector for each weight stands. Sums are divided by two to the
    ``fraction``, rounded half to even and cut to 0 … 255.
    """
    write = partial(_sum_products, side=3)
    return types.void(*[types.intp] * 6), written("convtool_sum_products_3", write, 6)


@intrinsic  # type: ignore[untyped-decorator]
def sum_products_5(
    _typing: Any, lines: Any, weights: Any, step: Any, fraction: Any, targets: Any, width: Any
) -> Any:
    """Make uint8 rows as :func:`sum_products_3` does, by a kernel of 5×5."""
    write = partial(_sum_products, side=5)
    return types.void(*[types.intp] * 6), written("convtool_sum_products_5", write, 6)


@intrinsic  # type: ignore[untyped-decorator]
def magnitude_of_products(
    _typing: Any, lines: Any, weights: Any, step: Any, scale: Any, targets: Any, width: Any
) -> Any:
    """Make uint8 rows as :func:`sum_products_3` does: the magnitude of two sums.

    ``weights`` are those of two kernels; ``scale`` is the bit pattern of a float32.
    """
    write = _magnitude_of_products
    return types.void(*[types.intp] * 6), written("convtool_magnitude_of_products", write, 6)
