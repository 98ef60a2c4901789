"""Programs, one for each thread, that run together.

Each thread walks its own program: rows of numbers, the first of which is the address of an
operation, or 0 for a barrier. Between barriers a thread owns what it writes; sums over threads are
taken in a fixed order, so that the same number of threads gives the same bits.
"""

from collections.abc import Sequence

import numpy as np

from convtool import compiled
from convtool.compiled import threadpool
from convtool.nn._types import Array

MEMORY, PROGRAM, ROWS, ROW_BYTES, ARRIVALS, THREADS = range(6)
"""Where the numbers of a thread's job stand."""

_JOB = 16
"""Integers of a job: two cache lines."""


class Programs:
    """One program for each thread, ready to run.

    Parameters
    ----------
    memory : ndarray of float32
        What the operations work on.
    tables : sequence of ndarray of int64, shape (rows, numbers)
        One for each thread, with equally many barriers, the last row being one.
    """

    def __init__(self, memory: Array, tables: Sequence[Array]) -> None:
        self.tables = tuple(tables)
        threads = len(self.tables)
        self._memory = memory
        self._jobs = np.zeros((threads + 1, _JOB), np.int64)
        # The counter of arrivals has a cache line that holds no job.
        arrivals = self._jobs[threads, _JOB // 2 :].ctypes.data
        for job, table in zip(self._jobs, self.tables, strict=False):
            job[[MEMORY, PROGRAM]] = memory.ctypes.data, table.ctypes.data
            job[[ROWS, ROW_BYTES]] = table.shape[0], table.strides[0]
            job[[ARRIVALS, THREADS]] = arrivals, threads

    def wake(self) -> None:
        """Wake the threads: `run` follows at once."""
        threadpool.wake(len(self.tables))

    def run(self) -> None:
        """Run the programs, the first one in this thread; return when all are done."""
        function, jobs = compiled.address("nn_run_program"), self._jobs
        threadpool.run_together(function, jobs.ctypes.data, jobs.strides[0], len(self.tables))
