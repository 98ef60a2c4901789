"""Vector code for 8-bit images by small kernels: products and sums in 16-bit words.

Pixels are lifted, their bits moved up; an instruction multiplies sixteen or more of them by weights
below one and rounds the products to words, whose low bits are a fraction of a grey level. Each
vector that is loaded serves :data:`ROWS` rows of output.
"""

from functools import partial
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.convolution.engines.jit.lanes import (
    BYTES,
    I16,
    INT,
    OCTETS,
    PACKS,
    WORDS,
    call,
    load,
    narrowed,
    number,
    over_blocks,
    same,
    splat,
    store,
    written,
)

ROWS = 4
"""Output rows that are made at once."""


def _multiplier() -> str | None:
    """Return the processor's instruction that multiplies words and keeps the rounded upper half."""
    if BYTES == 64 and llvmlite.binding.get_host_cpu_features().get("avx512bw"):
        return "llvm.x86.avx512.pmul.hr.sw.512"
    return "llvm.x86.avx2.pmul.hr.sw" if PACKS else None


MULTIPLIER = _multiplier()


def _lift(b: Any, arguments: Any) -> None:
    source, bits, target, width = arguments
    places = splat(b, b.trunc(bits, I16), WORDS)

    def block(x: Any) -> None:
        words = b.zext(load(b, b.add(source, x), OCTETS), WORDS)
        store(b, b.shl(words, places), b.add(target, b.mul(x, number(2))))

    over_blocks(b, width, block)


def _sum_products(b: Any, arguments: Any, side: int) -> None:
    lines, weights, step, fraction, targets, width = arguments
    bits = b.trunc(fraction, I16)
    places = splat(b, bits, WORDS)
    one = ir.Constant(I16, 1)
    below_half = splat(b, b.sub(b.lshr(b.shl(one, bits), one), one), WORDS)
    table = [load(b, b.add(weights, number(BYTES * k)), WORDS) for k in range(side * side)]

    def address(start: Any, index: int) -> Any:
        return b.load(b.inttoptr(b.add(start, number(8 * index)), INT.as_pointer()))

    def block(x: Any) -> None:
        sums: list[Any] = [None] * ROWS
        for line in range(side + ROWS - 1):
            start = address(lines, line)
            for tap in range(side):
                place = b.add(x, b.mul(step, number(tap)))
                words = load(b, b.add(start, b.mul(place, number(2))), WORDS)
                for row in range(max(0, line - side + 1), min(ROWS, line + 1)):
                    weight = table[(line - row) * side + tap]
                    product = call(b, str(MULTIPLIER), WORDS, words, weight)
                    before = sums[row]
                    sums[row] = product if before is None else b.add(before, product)
        for row, total in enumerate(sums):
            odd = b.and_(b.lshr(total, places), same(WORDS, 1))
            whole = b.ashr(b.add(b.add(total, below_half), odd), places)
            store(b, narrowed(b, whole), b.add(address(targets, row), x))

    over_blocks(b, width, block)


@intrinsic  # type: ignore[untyped-decorator]
def lift(_typing: Any, source: Any, bits: Any, target: Any, width: Any) -> Any:
    """Write octets as words, moved up by ``bits``: at least :data:`~.lanes.LANES` of them."""
    return types.void(*[types.intp] * 4), written("convtool_lift", _lift, 4)


@intrinsic  # type: ignore[untyped-decorator]
def sum_products_3(
    _typing: Any, lines: Any, weights: Any, step: Any, fraction: Any, targets: Any, width: Any
) -> Any:
    """Make :data:`ROWS` rows of octets by a kernel of 3×3.

    ``lines`` and ``targets`` are where the addresses of rows of words and of octets stand;
    ``weights`` is where a vector for each weight stands. Sums are divided by two to the
    ``fraction``, rounded half to even and cut to 0 … 255.
    """
    write = partial(_sum_products, side=3)
    return types.void(*[types.intp] * 6), written("convtool_sum_products_3", write, 6)


@intrinsic  # type: ignore[untyped-decorator]
def sum_products_5(
    _typing: Any, lines: Any, weights: Any, step: Any, fraction: Any, targets: Any, width: Any
) -> Any:
    """Make rows of octets as :func:`sum_products_3` does, by a kernel of 5×5."""
    write = partial(_sum_products, side=5)
    return types.void(*[types.intp] * 6), written("convtool_sum_products_5", write, 6)
