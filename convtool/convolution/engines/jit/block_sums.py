"""Sums over a window of any size at the same cost for each pixel, from the window's pixels alone.

Nothing is ever subtracted: a huge value, NaN or inf reaches no sum but those of the windows that
hold it. Windows that start within a block of at most a window's length all hold its last pixel.
Each is the sum of three parts: what it holds of the block, summed from the block's end backward;
what lies beyond the block, summed forward; and what all of them share. Sums are float64. The
window's columns are summed first, then those sums across, of four rows in the lanes of a vector.

References
----------
M. van Herk, "A fast algorithm for local minimum and maximum filters on rectangular and octagonal
kernels", Pattern Recognition Letters 13 (1992), pp. 517-521; J. Gil, M. Werman, "Computing 2-D
min, median, and max filters", IEEE Transactions on Pattern Analysis and Machine Intelligence 15
(1993), pp. 504-507.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import Emitter, switched, transposed
from convtool.convolution.engines.jit.vectors import kind_of

ROWS = 4
"""Rows that are summed across together."""

PIXELS = 4
"""Scalars that are read and written together."""

COLUMNS = 4 * PIXELS
"""Scalars whose columns are summed together: a cache line of float32."""

_INT, _DOUBLE = ir.IntType(64), ir.DoubleType()
_ZERO = ir.Constant(_INT, 0)


class _Columns:
    """Writes the code that sums the columns of the windows of some rows of output.

    ``height`` rows are a window's, and the next window starts ``phases`` rows on. Of each four
    rows of output, the sums of a column lie side by side in ``sums``, those of the next four
    ``sums_stride`` scalars on.
    """

    def __init__(self, builder: Any, scalar: Any, arguments: Any, lanes: int, vectors: int) -> None:
        self.builder, self.scalar = builder, scalar
        self.source, self.stride, self.height, self.phases = arguments[:4]
        self.rows, self.held, self.sums, self.sums_stride = arguments[4:8]
        self.lanes, self.vectors = lanes, vectors
        self.e, self.narrow = (Emitter(builder, kind, lanes) for kind in (_DOUBLE, scalar))
        self.nothing = [ir.Constant(self.e.vector, [0.0] * lanes)] * vectors

    def read(self, row: Any, column: Any) -> list[Any]:
        """Return vectors of a row of the image, as float64."""
        b = self.builder
        line = b.gep(self.source, [b.add(b.mul(row, self.stride), column)])
        values = [self.narrow.load(self.e.at(line, v * self.lanes)) for v in range(self.vectors)]
        if self.scalar == _DOUBLE:
            return values
        return [b.fpext(value, self.e.vector) for value in values]

    def added(self, sums: list[Any], first: Any, count: Any, column: Any) -> list[Any]:
        """Return sums plus ``count`` rows, at least one; None is one."""

        def add(index: Any, held: list[Any]) -> list[Any]:
            values = self.read(self.builder.add(first, index), column)
            return [self.builder.fadd(a, b) for a, b in zip(held, values, strict=True)]

        return self.e.repeat(count, sums, add) if count is not None else add(_ZERO, sums)

    def place(self, row: Any) -> Any:
        """Return where the sums of what windows from a row on hold of their block are kept."""
        return self.e.at(self.held, self.builder.mul(row, self.e.number(COLUMNS)))

    def keep(self, sums: list[Any], row: Any) -> None:
        for v, value in enumerate(sums):
            self.e.store(value, self.e.at(self.place(row), v * self.lanes))

    def write(self, made: list[list[Any]], group: Any, column: Any) -> None:
        """Write the sums of four rows, one list of vectors for each, side by side."""
        e, b = self.e, self.builder
        start = e.at(e.at(self.sums, b.mul(group, self.sums_stride)), b.mul(column, e.number(ROWS)))
        for v in range(self.vectors):
            rows = [row[v] for row in made]
            if self.lanes == 1:
                for r, row in enumerate(rows):
                    e.store(row, e.at(start, r))
                continue
            for x, pixel in enumerate(transposed(b, rows)):
                e.store(pixel, e.at(start, (v * self.lanes + x) * ROWS))

    def least(self, row: Any) -> Any:
        """Return a row of output, or the last there is."""
        last = self.builder.sub(self.rows, self.e.number(1))
        return self.builder.select(self.builder.icmp_signed("<", row, last), row, last)

    def in_blocks(self, column: Any, dense: bool) -> None:
        """Sum columns of windows that share a row; ``dense``: they start one row apart."""
        e, b = self.e, self.builder
        apart = None if dense else self.phases
        last = b.sub(self.rows, e.number(1))
        shared = b.mul(last, self.phases)
        common = self.added(self.nothing, shared, b.sub(self.height, shared), column)
        self.keep(common, last)

        def backward(index: Any, held: list[Any]) -> list[Any]:
            row = b.sub(b.sub(last, e.number(1)), index)
            sums = self.added(held, b.mul(row, self.phases), apart, column)
            self.keep(sums, row)
            return sums

        with b.if_then(b.icmp_signed(">", last, _ZERO)):
            e.repeat(last, common, backward)

        def forward(group: Any, held: list[Any]) -> list[Any]:
            made = []
            for r in range(ROWS):
                row = self.least(b.add(b.mul(group, e.number(ROWS)), e.number(r)))
                before = b.sub(row, e.number(1))
                start = b.add(self.height, b.mul(before, self.phases))
                first = b.icmp_signed("==", row, _ZERO)
                count = None if dense else b.select(first, e.number(1), self.phases)
                sums = self.added(held, b.select(first, _ZERO, start), count, column)
                sums = [b.select(first, a, c) for a, c in zip(held, sums, strict=True)]
                kept = [e.load(e.at(self.place(row), v * self.lanes)) for v in range(self.vectors)]
                made.append([b.fadd(a, c) for a, c in zip(kept, sums, strict=True)])
                held = sums
            self.write(made, group, column)
            return held

        e.repeat(self.groups(), self.nothing, forward)

    def one_by_one(self, column: Any) -> None:
        """Sum columns of each window alone."""
        e, b = self.e, self.builder

        def four(group: Any, _: list[Any]) -> list[Any]:
            made = []
            for r in range(ROWS):
                row = self.least(b.add(b.mul(group, e.number(ROWS)), e.number(r)))
                made.append(self.added(self.nothing, b.mul(row, self.phases), self.height, column))
            self.write(made, group, column)
            return []

        e.repeat(self.groups(), [], four)

    def groups(self) -> Any:
        b = self.builder
        return b.sdiv(b.add(self.rows, self.e.number(ROWS - 1)), self.e.number(ROWS))


@intrinsic  # type: ignore[untyped-decorator]
def sum_columns(
    _typing: Any,
    like: Any,
    source: Any,
    source_stride: Any,
    height: Any,
    phases: Any,
    rows: Any,
    held: Any,
    sums: Any,
    sums_stride: Any,
    columns: Any,
) -> Any:
    """Sum the columns of the windows of ``rows`` rows of output, see `_Columns`.

    ``held`` is the address of `COLUMNS` float64 for each of the rows.
    """
    scalar = kind_of(like)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        numbers = list(arguments[1:])
        numbers[0] = builder.inttoptr(numbers[0], scalar.as_pointer())
        for place in (5, 6):
            numbers[place] = builder.inttoptr(numbers[place], _DOUBLE.as_pointer())
        columns = numbers[8]
        start: Any = _ZERO
        for lanes, vectors in ((PIXELS, COLUMNS // PIXELS), (PIXELS, 1), (1, 1)):
            made = _Columns(builder, scalar, numbers, lanes, vectors)
            size = ir.Constant(_INT, lanes * vectors)
            rounds = builder.sdiv(builder.sub(columns, start), size)
            reach = builder.mul(builder.sub(made.rows, ir.Constant(_INT, 1)), made.phases)
            with builder.if_then(builder.icmp_signed(">", rounds, _ZERO)):

                def part(
                    index: Any, _: list[Any], c: _Columns = made, n: Any = start, far: Any = reach
                ) -> list[Any]:
                    size = c.e.number(c.lanes * c.vectors)
                    column = builder.add(n, builder.mul(index, size))
                    shares = builder.icmp_signed("<", far, c.height)
                    with builder.if_else(shares) as (together, alone):
                        with together:
                            dense = builder.icmp_signed("==", c.phases, c.e.number(1))
                            with builder.if_else(dense) as (near, apart):
                                with near:
                                    c.in_blocks(column, True)
                                with apart:
                                    c.in_blocks(column, False)
                        with alone:
                            c.one_by_one(column)
                    return []

                made.e.repeat(rounds, [], part)
            start = builder.add(start, builder.mul(rounds, size))
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 9), generate


class _Across:
    """Writes the code that sums across, from the sums of columns, for one distance of neighbours.

    Four rows lie in the lanes of each vector. A block of windows is as many pixels as a window has.
    """

    def __init__(self, builder: Any, arguments: Any, step: int) -> None:
        self.builder, self.step = builder, step
        self.sums, self.taps, self.pixels, self.near, self.far = arguments
        self.e = Emitter(builder, _DOUBLE, ROWS)
        self.nothing = [ir.Constant(self.e.vector, [0.0] * ROWS)] * step

    def pixel(self, start: Any, number: Any) -> list[Any]:
        """Return the addresses of a pixel's scalars."""
        size = self.e.number(self.step * ROWS)
        place = self.e.at(start, self.builder.mul(number, size))
        return [self.e.at(place, channel * ROWS) for channel in range(self.step)]

    def added(self, sums: list[Any], pixel: list[Any]) -> list[Any]:
        return [self.builder.fadd(a, self.e.load(b)) for a, b in zip(sums, pixel, strict=True)]

    def keep(self, sums: list[Any], pixel: list[Any]) -> None:
        for value, place in zip(sums, pixel, strict=True):
            self.e.store(value, place)

    def backward(self, block: Any, kept: Any) -> None:
        """Sum a block from its end on."""

        def one(index: Any, sums: list[Any]) -> list[Any]:
            b = self.builder
            pixel = b.sub(b.sub(self.taps, self.e.number(1)), index)
            sums = self.added(sums, self.pixel(block, pixel))
            self.keep(sums, self.pixel(kept, pixel))
            return sums

        self.e.repeat(self.taps, self.nothing, one)

    def write(self) -> None:
        """Write window sums in place of the first column sums of each window."""
        e, b = self.e, self.builder
        size = b.mul(self.taps, e.number(self.step * ROWS))
        one = e.number(1)
        self.backward(self.sums, self.near)
        blocks = b.sdiv(b.sub(self.pixels, one), self.taps)

        def forward(count: Any, block: Any, near: Any, far: Any | None) -> None:
            """Make windows that start in a block, and sum the next one backward meanwhile."""
            after = e.at(block, size)
            self.keep(
                [e.load(place) for place in self.pixel(near, _ZERO)], self.pixel(block, _ZERO)
            )

            def step(index: Any, held: list[Any]) -> list[Any]:
                ahead, behind = held[: self.step], held[self.step :]
                ahead = self.added(ahead, self.pixel(after, index))
                here = b.add(index, one)
                sums = self.added(ahead, self.pixel(near, here))
                self.keep(sums, self.pixel(block, here))
                if far is not None:
                    pixel = b.sub(b.sub(self.taps, one), index)
                    behind = self.added(behind, self.pixel(after, pixel))
                    self.keep(behind, self.pixel(far, pixel))
                return [*ahead, *behind]

            with b.if_then(b.icmp_signed(">", count, one)):
                start = self.nothing if far is None else [*self.nothing, *self.nothing]
                last = e.repeat(b.sub(count, one), start, step)
                if far is not None:
                    sums = self.added(last[self.step :], self.pixel(after, _ZERO))
                    self.keep(sums, self.pixel(far, _ZERO))

        def whole(index: Any, buffers: list[Any]) -> list[Any]:
            near, far = buffers
            forward(self.taps, e.at(self.sums, b.mul(index, size)), near, far)
            return [far, near]

        before = b.block
        with b.if_then(b.icmp_signed(">", blocks, _ZERO)):
            swapped = e.repeat(blocks, [self.near, self.far], whole)
            made = b.block
        near = b.phi(self.near.type)
        near.add_incoming(self.near, before)
        near.add_incoming(swapped[0], made)
        rest = b.sub(self.pixels, b.mul(blocks, self.taps))
        forward(rest, e.at(self.sums, b.mul(blocks, size)), near, None)


