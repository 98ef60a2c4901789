"""The vectors of code for 8-bit images: uint8, int16 and 32-bit sums."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from convtool.compiled import target
from convtool.compiled.emitter import call, loop, number, same

FAMILY = target.current()
BYTES = FAMILY.lane_bytes
LANES = BYTES // 2
"""int16 values in a vector, and outputs in a block."""

INT, I32, I16, I8 = (ir.IntType(bits) for bits in (64, 32, 16, 8))
SUMS = ir.VectorType(I32, LANES // 2)
INT16S = ir.VectorType(I16, LANES)
UINT8S = ir.VectorType(I8, LANES)
FLOATS = ir.VectorType(ir.FloatType(), LANES // 2)

PACKS = FAMILY.avx2
"""Whether vectors are AVX2's, whose own instructions multiply, narrow and saturate."""

_MAGIC = 12582912.0
"""1.5·2²³: a float32 added to it is rounded half to even to a whole number, in its low bits."""

_MAGIC_BITS = 0x4B400000


def load(b: Any, address: Any, kind: Any) -> Any:
    """Load a vector from any address."""
    value = b.load(b.inttoptr(address, kind.as_pointer()))
    value.align = 1
    return value


def store(b: Any, value: Any, address: Any) -> None:
    """Store a vector at any address."""
    b.store(value, b.inttoptr(address, value.type.as_pointer())).align = 1


def rounded(b: Any, total: Any, scale: Any) -> Any:
    """Return sums times ``scale``, rounded half to even; products stay below 2²¹."""
    return whole(b, b.sitofp(total, FLOATS), scale)


def whole(b: Any, value: Any, scale: Any) -> Any:
    """Return floats times ``scale``, rounded half to even; products stay below 2²¹."""
    magic = same(FLOATS, _MAGIC)
    bits = call(b, f"llvm.fma.v{LANES // 2}f32", FLOATS, value, scale, magic)
    return b.sub(b.bitcast(bits, SUMS), same(SUMS, _MAGIC_BITS))


def saturated(b: Any, total: Any, scale: Any) -> Any:
    """Return sums times ``scale``, rounded half to even and cut to 0 … 255, still 32 bits wide."""
    value = rounded(b, total, scale)
    for name, limit in (("smax", 0), ("smin", 255)):
        value = call(b, f"llvm.{name}.v{LANES // 2}i32", SUMS, value, same(SUMS, limit))
    return value


def over_blocks(b: Any, width: Any, body: Callable[[Any], None], outputs: int = LANES) -> None:
    """Write a loop over blocks of so many outputs; the last may overlap the one before."""
    lanes = number(outputs)
    last = b.sub(width, lanes)

    def one(place: Any, _: list[Any]) -> list[Any]:
        x = b.mul(place, lanes)
        body(b.select(b.icmp_signed("<", x, last), x, last))
        return []

    count = b.sdiv(b.add(width, number(outputs - 1)), lanes)
    loop(b, count, [], one)


def part(b: Any, vector: Any, places: list[int]) -> Any:
    """Return the lanes of a vector that stand at these places."""
    mask = ir.Constant(ir.VectorType(I32, len(places)), places)
    return b.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def narrowed(b: Any, int16s: Any) -> Any:
    """Return int16 values as uint8, cut to 0 … 255."""
    if PACKS:
        halves = (part(b, int16s, list(range(start, start + 8))) for start in (0, 8))
        return call(b, "llvm.x86.sse2.packuswb.128", UINT8S, *halves)
    for name, limit in (("smax", 0), ("smin", 255)):
        int16s = call(b, f"llvm.{name}.v{LANES}i16", INT16S, int16s, same(INT16S, limit))
    return b.trunc(int16s, UINT8S)


def written(name: str, write: Callable[[Any, Any], None], count: int) -> Callable[..., Any]:
    """Return a generator of calls of a function of its own, so that it has all registers."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        function = builder.module.globals.get(name)
        if function is None:
            kind = ir.FunctionType(ir.VoidType(), [INT] * count)
            function = ir.Function(builder.module, kind, name)
            function.linkage = "internal"
            function.attributes.add("noinline")
            inside = ir.IRBuilder(function.append_basic_block("start"))
            write(inside, function.args)
            inside.ret_void()
        builder.call(function, arguments)
        return context.get_dummy_value()

    return generate


@intrinsic  # type: ignore[untyped-decorator]
def fill_uint8(_typing: Any, target: Any, value: Any, count: Any) -> Any:
    """Write ``value`` to ``count`` bytes at an address."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], I8.as_pointer())
        cgutils.memset(builder, place, arguments[2], builder.trunc(arguments[1], I8))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), generate
