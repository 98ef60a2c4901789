"""Vector code for 8-bit images: two passes in int16, summed in 32-bit integers.

An instruction multiplies pairs of neighbours and adds both products to a 32-bit sum: twice
the multiply-adds of a float32 instruction, on half the bytes. Sums of integers are exact whatever
their order. The column pass pairs the pixels of two rows, which serve :data:`ROWS` rows of output;
the row pass pairs neighbours in a row, which serve the outputs at even and at odd places.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import call, loop, number, same, splat
from convtool.convolution.engines.jit.fixed import ROWS
from convtool.convolution.engines.jit.lanes import (
    FAMILY,
    FLOATS,
    I32,
    INT,
    INT16S,
    LANES,
    PACKS,
    SUMS,
    UINT8S,
    load,
    narrowed,
    over_blocks,
    part,
    rounded,
    saturated,
    store,
    written,
)

_MULTIPLIER = (
    "llvm.x86.avx512.pmaddw.d.512"
    if FAMILY.avx512
    else "llvm.x86.avx2.pmadd.wd"
    if FAMILY.avx2
    else None
)
"""The processor's instruction that multiplies and adds pairs of 16-bit integers."""


def add_products(b: Any, total: Any, pairs: Any, weights: Any) -> Any:
    """Add to each 32-bit sum both products of the int16 values in ``pairs`` and ``weights``."""
    if _MULTIPLIER is not None:
        a, w = b.bitcast(pairs, INT16S), b.bitcast(weights, INT16S)
        return b.add(total, call(b, _MULTIPLIER, SUMS, a, w))
    bits = same(SUMS, 16)
    low = b.mul(b.ashr(b.shl(pairs, bits), bits), b.ashr(b.shl(weights, bits), bits))
    return b.add(b.add(total, low), b.mul(b.ashr(pairs, bits), b.ashr(weights, bits)))


def interleaved(b: Any, first: Any, second: Any) -> list[Any]:
    """Interleave two int16 vectors: of each 16 bytes the lower, then the upper half."""
    halves = []
    for half in (0, 4):
        places = [
            block + half + lane + LANES * source
            for block in range(0, LANES, 8)
            for lane in range(4)
            for source in (0, 1)
        ]
        mask = ir.Constant(ir.VectorType(I32, LANES), places)
        halves.append(b.bitcast(b.shuffle_vector(first, second, mask), SUMS))
    return halves


def restored(b: Any, lower: Any, upper: Any) -> Any:
    """Return the sums of :func:`interleaved` pairs, which fit int16, in their order."""
    if PACKS:
        return call(b, "llvm.x86.avx2.packssdw", INT16S, lower, upper)
    places = [
        block + 2 * lane + LANES * source
        for block in range(0, LANES, 8)
        for source in (0, 1)
        for lane in range(4)
    ]
    mask = ir.Constant(ir.VectorType(I32, LANES), places)
    return b.shuffle_vector(b.bitcast(lower, INT16S), b.bitcast(upper, INT16S), mask)


def _joined(b: Any, even: Any, odd: Any) -> Any:
    """Return int16 values, those at even places from the sums ``even``; these are not negative."""
    return b.bitcast(b.or_(even, b.shl(odd, same(SUMS, 16))), INT16S)


