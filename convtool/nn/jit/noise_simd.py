"""The noise of dropout and Gaussian dropout, as vectors: the numbers of ``operations.noise``.

References
----------
Cody, Waite (1980): Software manual for the elementary functions.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import same, splat
from convtool.nn.jit.simd import INTS, VECTOR, VECTORS, WIDTH, constant, llvm
from convtool.nn.operations.noise import GOLDEN, MIX

_LOG = (
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
"""Of ``(log(1 + f) - f + f^2 / 2) / f^3`` (Cody, Waite; Cephes)."""
_SINE = (-1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6)
"""Of ``(sin(x) - x) / x^3``, up to a quarter turn."""


def _whole(value: int) -> Any:
    return same(INTS, value)


def _spread_int(builder: Any, value: Any) -> Any:
    return splat(builder, builder.trunc(value, ir.IntType(32)), INTS)


def _bits(builder: Any, first: Any, step: Any, key: Any) -> Any:
    """Return ``operations.noise.bits`` of the elements first, first + step and on."""
    lanes = ir.Constant(INTS, list(range(WIDTH)))
    value = builder.mul(lanes, _spread_int(builder, step))
    value = builder.add(_spread_int(builder, first), value)
    value = builder.add(builder.mul(value, _whole(GOLDEN)), _spread_int(builder, key))
    for shift, factor in ((16, MIX[0]), (13, MIX[1]), (16, 1)):
        value = builder.xor(value, builder.lshr(value, _whole(shift)))
        value = builder.mul(value, _whole(factor))
    return value


def _polynomial(builder: Any, x: Any, factors: tuple[float, ...]) -> Any:
    """Return ``factors[0] x^n + ... + factors[n]``."""
    value = constant(factors[0])
    for factor in factors[1:]:
        value = llvm(builder, "fma", [value, x, constant(factor)])
    return value


def _logarithm(builder: Any, bits: Any) -> Any:
    """Return ``log((bits + 0.5) / 2^32)`` of unsigned numbers.

    Near 1 the distance from it is taken of the whole numbers, so that nothing is lost.
    """
    x = builder.fadd(builder.uitofp(bits, VECTORS), constant(0.5))
    x = builder.fmul(x, constant(2.0**-32))
    number = builder.bitcast(x, INTS)
    # The exponent of a mantissa from sqrt(1/2) to sqrt(2).
    shifted = builder.sub(number, _whole(0x3F3504F3))
    exponent = builder.ashr(shifted, _whole(23))
    mantissa = builder.sub(number, builder.shl(exponent, _whole(23)))
    f = builder.fsub(builder.bitcast(mantissa, VECTORS), constant(1.0))
    missing = builder.uitofp(builder.xor(bits, _whole(0xFFFFFFFF)), VECTORS)
    missing = builder.fmul(builder.fadd(missing, constant(0.5)), constant(-(2.0**-32)))
    near = builder.icmp_signed(">=", exponent, _whole(0))
    f = builder.select(near, missing, f)
    e = builder.select(near, constant(0.0), builder.sitofp(exponent, VECTORS))
    square = builder.fmul(f, f)
    p = _polynomial(builder, f, _LOG)
    p = builder.fmul(builder.fmul(p, f), square)
    p = llvm(builder, "fma", [e, constant(-2.12194440e-4), p])
    p = llvm(builder, "fma", [square, constant(-0.5), p])
    return llvm(builder, "fma", [e, constant(0.693359375), builder.fadd(f, p)])


def _cosine(builder: Any, bits: Any) -> Any:
    """Return ``cos(2 pi (bits + 0.5) / 2^32)`` as the sine of a quarter turn more."""
    folded = builder.xor(bits, builder.ashr(bits, _whole(31)))
    turns = builder.sitofp(builder.sub(folded, _whole(2**30)), VECTORS)
    x = builder.fmul(builder.fadd(turns, constant(0.5)), constant(-2 * np.pi * 2.0**-32))
    square = builder.fmul(x, x)
    p = builder.fmul(builder.fmul(_polynomial(builder, square, _SINE), square), x)
    return builder.fadd(x, p)


@intrinsic  # type: ignore[untyped-decorator]
def normal(typingctx: Any, first: Any, step: Any, key: Any, count: Any) -> Any:
    """Return standard normal numbers, of the elements first, first + step and on of `count`.

    The numbers of ``operations.noise.normal``, to a few units of float32.
    """

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        first, step, key, count = args
        radius = builder.fmul(_logarithm(builder, _bits(builder, first, step, key)), constant(-2))
        angle = _bits(builder, builder.add(first, count), step, key)
        return builder.fmul(llvm(builder, "sqrt", [radius]), _cosine(builder, angle))

    return VECTOR(*(types.int64,) * 4), code


@intrinsic  # type: ignore[untyped-decorator]
def keep(typingctx: Any, first: Any, step: Any, key: Any, threshold: Any, scale: Any) -> Any:
    """Return dropout's factors, 0 or `scale`, of the elements first, first + step and on.

    The same numbers as ``operations.noise.keep_mask``.
    """

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value = _bits(builder, *args[:3])
        kept = builder.icmp_unsigned("<", value, _spread_int(builder, args[3]))
        return builder.select(kept, splat(builder, args[4], VECTORS), constant(0.0))

    numbers = (types.int64,) * 4
    return VECTOR(*numbers, types.float32), code
