"""LLVM's vector code as functions that jitted code calls: all work at addresses.

An argument called ``like`` is a pointer that only tells the type of the scalars in lines.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled import target
from convtool.compiled.calls import call
from convtool.compiled.emitter import INT, switched
from convtool.compiled.emitter import call as emit
from convtool.ndimage.jit import simd
from convtool.ndimage.jit.job import ANTISYMMETRIC, SYMMETRIC, UNIFORM, WAYS, WEIGHTED

INDEX = INT.as_pointer()


def lanes_of(kind: Any) -> int:
    """Return how many scalars of a type a vector holds."""
    bits: int = kind.bitwidth
    return max(1, target.current().vector_bytes // (bits // 8))


def _own_function(
    builder: Any, name: str, kinds: list[Any], write: Callable[[Any, Any], None]
) -> Any:
    """Return a function of the module that has the registers to itself."""
    if name in builder.module.globals:
        return builder.module.globals[name]
    function = ir.Function(builder.module, ir.FunctionType(ir.VoidType(), kinds), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    inner = ir.IRBuilder(function.append_basic_block("start"))
    write(inner, function.args)
    inner.ret_void()
    return function


@intrinsic  # type: ignore[untyped-decorator]
def weigh(
    _typing: Any,
    like: Any,
    kind: Any,
    source: Any,
    near: Any,
    far: Any,
    weights: Any,
    terms: Any,
    start: Any,
    target: Any,
    count: Any,
) -> Any:
    """Write sums of ``terms`` to ``count`` scalars at ``target``, rounded up to whole vectors.

    See :data:`~.job.JOB`: ``near`` and ``far`` are addresses of distances from ``source``.
    """
    kinds = [INT] * 5 + [simd.DOUBLE] + [INT] * 2

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        scalar = context.get_data_type(like.dtype)
        pointer = scalar.as_pointer()

        def write(number: int) -> None:
            def body(b: Any, given: Any) -> None:
                first, one, two, values, count_of, begin, end, length = given
                simd.weigh(
                    b,
                    scalar,
                    lanes_of(like.dtype),
                    number,
                    b.inttoptr(first, pointer),
                    b.inttoptr(one, INDEX),
                    b.inttoptr(two, INDEX),
                    b.inttoptr(values, pointer),
                    count_of,
                    begin,
                    b.inttoptr(end, pointer),
                    length,
                )

            name = f"convtool_weigh_{number}_{like.dtype}"
            builder.call(_own_function(builder, name, kinds, body), arguments[2:])

        switched(builder, arguments[1], (WEIGHTED, SYMMETRIC, ANTISYMMETRIC, UNIFORM), write)
        return context.get_dummy_value()

    return types.void(like, *[types.intp] * 6, types.float64, types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def divide(
    _typing: Any,
    like: Any,
    size: Any,
    reciprocal: Any,
    corrections: Any,
    total: Any,
    target: Any,
    count: Any,
) -> Any:
    """Write ``total / size`` to ``count`` scalars, rounded up to whole vectors."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        scalar = context.get_data_type(like.dtype)
        lanes, (_, size, reciprocal, corrections, total, target, count) = (
            lanes_of(like.dtype),
            arguments,
        )
        total, target = (builder.inttoptr(place, scalar.as_pointer()) for place in (total, target))
        simd.mean(builder, scalar, lanes, size, reciprocal, corrections, total, target, count)
        return context.get_dummy_value()

    return types.void(like, types.float64, types.float64, *[types.intp] * 4), generate


@intrinsic  # type: ignore[untyped-decorator]
def slide(
    _typing: Any,
    like: Any,
    size: Any,
    reciprocal: Any,
    corrections: Any,
    total: Any,
    target: Any,
    count: Any,
    new: Any,
    old: Any,
) -> Any:
    """Add ``new - old`` to ``count`` totals, then do as `divide`."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        scalar = context.get_data_type(like.dtype)
        lanes, (_, size, reciprocal, corrections, *lines) = lanes_of(like.dtype), arguments
        count = lines.pop(2)
        total, target, new, old = (builder.inttoptr(place, scalar.as_pointer()) for place in lines)
        simd.mean(
            builder, scalar, lanes, size, reciprocal, corrections, total, target, count, new, old
        )
        return context.get_dummy_value()

    return types.void(like, types.float64, types.float64, *[types.intp] * 6), generate


@intrinsic  # type: ignore[untyped-decorator]
def write_line(
    _typing: Any, like: Any, answer: Any, how: Any, source: Any, end: Any, count: Any
) -> Any:
    """Write ``count`` scalars as answers; the pointers ``like`` and ``answer`` tell types."""
    kind = answer.dtype

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        scalar, found = context.get_data_type(like.dtype), context.get_data_type(kind)
        source = builder.inttoptr(arguments[3], scalar.as_pointer())
        end = builder.inttoptr(arguments[4], found.as_pointer())
        unsigned = not getattr(kind, "signed", True)
        bits = 64 if unsigned and kind.bitwidth == 32 else kind.bitwidth
        lanes = lanes_of(like.dtype)

        def write(number: int) -> None:
            simd.write_line(builder, scalar, lanes, number, found, bits, source, end, arguments[5])

        switched(builder, arguments[2], WAYS, write)
        return context.get_dummy_value()

    return types.void(like, answer, *[types.intp] * 4), generate


@intrinsic  # type: ignore[untyped-decorator]
def read_line(_typing: Any, pixel: Any, like: Any, source: Any, end: Any, count: Any) -> Any:
    """Read ``count`` integer pixels as integers of no fewer bits."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        scalar, found = (context.get_data_type(kind.dtype) for kind in (like, pixel))
        line = builder.inttoptr(arguments[2], found.as_pointer())
        target = builder.inttoptr(arguments[3], scalar.as_pointer())
        lanes, signed = lanes_of(like.dtype), pixel.dtype.signed
        simd.read_line(builder, scalar, lanes, found, signed, line, target, arguments[4])
        return context.get_dummy_value()

    return types.void(pixel, like, *[types.intp] * 3), generate


@intrinsic  # type: ignore[untyped-decorator]
def call_write(_typing: Any, function: Any, source: Any, target: Any, count: Any, how: Any) -> Any:
    """Call a function that writes ``count`` answers from one address to another in some way."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        call(builder, arguments[0], arguments[1:])
        return context.get_dummy_value()

    return types.void(*[types.intp] * 5), generate


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(_typing: Any, place: Any) -> Any:
    """Have the processor fetch the cache line at an address, which is soon to be read."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        numbers = [ir.Constant(ir.IntType(32), value) for value in (0, 3, 1)]
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        emit(builder, "llvm.prefetch.p0", ir.VoidType(), pointer, *numbers)
        return context.get_dummy_value()

    return types.void(types.intp), generate
