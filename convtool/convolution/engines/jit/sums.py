"""Vector code for means of 8-bit images: running sums in integers, exact and without drift.

Columns are summed down the image in int16: of each sum, the pixel that enters the window is
added and the one that leaves it is taken away. Across, a window's sum is that of its neighbour plus
a difference of columns: the differences of a vector are added up in as many steps as its lanes have
doublings (Hillis and Steele, Data parallel algorithms, CACM 29, 1986).
"""

from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import loop, number, same, splat, switched
from convtool.convolution.engines.jit.lanes import (
    I8,
    I16,
    I32,
    INT16S,
    LANES,
    SUMS,
    UINT8S,
    load,
    saturated,
    store,
    written,
)

STEPS = (1, 2, 3, 4)
"""Channels that pixels may have."""

BLOCK = LANES // 2
"""Outputs that are made at once."""

_FEW_INT16S = ir.VectorType(I16, BLOCK)
_FEW_UINT8S = ir.VectorType(I8, BLOCK)


def _lanes(places: list[int]) -> Any:
    return ir.Constant(ir.VectorType(I32, len(places)), places)


def _slide_down(b: Any, arguments: Any) -> None:
    entering, leaving, sums, width = arguments

    def slide(x: Any, values: Any, int16s: Any) -> None:
        place = b.add(sums, b.mul(x, number(2)))
        new, gone = (
            b.zext(load(b, b.add(line, x), values), int16s) for line in (entering, leaving)
        )
        store(b, b.add(load(b, place, int16s), b.sub(new, gone)), place)

    def block(index: Any, _: list[Any]) -> list[Any]:
        slide(b.mul(index, number(LANES)), UINT8S, INT16S)
        return []

    whole = b.sdiv(width, number(LANES))
    done = b.mul(whole, number(LANES))
    rest = b.sub(width, done)

    def single(index: Any, _: list[Any]) -> list[Any]:
        slide(b.add(done, index), I8, I16)
        return []

    for rounds, body in ((whole, block), (rest, single)):
        with b.if_then(b.icmp_signed(">", rounds, number(0))):
            loop(b, rounds, [], body)


def _added_up(b: Any, values: Any, step: int) -> Any:
    """Return the sums of each lane and all those before it that are a multiple of ``step`` away."""
    nothing = same(SUMS, 0)
    distance = step
    while distance < BLOCK:
        places = [BLOCK + lane - distance if lane >= distance else 0 for lane in range(BLOCK)]
        values = b.add(values, b.shuffle_vector(nothing, values, _lanes(places)))
        distance *= 2
    return values


def _slide_across(b: Any, arguments: Any, step: int) -> None:
    columns, halo, before, target, spare, width, scale_bits = arguments
    scale = splat(
        b, b.bitcast(b.trunc(scale_bits, I32), ir.FloatType()), ir.VectorType(ir.FloatType(), BLOCK)
    )
    nothing = ir.Constant(SUMS, ir.Undefined)
    first = b.shuffle_vector(
        load(b, before, SUMS), nothing, _lanes([lane % step for lane in range(BLOCK)])
    )
    last = _lanes([BLOCK - step + lane % step for lane in range(BLOCK)])

    def read(place: Any) -> Any:
        int16s = load(b, b.add(columns, b.mul(place, number(2))), _FEW_INT16S)
        return b.zext(int16s, SUMS)

    def made(x: Any, held: Any, place: Any) -> Any:
        change = b.sub(read(b.add(x, halo)), read(b.sub(x, number(step))))
        totals = b.add(_added_up(b, change, step), held)
        store(b, b.trunc(saturated(b, totals, scale), _FEW_UINT8S), place)
        return b.shuffle_vector(totals, nothing, last)

    def block(index: Any, held: list[Any]) -> list[Any]:
        x = b.mul(index, number(BLOCK))
        return [made(x, held[0], b.add(target, x))]

    whole = b.sdiv(b.sub(width, number(1)), number(BLOCK))
    enough = b.icmp_signed(">", whole, number(0))
    begin, entered = b.block, b.function.append_basic_block()
    end = b.function.append_basic_block()
    b.cbranch(enough, entered, end)
    b.position_at_end(entered)
    (carried,) = loop(b, whole, [first], block)
    looped = b.block
    b.branch(end)
    b.position_at_end(end)
    held = b.phi(SUMS)
    held.add_incoming(first, begin)
    held.add_incoming(carried, looped)
    made(b.mul(whole, number(BLOCK)), held, spare)


@intrinsic  # type: ignore[untyped-decorator]
def slide_down(_typing: Any, entering: Any, leaving: Any, sums: Any, width: Any) -> Any:
    """Add to 16-bit sums the uint8 values that enter, and take away those that leave."""
    generate = written("convtool_slide_down", _slide_down, 4)
    return types.void(*[types.intp] * 4), generate


@intrinsic  # type: ignore[untyped-decorator]
def slide_across(
    _typing: Any,
    step: Any,
    columns: Any,
    halo: Any,
    before: Any,
    target: Any,
    spare: Any,
    width: Any,
    scale: Any,
) -> Any:
    """Write a row of window sums times ``scale``, rounded; ``step`` is one of `STEPS`.

    ``columns`` is the address of the first of the columns' sums, with ``step`` zeros before them; a
    window reaches ``halo`` scalars beyond its first. ``before`` is the address of the sums of the
    ``step`` windows before the first, as 32 bits. The last 1 to `BLOCK` outputs go to the address
    ``spare``, the others to ``target``. Columns are read up to a block beyond the last window.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def write(channels: int) -> None:
            inside = partial(_slide_across, step=channels)
            one = written(f"convtool_slide_across_{channels}", inside, 7)
            one(context, builder, signature, arguments[1:])

        switched(builder, arguments[0], STEPS, write)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 8), generate
