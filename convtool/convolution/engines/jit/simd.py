"""The inner loop in LLVM's vector code: several output rows share each vector that is loaded.

Numba has no vector types, so the loop is written as LLVM instructions. One block makes R rows of
V vectors of output. Its sums stay in registers over the whole kernel. Each vector of the image is
loaded once for each column of weights and serves up to R output rows, so the multiply-adds, not
the loads, set the pace: unaligned loads alone would halve it.

A block of R rows reads KH + R - 1 rows of the image::

    image row   0     feeds output row 0
    image row   1     feeds output rows 0, 1
    ...               (the rows in between feed all R)
    image row KH+R-2  feeds output row R-1

The order of the additions in each output pixel is that of the kernel's rows and columns whatever
R and V are, so the answer does not depend on how an image is cut.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from convtool.compiled.emitter import LANE, Emitter, call
from convtool.records import Record, replace

CACHE_LINE = 64
BYTE = ir.IntType(8)

REGISTERS = 32
"""Kernels of no more weights than vector registers are written out without any loop."""


class Block(Record):
    """The addresses and sizes that a block works on, all LLVM values.

    Attributes
    ----------
    source, weights, target : pointer
        First scalar of the window, of the weights (KH, KW) and of the output.
    source_stride, target_stride : int
        Scalars from one row to the next.
    height, width : int
        KH and KW.
    step : int
        Scalars from one pixel to the next, the number of channels.
    adding : int
        0 where the block's answer takes the place of what the output holds, else it is added.
    source_apart, target_apart : int
        Scalars from one vector of a row to the next, where they do not lie side by side: then each
        vector belongs to a picture of its own.
    ahead, ahead_bytes : int
        What is read next, an address, and how much of it each block asks for.
    """

    source: Any
    source_stride: Any
    weights: Any
    height: Any
    width: Any
    step: Any
    target: Any
    target_stride: Any
    adding: Any
    source_apart: Any = None
    target_apart: Any = None
    ahead: Any = None
    ahead_bytes: Any = None


RowAt = Callable[[Any], Any]
"""``row_at(index)`` returns the pointer to the first scalar that a block reads of a row; index is
an LLVM value."""


def add_rows(
    emitter: Emitter,
    block: Block,
    row_at: RowAt,
    rows: int,
    vectors: int,
    sums: list[Any],
    taps: int = 0,
) -> list[Any]:
    """Write the code that adds a block's products to its sums; needs KH >= rows.

    ``row_at`` says where rows lie, the block its weights and their sizes. ``taps``, where it is not
    0, is the only KW that the code is for; it has no loop over columns.
    """
    e, b = emitter, emitter.builder

    def add_row(index: Any, active: range, sums: list[Any]) -> list[Any]:
        """Add what image row ``index`` feeds into the active output rows."""
        source = row_at(index)
        weights = {
            r: e.at(block.weights, b.mul(b.sub(index, e.number(r)), block.width)) for r in active
        }

        def add_column(column: Any, entering: list[Any]) -> list[Any]:
            leaving = list(entering)
            pixel = e.at(source, b.mul(column, block.step))
            loaded = load_vectors(e, block, pixel, vectors)
            for r in active:
                weight = e.splat(b.load(e.at(weights[r], column)))
                for v in range(vectors):
                    n = r * vectors + v
                    leaving[n] = e.intrinsic("fma", [loaded[v], weight, leaving[n]])
            return leaving

        if not taps:
            return e.repeat(block.width, sums, add_column)
        for column in range(taps):
            sums = add_column(e.number(column), sums)
        return sums

    for index in range(rows - 1):
        sums = add_row(e.number(index), range(index + 1), sums)
    first = e.number(rows - 1)
    sums = e.repeat(
        b.sub(block.height, first),
        sums,
        lambda index, entering: add_row(b.add(index, first), range(rows), entering),
    )
    for index in range(rows - 1):
        sums = add_row(b.add(block.height, e.number(index)), range(index + 1, rows), sums)
    return sums


def _rows_of(emitter: Emitter, block: Block) -> RowAt:
    """Return where the rows of a block's source lie."""
    return lambda index: emitter.at(block.source, emitter.builder.mul(index, block.source_stride))


