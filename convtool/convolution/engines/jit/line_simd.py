"""Loops over one line of scalars: vectors first, then what is left one by one."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from convtool.compiled.emitter import INT, LANE, Emitter

Convert = Callable[[Emitter, Any, Any], None]
"""Writes the code that converts one vector from an address to another."""


def reader(bits: int, signed: bool) -> Convert:
    """Return a conversion from integers of so many bits to the emitter's scalars."""

    def convert(e: Emitter, source: Any, target: Any) -> None:
        integers = ir.VectorType(ir.IntType(bits), e.lanes)
        value = e.builder.load(e.builder.bitcast(source, integers.as_pointer()))
        value.align = 1
        widen = e.builder.sitofp if signed else e.builder.uitofp
        e.store(widen(value, e.vector), target)

    return convert


def writer(bits: int) -> Convert:
    """Return a conversion to unsigned integers of so many bits (at most 16).

    Values are rounded half to even; those outside the type's range become its ends, NaN 0.
    """

    def convert(e: Emitter, source: Any, target: Any) -> None:
        zero = ir.Constant(e.vector, [0.0] * e.lanes)
        most = ir.Constant(e.vector, [float((1 << bits) - 1)] * e.lanes)
        value = e.intrinsic("maxnum", [e.load(source), zero])
        value = e.intrinsic("nearbyint", [e.intrinsic("minnum", [value, most])])
        wide = e.builder.fptosi(value, ir.VectorType(ir.IntType(e.bits), e.lanes))
        e.store(e.builder.trunc(wide, ir.VectorType(ir.IntType(bits), e.lanes)), target)

    return convert


def widener(e: Emitter, source: Any, target: Any) -> None:
    """Write the code that converts a vector of float32 to float64."""
    singles = ir.VectorType(ir.FloatType(), e.lanes)
    value = e.builder.load(e.builder.bitcast(source, singles.as_pointer()))
    value.align = 1
    e.store(e.builder.fpext(value, e.vector), target)


def copier(e: Emitter, source: Any, target: Any) -> None:
    """Write the code that copies a vector of the emitter's scalars."""
    e.store(e.load(source), target)


def over_line(
    builder: Any,
    scalar: Any,
    lanes: int,
    count: Any,
    one: Callable[[Emitter, Any], None],
) -> None:
    """Write a loop over ``count`` scalars: ``one(emitter, place)`` on vectors, then one by one."""
    whole = builder.sub(count, builder.srem(count, ir.Constant(INT, lanes)))
    nothing = ir.Constant(INT, 0)
    for width, first, last in ((lanes, nothing, whole), (1, whole, count)):
        emitter = Emitter(builder, scalar, width)

        def step(index: Any, _: list[Any], e: Emitter = emitter, start: Any = first) -> list[Any]:
            one(e, builder.add(start, builder.mul(index, e.number(e.lanes))))
            return []

        rounds = builder.sdiv(builder.sub(last, first), emitter.number(width))
        with builder.if_then(builder.icmp_signed(">", rounds, nothing)):
            emitter.repeat(rounds, [], step)


def convert_line(
    builder: Any, scalar: Any, lanes: int, convert: Convert, source: Any, target: Any, count: Any
) -> None:
    """Write the code that converts ``count`` scalars."""

    def one(e: Emitter, place: Any) -> None:
        convert(e, builder.gep(source, [place]), builder.gep(target, [place]))

    over_line(builder, scalar, lanes, count, one)


