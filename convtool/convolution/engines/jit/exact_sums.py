"""Whether sums of an image's pixels are exact: then it does not matter how they are made.

A running sum in float64 adds what enters its window and subtracts what leaves it. Where all pixels
are whole multiples of one number, few enough bits above it, nothing is ever rounded, and no trace
is left of what has gone. That holds for whole numbers, whatever they were divided by, and for most
pictures.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.jit import compiled
from convtool.compiled.memory import pointer_of
from convtool.convolution.engines.jit.simd import Emitter, over_line
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


@intrinsic  # type: ignore[untyped-decorator]
def survey_line(_typing: Any, like: Any, start: Any, count: Any, found: Any) -> Any:
    """Note the largest magnitude of ``count`` scalars, and their least bit that is set.

    ``found`` is the address of a vector of magnitudes, NaN the largest, and of one of numbers that
    are at most that bit of any scalar but 0.
    """
    scalar, lanes = kind_of(like), lanes_of_kind(like)
    bits = 32 if scalar == ir.FloatType() else 64

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source = builder.inttoptr(arguments[1], scalar.as_pointer())
        largest = builder.inttoptr(arguments[3], scalar.as_pointer())
        finest = builder.gep(largest, [ir.Constant(_INT, lanes)])

        def one(e: Emitter, place: Any) -> None:
            whole = ir.VectorType(ir.IntType(bits), e.lanes)
            value = e.intrinsic("fabs", [e.load(builder.gep(source, [place]))])
            number = builder.bitcast(value, whole)
            held = builder.bitcast(e.load(largest), whole)
            larger = builder.select(builder.icmp_signed(">", number, held), number, held)
            e.store(builder.bitcast(larger, e.vector), largest)
            below = builder.sub(number, ir.Constant(whole, [1] * e.lanes))
            rest = builder.bitcast(builder.and_(number, below), e.vector)
            least, before = builder.fsub(value, rest), e.load(finest)
            zero = ir.Constant(e.vector, [0.0] * e.lanes)
            finer = builder.fcmp_ordered("<", least, before)
            finer = builder.and_(finer, builder.fcmp_ordered("!=", value, zero))
            e.store(builder.select(finer, least, before), finest)

        over_line(builder, scalar, lanes, arguments[2], one)
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 3), generate


@compiled
def begin_survey(like: Any, found: int) -> None:
    """Make `survey_line`'s notes ready."""
    fill_line(like, found, lanes_of(like))
    fill_line(like + np.inf, found + VECTOR_BYTES, lanes_of(like))


@compiled
def surveyed_exact(notes: Any, count: int) -> Any:
    """Return whether float64 sums of ``count`` of the scalars are exact, in any order.

    ``notes`` are those of `survey_line`, shape (2, lanes).
    """
    largest, finest = np.float64(0), np.float64(np.inf)
    for lane in range(notes.shape[1]):
        if not notes[0, lane] < np.inf:
            return False
        largest, finest = (
            max(largest, np.float64(notes[0, lane])),
            min(finest, np.float64(notes[1, lane])),
        )
    return largest == 0 or largest * count <= EXACT_BITS * finest
