"""Numbers that threads share, pauses and semaphores."""

import os
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convtool.compiled.emitter import call
from convtool.compiled.threadpool import HAS_SEMAPHORES

_INT = ir.IntType(64)
_CAN_YIELD = hasattr(os, "sched_yield")
_IS_X86 = llvmlite.binding.get_process_triple().startswith(("x86_64", "amd64"))


def _place(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _INT.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def load(_typing: Any, address: Any) -> Any:
    """Return an integer that other threads write."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_place(builder, arguments[0]), "seq_cst", 8)

    return types.intp(types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def exchange(_typing: Any, address: Any, value: Any) -> Any:
    """Write an integer that other threads read, and return what it was."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = _place(builder, arguments[0])
        return builder.atomic_rmw("xchg", place, arguments[1], "seq_cst")

    return types.intp(types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def compare_exchange(_typing: Any, address: Any, expected: Any, value: Any) -> Any:
    """Write an integer if it is as expected; return whether it was."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = _place(builder, arguments[0])
        both = builder.cmpxchg(place, arguments[1], arguments[2], "seq_cst", "seq_cst")
        return builder.extract_value(both, 1)

    return types.boolean(types.intp, types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def fetch_add_one(_typing: Any, counter: Any) -> Any:
    """Return the number at an address and add 1 to it, no other thread coming between."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = _place(builder, arguments[0])
        return builder.atomic_rmw("add", place, ir.Constant(_INT, 1), "seq_cst")

    return types.intp(types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def pause(_typing: Any) -> Any:
    """Tell the processor that this loop only waits."""

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        if _IS_X86:
            call(builder, "llvm.x86.sse2.pause", ir.VoidType())
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic  # type: ignore[untyped-decorator]
def yield_processor(_typing: Any) -> Any:
    """Give the processor to another thread that wants it."""

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        if _CAN_YIELD:
            call(builder, "sched_yield", ir.IntType(32))
        return context.get_dummy_value()

    return types.void(), generate


def _semaphore(name: str, *more: int) -> Any:
    """Return a generator of the call of a C function on the semaphore at an address."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        if HAS_SEMAPHORES:
            values = [ir.Constant(ir.IntType(32), value) for value in more]
            call(builder, name, ir.IntType(32), arguments[0], *values)
        return context.get_dummy_value()

    return generate


@intrinsic  # type: ignore[untyped-decorator]
def init_semaphore(_typing: Any, place: Any) -> Any:
    """Make a semaphore of value 0 at an address, for threads of this process."""
    return types.void(types.intp), _semaphore("sem_init", 0, 0)


@intrinsic  # type: ignore[untyped-decorator]
def wait_semaphore(_typing: Any, semaphore: Any) -> Any:
    """Wait until a semaphore is posted; a signal may end the wait, too."""
    return types.void(types.intp), _semaphore("sem_wait")


@intrinsic  # type: ignore[untyped-decorator]
def post_semaphore(_typing: Any, semaphore: Any) -> Any:
    """Post a semaphore: one thread that waits for it goes on."""
    return types.void(types.intp), _semaphore("sem_post")
