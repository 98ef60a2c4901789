"""Vectors for Numba: a type that is one machine register of float32, and the matrix kernel.

Numba leaves vectors to the compiler's luck. Here they are a type of their own, ``VECTOR``, with
loads, stores and arithmetic that each become one instruction, and :func:`tile`, a small matrix
product whose sums stay in registers from the first product to the last. All work on one flat
float32 memory, addressed by whole numbers.

References
----------
Goto, van de Geijn (2008): Anatomy of high-performance matrix multiplication. Cody, Waite (1980):
Software manual for the elementary functions (the argument reduction of ``exp``).
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from convtool.compiled import emitter
from convtool.compiled.jit import entry
from convtool.nn.jit import widths
from convtool.nn.jit.operations import OPERATIONS
from convtool.nn.jit.widths import PANEL

WIDTH = widths.width()
"""How many float32 numbers one vector holds."""
MAX_ROWS = widths.max_rows()
"""The most rows of a tile, by its number of vectors."""

FLOAT, INT = ir.FloatType(), ir.IntType(64)
VECTORS = ir.VectorType(FLOAT, WIDTH)
INTS = ir.VectorType(ir.IntType(32), WIDTH)


class _VectorType(types.Type):  # type: ignore[misc]  # Numba has no types for mypy
    def __init__(self) -> None:
        super().__init__(name=f"float32x{WIDTH}")


VECTOR = _VectorType()
MEMORY = types.CPointer(types.float32)
ROW = types.CPointer(types.int64)


@register_model(_VectorType)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, VECTORS)


operation = entry(MEMORY, ROW, fastmath=frozenset({"contract"}))
"""Compile ``f(mem, row)``, which reads its fields from its row."""


def _pointer(builder: Any, memory: Any, index: Any, kind: Any) -> Any:
    address = builder.gep(memory, [index])
    return builder.bitcast(address, kind.as_pointer())


def _load(builder: Any, memory: Any, index: Any) -> Any:
    return builder.load(_pointer(builder, memory, index, VECTORS), align=4)


def _store(builder: Any, memory: Any, index: Any, value: Any) -> None:
    builder.store(value, _pointer(builder, memory, index, VECTORS), align=4)


def constant(value: float) -> Any:
    """Return a vector of one constant."""
    return emitter.same(VECTORS, float(np.float32(value)))


def llvm(builder: Any, name: str, arguments: list[Any]) -> Any:
    """Emit a call of one of LLVM's own functions on vectors."""
    return emitter.call(builder, f"llvm.{name}.v{WIDTH}f32", VECTORS, *arguments)


for _operator, _method in {
    operator.add: "fadd",
    operator.sub: "fsub",
    operator.mul: "fmul",
    operator.truediv: "fdiv",
}.items():

    @infer_global(_operator)
    class _Arithmetic(AbstractTemplate):  # type: ignore[misc]
        def generic(self, args: Any, kws: Any) -> Any:
            """Type vector with vector."""
            return signature(VECTOR, VECTOR, VECTOR) if args == (VECTOR, VECTOR) else None

    def _lower(context: Any, builder: Any, sig: Any, args: Any, method: str = _method) -> Any:
        return getattr(builder, method)(*args, flags=("contract",))

    lower_builtin(_operator, VECTOR, VECTOR)(_lower)


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def unpack(typingctx: Any, row: Any, operation: Any) -> Any:
    """Return the fields of an operation's row as its named tuple."""
    fields = OPERATIONS[operation.literal_value]
    count = len(fields._fields)
    kind = types.NamedUniTuple(types.int64, count, fields)

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        numbers = [
            builder.load(builder.gep(args[0], [ir.Constant(INT, i + 1)])) for i in range(count)
        ]
        return context.make_tuple(builder, kind, numbers)

    return kind(row, operation), code


