"""Running sums: the mean over a window of any size, at the same cost for each pixel.

The window's columns are summed down the image, then across: of each sum, what enters the window is
added and what leaves it is taken away. Sums are float64: exact for integers, and without drift to
speak of for float32. Across, four rows go together, one in each lane of a vector, so that the
additions of one need not wait for each other.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import Emitter, switched, transposed
from convtool.convolution.engines.jit.line_simd import over_line
from convtool.convolution.engines.jit.vectors import kind_of, lanes_of_kind

ROWS = 4
"""Rows that are summed together."""

PIXELS = 4
"""Pixels that are read and written together."""

_INT, _DOUBLE = ir.IntType(64), ir.DoubleType()


@intrinsic  # type: ignore[untyped-decorator]
def slide_down(
    _typing: Any, like: Any, before: Any, entering: Any, leaving: Any, sums: Any, count: Any
) -> Any:
    """Write sums: those of the row before, plus the scalars that enter, less those that leave."""
    scalar, lanes = kind_of(like), lanes_of_kind(types.float64)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        old, target = (builder.inttoptr(arguments[n], _DOUBLE.as_pointer()) for n in (1, 4))
        new, gone = (builder.inttoptr(arguments[n], scalar.as_pointer()) for n in (2, 3))

        def one(e: Emitter, place: Any) -> None:
            narrow = Emitter(builder, scalar, e.lanes)

            def read(pointer: Any) -> Any:
                value = narrow.load(builder.gep(pointer, [place]))
                return value if scalar == _DOUBLE else builder.fpext(value, e.vector)

            change = builder.fsub(read(new), read(gone))
            total = builder.fadd(e.load(builder.gep(old, [place])), change)
            e.store(total, builder.gep(target, [place]))

        over_line(builder, _DOUBLE, lanes, arguments[5], one)
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 5), generate


def _slide_across(builder: Any, scalar: Any, arguments: Any, step: int) -> None:
    """Write the code of `slide_across` for one distance of neighbours."""
    sums, stride, halo, value, target, target_stride, width = arguments
    e = Emitter(builder, _DOUBLE, ROWS)
    narrow = ir.VectorType(scalar, PIXELS)
    factor = e.splat(value)
    lines = [e.at(sums, builder.mul(stride, e.number(r))) for r in range(ROWS)]
    outs = [e.at(target, builder.mul(target_stride, e.number(r))) for r in range(ROWS)]

    def begin(place: Any, held: list[Any]) -> list[Any]:
        offset = builder.mul(place, e.number(step))
        added = []
        for channel in range(step):
            total = ir.Constant(e.vector, ir.Undefined)
            for r, line in enumerate(lines):
                one = builder.load(e.at(e.at(line, offset), channel))
                total = builder.insert_element(total, one, ir.Constant(ir.IntType(32), r))
            added.append(builder.fadd(held[channel], total))
        return added

    def group(index: Any, held: list[Any]) -> list[Any]:
        held = list(held)
        for vector in range(step):
            x = builder.add(builder.mul(index, e.number(PIXELS * step)), e.number(PIXELS * vector))
            changes = [
                builder.fsub(
                    e.load(e.at(line, builder.add(x, halo))),
                    e.load(e.at(line, builder.sub(x, e.number(step)))),
                )
                for line in lines
            ]
            made = []
            for lane, change in enumerate(transposed(builder, changes)):
                channel = (PIXELS * vector + lane) % step
                held[channel] = builder.fadd(held[channel], change)
                answer = builder.fmul(held[channel], factor)
                made.append(answer if scalar == _DOUBLE else builder.fptrunc(answer, narrow))
            for line, row in zip(outs, transposed(builder, made), strict=True):
                e.store(row, e.at(line, x))
        return held

    zero = ir.Constant(e.vector, [0.0] * ROWS)
    first = e.repeat(builder.sdiv(halo, e.number(step)), [zero] * step, begin)
    size = e.number(PIXELS * step)
    groups = builder.sdiv(builder.add(width, builder.sub(size, e.number(1))), size)
    e.repeat(groups, first, group)


STEPS = (1, 2, 3, 4)
"""Channels that pixels may have."""


@intrinsic  # type: ignore[untyped-decorator]
def slide_across(
    _typing: Any,
    like: Any,
    step: Any,
    sums: Any,
    stride: Any,
    halo: Any,
    value: Any,
    target: Any,
    target_stride: Any,
    width: Any,
) -> Any:
    """Write four rows of window sums times ``value``; ``step`` is one of `STEPS`.

    ``sums`` is the address of the first column sum of four rows, ``stride`` scalars apart, with
    ``step`` zeros before them; a window reaches ``halo`` scalars beyond its first, at least one
    pixel. Up to a group of four pixels more than ``width`` is read and written.
    """
    scalar = kind_of(like)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        start = builder.inttoptr(arguments[2], _DOUBLE.as_pointer())
        end = builder.inttoptr(arguments[6], scalar.as_pointer())
        rest = (start, *arguments[3:6], end, *arguments[7:])

        def write(number: int) -> None:
            _slide_across(builder, scalar, rest, number)

        switched(builder, arguments[1], STEPS, write)
        return context.get_dummy_value()

    kinds = (like, *[types.intp] * 4, types.float64, *[types.intp] * 3)
    return types.void(*kinds), generate
