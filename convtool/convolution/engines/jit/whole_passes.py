"""Vector code for 8-bit images by kernels of rank 1: two passes of sums in int16.

The column pass adds up rows of pixels, and each vector that is loaded serves :data:`~.whole.ROWS`
rows of output; the row pass adds up shifted loads of those sums and divides. Sums never overflow,
so that those of whole numbers are exact. Other weights are fractions: pixels are moved up, and an
instruction rounds each product to an int16 value whose low bits are a fraction of a grey level.
Each of :data:`~.whole.PATTERNS` has a function of its own.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import call, loop, number, same, splat, switched
from convtool.convolution.engines.jit.lanes import (
    BYTES,
    FAMILY,
    I16,
    I32,
    INT,
    INT16S,
    LANES,
    UINT8S,
    load,
    over_blocks,
    store,
    written,
)
from convtool.convolution.engines.jit.whole import ANY, LIFT, PATTERNS, ROW_PATTERNS, ROWS, Pattern

OUTPUTS = 2 * LANES
"""Outputs that the row pass makes at once: a vector of uint8."""

_PACKER = (
    "llvm.x86.avx512.packuswb.512"
    if FAMILY.avx512
    else "llvm.x86.avx2.packuswb"
    if FAMILY.avx2
    else None
)
"""The processor's instruction that narrows two vectors of int16 values, by 16 bytes in turn."""

_MULTIPLIER = (
    "llvm.x86.avx512.pmulhu.w.512"
    if FAMILY.avx512
    else "llvm.x86.avx2.pmulhu.w"
    if FAMILY.avx2
    else None
)
"""The processor's instruction that multiplies uint16 values and keeps the upper half."""

_ROUNDING_MULTIPLIER = (
    "llvm.x86.avx512.pmul.hr.sw.512" if FAMILY.avx512 else "llvm.x86.avx2.pmul.hr.sw"
)
"""The processor's instruction that multiplies int16 and keeps the rounded upper half; code for
others is never called."""

Read = Callable[[Any], Any]
"""``read(tap)`` loads the int16 values of a tap: an integer constant or a value of LLVM's."""


def _upper_half(b: Any, int16s: Any, factors: Any) -> Any:
    """Return the upper 16 bits of products of uint16 values."""
    if _MULTIPLIER is not None:
        return call(b, _MULTIPLIER, INT16S, int16s, factors)
    wide = ir.VectorType(I32, LANES)
    product = b.mul(b.zext(int16s, wide), b.zext(factors, wide))
    return b.trunc(b.lshr(product, same(wide, 16)), INT16S)