def correlate_block(emitter: Emitter, block: Block, rows: int, vectors: int, taps: int = 0) -> None:
    """Write the code that makes ``rows`` × ``vectors``·lanes outputs: see `add_rows`."""
    e, b = emitter, emitter.builder
    places = places_of(e, block, rows, vectors)
    zero = ir.Constant(e.vector, [0.0] * e.lanes)
    before = b.block
    with b.if_then(b.icmp_signed("!=", block.adding, e.number(0)), likely=False):
        held = [e.load(place) for place in places]
        loading = b.block
    sums = []
    for value in held:
        start = b.phi(e.vector)
        start.add_incoming(zero, before)
        start.add_incoming(value, loading)
        sums.append(start)
    sums = add_rows(e, block, _rows_of(e, block), rows, vectors, sums, taps)
    for place, value in zip(places, sums, strict=True):
        e.store(value, place)


def places_of(e: Emitter, block: Block, rows: int, vectors: int) -> list[Any]:
    """Return where the vectors of a block's output lie, row by row."""
    return [
        _vector_at(e, e.at(block.target, e.builder.mul(e.number(r), block.target_stride)), v, apart)
        for apart in (block.target_apart,)
        for r in range(rows)
        for v in range(vectors)
    ]


def load_vectors(e: Emitter, block: Block, pixel: Any, vectors: int) -> list[Any]:
    """Load the vectors of a row of a block's source."""
    return [e.load(_vector_at(e, pixel, v, block.source_apart)) for v in range(vectors)]


def _vector_at(e: Emitter, start: Any, place: int, apart: Any) -> Any:
    """Return where a vector of a row lies: see `Block`."""
    offset = place * e.lanes if apart is None else e.builder.mul(e.number(place), apart)
    return e.at(start, offset)


def add_small_rows(
    emitter: Emitter,
    block: Block,
    row_at: RowAt,
    rows: int,
    vectors: int,
    sums: list[Any],
    side: int,
) -> list[Any]:
    """Write the same as `add_rows` for a kernel of ``side`` × ``side`` weights, without a loop.

    The additions are in the same order, so the answer is the same to the bit.
    """
    e, b = emitter, emitter.builder
    weights = [e.splat(b.load(e.at(block.weights, n))) for n in range(side * side)]
    sums = list(sums)
    for index in range(side + rows - 1):
        source = row_at(e.number(index))
        for column in range(side):
            pixel = e.at(source, b.mul(e.number(column), block.step))
            loaded = load_vectors(e, block, pixel, vectors)
            for r in range(max(0, index - side + 1), min(rows, index + 1)):
                weight = weights[(index - r) * side + column]
                for v in range(vectors):
                    n = r * vectors + v
                    sums[n] = e.intrinsic("fma", [loaded[v], weight, sums[n]])
    return sums


def correlate_small_block(
    emitter: Emitter, block: Block, rows: int, vectors: int, side: int
) -> None:
    """Write the same as `correlate_block` for a kernel of ``side`` × ``side`` weights."""
    e = emitter
    sums = [ir.Constant(e.vector, [0.0] * e.lanes)] * (rows * vectors)
    sums = add_small_rows(e, block, _rows_of(e, block), rows, vectors, sums, side)
    for place, value in zip(places_of(e, block, rows, vectors), sums, strict=True):
        e.store(value, place)


def _breadth(e: Emitter, block: Block, vectors: int) -> int:
    """Return how many scalars of a row a block makes of each picture."""
    return e.lanes if block.source_apart is not None else vectors * e.lanes


class Plane(Record):
    """The sizes of a plane of outputs, all LLVM values.

    Attributes
    ----------
    rows, width : int
        Rows, and scalars in each.
    phases : int
        Output rows lie so many image rows apart; the kernel's rows are ordered by phase (row
        modulo ``phases``), since each phase is a convolution of every ``phases``-th image row.
    """

    rows: Any
    width: Any
    phases: Any


def _ask_for(e: Emitter, start: Any, length: Any) -> None:
    """Write what has bytes at an address brought to the second cache."""
    b = e.builder

    def one(n: Any, _: list[Any]) -> list[Any]:
        place = b.inttoptr(b.add(start, b.mul(n, e.number(CACHE_LINE))), BYTE.as_pointer())
        hints = [ir.Constant(LANE, value) for value in (0, 2, 1)]
        call(b, "llvm.prefetch", ir.VoidType(), place, *hints)
        return []

    e.repeat(b.sdiv(length, e.number(CACHE_LINE)), [], one)


