"""Vector code for 8-bit images: two passes in 16-bit words, summed in 32-bit integers.

An instruction multiplies pairs of neighbouring words and adds both products to a 32-bit sum: twice
the multiply-adds of a float32 instruction, on half the bytes. Sums of integers are exact whatever
their order. The column pass pairs the pixels of two rows, which serve :data:`ROWS` rows of output;
the row pass pairs neighbours in a row, which serve the outputs at even and at odd places.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from convtool.convolution.engines.jit.vectors import VECTOR_BYTES

ROWS = 4
"""Output rows that are made at once."""

BYTES = max(VECTOR_BYTES, 32)
LANES = BYTES // 2
"""Words in a vector, and outputs in a block."""

_INT, _I32, _I16, _I8 = (ir.IntType(bits) for bits in (64, 32, 16, 8))
_SUMS = ir.VectorType(_I32, LANES // 2)
_WORDS = ir.VectorType(_I16, LANES)
_OCTETS = ir.VectorType(_I8, LANES)
_FLOATS = ir.VectorType(ir.FloatType(), LANES // 2)

_MAGIC = 12582912.0
"""1.5·2²³: a float32 added to it is rounded half to even to a whole number, in its low bits."""

_MAGIC_BITS = 0x4B400000


def _multiplier() -> str | None:
    """Return the processor's instruction that multiplies and adds pairs of words."""
    features = llvmlite.binding.get_host_cpu_features()
    if BYTES == 64 and features.get("avx512bw"):
        return "vnni" if features.get("avx512vnni") else "llvm.x86.avx512.pmaddw.d.512"
    return "llvm.x86.avx2.pmadd.wd" if BYTES == 32 and features.get("avx2") else None


_MULTIPLIER = _multiplier()


def _number(value: int) -> Any:
    return ir.Constant(_INT, value)


def _same(kind: Any, value: Any) -> Any:
    return ir.Constant(kind, [value] * kind.count)


def _splat(b: Any, value: Any, kind: Any) -> Any:
    nothing = ir.Constant(kind, ir.Undefined)
    first = b.insert_element(nothing, value, ir.Constant(_I32, 0))
    return b.shuffle_vector(first, nothing, _same(ir.VectorType(_I32, kind.count), 0))


def _load(b: Any, address: Any, kind: Any) -> Any:
    value = b.load(b.inttoptr(address, kind.as_pointer()))
    value.align = 1
    return value


def _store(b: Any, value: Any, address: Any) -> None:
    b.store(value, b.inttoptr(address, value.type.as_pointer())).align = 1


def _call(b: Any, name: str, kind: Any, *arguments: Any) -> Any:
    signature = ir.FunctionType(kind, [argument.type for argument in arguments])
    return b.call(cgutils.get_or_insert_function(b.module, signature, name), arguments)


def _add_products(b: Any, total: Any, pairs: Any, weights: Any) -> Any:
    """Add to each 32-bit sum both products of the words in ``pairs`` and ``weights``."""
    if _MULTIPLIER == "vnni":
        return _call(b, "llvm.x86.avx512.vpdpwssd.512", _SUMS, total, pairs, weights)
    if _MULTIPLIER is not None:
        a, w = b.bitcast(pairs, _WORDS), b.bitcast(weights, _WORDS)
        return b.add(total, _call(b, _MULTIPLIER, _SUMS, a, w))
    bits = _same(_SUMS, 16)
    low = b.mul(b.ashr(b.shl(pairs, bits), bits), b.ashr(b.shl(weights, bits), bits))
    return b.add(b.add(total, low), b.mul(b.ashr(pairs, bits), b.ashr(weights, bits)))


def _interleaved(b: Any, first: Any, second: Any) -> list[Any]:
    """Return the words of two vectors as pairs: of each 16 bytes the lower, then the upper half."""
    halves = []
    for half in (0, 4):
        places = [
            block + half + word + LANES * source
            for block in range(0, LANES, 8)
            for word in range(4)
            for source in (0, 1)
        ]
        mask = ir.Constant(ir.VectorType(_I32, LANES), places)
        halves.append(b.bitcast(b.shuffle_vector(first, second, mask), _SUMS))
    return halves


