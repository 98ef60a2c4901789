"""How large the pixels of a tile are: what bounds the rounding of its transforms, and its answers.

Transforms round by a share of the root mean square of a whole tile. That is harmless where the
sum of the products' magnitudes, pixel by pixel, is not far below it for any window. A lower bound
of that sum needs no second convolution: each window holds some blocks of rows and columns in full,
and what they sum to, each pixel counted up to a limit, is at worst multiplied by the kernel's
smallest weights.
"""

from typing import Any

from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from convtool.compiled.jit import compiled
from convtool.compiled.memory import pointer
from convtool.convolution.engines.jit.simd import Emitter, over_line
from convtool.convolution.engines.jit.vectors import kind_of, lanes_of_kind

_INT = ir.IntType(64)
_ACCUMULATORS = 2


@intrinsic  # type: ignore[untyped-decorator]
def sum_of_squares(_typing: Any, like: Any, plane: Any, stride: Any, rows: Any, width: Any) -> Any:
    """Return the sum of squares of a plane of whole vectors, an even number of them in each row.

    ``stride`` is in bytes.
    """
    scalar, lanes = kind_of(like), lanes_of_kind(like)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        _, plane, stride, rows, width = arguments
        e = Emitter(builder, scalar, lanes)
        vectors = builder.sdiv(width, e.number(lanes * _ACCUMULATORS))

        def add_row(row: Any, sums: list[Any]) -> list[Any]:
            start = builder.add(plane, builder.mul(row, stride))
            line = builder.inttoptr(start, scalar.as_pointer())

            def add(index: Any, held: list[Any]) -> list[Any]:
                place = e.at(line, builder.mul(index, e.number(lanes * _ACCUMULATORS)))
                values = [e.load(e.at(place, n * lanes)) for n in range(_ACCUMULATORS)]
                return [
                    e.intrinsic("fma", [value, value, total])
                    for value, total in zip(values, held, strict=True)
                ]

            return e.repeat(vectors, sums, add)

        zero = ir.Constant(e.vector, [0.0] * lanes)
        total = e.repeat(rows, [zero] * _ACCUMULATORS, add_row)
        both = builder.fadd(*total)
        answer = builder.extract_element(both, ir.Constant(ir.IntType(32), 0))
        for lane in range(1, lanes):
            value = builder.extract_element(both, ir.Constant(ir.IntType(32), lane))
            answer = builder.fadd(answer, value)
        return answer

    return like(like, *[types.intp] * 4), generate


@intrinsic  # type: ignore[untyped-decorator]
def fold_rows(
    _typing: Any, limit: Any, source: Any, stride: Any, rows: Any, target: Any, width: Any
) -> Any:
    """Write the sums of columns of ``rows`` rows of magnitudes, each counted up to a limit.

    ``stride`` is in bytes.
    """
    scalar, lanes = kind_of(limit), lanes_of_kind(limit)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        limit, source, stride, rows, target, width = arguments
        out = builder.inttoptr(target, scalar.as_pointer())

        def one(e: Emitter, place: Any) -> None:
            most = e.splat(limit)

            def add(row: Any, held: list[Any]) -> list[Any]:
                start = builder.add(source, builder.mul(row, stride))
                line = builder.inttoptr(start, scalar.as_pointer())
                value = e.intrinsic("fabs", [e.load(builder.gep(line, [place]))])
                smaller = builder.fcmp_ordered("<", value, most)
                return [builder.fadd(held[0], builder.select(smaller, value, most))]

            zero = ir.Constant(e.vector, [0.0] * e.lanes)
            total = e.repeat(rows, [zero], add)
            e.store(total[0], builder.gep(out, [place]))

        over_line(builder, scalar, lanes, width, one)
        return context.get_dummy_value()

    return types.void(limit, *[types.intp] * 5), generate


@intrinsic  # type: ignore[untyped-decorator]
def least_of_line(_typing: Any, least: Any, start: Any, count: Any) -> Any:
    """Return the smaller of a number and the least magnitude of ``count`` scalars at an address."""
    scalar, lanes = kind_of(least), lanes_of_kind(least)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source = builder.inttoptr(arguments[1], scalar.as_pointer())
        whole = ir.VectorType(scalar, lanes)
        found = builder.alloca(whole)
        builder.store(Emitter(builder, scalar, lanes).splat(arguments[0]), found)

        def one(e: Emitter, place: Any) -> None:
            here = builder.bitcast(found, e.vector.as_pointer())
            value = e.intrinsic("fabs", [e.load(builder.gep(source, [place]))])
            held = builder.load(here)
            builder.store(builder.select(builder.fcmp_ordered("<", value, held), value, held), here)

        over_line(builder, scalar, lanes, arguments[2], one)
        values = builder.load(found)
        answer = builder.extract_element(values, ir.Constant(ir.IntType(32), 0))
        for lane in range(1, lanes):
            value = builder.extract_element(values, ir.Constant(ir.IntType(32), lane))
            answer = builder.select(builder.fcmp_ordered("<", value, answer), value, answer)
        return answer

    return least(least, types.intp, types.intp), generate


@compiled
def block_rows(height: int) -> int:
    """Return how many rows a block has: each window holds three blocks, if it has three rows."""
    rows = 1
    while 8 * rows <= height + 1:
        rows *= 2
    return rows


@compiled
def least_window(
    limit: Any,
    work: Any,
    plane: int,
    stride: int,
    shape: tuple[int, int],
    kernel: tuple[int, int],
    scratch: int,
) -> Any:
    """Return a lower bound of what the magnitudes in any window of a plane sum to.

    Each is counted up to ``limit``. ``shape`` are the rows and columns that windows of the shape
    ``kernel`` read; ``scratch`` is the address of memory for one more row than the plane has.
    """
    size = carray(work, (0,)).itemsize
    rows, width = shape
    height, taps = kernel
    tall = block_rows(height)
    blocks = rows // tall
    together = (height + 1) // tall - 1
    for block in range(blocks):
        start = plane + block * tall * stride
        fold_rows(limit, start, stride, tall, scratch + block * width * size, width)
    sums = carray(pointer(work, scratch), (blocks + 1, width))
    least = sums[blocks]
    count = width - taps + 1
    for block in range(blocks - together + 1):
        line = sums[block]
        for other in range(block + 1, block + together):
            more = sums[other]
            for x in range(width):
                line[x] += more[x]
        apart, reach = 1, width
        while 4 * apart <= taps:
            reach -= apart
            for x in range(reach):
                line[x] = line[x] + line[x + apart]
            apart *= 2
        if 3 * apart <= taps:
            for x in range(count):
                line[x] = line[x] + line[x + apart] + line[x + 2 * apart]
        elif 2 * apart <= taps:
            for x in range(count):
                line[x] = line[x] + line[x + apart]
        for x in range(count):
            held = line[x] if block == 0 else least[x]
            least[x] = line[x] if line[x] < held else held
    answer = least[0]
    for x in range(1, count):
        answer = min(answer, least[x])
    return answer