def halve_line(builder: Any, scalar: Any, lanes: int, line: Any, count: Any) -> None:
    """Write the code that moves every second scalar of a line, ``count`` of them, to its front."""

    def one(e: Emitter, place: Any) -> None:
        near = builder.gep(line, [builder.mul(place, e.number(2))])
        if e.lanes == 1:
            e.store(e.load(near), builder.gep(line, [place]))
            return
        # The last vector ends one scalar early: nothing beyond those that are kept is read.
        far = builder.gep(near, [e.number(e.lanes - 1)])
        chosen = [2 * n for n in range(e.lanes // 2)]
        chosen += [e.lanes + 2 * n + 1 for n in range(e.lanes // 2)]
        mask = ir.Constant(ir.VectorType(LANE, e.lanes), chosen)
        kept = builder.shuffle_vector(e.load(near), e.load(far), mask)
        e.store(kept, builder.gep(line, [place]))

    over_line(builder, scalar, lanes, count, one)


PIXEL = 4
"""Scalars of a vector that holds a pixel."""


def thin_line(builder: Any, scalar: Any, line: Any, step: Any, stride: Any, count: Any) -> None:
    """Write the code that moves every ``stride``-th pixel of a line, ``count``, to its front.

    A pixel has ``step`` scalars, at most `PIXEL`; as many are moved, and what is too much is
    overwritten by the next. ``step`` times ``stride`` is `PIXEL` at least, so that no pixel is that
    is still to be moved. The last pixel is left to the caller.
    """
    e = Emitter(builder, scalar, PIXEL)
    distance = builder.mul(step, stride)

    def one(index: Any, _: list[Any]) -> list[Any]:
        pixel = e.load(builder.gep(line, [builder.mul(index, distance)]))
        e.store(pixel, builder.gep(line, [builder.mul(index, step)]))
        return []

    rounds = builder.sub(count, e.number(1))
    with builder.if_then(builder.icmp_signed(">", rounds, e.number(0))):
        e.repeat(rounds, [], one)


def fill_line(builder: Any, scalar: Any, lanes: int, value: Any, target: Any, count: Any) -> None:
    """Write the code that writes a value ``count`` times."""

    def one(e: Emitter, place: Any) -> None:
        e.store(e.splat(value), builder.gep(target, [place]))

    over_line(builder, scalar, lanes, count, one)


def add_weighted_line(
    builder: Any, scalar: Any, lanes: int, weight: Any, source: Any, target: Any, count: Any
) -> None:
    """Write the code that adds ``weight`` times ``count`` scalars to others."""

    def one(e: Emitter, place: Any) -> None:
        total = builder.gep(target, [place])
        value = e.load(builder.gep(source, [place]))
        e.store(e.intrinsic("fma", [value, e.splat(weight), e.load(total)]), total)

    over_line(builder, scalar, lanes, count, one)


def magnitude_line(
    builder: Any, scalar: Any, lanes: int, scale: Any, down: Any, right: Any, count: Any
) -> None:
    """Write the code that puts sqrt(down² + right²) in place of ``down``.

    Both are multiplied by ``scale`` before they are squared and the root is divided by it, so that
    squares of very large and very small values fit.
    """

    def one(e: Emitter, place: Any) -> None:
        here = builder.gep(down, [place])
        factor = e.splat(scale)
        a = builder.fmul(e.load(here), factor)
        b = builder.fmul(e.load(builder.gep(right, [place])), factor)
        total = e.intrinsic("fma", [a, a, builder.fmul(b, b)])
        e.store(builder.fdiv(e.intrinsic("sqrt", [total]), factor), here)

    over_line(builder, scalar, lanes, count, one)


def largest_of_line(builder: Any, scalar: Any, lanes: int, source: Any, count: Any) -> Any:
    """Write the code that finds the largest magnitude of ``count`` scalars; NaN counts as 0."""
    whole = ir.VectorType(scalar, lanes)
    found = builder.alloca(whole)
    builder.store(ir.Constant(whole, [0.0] * lanes), found)

    def one(e: Emitter, place: Any) -> None:
        here = builder.bitcast(found, e.vector.as_pointer())
        value = e.intrinsic("fabs", [e.load(builder.gep(source, [place]))])
        builder.store(e.intrinsic("maxnum", [builder.load(here), value]), here)

    over_line(builder, scalar, lanes, count, one)
    values = builder.load(found)
    largest = builder.extract_element(values, ir.Constant(LANE, 0))
    for lane in range(1, lanes):
        value = builder.extract_element(values, ir.Constant(LANE, lane))
        larger = builder.fcmp_ordered(">", value, largest)
        largest = builder.select(larger, value, largest)
    return largest


def line_is_finite(builder: Any, scalar: Any, lanes: int, source: Any, count: Any) -> Any:
    """Write the code that tells (i1) whether none of ``count`` scalars is NaN or inf.

    The product of a number with zero is zero, that of NaN or inf is NaN.
    """
    whole = ir.VectorType(scalar, lanes)
    found = builder.alloca(whole)
    builder.store(ir.Constant(whole, [0.0] * lanes), found)

    def one(e: Emitter, place: Any) -> None:
        sums = builder.bitcast(found, e.vector.as_pointer())
        zero = ir.Constant(e.vector, [0.0] * e.lanes)
        value = e.load(builder.gep(source, [place]))
        builder.store(e.intrinsic("fma", [value, zero, builder.load(sums)]), sums)

    over_line(builder, scalar, lanes, count, one)
    clean = builder.fcmp_ordered("==", builder.load(found), ir.Constant(whole, [0.0] * lanes))
    bits = builder.bitcast(clean, ir.IntType(lanes))
    return builder.icmp_unsigned("==", bits, ir.Constant(ir.IntType(lanes), (1 << lanes) - 1))