@intrinsic  # type: ignore[untyped-decorator]
def load(typingctx: Any, memory: Any, index: Any) -> Any:
    """Return the vector at an index."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _load(builder, *args)

    return VECTOR(MEMORY, types.int64), code


@intrinsic  # type: ignore[untyped-decorator]
def store(typingctx: Any, memory: Any, index: Any, value: Any) -> Any:
    """Write a vector at an index."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        _store(builder, *args)
        return context.get_dummy_value()

    return types.void(MEMORY, types.int64, VECTOR), code


@intrinsic  # type: ignore[untyped-decorator]
def splat(typingctx: Any, value: Any) -> Any:
    """Return a vector of one number."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return emitter.splat(builder, args[0], VECTORS)

    return VECTOR(types.float32), code


@intrinsic  # type: ignore[untyped-decorator]
def select_greater(typingctx: Any, a: Any, b: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where a > b, else `no`."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", args[0], args[1]), args[2], args[3])

    return VECTOR(VECTOR, VECTOR, VECTOR, VECTOR), code


@intrinsic  # type: ignore[untyped-decorator]
def select_equal(typingctx: Any, a: Any, b: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where a == b, else `no`."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("==", args[0], args[1]), args[2], args[3])

    return VECTOR(VECTOR, VECTOR, VECTOR, VECTOR), code


@intrinsic  # type: ignore[untyped-decorator]
def root(typingctx: Any, value: Any) -> Any:
    """Return the square root."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return llvm(builder, "sqrt", [args[0]])

    return VECTOR(VECTOR), code


@intrinsic  # type: ignore[untyped-decorator]
def total(typingctx: Any, value: Any) -> Any:
    """Return the sum of a vector's numbers, added pairwise."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value, lanes = args[0], WIDTH
        while lanes > 1:
            lanes //= 2
            order = [i + lanes if i < lanes else i for i in range(WIDTH)]
            mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), order)
            value = builder.fadd(value, builder.shuffle_vector(value, value, mask))
        return builder.extract_element(value, ir.Constant(INT, 0))

    return types.float32(VECTOR), code


@intrinsic  # type: ignore[untyped-decorator]
def exponential(typingctx: Any, value: Any) -> Any:
    """Return exp(x) to 2 units in the last place; below -87 and above 88 it is that of the end."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        x = llvm(builder, "minnum", [args[0], constant(88.0)])
        x = llvm(builder, "maxnum", [x, constant(-87.0)])
        n = llvm(builder, "fma", [x, constant(1.4426950408889634), constant(0.5)])
        n = llvm(builder, "floor", [n])
        r = llvm(builder, "fma", [n, constant(-0.693359375), x])
        r = llvm(builder, "fma", [n, constant(2.12194440e-4), r])
        p = constant(1.9875691500e-4)
        for factor in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5):
            p = llvm(builder, "fma", [p, r, constant(factor)])
        p = llvm(builder, "fma", [p, builder.fmul(r, r), r])
        p = builder.fadd(p, constant(1.0))
        power = builder.add(builder.fptosi(n, INTS), ir.Constant(INTS, [127] * WIDTH))
        power = builder.shl(power, ir.Constant(INTS, [23] * WIDTH))
        return builder.fmul(p, builder.bitcast(power, VECTORS))

    return VECTOR(VECTOR), code


@intrinsic  # type: ignore[untyped-decorator]
def tile(
    typingctx: Any,
    memory: Any,
    vectors: Any,
    rows: Any,
    c: Any,
    c_row: Any,
    a: Any,
    a_row: Any,
    a_inner: Any,
    a_outer: Any,
    b: Any,
    b_inner: Any,
    b_outer: Any,
    inner: Any,
    outer: Any,
    start: Any,
) -> Any:
    """Multiply: ``C[r, :] = start + sum over o, i of A[r, o, i] * B[o, i, :]``.

    `rows` (at most ``MAX_ROWS[vectors]``) of `vectors` vectors each are summed in registers. All
    names but `memory`, `vectors` and `rows` are indices into memory and distances there;
    `inner` and `outer` count the products. `start` is the index of the vectors that every row
    starts with (a bias), -1 for zero, or -2 to add to what is in C.
    """

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        memory, vectors, rows, *numbers = args
        done = builder.append_basic_block("tile_done")
        key = builder.add(builder.mul(vectors, ir.Constant(INT, 16)), rows)
        choice = builder.switch(key, done)
        for width in range(1, PANEL + 1):
            for height in range(1, MAX_ROWS[width] + 1):
                block = builder.append_basic_block(f"tile_{height}x{width}")
                choice.add_case(ir.Constant(INT, width * 16 + height), block)
                builder.position_at_end(block)
                _emit_tile(builder, memory, width, height, numbers)
                builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return types.void(MEMORY, *(types.int64,) * 14), code


