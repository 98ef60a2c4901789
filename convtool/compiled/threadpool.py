"""Threads that wait for compiled work, and the calling thread that leads them.

A job is the address of a compiled function and of its data, so that a thread begins it without the
GIL and without Python. A thread that has finished waits busily for a moment, since the next call
often follows at once, then sleeps: on a semaphore where the platform has one for compiled code,
else on a lock of Python's. Its state is one integer, changed by the leader and by the thread
itself:

    WAITING → POSTED    the leader has work
    POSTED  → BUSY      the thread has started
    POSTED  → WAITING   the leader has finished alone before the thread began
    BUSY    → WAITING   the thread has finished
    WAITING → ASLEEP    nothing came
    ASLEEP  → POSTED    the leader has work, and wakes the thread
    ASLEEP  → WAITING   the leader will have work soon, and wakes the thread
"""

import atexit
import os
import sys
import threading
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from convtool import compiled

WAITING, POSTED, BUSY, ASLEEP = range(4)

PAUSES = 3000
"""How often a thread without work looks for more before it sleeps: about 100 microseconds."""

POLITE_AFTER = 3000
"""After so many pauses a leader that waits gives way to others each time."""

HAS_SEMAPHORES = sys.platform == "linux"
"""Whether threads can wait for POSIX semaphores without the GIL; not all systems have them."""

SEMAPHORE_BYTES = 64
"""No platform's semaphore is larger."""

APART = 128
"""Bytes between the states of two threads, so that none shares a cache line; the second half of
them holds the thread's semaphore."""

SLEEPS = 8
"""Bytes from a thread's state to whether it slept when it was last given work."""

SEMAPHORE = APART - SEMAPHORE_BYTES
"""Bytes from a thread's state to its semaphore."""


class _Functions(NamedTuple):
    """The compiled functions of :mod:`~.threadpool_code`."""

    make_semaphores: Any
    serve: Any
    post: Any
    release: Any
    finish: Any
    lead: Any
    wake: Any
    call: Any


@lru_cache(maxsize=1)
def _functions() -> _Functions:
    from ctypes import c_ssize_t as number

    def function(name: str, count: int, result: Any = None) -> Any:
        return compiled.function(f"pool_{name}", *[number] * count, result=result)

    return _Functions(
        function("make_semaphores", 2),
        function("serve", 4, number),
        function("post", 6, number),
        function("release", 2),
        function("finish", 5),
        function("lead", 8, number),
        function("wake", 2),
        function("call", 2),
    )


def callable_at(function: int) -> Any:
    """Return the compiled function at an address as one that Python calls with a job's address."""
    from ctypes import CFUNCTYPE, c_ssize_t

    return CFUNCTYPE(None, c_ssize_t)(function)


class ThreadPool:
    """Threads of this process that help the calling one.

    Parameters
    ----------
    helpers : int
        How many, at least 1.
    semaphores : bool
        Whether they sleep on semaphores, not on locks of Python's.
    """

    def __init__(self, helpers: int, semaphores: bool = HAS_SEMAPHORES) -> None:
        self.helpers, self.semaphores = helpers, semaphores
        self._memory = np.zeros((helpers + 2) * APART // 8, np.intp)
        self._shared = -(-self._memory.ctypes.data // APART) * APART
        self._states = self._shared + APART
        first = (self._states + SLEEPS - self._memory.ctypes.data) // 8
        self._sleeps = self._memory[first :: APART // 8][:helpers]
        self._functions = _functions()
        self._locks = [threading.Lock() for _ in range(helpers)]
        self._threads = [
            threading.Thread(target=self._live, args=(number,), name="convtool", daemon=True)
            for number in range(helpers)
        ]
        self._functions.make_semaphores(self._states, helpers)
        for lock, thread in zip(self._locks, self._threads, strict=True):
            lock.acquire()
            thread.start()

    def _live(self, number: int) -> None:
        serve, state = self._functions.serve, self._states + number * APART
        while serve(state, self._shared, number, self.semaphores):
            self._locks[number].acquire()

    def _unlock(self) -> None:
        for lock, sleeps in zip(self._locks, self._sleeps.tolist(), strict=True):
            if sleeps:
                lock.release()

    def wake(self) -> None:
        """Wake threads that sleep: work follows at once. Waking takes as long as preparing it."""
        if self.semaphores:
            self._functions.wake(self._states, self.helpers)

    def run(self, function: int, job: int, stride: int = 0, *, together: bool = False) -> None:
        """Call a compiled function with its job in all threads; return when all have finished.

        Parameters
        ----------
        function : int
            Its address.
        job : int
            The address of the job.
        stride : int
            Bytes from the job of a thread to that of the next; this thread has the first.
        together : bool
            Whether all threads are needed: they wait for each other. Otherwise the call
            does not wait for threads that have not started when this thread has finished.
        """
        functions = self._functions
        asleep: int = functions.lead(
            self._states,
            self.helpers,
            self._shared,
            function,
            job,
            stride,
            together,
            self.semaphores,
        )
        if asleep:
            try:
                self._unlock()
            finally:
                functions.finish(self._states, self.helpers, function, job, together)

    def end(self) -> None:
        """End the threads."""
        functions = self._functions
        functions.post(self._states, self.helpers, self._shared, 0, 0, 0)
        if self.semaphores:
            functions.release(self._states, self.helpers)
        else:
            self._unlock()
        for thread in self._threads:
            thread.join()


_pools: dict[int, ThreadPool] = {}
_in_use = [threading.Lock()]
"""One lock, held while a caller has the pool; in a list, since a fork needs another."""


def _pool(threads: int) -> ThreadPool:
    """Return the pool of so many threads, the caller's counted."""
    helpers = threads - 1
    if helpers not in _pools:
        _pools[helpers] = ThreadPool(helpers)
    return _pools[helpers]


def wake(threads: int) -> None:
    """Wake the pool of so many threads, if nobody has it: a call of `run` follows at once."""
    turn = _in_use[0]
    if threads < 2 or not turn.acquire(blocking=False):
        return
    try:
        _pool(threads).wake()
    finally:
        turn.release()


def run(function: int, job: int, threads: int) -> None:
    """Call a compiled function with the address of its job, on so many threads at once.

    While one caller has the pool, others do their jobs alone.
    """
    turn = _in_use[0]
    if threads < 2 or not turn.acquire(blocking=False):
        _functions().call(function, job)
        return
    try:
        _pool(threads).run(function, job)
    finally:
        turn.release()


def run_together(function: int, jobs: int, stride: int, threads: int) -> None:
    """Call a compiled function in so many threads that wait for each other, each with its own job.

    A caller waits while another has the pool.
    """
    if threads < 2:
        _functions().call(function, jobs)
        return
    with _in_use[0]:
        _pool(threads).run(function, jobs, stride, together=True)


@atexit.register
def _end() -> None:
    with _in_use[0]:
        for pool in _pools.values():
            pool.end()
        _pools.clear()


def _forget() -> None:
    """Start over after a fork: the child has none of its parent's threads."""
    _pools.clear()
    _in_use[0] = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
