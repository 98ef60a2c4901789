"""LLVM's vector code of sums in a given order, and of answers that are truncated.

Products are rounded before they are added: a fused multiply-add would give other sums than SciPy.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from convtool.compiled.emitter import INT, Emitter, splat, switched
from convtool.convolution.engines.jit.line_simd import over_line
from convtool.ndimage.jit.job import (
    ADD,
    ADD_SQUARE,
    ANTISYMMETRIC,
    MAGNITUDE,
    SQUARE,
    SYMMETRIC,
    UNIFORM,
)

DOUBLE = ir.DoubleType()
VECTORS = 8
"""Vectors of sums that are made at once: as many as hide the time that an addition takes."""


def while_less(
    b: Any, first: Any, last: Any, step: int, carried: list[Any], body: Callable[..., list[Any]]
) -> list[Any]:
    """Write ``for k in range(first, last, step): carried = body(k, carried)``, maybe no round."""
    before = b.block
    head, inside, after = (b.function.append_basic_block() for _ in range(3))
    b.branch(head)
    b.position_at_end(head)
    index = b.phi(INT)
    index.add_incoming(first, before)
    entering = [b.phi(value.type) for value in carried]
    for phi, value in zip(entering, carried, strict=True):
        phi.add_incoming(value, before)
    b.cbranch(b.icmp_signed("<", index, last), inside, after)
    b.position_at_end(inside)
    leaving = body(index, entering)
    following = b.add(index, ir.Constant(INT, step))
    index.add_incoming(following, b.block)
    for phi, value in zip(entering, leaving, strict=True):
        phi.add_incoming(value, b.block)
    b.branch(head)
    b.position_at_end(after)
    return entering


class Arithmetic:
    """How sums of one type of scalars are made.

    Parameters
    ----------
    builder : IRBuilder
        What instructions are written with.
    scalar : Type
        LLVM's type of a scalar: a double or an integer, which overflows as in C's unsigned types.
    """

    def __init__(self, builder: Any, scalar: Any) -> None:
        b = builder
        self.is_float = scalar in (DOUBLE, ir.FloatType())
        self.add, self.subtract, self.multiply = (
            (b.fadd, b.fsub, b.fmul) if self.is_float else (b.add, b.sub, b.mul)
        )


def weigh(
    b: Any,
    scalar: Any,
    lanes: int,
    kind: int,
    source: Any,
    near: Any,
    far: Any,
    weights: Any,
    terms: Any,
    start: Any,
    target: Any,
    count: Any,
) -> None:
    """Write the code that sums terms into ``count`` scalars, rounded up to whole vectors."""
    e, does = Emitter(b, scalar, lanes), Arithmetic(b, scalar)

    def load_all(offset: Any, at: Any, vectors: int) -> list[Any]:
        place = b.gep(source, [b.add(offset, at)])
        return [e.load(e.at(place, v * lanes)) for v in range(vectors)]

    def times(values: list[Any], term: Any) -> list[Any]:
        if kind == UNIFORM:
            return values
        weight = e.splat(b.load(e.at(weights, term)))
        return [does.multiply(value, weight) for value in values]

    def block(at: Any, vectors: int) -> None:
        sums = times(load_all(b.load(near), at, vectors), e.number(0))
        if does.is_float:
            begin = e.splat(start)
            sums = [b.fadd(value, begin) for value in sums]

        def add(term: Any, entering: list[Any]) -> list[Any]:
            values = load_all(b.load(e.at(near, term)), at, vectors)
            if kind in (SYMMETRIC, ANTISYMMETRIC):
                join = does.subtract if kind == ANTISYMMETRIC else does.add
                partners = load_all(b.load(e.at(far, term)), at, vectors)
                values = [join(v, p) for v, p in zip(values, partners, strict=True)]
            return [does.add(s, v) for s, v in zip(entering, times(values, term), strict=True)]

        sums = while_less(b, e.number(1), terms, 1, sums, add)
        for v, value in enumerate(sums):
            e.store(value, e.at(target, b.add(at, e.number(v * lanes))))

    def over(first: Any, last: Any, vectors: int) -> None:
        def body(at: Any, _: list[Any]) -> list[Any]:
            block(at, vectors)
            return []

        while_less(b, first, last, vectors * lanes, [], body)

    wide = e.number(VECTORS * lanes)
    whole = b.sub(count, b.srem(count, wide))
    over(e.number(0), whole, VECTORS)
    over(whole, count, 1)


def quotient(e: Emitter, value: Any, size: Any, reciprocal: Any, corrections: int) -> Any:
    """Write ``value / size``, rightly rounded, for values whose quotients are normal, 0 or inf.

    One correction is enough where the product with the reciprocal is less than a unit in the last
    place from the quotient, two are elsewhere. The rest of an infinite quotient is NaN.

    References
    ----------
    P. Markstein, "Computation of elementary functions on the IBM RISC System/6000 processor", IBM
    Journal of Research and Development 34 (1990), theorem 5.
    """
    b = e.builder
    zero = ir.Constant(e.vector, [-0.0] * e.lanes)
    first = found = b.fmul(value, reciprocal)
    rests = []
    for _ in range(corrections):
        rests.append(e.intrinsic("fma", [b.fsub(zero, found), size, value]))
        found = e.intrinsic("fma", [rests[-1], reciprocal, found])
    return b.select(b.fcmp_ordered("ord", rests[0], rests[0]), found, first)


def mean(
    b: Any,
    scalar: Any,
    lanes: int,
    size: Any,
    reciprocal: Any,
    corrections: Any,
    total: Any,
    target: Any,
    count: Any,
    new: Any = None,
    old: Any = None,
) -> None:
    """Write the code for ``target = total / size``, rounded up to whole vectors.

    Where there are new and old pixels, their difference is added to the total before. Totals of
    32-bit integers are from 0 to 2**22 and divided as integers.
    """
    e, does = Emitter(b, scalar, lanes), Arithmetic(b, scalar)

    def over(divide: Callable[[Any], Any]) -> None:
        def body(at: Any, _: list[Any]) -> list[Any]:
            here = e.at(total, at)
            value = e.load(here)
            if new is not None:
                difference = does.subtract(e.load(e.at(new, at)), e.load(e.at(old, at)))
                value = does.add(value, difference)
                e.store(value, here)
            e.store(divide(value), e.at(target, at))
            return []

        while_less(b, e.number(0), count, lanes, [], body)

    if not does.is_float:
        singles = ir.VectorType(ir.FloatType(), lanes)
        half = ir.Constant(singles, [0.5] * lanes)
        factor = splat(b, b.fptrunc(reciprocal, ir.FloatType()), singles)

        def as_integers(value: Any) -> Any:
            raised = b.fadd(b.sitofp(value, singles), half)
            return b.fptosi(b.fmul(raised, factor), e.vector)

        over(as_integers)
        return
    sizes, reciprocals = e.splat(size), e.splat(reciprocal)

    def write(number: int) -> None:
        if number == 0:
            over(lambda value: b.fdiv(value, sizes))
        else:
            over(lambda value: quotient(e, value, sizes, reciprocals, number))

    switched(b, corrections, range(3), write)


def truncate(e: Emitter, value: Any, kind: Any, bits: int) -> Any:
    """Write the conversion of sums to a type as compiled C does it on x86-64.

    Doubles are truncated to integers: those of up to 16 bits by way of 32 bits, uint32 by way of
    64. Integers lose their upper bits.
    """
    b = e.builder
    if kind == e.scalar:
        return value
    if kind == ir.FloatType():
        return b.fptrunc(value, ir.VectorType(kind, e.lanes))
    by_way = e.scalar
    if e.scalar == DOUBLE:
        by_way = ir.IntType(max(32, bits))
        value = b.fptosi(value, ir.VectorType(by_way, e.lanes))
    return value if kind == by_way else b.trunc(value, ir.VectorType(kind, e.lanes))


def root(e: Emitter, value: Any, kind: Any) -> Any:
    """Write the roots of floats, or of 8-bit numbers, truncated; those of others are not asked."""
    b = e.builder
    if kind == ir.IntType(8):
        singles = Emitter(b, ir.FloatType(), e.lanes)
        value = singles.intrinsic("sqrt", [b.uitofp(value, singles.vector)])
        return b.fptoui(value, ir.VectorType(kind, e.lanes))
    if kind in (DOUBLE, ir.FloatType()):
        return Emitter(b, kind, e.lanes).intrinsic("sqrt", [value])
    return value


def write_line(
    b: Any,
    scalar: Any,
    lanes: int,
    how: int,
    kind: Any,
    bits: int,
    source: Any,
    target: Any,
    count: Any,
) -> None:
    """Write the code that writes ``count`` answers in one of the ways of :mod:`~.job`."""
    does = Arithmetic(b, kind)

    def one(e: Emitter, place: Any) -> None:
        values = ir.VectorType(kind, e.lanes)
        here = b.bitcast(b.gep(target, [place]), values.as_pointer())
        value = truncate(e, e.load(b.gep(source, [place])), kind, bits)
        if how in (SQUARE, ADD_SQUARE, MAGNITUDE):
            value = does.multiply(value, value)
        if how in (ADD, ADD_SQUARE, MAGNITUDE):
            there = b.load(here)
            there.align = 1
            value = does.add(there, value)
        if how == MAGNITUDE:
            value = root(e, value, kind)
        b.store(value, here).align = 1

    over_line(b, scalar, lanes, count, one)


def read_line(
    b: Any, scalar: Any, lanes: int, kind: Any, signed: bool, source: Any, target: Any, count: Any
) -> None:
    """Write the code that reads ``count`` integer pixels as integers of no fewer bits."""
    widen = b.sext if signed else b.zext

    def one(e: Emitter, place: Any) -> None:
        values = ir.VectorType(kind, e.lanes)
        value = b.load(b.bitcast(b.gep(source, [place]), values.as_pointer()))
        value.align = 1
        e.store(value if kind == scalar else widen(value, e.vector), b.gep(target, [place]))

    over_line(b, scalar, lanes, count, one)
