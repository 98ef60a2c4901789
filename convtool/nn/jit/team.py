"""Threads that run lists of operations together, in step.

Each thread walks its own program: rows of numbers, the first of which says where the operation's
machine code starts, or is 0 for a barrier. Between barriers a thread owns what it writes; sums over
threads are taken in a fixed order, so that the same number of threads gives the same bits. Waiting
is done by spinning for a while, since a step has many short waits, and by sleeping when nothing
comes.
"""

import os
import threading
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from convtool.convolution.engines.jit.compile import cached
from convtool.nn._types import Array
from convtool.nn.jit.simd import INT

_SPINS = 2000
_PATIENCE = 5_000
_CAN_YIELD = hasattr(os, "sched_yield")


@intrinsic  # type: ignore[untyped-decorator]
def _call(typingctx: Any, code_at: Any, memory_at: Any, row_at: Any) -> Any:
    """Call the operation at an address."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        memory, row = ir.FloatType().as_pointer(), INT.as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [memory, row]).as_pointer()
        function = builder.inttoptr(args[0], kind)
        builder.call(function, [builder.inttoptr(args[1], memory), builder.inttoptr(args[2], row)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), code


@intrinsic  # type: ignore[untyped-decorator]
def _add(typingctx: Any, address: Any, value: Any) -> Any:
    """Add to an int64 that others read, and return what it was."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = builder.inttoptr(args[0], INT.as_pointer())
        return builder.atomic_rmw("add", place, args[1], "seq_cst")

    return types.int64(types.int64, types.int64), code


@intrinsic  # type: ignore[untyped-decorator]
def _look(typingctx: Any, address: Any) -> Any:
    """Return an int64 that others write."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = builder.inttoptr(args[0], INT.as_pointer())
        return builder.load_atomic(place, "seq_cst", 8)

    return types.int64(types.int64), code


@intrinsic  # type: ignore[untyped-decorator]
def _let_others(typingctx: Any) -> Any:
    """Give the processor to another thread that wants it."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if _CAN_YIELD:
            kind = ir.FunctionType(ir.IntType(32), [])
            function = cgutils.get_or_insert_function(builder.module, kind, "sched_yield")
            builder.call(function, [])
        return context.get_dummy_value()

    return types.void(), code


@cached(njit, nogil=True)
def _run(memory: int, program: int, rows: int, row_bytes: int, signal: int, threads: int) -> None:
    """Walk a program; a row that starts with 0 waits for the other threads."""
    for i in range(rows):
        at = program + i * row_bytes
        operation = _look(at)
        if operation != 0:
            _call(operation, memory, at)
            continue
        goal = (_add(signal, 1) // threads + 1) * threads
        spins = 0
        while _look(signal) < goal:
            spins += 1
            if spins > _SPINS:
                _let_others()


@cached(njit, nogil=True)
def _await_change(signal: int, seen: int, patience: int) -> bool:
    """Wait a while for a number to change; say whether it did."""
    for i in range(patience):
        if _look(signal) != seen:
            return True
        if i > _SPINS:
            _let_others()
    return False


class Team:
    """The calling thread and `threads` - 1 others, which wait for programs to run.

    Parameters
    ----------
    threads : int
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._signals = np.zeros(16, np.int64)  # [0] counts arrivals, [8] counts starts
        self._arrivals, self._starts = self._signals.ctypes.data, self._signals[8:].ctypes.data
        self._wake = threading.Condition()
        self._job: tuple[int, list[tuple[int, int, int]]] = (0, [])
        for number in range(1, threads):
            threading.Thread(target=self._serve, args=(number,), daemon=True).start()

    def run(self, memory: Array, programs: list[Array]) -> None:
        """Run one program a thread; return when all are done.

        Parameters
        ----------
        memory : ndarray of float32
        programs : list of ndarray of int64, shape (rows, numbers)
            One for each thread, with equally many barriers, the last row being one.
        """
        jobs = [(p.ctypes.data, p.shape[0], p.strides[0]) for p in programs]
        with self._wake:
            self._job = (memory.ctypes.data, jobs)
            self._signals[8] += 1
            self._wake.notify_all()
        _run(memory.ctypes.data, *jobs[0], self._arrivals, self.threads)

    def _serve(self, number: int) -> None:
        seen = 0
        while True:
            if not _await_change(self._starts, seen, _PATIENCE):
                with self._wake:
                    while int(self._signals[8]) == seen:
                        self._wake.wait()
            with self._wake:
                seen = int(self._signals[8])
                memory, jobs = self._job
            _run(memory, *jobs[number], self._arrivals, self.threads)


_teams: dict[tuple[int, int], Team] = {}


def team(threads: int) -> Team:
    """Return this process's team of that many threads."""
    key = (os.getpid(), threads)
    if key not in _teams:
        _teams[key] = Team(threads)
    return _teams[key]