def _emit_tile(builder: Any, memory: Any, width: int, height: int, numbers: list[Any]) -> None:
    c, c_row, a, a_row, a_inner, a_outer, b, b_inner, b_outer, inner, outer, start = numbers
    sums = [[cgutils.alloca_once(builder, VECTORS) for _ in range(width)] for _ in range(height)]
    spans = [ir.Constant(INT, v * WIDTH) for v in range(width)]
    _start_sums(builder, memory, sums, spans, c, c_row, start)
    a_rows = [builder.add(a, builder.mul(a_row, ir.Constant(INT, r))) for r in range(height)]
    with cgutils.for_range(builder, outer) as out:
        a_base = builder.mul(out.index, a_outer)
        b_base = builder.add(b, builder.mul(out.index, b_outer))
        with cgutils.for_range(builder, inner) as loop:
            a_step = builder.add(a_base, builder.mul(loop.index, a_inner))
            b_step = builder.add(b_base, builder.mul(loop.index, b_inner))
            _add_products(
                builder,
                sums,
                lambda r: _spread(builder, memory, builder.add(a_rows[r], a_step)),
                lambda v: _load(builder, memory, builder.add(b_step, spans[v])),
            )
    for r in range(height):
        row = builder.add(c, builder.mul(c_row, ir.Constant(INT, r)))
        for v in range(width):
            _store(builder, memory, builder.add(row, spans[v]), builder.load(sums[r][v]))


def _spread(builder: Any, memory: Any, index: Any) -> Any:
    return emitter.splat(builder, builder.load(builder.gep(memory, [index])), VECTORS)


def _add_products(
    builder: Any, sums: Any, row: Callable[[int], Any], column: Callable[[int], Any]
) -> None:
    """Add the product of each row's number and each column's vector to its sum.

    The fewer of the two stay in registers, and the others pass through one.
    """
    height, width = len(sums), len(sums[0])

    def add(r: int, v: int, number: Any, vector: Any) -> None:
        place = sums[r][v]
        builder.store(llvm(builder, "fma", [number, vector, builder.load(place)]), place)

    if height < width:
        numbers = [row(r) for r in range(height)]
        for v in range(width):
            vector = column(v)
            for r in range(height):
                add(r, v, numbers[r], vector)
    else:
        vectors = [column(v) for v in range(width)]
        for r in range(height):
            number = row(r)
            for v in range(width):
                add(r, v, number, vectors[v])


def _start_sums(
    builder: Any, memory: Any, sums: Any, spans: Any, c: Any, c_row: Any, start: Any
) -> None:
    """Set the sums to the bias (start >= 0), to zero (-1), or to what C holds (-2)."""
    add = builder.icmp_signed("==", start, ir.Constant(INT, -2))
    zero = builder.icmp_signed("==", start, ir.Constant(INT, -1))
    base = builder.select(add, c, builder.select(zero, ir.Constant(INT, 0), start))
    step = builder.select(add, c_row, ir.Constant(INT, 0))
    for r, row in enumerate(sums):
        first = builder.add(base, builder.mul(step, ir.Constant(INT, r)))
        for v, place in enumerate(row):
            value = _load(builder, memory, builder.add(first, spans[v]))
            builder.store(builder.select(zero, constant(0.0), value), place)
