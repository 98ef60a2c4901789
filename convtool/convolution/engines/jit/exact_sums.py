"""Tells whether sums of an image's pixels are exact: then the order of additions does not matter.

A running sum in float64 adds what enters its window and subtracts what leaves it. Where all pixels
are whole multiples of one number, few enough bits above it, nothing is ever rounded, and no trace
is left of what has gone. That holds for whole numbers, whatever they were divided by, and for most
pictures.
"""

from functools import reduce
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import Emitter
from convtool.compiled.jit import compiled
from convtool.compiled.memory import pointer_of
from convtool.convolution.engines.jit.vectors import (
    VECTOR_BYTES,
    fill_line,
    kind_of,
    lanes_of,
    lanes_of_kind,
)

_INT = ir.IntType(64)

EXACT_BITS = 2.0**52
"""Whole numbers up to here are exact in float64, and so are their halves."""

NOTES_BYTES = 3 * VECTOR_BYTES
"""Memory for notes, and for a scalar beside them."""

float32_at = pointer_of(np.dtype(np.float32))
float64_at = pointer_of(np.dtype(np.float64))


SIDE_BY_SIDE = 2
"""Vectors that are looked at together, so that one need not wait for the other."""


@intrinsic  # type: ignore[untyped-decorator]
def survey_line(_typing: Any, like: Any, start: Any, count: Any, notes: Any) -> Any:
    """Note the largest magnitude of ``count`` scalars, and their least bit that is set.

    ``notes`` is the address of a vector of magnitudes, NaN the largest, and of one of numbers just
    below that bit of any scalar but 0; NaN where there is none.
    """
    scalar, lanes = kind_of(like), lanes_of_kind(like)
    bits = 32 if scalar == ir.FloatType() else 64

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source = builder.inttoptr(arguments[1], scalar.as_pointer())
        largest = builder.inttoptr(arguments[3], scalar.as_pointer())
        finest = builder.gep(largest, [ir.Constant(_INT, lanes)])

        def larger(a: Any, b: Any) -> Any:
            return builder.select(builder.icmp_signed(">", a, b), a, b)

        def finer(a: Any, b: Any) -> Any:
            return builder.select(builder.icmp_unsigned("<", a, b), a, b)

        def numbers(e: Emitter, value: Any) -> Any:
            return builder.bitcast(value, ir.VectorType(ir.IntType(bits), e.lanes))

        def seen(e: Emitter, place: Any, held: list[Any]) -> list[Any]:
            value = e.intrinsic("fabs", [e.load(builder.gep(source, [place]))])
            number = numbers(e, value)
            one = ir.Constant(number.type, [1] * e.lanes)
            rest = builder.bitcast(builder.and_(number, builder.sub(number, one)), e.vector)
            below = builder.sub(numbers(e, builder.fsub(value, rest)), one)
            return [larger(number, held[0]), finer(below, held[1])]

        first: Any = ir.Constant(_INT, 0)
        for size, vectors in ((lanes, SIDE_BY_SIDE), (1, 1)):
            e = Emitter(builder, scalar, size)
            each = size * vectors
            rounds = builder.sdiv(builder.sub(arguments[2], first), e.number(each))

            def look(
                index: Any,
                held: list[Any],
                e: Emitter = e,
                begin: Any = first,
                each: int = each,
            ) -> list[Any]:
                found = []
                start = builder.add(begin, builder.mul(index, e.number(each)))
                for n in range(len(held) // 2):
                    place = builder.add(start, e.number(n * e.lanes))
                    found += seen(e, place, held[2 * n : 2 * n + 2])
                return found

            with builder.if_then(builder.icmp_signed(">", rounds, ir.Constant(_INT, 0))):
                before = [numbers(e, e.load(largest)), numbers(e, e.load(finest))]
                found = e.repeat(rounds, before * vectors, look)
                e.store(builder.bitcast(reduce(larger, found[::2]), e.vector), largest)
                e.store(builder.bitcast(reduce(finer, found[1::2]), e.vector), finest)
            first = builder.add(first, builder.mul(rounds, e.number(each)))
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 3), generate


@compiled
def begin_survey(zero: Any, nan: Any, notes: int) -> None:
    """Make `survey_line`'s notes ready, for scalars of the type of these numbers."""
    fill_line(zero, notes, lanes_of(zero))
    fill_line(nan, notes + VECTOR_BYTES, lanes_of(zero))


@compiled
def surveyed_exact(notes: Any, count: int) -> Any:
    """Return whether float64 sums of ``count`` of the scalars are exact, in any order.

    ``notes`` are those of `survey_line`, shape (2, lanes).
    """
    largest, finest = np.float64(0), np.inf
    for lane in range(notes.shape[1]):
        if not notes[0, lane] < np.inf:
            return False
        largest = max(largest, np.float64(notes[0, lane]))
        if notes[1, lane] < finest:
            finest = np.float64(notes[1, lane])
    return largest * count <= EXACT_BITS * finest
