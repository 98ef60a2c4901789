"""The loop that runs a program: see :mod:`~.program`."""

from typing import Any

from numba import types
from numba.extending import intrinsic

from convtool.compiled.atomics import fetch_add_one, load, pause, yield_processor
from convtool.compiled.calls import call
from convtool.compiled.jit import compiled, entry
from convtool.compiled.memory import pointer
from convtool.nn.jit.program import ARRIVALS, MEMORY, PROGRAM, ROW_BYTES, ROWS, THREADS
from convtool.nn.jit.simd import ROW

POLITE_AFTER = 200
"""After so many pauses a thread that waits gives way to others each time."""


@intrinsic  # type: ignore[untyped-decorator]
def _call_operation(_typing: Any, operation: Any, memory: Any, row: Any) -> Any:
    """Call the operation at an address with the memory and its row."""

    def code(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        call(builder, args[0], args[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 3), code


@compiled
def _wait(arrivals: int, threads: int) -> None:
    """Wait until all threads have arrived as often as this one."""
    goal = (fetch_add_one(arrivals) // threads + 1) * threads
    waited = 0
    while load(arrivals) < goal:
        waited += 1
        if waited > POLITE_AFTER:
            yield_processor()
        pause()


@entry(ROW)
def run_program(job: Any) -> None:
    """Run the rows of a program in order."""
    for i in range(job[ROWS]):
        row = job[PROGRAM] + i * job[ROW_BYTES]
        operation = pointer(job, row)[0]
        if operation != 0:
            _call_operation(operation, job[MEMORY], row)
        else:
            _wait(job[ARRIVALS], job[THREADS])