def _packed(b: Any, first: Any, second: Any) -> Any:
    """Return int16 values of 0 … 255 as uint8."""
    uint8s = ir.VectorType(UINT8S.element, OUTPUTS)
    if _PACKER is None:
        places = ir.Constant(ir.VectorType(I32, OUTPUTS), list(range(OUTPUTS)))
        return b.trunc(b.shuffle_vector(first, second, places), uint8s)
    pairs = ir.VectorType(INT, BYTES // 8)
    mixed = b.bitcast(call(b, _PACKER, uint8s, first, second), pairs)
    order = [*range(0, BYTES // 8, 2), *range(1, BYTES // 8, 2)]
    mask = ir.Constant(ir.VectorType(I32, BYTES // 8), order)
    return b.bitcast(b.shuffle_vector(mixed, ir.Constant(pairs, ir.Undefined), mask), uint8s)


def _total(b: Any, values: Sequence[Any]) -> Any:
    """Return a sum, added up in pairs."""
    values = list(values)
    while len(values) > 1:
        pairs = zip(values[0::2], values[1::2], strict=False)
        values = [b.add(*pair) for pair in pairs] + values[len(values) & ~1 :]
    return values[0]


def _weight(b: Any, weights: Any, tap: Any) -> Any:
    return load(b, b.add(weights, b.mul(tap, number(BYTES))), INT16S)


def _weighted(b: Any, int16s: Sequence[Any], weights: Sequence[Any]) -> Any:
    """Return the sum of int16 values by symmetric weights; those of the two ends are 1."""
    middle = len(int16s) // 2
    parts = [b.add(int16s[tap], int16s[-1 - tap]) for tap in range(middle)] + [int16s[middle]]
    return _total(b, [parts[0], *(b.mul(*each) for each in zip(parts[1:], weights, strict=True))])


def _kept_weights(b: Any, pattern: Pattern, weights: Any) -> list[Any]:
    """Return the weights that stay in registers: of symmetric ones the second to the middle one."""
    if pattern.equal or pattern.taps == ANY:
        return []
    taps = range(pattern.taps) if pattern.rounded else range(1, pattern.taps // 2 + 1)
    return [_weight(b, weights, number(tap)) for tap in taps]


def _written_out(b: Any, pattern: Pattern, int16s: Sequence[Any], kept: Sequence[Any]) -> Any:
    """Return the sum of the int16 values of a window by the weights of a pattern."""
    if pattern.equal:
        return _total(b, int16s)
    if not pattern.rounded:
        return _weighted(b, int16s, kept)
    products = zip(int16s, kept, strict=True)
    return _total(b, [call(b, _ROUNDING_MULTIPLIER, INT16S, *each) for each in products])


def _rows_of_sums(
    b: Any, pattern: Pattern, kept: Sequence[Any], weights: Any, taps: Any, read: Read
) -> list[Any]:
    """Return the sums of :data:`ROWS` windows, each a tap beyond the one before."""
    if pattern.taps != ANY:
        int16s = [read(number(tap)) for tap in range(pattern.taps + ROWS - 1)]
        if not pattern.equal:
            windows = [int16s[row : row + pattern.taps] for row in range(ROWS)]
            return [_written_out(b, pattern, window, kept) for window in windows]
        pairs = {tap: b.add(*int16s[tap : tap + 2]) for tap in range(1, len(int16s) - 1, 2)}
        sums = []
        for row in range(ROWS):
            end = int16s[row + (pattern.taps - 1) * (row % 2)]
            starts = range(row + 1 - row % 2, row + pattern.taps - 1, 2)
            sums.append(_total(b, [end, *(pairs[start] for start in starts)]))
        return sums
    zero = same(INT16S, 0)
    if pattern.equal:
        (total,) = loop(b, taps, [zero], lambda tap, held: [b.add(held[0], read(tap))])
        sums = [total]
        for row in range(1, ROWS):
            entering = read(b.add(taps, number(row - 1)))
            sums.append(b.add(sums[-1], b.sub(entering, read(number(row - 1)))))
        return sums

    def add(tap: Any, held: list[Any]) -> list[Any]:
        weight = _weight(b, weights, tap)
        int16s = [read(b.add(tap, number(row))) for row in range(ROWS)]
        return [
            b.add(total, b.mul(int16, weight)) for total, int16 in zip(held, int16s, strict=True)
        ]

    return list(loop(b, taps, [zero] * ROWS, add))


def _sum_columns(b: Any, arguments: Any, pattern: Pattern) -> None:
    lines, weights, taps, target, stride, width = arguments
    kept = _kept_weights(b, pattern, weights)

    def block(x: Any) -> None:
        def read(tap: Any) -> Any:
            line = b.inttoptr(b.add(lines, b.mul(tap, number(8))), INT.as_pointer())
            int16s = b.zext(load(b, b.add(b.load(line), x), UINT8S), INT16S)
            return b.shl(int16s, same(INT16S, LIFT)) if pattern.rounded else int16s

        for row, total in enumerate(_rows_of_sums(b, pattern, kept, weights, taps, read)):
            place = b.add(b.mul(stride, number(row)), x)
            store(b, total, b.add(target, b.mul(place, number(2))))

    over_blocks(b, width, block)


def _sums_across(
    b: Any, pattern: Pattern, kept: Sequence[Any], weights: Any, taps: Any, reads: Sequence[Read]
) -> list[Any]:
    """Return the sums of the windows that are read."""
    if pattern.taps != ANY:
        windows = [[read(number(tap)) for tap in range(pattern.taps)] for read in reads]
        return [_written_out(b, pattern, window, kept) for window in windows]

    def add(tap: Any, held: list[Any]) -> list[Any]:
        int16s = [read(tap) for read in reads]
        if not pattern.equal:
            weight = _weight(b, weights, tap)
            int16s = [b.mul(int16, weight) for int16 in int16s]
        return [b.add(total, int16) for total, int16 in zip(held, int16s, strict=True)]

    return list(loop(b, taps, [same(INT16S, 0)] * len(reads), add))


def _sum_rows(b: Any, arguments: Any, pattern: Pattern, halves: bool) -> None:
    source, weights, taps, step, target, width, *division = arguments
    bias, multiplier, shift = (splat(b, b.trunc(each, I16), INT16S) for each in division)
    kept = _kept_weights(b, pattern, weights)

    def divided(total: Any) -> Any:
        value = b.add(total, bias)
        if not halves:
            return b.lshr(_upper_half(b, value, multiplier), shift)
        odd = b.and_(_upper_half(b, total, multiplier), same(INT16S, 1))
        return _upper_half(b, b.add(value, odd), multiplier)

    def block(x: Any) -> None:
        def reader(start: Any) -> Read:
            def read(tap: Any) -> Any:
                place = b.add(start, b.mul(tap, step))
                return load(b, b.add(source, b.mul(place, number(2))), INT16S)

            return read

        reads = [reader(b.add(x, number(start))) for start in (0, LANES)]
        sums = _sums_across(b, pattern, kept, weights, taps, reads)
        store(b, _packed(b, *map(divided, sums)), b.add(target, x))

    over_blocks(b, width, block, OUTPUTS)


def _choice_of(name: str, writers: Sequence[Callable[[Any, Any], None]], count: int) -> Any:
    """Return a generator of calls of one of several functions: the first argument says which."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def write(place: int) -> None:
            one = written(f"{name}_{place}", writers[place], count)
            one(context, builder, signature, arguments[1:])

        switched(builder, arguments[0], range(len(writers)), write)
        return context.get_dummy_value()

    return generate


@intrinsic  # type: ignore[untyped-decorator]
def sum_columns(
    _typing: Any,
    pattern: Any,
    lines: Any,
    weights: Any,
    taps: Any,
    target: Any,
    stride: Any,
    width: Any,
) -> Any:
    """Make :data:`ROWS` int16 rows from the rows of pixels whose addresses stand at ``lines``.

    ``pattern`` is a place in :data:`~.whole.PATTERNS`, ``weights`` where a vector for each weight
    stands, ``width`` at least :data:`~.lanes.LANES`.
    """
    writers = [partial(_sum_columns, pattern=each) for each in PATTERNS]
    return types.void(*[types.intp] * 7), _choice_of("convtool_sum_columns", writers, 6)


@intrinsic  # type: ignore[untyped-decorator]
def sum_rows(
    _typing: Any,
    pattern: Any,
    source: Any,
    weights: Any,
    taps: Any,
    step: Any,
    target: Any,
    width: Any,
    bias: Any,
    multiplier: Any,
    shift: Any,
) -> Any:
    """Make a row of at least :data:`OUTPUTS` uint8 values from int16 that are ``step`` apart.

    ``pattern`` is a place in :data:`~.whole.ROW_PATTERNS`; the rest is as in
    :class:`~.whole.Division`.
    """
    writers = [partial(_sum_rows, pattern=each, halves=halves) for each, halves in ROW_PATTERNS]
    return types.void(*[types.intp] * 10), _choice_of("convtool_sum_rows", writers, 9)
