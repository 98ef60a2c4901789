"""Threads that wait for compiled work, and the calling thread that leads them.

A job is the address of a compiled function and of its data, so that a thread begins it without the
GIL and without Python. A thread that has finished waits busily for a moment, since the next call
often follows at once, then sleeps: on a semaphore where the platform has one for compiled code,
else on a lock of Python's. Its state is one integer, changed by the leader and by the thread
itself:

    WAITING → POSTED    the leader has work
    POSTED  → BUSY      the thread has begun
    POSTED  → WAITING   the leader has finished alone before the thread began
    BUSY    → WAITING   the thread has finished
    WAITING → ASLEEP    nothing came
    ASLEEP  → POSTED    the leader has work, and wakes the thread
    ASLEEP  → WAITING   the leader will have work soon, and wakes the thread
"""

import atexit
import os
import threading

import numpy as np

from convtool.convolution.engines.jit.atomics import (
    HAS_SEMAPHORES,
    SEMAPHORE_BYTES,
    call_at,
    change,
    exchange,
    give_way,
    look,
    make_semaphore,
    pause,
    raise_semaphore,
    sleep_on,
)
from convtool.convolution.engines.jit.compile import compiled

WAITING, POSTED, BUSY, ASLEEP = range(4)

PAUSES = 3000
"""How often a thread without work looks for more before it sleeps: about 100 microseconds."""

POLITE_AFTER = 3000
"""After so many pauses a leader that waits gives way to others each time."""

APART = 128
"""Bytes between the states of two threads, so that none shares a cache line; the second half of
them holds the thread's semaphore."""

BED = APART - SEMAPHORE_BYTES
"""Bytes from a thread's state to its semaphore."""


@compiled
def _make_beds(states: int, helpers: int) -> None:
    for number in range(helpers):
        make_semaphore(states + number * APART + BED)


@compiled
def _serve(state: int, shared: int, semaphores: bool) -> bool:
    """Do what is posted; True: the thread is to sleep on its lock, False: it is to end."""
    waited = 0
    while True:
        if look(state) == POSTED and change(state, POSTED, BUSY):
            function = look(shared)
            if function == 0:
                return False
            call_at(function, look(shared + 8))
            exchange(state, WAITING)
            waited = 0
        waited += 1
        if waited > PAUSES and change(state, WAITING, ASLEEP):
            if not semaphores:
                return True
            while look(state) == ASLEEP:
                sleep_on(state + BED)
            waited = 0
        pause()


@compiled
def _post(states: int, helpers: int, shared: int, function: int, job: int) -> int:
    """Give a job to the threads; return which of them sleep, one bit for each."""
    exchange(shared, function)
    exchange(shared + 8, job)
    asleep = 0
    for number in range(helpers):
        if exchange(states + number * APART, POSTED) == ASLEEP:
            asleep |= 1 << number
    return asleep


@compiled
def _raise(states: int, helpers: int, asleep: int) -> None:
    """Wake threads that sleep on their semaphores."""
    for number in range(helpers):
        if asleep >> number & 1:
            raise_semaphore(states + number * APART + BED)


@compiled
def _finish(states: int, helpers: int, function: int, job: int) -> None:
    """Do the job too; then call back threads that have not begun, and wait for the others."""
    call_at(function, job)
    for number in range(helpers):
        state = states + number * APART
        waited = 0
        while not change(state, POSTED, WAITING) and look(state) == BUSY:
            waited += 1
            if waited > POLITE_AFTER:
                give_way()
            pause()


@compiled
def _lead(states: int, helpers: int, shared: int, function: int, job: int, semaphores: bool) -> int:
    """Do a job with all threads; where some sleep on locks, only post it, and say which."""
    asleep: int = _post(states, helpers, shared, function, job)
    if semaphores:
        _raise(states, helpers, asleep)
        asleep = 0
    if asleep == 0:
        _finish(states, helpers, function, job)
    return asleep


@compiled
def _rouse(states: int, helpers: int) -> None:
    for number in range(helpers):
        if change(states + number * APART, ASLEEP, WAITING):
            raise_semaphore(states + number * APART + BED)


class Team:
    """Threads of this process that help the calling one.

    Parameters
    ----------
    helpers : int
        How many, 1 to 62.
    semaphores : bool
        Whether they sleep on semaphores, not on locks of Python's.
    """

    def __init__(self, helpers: int, semaphores: bool = HAS_SEMAPHORES) -> None:
        self.helpers, self.semaphores = helpers, semaphores
        self._memory = np.zeros((helpers + 2) * APART // 8, np.intp)
        self._shared = -(-self._memory.ctypes.data // APART) * APART
        self._states = self._shared + APART
        self._beds = [threading.Lock() for _ in range(helpers)]
        self._threads = [
            threading.Thread(target=self._live, args=(number,), name="convtool", daemon=True)
            for number in range(helpers)
        ]
        _make_beds(self._states, helpers)
        for bed, thread in zip(self._beds, self._threads, strict=True):
            bed.acquire()
            thread.start()

    def _live(self, number: int) -> None:
        while _serve(self._states + number * APART, self._shared, self.semaphores):
            self._beds[number].acquire()

    def _wake(self, asleep: int) -> None:
        for number, bed in enumerate(self._beds):
            if asleep >> number & 1:
                bed.release()

    def rouse(self) -> None:
        """Wake threads that sleep: work follows at once. Waking takes as long as preparing it."""
        if self.semaphores:
            _rouse(self._states, self.helpers)

    def run(self, function: int, job: int) -> None:
        """Call a compiled function with its job in all threads; return when all have finished."""
        address = self._states, self.helpers, self._shared
        asleep: int = _lead(*address, function, job, self.semaphores)
        if asleep:
            try:
                self._wake(asleep)
            finally:
                _finish(self._states, self.helpers, function, job)

    def end(self) -> None:
        """End the threads."""
        asleep = _post(self._states, self.helpers, self._shared, 0, 0)
        if self.semaphores:
            _raise(self._states, self.helpers, asleep)
        else:
            self._wake(asleep)
        for thread in self._threads:
            thread.join()


MOST = 62
"""Helpers of a team at the most: a bit for each in an integer."""

_teams: dict[int, Team] = {}
_in_use = [threading.Lock()]
"""One lock, held while a caller has the team; in a list, since a fork needs another."""


def _team(threads: int) -> Team:
    """Return the team of so many threads, the caller's counted."""
    helpers = min(threads - 1, MOST)
    if helpers not in _teams:
        _teams[helpers] = Team(helpers)
    return _teams[helpers]


def rouse(threads: int) -> None:
    """Wake the team of so many threads, if nobody has it: a call of `run` follows at once."""
    turn = _in_use[0]
    if threads < 2 or not turn.acquire(blocking=False):
        return
    try:
        _team(threads).rouse()
    finally:
        turn.release()


def run(function: int, job: int, threads: int) -> None:
    """Call a compiled function with the address of its job, on so many threads at once.

    While one caller has the team, others do their jobs alone.
    """
    turn = _in_use[0]
    if threads < 2 or not turn.acquire(blocking=False):
        call_alone(function, job)
        return
    try:
        _team(threads).run(function, job)
    finally:
        turn.release()


@compiled
def call_alone(function: int, job: int) -> None:
    """Call a compiled function with the address of its job, in this thread alone."""
    call_at(function, job)


@atexit.register
def _end() -> None:
    with _in_use[0]:
        for team in _teams.values():
            team.end()
        _teams.clear()


def _forget() -> None:
    """Begin anew after a fork: the child has none of its parent's threads."""
    _teams.clear()
    _in_use[0] = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
