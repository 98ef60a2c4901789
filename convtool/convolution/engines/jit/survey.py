"""The magnitudes of a tile's pixels, which bound its answers and the rounding of its transforms.

Transforms round by a share of the root mean square of a whole tile. That is harmless where the
sum of the products' magnitudes, pixel by pixel, is not far below it for any window. A lower bound
of that sum needs no second convolution: each column of a window holds some blocks of rows in full,
and what all columns sum to, each pixel counted up to a limit, is at worst multiplied by the
kernel's smallest weights.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from convtool.compiled.emitter import Emitter
from convtool.compiled.jit import compiled
from convtool.convolution.engines.jit.vectors import kind_of, lanes_of_kind

_INT = ir.IntType(64)
_LANE = ir.IntType(32)

ROOM = 64
"""Sums of a row begin at multiples of so many scalars."""

LINES = 4
"""Rows that are read side by side, so that their sums need not wait for each other."""


def _line(builder: Any, scalar: Any, plane: Any, stride: Any, row: Any) -> Any:
    """Return where a row begins."""
    return builder.inttoptr(builder.add(plane, builder.mul(row, stride)), scalar.as_pointer())


def _folded(builder: Any, lanes: int, values: list[Any], fold: Callable[[Any, Any], Any]) -> Any:
    """Return one number of all lanes of vectors."""
    whole = values[0]
    for value in values[1:]:
        whole = fold(whole, value)
    answer = builder.extract_element(whole, ir.Constant(_LANE, 0))
    for lane in range(1, lanes):
        answer = fold(answer, builder.extract_element(whole, ir.Constant(_LANE, lane)))
    return answer


@intrinsic  # type: ignore[untyped-decorator]
def sum_of_squares(_typing: Any, like: Any, plane: Any, stride: Any, rows: Any, width: Any) -> Any:
    """Return the sum of squares of a plane of whole vectors.

    It has a multiple of `LINES` rows, two vectors or more each; ``stride`` is in bytes.
    """
    scalar, lanes = kind_of(like), lanes_of_kind(like)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        _, plane, stride, rows, width = arguments
        e = Emitter(builder, scalar, lanes)
        vectors = builder.sdiv(width, e.number(2 * lanes))

        def add_rows(group: Any, sums: list[Any]) -> list[Any]:
            first = builder.mul(group, e.number(LINES))
            lines = [
                _line(builder, scalar, plane, stride, builder.add(first, e.number(n)))
                for n in range(LINES)
            ]

            def add(index: Any, held: list[Any]) -> list[Any]:
                place = builder.mul(index, e.number(2 * lanes))
                values = [
                    e.load(e.at(e.at(line, place), n * lanes)) for line in lines for n in range(2)
                ]
                return [
                    e.intrinsic("fma", [value, value, total])
                    for value, total in zip(values, held, strict=True)
                ]

            return e.repeat(vectors, sums, add)

        zero = ir.Constant(e.vector, [0.0] * lanes)
        groups = builder.sdiv(rows, e.number(LINES))
        sums = e.repeat(groups, [zero] * 2 * LINES, add_rows)
        return _folded(builder, lanes, sums, builder.fadd)

    return like(like, *[types.intp] * 4), generate


@intrinsic  # type: ignore[untyped-decorator]
def least_sum(
    _typing: Any, most: Any, plane: Any, stride: Any, together: Any, rows: Any, width: Any
) -> Any:
    """Return the least sum of ``together`` magnitudes of a column, or ``most`` if that is less.

    Sums begin in each of ``rows`` rows, ``stride`` bytes apart. NaN is passed over.
    """
    scalar, lanes = kind_of(most), lanes_of_kind(most)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        most, plane, stride, together, rows, width = arguments

        def fold(a: Any, b: Any) -> Any:
            return builder.select(builder.fcmp_ordered("<", b, a), b, a)

        def search(lanes: int) -> Any:
            """Write the search by vectors; the last ones of a row overlap."""
            e = Emitter(builder, scalar, lanes)
            size = e.number(LINES * lanes)
            last = builder.sub(width, e.number(lanes))
            rounds = builder.sdiv(builder.add(width, builder.sub(size, e.number(1))), size)

            def look(row: Any, found: list[Any]) -> list[Any]:
                def one(index: Any, held: list[Any]) -> list[Any]:
                    places = []
                    for n in range(LINES):
                        place = builder.add(builder.mul(index, size), e.number(n * lanes))
                        inside = builder.icmp_signed("<", place, last)
                        places.append(builder.select(inside, place, last))

                    def add(more: Any, sums: list[Any]) -> list[Any]:
                        line = _line(builder, scalar, plane, stride, builder.add(row, more))
                        values = [e.load(builder.gep(line, [place])) for place in places]
                        return [
                            builder.fadd(total, e.intrinsic("fabs", [value]))
                            for total, value in zip(sums, values, strict=True)
                        ]

                    zero = ir.Constant(e.vector, [0.0] * lanes)
                    sums = e.repeat(together, [zero] * LINES, add)
                    return [fold(*pair) for pair in zip(held, sums, strict=True)]

                return e.repeat(rounds, found, one)

            return _folded(builder, lanes, e.repeat(rows, [e.splat(most)] * LINES, look), fold)

        wide = builder.icmp_signed(">=", width, ir.Constant(_INT, lanes))
        with builder.if_else(wide) as (by_vectors, one_by_one):
            with by_vectors:
                vectors, first = search(lanes), builder.block
            with one_by_one:
                scalars, second = search(1), builder.block
        answer = builder.phi(scalar)
        answer.add_incoming(vectors, first)
        answer.add_incoming(scalars, second)
        return answer

    return most(most, *[types.intp] * 5), generate


@intrinsic  # type: ignore[untyped-decorator]
def fold_rows(
    _typing: Any, limit: Any, source: Any, stride: Any, rows: Any, target: Any, width: Any
) -> Any:
    """Write the sums of columns of ``rows`` rows of magnitudes, each counted up to a limit.

    ``stride`` is in bytes. Some scalars beyond ``width`` are read and written too, less than
    `LINES` vectors.
    """
    scalar, lanes = kind_of(limit), lanes_of_kind(limit)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        limit, source, stride, rows, target, width = arguments
        e = Emitter(builder, scalar, lanes)
        out, most = builder.inttoptr(target, scalar.as_pointer()), e.splat(limit)
        size = e.number(LINES * lanes)

        def columns(index: Any, _: list[Any]) -> list[Any]:
            place = builder.mul(index, size)

            def add(row: Any, held: list[Any]) -> list[Any]:
                line = e.at(_line(builder, scalar, source, stride, row), place)
                leaving = []
                for n, total in enumerate(held):
                    value = e.intrinsic("fabs", [e.load(e.at(line, n * lanes))])
                    smaller = builder.fcmp_ordered("<", value, most)
                    leaving.append(builder.fadd(total, builder.select(smaller, value, most)))
                return leaving

            zero = ir.Constant(e.vector, [0.0] * lanes)
            for n, total in enumerate(e.repeat(rows, [zero] * LINES, add)):
                e.store(total, e.at(e.at(out, place), n * lanes))
            return []

        e.repeat(
            builder.sdiv(builder.add(width, builder.sub(size, e.number(1))), size), [], columns
        )
        return context.get_dummy_value()

    return types.void(limit, *[types.intp] * 5), generate


@compiled
def block_rows(height: int) -> int:
    """Return how many rows a block has: each window holds three blocks, if it has three rows."""
    rows = 1
    while 8 * rows <= height + 1:
        rows *= 2
    return rows


@compiled
def least_column(
    limit: Any,
    work: Any,
    plane: int,
    stride: int,
    shape: tuple[int, int],
    height: int,
    scratch: int,
) -> Any:
    """Return a lower bound of what ``height`` magnitudes one below the other sum to.

    Each is counted up to ``limit``. ``shape`` are the rows and columns that are looked at, of a
    plane of whole vectors; ``scratch`` is the address of memory for as many sums.
    """
    like, size = carray(work, (0,)).dtype, carray(work, (0,)).itemsize
    rows, width = shape
    tall = block_rows(height)
    blocks = rows // tall
    across = -(-width // ROOM) * ROOM
    for block in range(blocks):
        start = plane + block * tall * stride
        fold_rows(limit, start, stride, tall, scratch + block * across * size, width)
    together = (height + 1) // tall - 1
    most = like.type(limit * rows)
    return least_sum(most, scratch, across * size, together, blocks - together + 1, width)
