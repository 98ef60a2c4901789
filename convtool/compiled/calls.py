"""Calls of compiled functions by their addresses."""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_INT = ir.IntType(64)
NOTHING = ir.Constant(_INT, 0)
"""What a parameter is given that only tells a type."""


def call(builder: Any, address: Any, arguments: Sequence[Any], result: Any = None) -> Any:
    """Write a call of the function at an address, whose arguments are LLVM values."""
    kind = ir.FunctionType(result or ir.VoidType(), [argument.type for argument in arguments])
    return builder.call(builder.inttoptr(address, kind.as_pointer()), list(arguments))


@intrinsic  # type: ignore[untyped-decorator]
def call_at(_typing: Any, function: Any, job: Any) -> Any:
    """Call a function with the address of its job.

    Its further parameters, pointers that only tell types, are null.
    """

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        call(builder, arguments[0], [arguments[1], *[NOTHING] * 4])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def call_line(_typing: Any, function: Any, source: Any, target: Any, count: Any) -> Any:
    """Call a function that writes ``count`` scalars from one address to another."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        call(builder, arguments[0], arguments[1:])
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), generate


@intrinsic  # type: ignore[untyped-decorator]
def call_group(
    _typing: Any, function: Any, job: Any, source: Any, scratch: Any, target: Any, ahead: Any
) -> Any:
    """Call a function that makes a group of answers, and return what it does.

    Its parameters are a job, three pointers that only tell types, and four addresses.
    """

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        rest = [arguments[1], *[NOTHING] * 3, *arguments[2:]]
        return call(builder, arguments[0], rest, _INT)

    return types.intp(*[types.intp] * 6), generate
