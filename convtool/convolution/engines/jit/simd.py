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

from convtool.records import Record, replace

REGISTERS = 32
"""Kernels of no more weights than vector registers are written out without any loop."""

INT = ir.IntType(64)
_LANE = ir.IntType(32)


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


class Emitter:
    """Writes vector instructions for one scalar type and number of lanes."""

    def __init__(self, builder: Any, scalar: Any, lanes: int) -> None:
        self.builder = builder
        self.scalar = scalar
        self.lanes = lanes
        self.vector = ir.VectorType(scalar, lanes)
        self.bits = 32 if scalar == ir.FloatType() else 64

    def number(self, value: int) -> Any:
        """Return an integer constant."""
        return ir.Constant(INT, value)

    def intrinsic(self, name: str, arguments: list[Any], result: Any = None) -> Any:
        """Call one of LLVM's own functions on vectors, such as ``fma``."""
        full = f"llvm.{name}.v{self.lanes}f{self.bits}"
        module = self.builder.module
        function = module.globals.get(full)
        if function is None:
            kinds = [argument.type for argument in arguments]
            function = ir.Function(module, ir.FunctionType(result or self.vector, kinds), full)
        return self.builder.call(function, arguments)

    def at(self, pointer: Any, offset: Any) -> Any:
        """Return the pointer ``offset`` scalars further on."""
        offset = self.number(offset) if isinstance(offset, int) else offset
        return self.builder.gep(pointer, [offset])

    def load(self, pointer: Any) -> Any:
        """Load a vector from any address."""
        value = self.builder.load(self.builder.bitcast(pointer, self.vector.as_pointer()))
        value.align = 1
        return value

    def store(self, value: Any, pointer: Any) -> None:
        """Store a vector to any address."""
        target = self.builder.bitcast(pointer, value.type.as_pointer())
        self.builder.store(value, target).align = 1

    def splat(self, value: Any) -> Any:
        """Return a vector whose lanes all hold a scalar."""
        nothing = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(_LANE, 0))
        lanes = ir.Constant(ir.VectorType(_LANE, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, nothing, lanes)

    def repeat(
        self, count: Any, carried: list[Any], body: Callable[[Any, list[Any]], list[Any]]
    ) -> list[Any]:
        """Write a loop of at least one round: ``carried = body(k, carried)`` for k in 0 … count-1.

        The carried values are LLVM values, kept in registers from round to round.
        """
        builder = self.builder
        before = builder.block
        head = builder.function.append_basic_block()
        after = builder.function.append_basic_block()
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(INT)
        index.add_incoming(self.number(0), before)
        entering = []
        for value in carried:
            phi = builder.phi(value.type)
            phi.add_incoming(value, before)
            entering.append(phi)
        leaving = body(index, entering)
        following = builder.add(index, self.number(1))
        index.add_incoming(following, builder.block)
        for phi, value in zip(entering, leaving, strict=True):
            phi.add_incoming(value, builder.block)
        builder.cbranch(builder.icmp_signed("<", following, count), head, after)
        builder.position_at_end(after)
        return leaving


def correlate_block(emitter: Emitter, block: Block, rows: int, vectors: int, taps: int = 0) -> None:
    """Write the code that makes ``rows`` × ``vectors``·lanes outputs; needs KH >= rows.

    ``taps``, where it is not 0, is the only KW that the code is for; it has no loop over columns.
    """
    e, b = emitter, emitter.builder
    lanes = emitter.lanes

    def add_row(index: Any, active: range, sums: list[Any]) -> list[Any]:
        """Add what image row ``index`` feeds into the active output rows."""
        source = e.at(block.source, b.mul(index, block.source_stride))
        weights = {
            r: e.at(block.weights, b.mul(b.sub(index, e.number(r)), block.width)) for r in active
        }

        def add_column(column: Any, entering: list[Any]) -> list[Any]:
            leaving = list(entering)
            pixel = e.at(source, b.mul(column, block.step))
            loaded = [e.load(e.at(pixel, v * lanes)) for v in range(vectors)]
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

    places = _places(e, block, rows, vectors)
    zero = ir.Constant(e.vector, [0.0] * lanes)
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
    for place, value in zip(places, sums, strict=True):
        e.store(value, place)


def _places(e: Emitter, block: Block, rows: int, vectors: int) -> list[Any]:
    """Return where the vectors of a block's output lie, row by row."""
    return [
        e.at(e.at(block.target, e.builder.mul(e.number(r), block.target_stride)), v * e.lanes)
        for r in range(rows)
        for v in range(vectors)
    ]


def correlate_small_block(
    emitter: Emitter, block: Block, rows: int, vectors: int, side: int
) -> None:
    """Write the same for a kernel of ``side`` × ``side`` weights, without a loop.

    The additions are in the same order, so the answer is the same to the bit.
    """
    e, b = emitter, emitter.builder
    weights = [e.splat(b.load(e.at(block.weights, n))) for n in range(side * side)]
    sums = [ir.Constant(e.vector, [0.0] * e.lanes)] * (rows * vectors)
    for index in range(side + rows - 1):
        source = e.at(block.source, b.mul(e.number(index), block.source_stride))
        for column in range(side):
            pixel = e.at(source, b.mul(e.number(column), block.step))
            loaded = [e.load(e.at(pixel, v * e.lanes)) for v in range(vectors)]
            for r in range(max(0, index - side + 1), min(rows, index + 1)):
                weight = weights[(index - r) * side + column]
                for v in range(vectors):
                    n = r * vectors + v
                    sums[n] = e.intrinsic("fma", [loaded[v], weight, sums[n]])
    for place, value in zip(_places(e, block, rows, vectors), sums, strict=True):
        e.store(value, place)


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


def correlate_plane(
    emitter: Emitter, whole: Block, plane: Plane, rows: int, vectors: int, side: int
) -> None:
    """Write the code that makes a plane, block by block.

    A block at the end of a row or a column overlaps the one before rather than being smaller; both
    write the same values there. Needs at least one block's rows and width. A ``side`` that is not
    0 is that of the only kernels it is for, with one phase.
    """
    e, b = emitter, emitter.builder
    tall, wide = e.number(rows), e.number(vectors * e.lanes)

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
    wide = e.number(vectors * e.lanes)
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
                    pixel = e.at(lines[r], offset)
                    for v in range(vectors):
                        value = e.load(e.at(pixel, v * e.lanes))
                        total = entering[r * vectors + v]
                        leaving.append(e.intrinsic("fma", [value, weight, total]))
                return leaving

            return e.repeat(block.width, sums, add_column)

        zero = ir.Constant(e.vector, [0.0] * e.lanes)
        sums = e.repeat(block.height, [zero] * (rows * vectors), add_row)
        here = replace(block, target=e.at(block.target, x))
        for target, value in zip(_places(e, here, rows, vectors), sums, strict=True):
            e.store(value, target)
        return []

    e.repeat(b.sdiv(b.add(count, b.sub(wide, e.number(1))), wide), [], over_columns)


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
        mask = ir.Constant(ir.VectorType(_LANE, e.lanes), chosen)
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
    largest = builder.extract_element(values, ir.Constant(_LANE, 0))
    for lane in range(1, lanes):
        value = builder.extract_element(values, ir.Constant(_LANE, lane))
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