STEPS = (1, 2, 3, 4)
"""Channels that pixels may have."""


@intrinsic  # type: ignore[untyped-decorator]
def sum_across(
    _typing: Any, step: Any, sums: Any, taps: Any, pixels: Any, near: Any, far: Any
) -> Any:
    """Write the sums of windows of ``taps`` pixels in place of the sums of their columns.

    Of ``pixels`` windows, each ``step`` scalars, one of `STEPS`; of four rows side by side.
    ``near`` and ``far`` are addresses of room for a window each.
    """

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        places = [builder.inttoptr(arguments[n], _DOUBLE.as_pointer()) for n in (1, 4, 5)]
        rest = (places[0], *arguments[2:4], *places[1:])

        def write(number: int) -> None:
            _Across(builder, rest, number).write()

        switched(builder, arguments[0], STEPS, write)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6), generate


@intrinsic  # type: ignore[untyped-decorator]
def write_rows(
    _typing: Any,
    like: Any,
    sums: Any,
    value: Any,
    target: Any,
    target_stride: Any,
    width: Any,
) -> Any:
    """Write four rows of ``width`` sums, which lie side by side, times ``value``."""
    scalar = kind_of(like)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        sums = builder.inttoptr(arguments[1], _DOUBLE.as_pointer())
        start = builder.inttoptr(arguments[3], scalar.as_pointer())
        value, stride, width = arguments[2], arguments[4], arguments[5]
        e, single = Emitter(builder, _DOUBLE, ROWS), Emitter(builder, scalar, 1)
        narrow = ir.VectorType(scalar, PIXELS)
        factor = e.splat(value)
        targets = [e.at(start, builder.mul(stride, e.number(r))) for r in range(ROWS)]

        def product(place: Any) -> Any:
            made = builder.fmul(e.load(e.at(sums, builder.mul(place, e.number(ROWS)))), factor)
            return made if scalar == _DOUBLE else builder.fptrunc(made, narrow)

        def four(index: Any, _: list[Any]) -> list[Any]:
            x = builder.mul(index, e.number(PIXELS))
            made = [product(builder.add(x, e.number(n))) for n in range(PIXELS)]
            for line, row in zip(targets, transposed(builder, made), strict=True):
                e.store(row, e.at(line, x))
            return []

        whole = builder.sdiv(width, e.number(PIXELS))
        first = builder.mul(whole, e.number(PIXELS))

        def one(index: Any, _: list[Any]) -> list[Any]:
            x = builder.add(first, index)
            made = product(x)
            for r, line in enumerate(targets):
                row = builder.extract_element(made, ir.Constant(ir.IntType(32), r))
                builder.store(row, single.at(line, x))
            return []

        for count, body in ((whole, four), (builder.sub(width, first), one)):
            with builder.if_then(builder.icmp_signed(">", count, _ZERO)):
                e.repeat(count, [], body)
        return context.get_dummy_value()

    kinds = (like, types.intp, types.float64, *[types.intp] * 3)
    return types.void(*kinds), generate
