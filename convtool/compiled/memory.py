"""Memory for compiled functions, which do without Numba's own, and addresses as pointers.

A function that is given no memory says so by what it returns; it never ends the process.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.extending import intrinsic

from convtool.compiled.emitter import call

_INT = ir.IntType(64)

ALIGNMENT = 64
"""Memory begins at a multiple of so many bytes: a cache line, the widest vector."""


@intrinsic  # type: ignore[untyped-decorator]
def allocate(_typing: Any, size: Any) -> Any:
    """Return the address of so many bytes, not set to anything; 0 where there is no room.

    `aligned` gives the first multiple of `ALIGNMENT` in them: ask for as many bytes more.
    """

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return call(builder, "malloc", _INT, *arguments)

    return types.intp(types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def release(_typing: Any, address: Any) -> Any:
    """Give memory back; 0 is none."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        call(builder, "free", ir.VoidType(), *arguments)
        return context.get_dummy_value()

    return types.void(types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def aligned(_typing: Any, address: Any) -> Any:
    """Return the first multiple of `ALIGNMENT` from an address on."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        raised = builder.add(arguments[0], ir.Constant(_INT, ALIGNMENT - 1))
        return builder.and_(raised, ir.Constant(_INT, -ALIGNMENT))

    return types.intp(types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def pointer(_typing: Any, like: Any, address: Any) -> Any:
    """Return an address as a pointer of the same type as another."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[1], context.get_value_type(like))

    return like(like, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def address_in(_typing: Any, place: Any) -> Any:
    """Return a pointer as an address."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ptrtoint(arguments[0], context.get_value_type(types.intp))

    return types.intp(place), generate


def pointer_of(dtype: np.dtype[Any]) -> Callable[[int], Any]:
    """Return what compiled code calls to have an address as a pointer to values of a dtype."""
    kind = types.CPointer(from_dtype(dtype))

    @intrinsic  # type: ignore[untyped-decorator]
    def pointer_at(_typing: Any, address: Any) -> Any:
        """Return an address as a pointer."""

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(kind))

        return kind(types.intp), generate

    made: Callable[[int], Any] = pointer_at
    return made