def _restored(b: Any, lower: Any, upper: Any) -> Any:
    """Return the low words of the sums that :func:`_interleaved` pairs gave, in their order."""
    places = [
        block + 2 * word + LANES * source
        for block in range(0, LANES, 8)
        for source in (0, 1)
        for word in range(4)
    ]
    mask = ir.Constant(ir.VectorType(_I32, LANES), places)
    return b.shuffle_vector(b.bitcast(lower, _WORDS), b.bitcast(upper, _WORDS), mask)


def _joined(b: Any, even: Any, odd: Any) -> Any:
    """Return words, those at even places from the sums ``even``; these are not negative."""
    return b.bitcast(b.or_(even, b.shl(odd, _same(_SUMS, 16))), _WORDS)


def _loop(
    b: Any, count: Any, carried: list[Any], body: Callable[[Any, list[Any]], list[Any]]
) -> Any:
    """Write a loop of at least one round; see :meth:`~.simd.Emitter.repeat`."""
    before, head = b.block, b.function.append_basic_block()
    after = b.function.append_basic_block()
    b.branch(head)
    b.position_at_end(head)
    index = b.phi(_INT)
    index.add_incoming(_number(0), before)
    entering = [b.phi(value.type) for value in carried]
    for phi, value in zip(entering, carried, strict=True):
        phi.add_incoming(value, before)
    leaving = body(index, entering)
    following = b.add(index, _number(1))
    index.add_incoming(following, b.block)
    for phi, value in zip(entering, leaving, strict=True):
        phi.add_incoming(value, b.block)
    b.cbranch(b.icmp_signed("<", following, count), head, after)
    b.position_at_end(after)
    return leaving


def _over_blocks(b: Any, width: Any, body: Callable[[Any], None]) -> None:
    """Write a loop over blocks of :data:`LANES` outputs; the last may overlap the one before."""
    lanes = _number(LANES)
    last = b.sub(width, lanes)

    def one(place: Any, _: list[Any]) -> list[Any]:
        x = b.mul(place, lanes)
        body(b.select(b.icmp_signed("<", x, last), x, last))
        return []

    count = b.sdiv(b.add(width, _number(LANES - 1)), lanes)
    _loop(b, count, [], one)


def _weight(b: Any, weights: Any, index: Any) -> Any:
    place = b.add(weights, b.mul(index, _number(4)))
    return _splat(b, b.load(b.inttoptr(place, _I32.as_pointer())), _SUMS)


def _column_pass(b: Any, arguments: Any) -> None:
    lines, weights, pairs, shift, target, stride, width = arguments
    bits = b.trunc(shift, _I32)
    one = ir.Constant(_I32, 1)
    half = _splat(b, b.lshr(b.shl(one, bits), one), _SUMS)
    places = _splat(b, bits, _SUMS)

    def block(x: Any) -> None:
        def pair(index: Any, sums: list[Any]) -> list[Any]:
            words = []
            for row in (0, 1):
                line = b.add(b.mul(index, _number(16)), _number(8 * row))
                start = b.load(b.inttoptr(b.add(lines, line), _INT.as_pointer()))
                words.append(b.zext(_load(b, b.add(start, x), _OCTETS), _WORDS))
            halves = _interleaved(b, *words)
            leaving = []
            for row in range(ROWS):
                number = b.add(b.mul(index, _number(ROWS)), _number(row))
                weight = _weight(b, weights, number)
                for side, data in enumerate(halves):
                    leaving.append(_add_products(b, sums[2 * row + side], data, weight))
            return leaving

        sums = _loop(b, pairs, [half] * (2 * ROWS), pair)
        for row in range(ROWS):
            lower, upper = (b.ashr(value, places) for value in sums[2 * row : 2 * row + 2])
            place = b.add(b.mul(stride, _number(row)), x)
            end = b.add(target, b.mul(place, _number(2)))
            _store(b, _restored(b, lower, upper), end)

    _over_blocks(b, width, block)