def _answers(b: Any, first: Any, second: Any, scale: Any, neighbours: bool) -> Any:
    """Return a block as uint8: sums times ``scale``, rounded, cut to 0 … 255, in their order.

    ``neighbours``: the second sums belong between the first, not after each half of 16 bytes.
    """
    if not PACKS:
        sums = saturated(b, first, scale), saturated(b, second, scale)
        return b.trunc((_joined if neighbours else restored)(b, *sums), UINT8S)
    made = narrowed(b, restored(b, rounded(b, first, scale), rounded(b, second, scale)))
    if not neighbours:
        return made
    return part(b, made, [8 * (k // 8) + 4 * (k % 2) + k % 8 // 2 for k in range(LANES)])


def _weight(b: Any, weights: Any, index: Any) -> Any:
    place = b.add(weights, b.mul(index, number(4)))
    return splat(b, b.load(b.inttoptr(place, I32.as_pointer())), SUMS)


def _column_pass(b: Any, arguments: Any) -> None:
    lines, weights, pairs, shift, target, stride, width = arguments
    bits = b.trunc(shift, I32)
    one = ir.Constant(I32, 1)
    half = splat(b, b.lshr(b.shl(one, bits), one), SUMS)
    places = splat(b, bits, SUMS)

    def block(x: Any) -> None:
        def pair(index: Any, sums: list[Any]) -> list[Any]:
            int16s = []
            for row in (0, 1):
                line = b.add(b.mul(index, number(16)), number(8 * row))
                start = b.load(b.inttoptr(b.add(lines, line), INT.as_pointer()))
                int16s.append(b.zext(load(b, b.add(start, x), UINT8S), INT16S))
            halves = interleaved(b, *int16s)
            leaving = []
            for row in range(ROWS):
                place = b.add(b.mul(index, number(ROWS)), number(row))
                weight = _weight(b, weights, place)
                for side, data in enumerate(halves):
                    leaving.append(add_products(b, sums[2 * row + side], data, weight))
            return leaving

        sums = loop(b, pairs, [half] * (2 * ROWS), pair)
        for row in range(ROWS):
            lower, upper = (b.ashr(value, places) for value in sums[2 * row : 2 * row + 2])
            place = b.add(b.mul(stride, number(row)), x)
            end = b.add(target, b.mul(place, number(2)))
            store(b, restored(b, lower, upper), end)

    over_blocks(b, width, block)


def _row_pass(b: Any, arguments: Any, neighbours: bool) -> None:
    source, stride, weights, pairs, step, targets, width, scale_bits = arguments
    single = b.bitcast(b.trunc(scale_bits, I32), ir.FloatType())
    scale = splat(b, single, FLOATS)
    zero = same(SUMS, 0)

    def block(x: Any) -> None:
        def pair(index: Any, sums: list[Any]) -> list[Any]:
            tap = b.mul(index, number(2))
            even = _weight(b, weights, tap)
            odd = _weight(b, weights, b.add(tap, number(1))) if neighbours else even
            leaving = []
            for row in range(ROWS):
                line = b.add(b.mul(stride, number(row)), x)
                place = b.add(line, b.mul(tap, step))
                start = b.add(source, b.mul(place, number(2)))
                if neighbours:
                    both = [load(b, start, SUMS)] * 2
                else:
                    following = b.add(start, b.mul(step, number(2)))
                    both = interleaved(b, load(b, start, INT16S), load(b, following, INT16S))
                for side, weight in enumerate((even, odd)):
                    leaving.append(add_products(b, sums[2 * row + side], both[side], weight))
            return leaving

        sums = loop(b, pairs, [zero] * (2 * ROWS), pair)
        for row in range(ROWS):
            made = _answers(b, sums[2 * row], sums[2 * row + 1], scale, neighbours)
            target = b.load(b.inttoptr(b.add(targets, number(8 * row)), INT.as_pointer()))
            store(b, made, b.add(target, x))

    over_blocks(b, width, block)


@intrinsic  # type: ignore[untyped-decorator]
def column_pass(
    _typing: Any,
    lines: Any,
    weights: Any,
    pairs: Any,
    shift: Any,
    target: Any,
    stride: Any,
    width: Any,
) -> Any:
    """Make :data:`ROWS` rows of int16 values from the rows whose addresses stand at ``lines``.

    ``weights`` is the address of :data:`ROWS` pairs of int16 values for each pair of rows. Sums are
    divided by two to the ``shift``, rounded half up.
    """
    generate = written("convtool_column_pass", _column_pass, 7)
    return types.void(*[types.intp] * 7), generate


@intrinsic  # type: ignore[untyped-decorator]
def row_pass(
    _typing: Any,
    source: Any,
    stride: Any,
    weights: Any,
    pairs: Any,
    step: Any,
    targets: Any,
    width: Any,
    scale: Any,
) -> Any:
    """Make :data:`ROWS` uint8 rows from int16 rows; ``targets`` is where their addresses stand.

    ``scale`` is the bit pattern of a float32. Pixels have more than one channel.
    """

    def write(b: Any, arguments: Any) -> None:
        _row_pass(b, arguments, neighbours=False)

    return types.void(*[types.intp] * 8), written("convtool_row_pass", write, 8)


@intrinsic  # type: ignore[untyped-decorator]
def grey_row_pass(
    _typing: Any,
    source: Any,
    stride: Any,
    weights: Any,
    pairs: Any,
    step: Any,
    targets: Any,
    width: Any,
    scale: Any,
) -> Any:
    """Make uint8 values as :func:`row_pass` does, from pixels of one channel."""

    def write(b: Any, arguments: Any) -> None:
        _row_pass(b, arguments, neighbours=True)

    return types.void(*[types.intp] * 8), written("convtool_grey_row_pass", write, 8)
