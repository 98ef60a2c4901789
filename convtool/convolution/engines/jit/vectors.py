"""LLVM's vector code as functions that jitted code calls.

All work at addresses, on scalars of the working type: float32 or float64. An argument called
``like`` is any number of that type; an array so called is empty and only tells a type.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled import target
from convtool.compiled.emitter import Emitter, switched
from convtool.convolution.engines.jit import line_simd, simd

VECTOR_BYTES = target.current().vector_bytes
WIDE = {1: 4, 3: 4, 4: 4, 6: 3} if VECTOR_BYTES == 64 else {1: 4, 2: 4, 3: 3, 4: 2}
"""Rows of a wide block, and vectors in each: as many sums as the registers hold."""

NARROW = (1, 4, 16)
"""The parts of a vector that blocks of narrow planes are wide."""

SMALL = (
    {3: (6, 2), 5: (6, 2), 7: (4, 4), 9: (4, 4)}
    if VECTOR_BYTES == 64
    else {3: (4, 2), 5: (4, 2), 7: (3, 3), 9: (3, 3), 11: (3, 3)}
)
"""Sides of kernels that have blocks of their own, and the rows and vectors of these."""

BLOCKS = (
    tuple((rows, vectors, 1, 0) for rows, vectors in WIDE.items())
    + tuple((rows, 1, share, 0) for rows in (1, max(WIDE)) for share in NARROW)
    + tuple((rows, vectors, 1, side) for side, (rows, vectors) in SMALL.items())
)
"""(rows, vectors, share of a vector's lanes, side of the kernel or 0 for any) of each block."""

SMALL_SIDES = tuple(SMALL)

ROWS = tuple(WIDE)

LEAST_LINE = WIDE[ROWS[-1]]
"""Vectors of the shortest lines that are made together."""


def kind_of(kind: Any) -> Any:
    """Return LLVM's type of a scalar."""
    return ir.FloatType() if kind == types.float32 else ir.DoubleType()


def lanes_of_kind(kind: Any, share: int = 1) -> int:
    """Return how many scalars of a type a vector, or a part of it, holds."""
    bits: int = kind.bitwidth
    return max(1, VECTOR_BYTES // (bits // 8) // share)


@intrinsic  # type: ignore[untyped-decorator]
def lanes_of(_typing: Any, like: Any) -> Any:
    """Return how many scalars of that type a vector holds."""
    lanes = lanes_of_kind(like)

    def generate(_context: Any, _builder: Any, _signature: Any, _arguments: Any) -> Any:
        return ir.Constant(ir.IntType(64), lanes)

    return types.intp(like), generate


@intrinsic  # type: ignore[untyped-decorator]
def make_plane(
    _typing: Any,
    choice: Any,
    like: Any,
    source: Any,
    source_stride: Any,
    weights: Any,
    height: Any,
    width: Any,
    step: Any,
    target: Any,
    target_stride: Any,
    rows: Any,
    columns: Any,
    phases: Any,
) -> Any:
    """Make a plane of blocks ``BLOCKS[choice]``; source, weights and target are addresses."""
    signature = types.void(types.intp, like, *[types.intp] * 11)
    scalar = kind_of(like)
    integer = ir.IntType(64)

    def function_for(module: Any, number: int) -> Any:
        """Return a function of its own for a block, so that it has the registers to itself."""
        tall, vectors, share, side = BLOCKS[number]
        kind = ir.FunctionType(ir.VoidType(), [integer] * 11)
        function = ir.Function(module, kind, f"convtool_plane_{number}_{like}")
        function.linkage = "internal"
        function.attributes.add("noinline")
        builder = ir.IRBuilder(function.append_basic_block("start"))
        start, start_stride, values, kh, kw, channels, end, end_stride, *sizes = function.args
        pointer = scalar.as_pointer()
        whole = simd.Block(
            source=builder.inttoptr(start, pointer),
            source_stride=start_stride,
            weights=builder.inttoptr(values, pointer),
            height=kh,
            width=kw,
            step=channels,
            target=builder.inttoptr(end, pointer),
            target_stride=end_stride,
            adding=ir.Constant(integer, 0),
        )
        emitter = Emitter(builder, scalar, lanes_of_kind(like, share))
        simd.correlate_plane(emitter, whole, simd.Plane(*sizes), tall, vectors, side)
        builder.ret_void()
        return function

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        def write(number: int) -> None:
            builder.call(function_for(builder.module, number), arguments[2:])

        switched(builder, arguments[0], range(len(BLOCKS)), write)
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def make_lines(
    _typing: Any,
    like: Any,
    source: Any,
    line_stride: Any,
    part_stride: Any,
    weights: Any,
    parts: Any,
    taps: Any,
    step: Any,
    target: Any,
    target_stride: Any,
    width: Any,
) -> Any:
    """Make ``ROWS[-1]`` lines of outputs, each from ``parts`` lines of its own.

    Needs a width of `LEAST_LINE` vectors.
    """
    scalar = kind_of(like)
    integer = ir.IntType(64)

    def function_for(module: Any) -> Any:
        """Return a function of its own, so that it has the registers to itself."""
        kind = ir.FunctionType(ir.VoidType(), [integer] * 10)
        function = ir.Function(module, kind, f"convtool_lines_{like}")
        function.linkage = "internal"
        function.attributes.add("noinline")
        builder = ir.IRBuilder(function.append_basic_block("start"))
        start, line, part, row, kh, kw, channels, end, end_stride, count = function.args
        pointer = scalar.as_pointer()
        block = simd.Block(
            source=builder.inttoptr(start, pointer),
            source_stride=part,
            weights=builder.inttoptr(row, pointer),
            height=kh,
            width=kw,
            step=channels,
            target=builder.inttoptr(end, pointer),
            target_stride=end_stride,
            adding=ir.Constant(integer, 0),
        )
        emitter = Emitter(builder, scalar, lanes_of_kind(like))
        simd.correlate_lines(emitter, block, line, count, ROWS[-1], LEAST_LINE)
        builder.ret_void()
        return function

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        builder.call(function_for(builder.module), arguments[1:])
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 10), generate


@intrinsic  # type: ignore[untyped-decorator]
def call_plane(
    _typing: Any,
    plane: Any,
    like: Any,
    source: Any,
    source_stride: Any,
    weights: Any,
    height: Any,
    taps: Any,
    step: Any,
    target: Any,
    target_stride: Any,
    rows: Any,
    width: Any,
    phases: Any,
) -> Any:
    """Call the loops over blocks at the address ``plane``."""
    signature = types.void(types.intp, like, *[types.intp] * 11)
    integer = ir.IntType(64)
    kind = ir.FunctionType(ir.VoidType(), [kind_of(like), *[integer] * 11])

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        builder.call(function, arguments[1:])
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def add_weighted_line(_typing: Any, weight: Any, source: Any, target: Any, count: Any) -> Any:
    """Add ``weight`` times ``count`` scalars at address ``source`` to those at ``target``."""
    scalar, lanes = kind_of(weight), lanes_of_kind(weight)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        line = builder.inttoptr(arguments[1], scalar.as_pointer())
        out = builder.inttoptr(arguments[2], scalar.as_pointer())
        line_simd.add_weighted_line(builder, scalar, lanes, arguments[0], line, out, arguments[3])
        return context.get_dummy_value()

    return types.void(weight, types.intp, types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def magnitude_line(_typing: Any, scale: Any, down: Any, right: Any, count: Any) -> Any:
    """Put the magnitude of (down, right) in place of ``count`` scalars at address ``down``."""
    scalar, lanes = kind_of(scale), lanes_of_kind(scale)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        first = builder.inttoptr(arguments[1], scalar.as_pointer())
        second = builder.inttoptr(arguments[2], scalar.as_pointer())
        line_simd.magnitude_line(builder, scalar, lanes, arguments[0], first, second, arguments[3])
        return context.get_dummy_value()

    return types.void(scale, types.intp, types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def largest_of_line(_typing: Any, like: Any, start: Any, count: Any) -> Any:
    """Return the largest magnitude of ``count`` scalars at an address; NaN counts as 0."""
    scalar, lanes = kind_of(like), lanes_of_kind(like)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source = builder.inttoptr(arguments[1], scalar.as_pointer())
        return line_simd.largest_of_line(builder, scalar, lanes, source, arguments[2])

    return like(like, types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def line_is_finite(_typing: Any, like: Any, start: Any, count: Any) -> Any:
    """Return whether none of ``count`` scalars at an address is NaN or inf."""
    scalar, lanes = kind_of(like), lanes_of_kind(like)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source = builder.inttoptr(arguments[1], scalar.as_pointer())
        return line_simd.line_is_finite(builder, scalar, lanes, source, arguments[2])

    return types.boolean(like, types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def convert_line(_typing: Any, source: Any, start: Any, target: Any, end: Any, count: Any) -> Any:
    """Write ``count`` scalars at address ``start`` to address ``end``.

    ``source`` and ``target`` are (empty) arrays that only tell the two types; one of them is the
    working type. Integers that are written are rounded half to even and saturate.
    """
    signature = types.void(source, types.intp, target, types.intp, types.intp)
    reads = isinstance(source.dtype, types.Integer) or source.dtype.bitwidth < target.dtype.bitwidth
    working = target.dtype if reads else source.dtype
    scalar, lanes = kind_of(working), lanes_of_kind(working)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        line, out = (
            builder.inttoptr(arguments[place], context.get_data_type(kind.dtype).as_pointer())
            for place, kind in ((1, source), (3, target))
        )
        convert: line_simd.Convert = line_simd.copier
        if reads and isinstance(source.dtype, types.Float):
            convert = line_simd.widener
        elif reads:
            convert = line_simd.reader(source.dtype.bitwidth, source.dtype.signed)
        elif isinstance(target.dtype, types.Integer):
            convert = line_simd.writer(target.dtype.bitwidth)
        line_simd.convert_line(builder, scalar, lanes, convert, line, out, arguments[4])
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def halve_line(_typing: Any, like: Any, line: Any, count: Any) -> Any:
    """Move every second of the scalars at address ``line``, ``count`` of them, to its front."""
    scalar, lanes = kind_of(like), lanes_of_kind(like)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[1], scalar.as_pointer())
        line_simd.halve_line(builder, scalar, lanes, place, arguments[2])
        return context.get_dummy_value()

    return types.void(like, types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def thin_line(_typing: Any, like: Any, line: Any, step: Any, stride: Any, count: Any) -> Any:
    """Move every ``stride``-th pixel at address ``line`` to its front, but the last of ``count``.

    See :func:`~.line_simd.thin_line`.
    """
    scalar = kind_of(like)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[1], scalar.as_pointer())
        line_simd.thin_line(builder, scalar, place, *arguments[2:])
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 4), generate


@intrinsic  # type: ignore[untyped-decorator]
def fill_line(_typing: Any, value: Any, target: Any, count: Any) -> Any:
    """Write ``value`` to ``count`` scalars at an address."""
    scalar, lanes = kind_of(value), lanes_of_kind(value)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        out = builder.inttoptr(arguments[1], scalar.as_pointer())
        line_simd.fill_line(builder, scalar, lanes, arguments[0], out, arguments[2])
        return context.get_dummy_value()

    return types.void(value, types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def copy_line(_typing: Any, like: Any, source: Any, target: Any, count: Any) -> Any:
    """Write ``count`` scalars at one address to another, from the first to the last."""
    scalar, lanes = kind_of(like), lanes_of_kind(like)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        line, out = (builder.inttoptr(arguments[place], scalar.as_pointer()) for place in (1, 2))
        line_simd.convert_line(builder, scalar, lanes, line_simd.copier, line, out, arguments[3])
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 3), generate


@intrinsic  # type: ignore[untyped-decorator]
def scale_for(_typing: Any, largest: Any) -> Any:
    """Return a power of two that brings a magnitude near 1; for 0, inf and NaN it is 1.

    It is normal, and so are the squares of the largest magnitude times it.
    """
    bits = largest.bitwidth
    mantissa = 23 if bits == 32 else 52
    bias = (1 << bits - mantissa - 2) - 1
    whole = ir.IntType(bits)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        def number(value: int) -> Any:
            return ir.Constant(whole, value)

        exponent = builder.lshr(builder.bitcast(arguments[0], whole), number(mantissa))
        inverse = builder.sub(number(2 * bias), exponent)
        inverse = builder.select(builder.icmp_signed("<", inverse, number(1)), number(1), inverse)
        usual = builder.icmp_signed("<=", exponent, number(2 * bias))
        usual = builder.and_(
            usual, builder.fcmp_ordered(">", arguments[0], ir.Constant(kind_of(largest), 0.0))
        )
        inverse = builder.select(usual, inverse, number(bias))
        return builder.bitcast(builder.shl(inverse, number(mantissa)), kind_of(largest))

    return largest(largest), generate