def _octets(b: Any, total: Any, scale: Any) -> Any:
    """Return sums times ``scale``, rounded half to even and cut to 0 … 255, still 32 bits wide."""
    value = b.sitofp(total, _FLOATS)
    magic = _same(_FLOATS, _MAGIC)
    rounded = _call(b, f"llvm.fma.v{LANES // 2}f32", _FLOATS, value, scale, magic)
    whole = b.sub(b.bitcast(rounded, _SUMS), _same(_SUMS, _MAGIC_BITS))
    for name, limit in (("smax", 0), ("smin", 255)):
        whole = _call(b, f"llvm.{name}.v{LANES // 2}i32", _SUMS, whole, _same(_SUMS, limit))
    return whole


def _row_pass(b: Any, arguments: Any, neighbours: bool) -> None:
    source, stride, weights, pairs, step, targets, width, scale_bits = arguments
    single = b.bitcast(b.trunc(scale_bits, _I32), ir.FloatType())
    scale = _splat(b, single, _FLOATS)
    zero = _same(_SUMS, 0)

    def block(x: Any) -> None:
        def pair(index: Any, sums: list[Any]) -> list[Any]:
            number = b.mul(index, _number(2))
            even = _weight(b, weights, number)
            odd = _weight(b, weights, b.add(number, _number(1))) if neighbours else even
            leaving = []
            for row in range(ROWS):
                line = b.add(b.mul(stride, _number(row)), x)
                place = b.add(line, b.mul(number, step))
                start = b.add(source, b.mul(place, _number(2)))
                if neighbours:
                    both = [_load(b, start, _SUMS)] * 2
                else:
                    following = b.add(start, b.mul(step, _number(2)))
                    both = _interleaved(b, _load(b, start, _WORDS), _load(b, following, _WORDS))
                for side, weight in enumerate((even, odd)):
                    leaving.append(_add_products(b, sums[2 * row + side], both[side], weight))
            return leaving

        sums = _loop(b, pairs, [zero] * (2 * ROWS), pair)
        for row in range(ROWS):
            first, second = (_octets(b, value, scale) for value in sums[2 * row : 2 * row + 2])
            words = _joined(b, first, second) if neighbours else _restored(b, first, second)
            target = b.load(b.inttoptr(b.add(targets, _number(8 * row)), _INT.as_pointer()))
            _store(b, b.trunc(words, _OCTETS), b.add(target, x))

    _over_blocks(b, width, block)


def _written(name: str, write: Callable[[Any, Any], None], count: int) -> Callable[..., Any]:
    """Return a generator of calls of a function of its own, so that it has all registers."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        function = builder.module.globals.get(name)
        if function is None:
            kind = ir.FunctionType(ir.VoidType(), [_INT] * count)
            function = ir.Function(builder.module, kind, name)
            function.linkage = "internal"
            function.attributes.add("noinline")
            inside = ir.IRBuilder(function.append_basic_block("start"))
            write(inside, function.args)
            inside.ret_void()
        builder.call(function, arguments)
        return context.get_dummy_value()

    return generate


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
    """Make :data:`ROWS` rows of words from the rows whose addresses stand at ``lines``.

    ``weights`` is the address of :data:`ROWS` pairs of words for each pair of rows. Sums are
    divided by two to the ``shift``, rounded half up.
    """
    generate = _written("convtool_column_pass", _column_pass, 7)
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
    """Make octets from :data:`ROWS` rows of words; ``targets`` is where their addresses stand.

    ``scale`` is the bit pattern of a float32. Pixels are more than one word apart.
    """

    def write(b: Any, arguments: Any) -> None:
        _row_pass(b, arguments, neighbours=False)

    return types.void(*[types.intp] * 8), _written("convtool_row_pass", write, 8)


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
    """Make octets as :func:`row_pass` does, from pixels of one word."""

    def write(b: Any, arguments: Any) -> None:
        _row_pass(b, arguments, neighbours=True)

    return types.void(*[types.intp] * 8), _written("convtool_grey_row_pass", write, 8)
