"""Rows side by side: pixel x of `TOGETHER` rows is one group of lanes, followed by pixel x + 1.

A running sum waits for the one before in its row; here each vector holds those of several rows.
"""

from typing import Any

from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import Emitter, transposed
from convtool.ndimage.jit.simd import Arithmetic, while_less
from convtool.ndimage.jit.vectors import lanes_of

TOGETHER = 8


def _emitter(builder: Any, context: Any, like: Any) -> Emitter:
    lanes = min(lanes_of(like.dtype), TOGETHER)
    return Emitter(builder, context.get_data_type(like.dtype), lanes)


def _transpose(e: Emitter, lines: Any, stride: Any, groups: Any, count: Any, *, back: bool) -> None:
    """Write the code that puts lines side by side, or lanes ``back`` into lines."""
    b = e.builder

    def body(at: Any, _: list[Any]) -> list[Any]:
        for first in range(0, TOGETHER, e.lanes):
            apart, together = [], []
            for lane in range(e.lanes):
                row = b.mul(stride, e.number(first + lane))
                apart.append(b.gep(lines, [b.add(row, at)]))
                place = b.mul(b.add(at, e.number(lane)), e.number(TOGETHER))
                together.append(b.gep(groups, [b.add(place, e.number(first))]))
            sources, targets = (together, apart) if back else (apart, together)
            rows = transposed(b, [e.load(place) for place in sources])
            for row, place in zip(rows, targets, strict=True):
                e.store(row, place)
        return []

    while_less(b, e.number(0), count, e.lanes, [], body)


def _transposition(back: bool) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def transpose(_typing: Any, like: Any, lines: Any, stride: Any, groups: Any, count: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            e = _emitter(builder, context, like)
            _, lines, stride, groups, count = arguments
            lines, groups = (builder.inttoptr(p, arguments[0].type) for p in (lines, groups))
            _transpose(e, lines, stride, groups, count, back=back)
            return context.get_dummy_value()

        return types.void(like, *[types.intp] * 4), generate

    return transpose


to_lanes = _transposition(back=False)
"""Put ``count`` pixels of lines, ``stride`` apart, side by side; rounded up to whole vectors."""

to_lines = _transposition(back=True)
"""Put groups of lanes back into lines."""


@intrinsic  # type: ignore[untyped-decorator]
def slide_lanes(
    _typing: Any, like: Any, sums: Any, groups: Any, size: Any, targets: Any, count: Any
) -> Any:
    """Write ``count`` running sums of windows of ``size`` groups, of which ``sums`` is the first.

    The sums of the window that follows are left in ``sums``.
    """

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        e = _emitter(builder, context, like)
        b, does = builder, Arithmetic(builder, e.scalar)
        _, sums, groups, size, targets, count = arguments
        sums, groups, targets = (b.inttoptr(p, arguments[0].type) for p in (sums, groups, targets))
        parts = range(0, TOGETHER, e.lanes)
        beyond = b.mul(size, e.number(TOGETHER))

        def body(at: Any, entering: list[Any]) -> list[Any]:
            leaving = []
            for part, value in zip(parts, entering, strict=True):
                place = b.add(b.mul(at, e.number(TOGETHER)), e.number(part))
                e.store(value, e.at(targets, place))
                new = e.load(e.at(groups, b.add(place, beyond)))
                leaving.append(does.add(value, does.subtract(new, e.load(e.at(groups, place)))))
            return leaving

        first = [e.load(e.at(sums, part)) for part in parts]
        last = while_less(b, e.number(0), count, 1, first, body)
        for part, value in zip(parts, last, strict=True):
            e.store(value, e.at(sums, part))
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 5), generate