def correlate_plane(
    emitter: Emitter, whole: Block, plane: Plane, rows: int, vectors: int, side: int
) -> None:
    """Write the code that makes a plane, block by block.

    A block at the end of a row or a column overlaps the one before rather than being smaller; both
    write the same values there. Needs at least one block's rows and width. A ``side`` that is not
    0 is that of the only kernels it is for, with one phase.
    """
    e, b = emitter, emitter.builder
    tall, wide = e.number(rows), e.number(_breadth(e, whole, vectors))

    def least(value: Any, most: Any) -> Any:
        return b.select(b.icmp_signed("<", value, most), value, most)

    def blocks(count: Any, size: Any) -> Any:
        return b.sdiv(b.add(count, b.sub(size, e.number(1))), size)

    def over_rows(line: Any, _: list[Any]) -> list[Any]:
        y = least(b.mul(line, tall), b.sub(plane.rows, tall))
        target = e.at(whole.target, b.mul(y, whole.target_stride))
        source = e.at(whole.source, b.mul(b.mul(y, plane.phases), whole.source_stride))

        def over_columns(place: Any, _: list[Any]) -> list[Any]:
            x = least(b.mul(place, wide), b.sub(plane.width, wide))
            if whole.ahead is not None:
                number = b.add(b.mul(line, blocks(plane.width, wide)), place)
                start = b.add(whole.ahead, b.mul(number, whole.ahead_bytes))
                _ask_for(e, start, whole.ahead_bytes)

            if side and side * side <= REGISTERS:
                block = replace(whole, source=e.at(source, x), target=e.at(target, x))
                correlate_small_block(e, block, rows, vectors, side)
                return []

            def over_phases(phase: Any, weights: list[Any]) -> list[Any]:
                left = b.sub(whole.height, phase)
                block = replace(
                    whole,
                    source=e.at(e.at(source, x), b.mul(phase, whole.source_stride)),
                    source_stride=b.mul(whole.source_stride, plane.phases),
                    weights=weights[0],
                    height=blocks(left, plane.phases),
                    target=e.at(target, x),
                    adding=phase,
                )
                correlate_block(e, block, rows, vectors, side)
                return [e.at(block.weights, b.mul(block.height, whole.width))]

            e.repeat(least(plane.phases, whole.height), [whole.weights], over_phases)
            return []

        e.repeat(blocks(plane.width, wide), [], over_columns)
        return []

    e.repeat(blocks(plane.rows, tall), [], over_rows)


def correlate_lines(
    emitter: Emitter, block: Block, line_stride: Any, count: Any, rows: int, vectors: int
) -> None:
    """Write the code that makes ``rows`` lines of ``count`` outputs, each from lines of its own.

    The first line of source of each lies ``line_stride`` scalars from that of the one before; the
    KH lines that are added up, the block's ``source_stride``. All lines share each weight. Blocks
    at the end of lines overlap, as in `correlate_plane`; needs at least one block's width.
    """
    e, b = emitter, emitter.builder
    wide = e.number(_breadth(e, block, vectors))
    last = b.sub(count, wide)

    def over_columns(place: Any, _: list[Any]) -> list[Any]:
        x = b.mul(place, wide)
        x = b.select(b.icmp_signed("<", x, last), x, last)
        lines = [e.at(e.at(block.source, b.mul(e.number(r), line_stride)), x) for r in range(rows)]

        def add_row(part: Any, sums: list[Any]) -> list[Any]:
            weights = e.at(block.weights, b.mul(part, block.width))
            start = b.mul(part, block.source_stride)

            def add_column(column: Any, entering: list[Any]) -> list[Any]:
                weight = e.splat(b.load(e.at(weights, column)))
                offset = b.add(start, b.mul(column, block.step))
                leaving = []
                for r in range(rows):
                    loaded = load_vectors(e, block, e.at(lines[r], offset), vectors)
                    for v, value in enumerate(loaded):
                        total = entering[r * vectors + v]
                        leaving.append(e.intrinsic("fma", [value, weight, total]))
                return leaving

            return e.repeat(block.width, sums, add_column)

        zero = ir.Constant(e.vector, [0.0] * e.lanes)
        sums = e.repeat(block.height, [zero] * (rows * vectors), add_row)
        here = replace(block, target=e.at(block.target, x))
        for target, value in zip(places_of(e, here, rows, vectors), sums, strict=True):
            e.store(value, target)
        return []

    e.repeat(b.sdiv(b.add(count, b.sub(wide, e.number(1))), wide), [], over_columns)
