"""The compiled half of the thread pool: how threads wait, take work and hand it back.

See :mod:`~.threadpool` for the states of a thread.
"""

from convtool.compiled.atomics import (
    compare_exchange,
    exchange,
    init_semaphore,
    load,
    pause,
    post_semaphore,
    wait_semaphore,
    yield_processor,
)
from convtool.compiled.calls import call_at
from convtool.compiled.jit import INT, entry
from convtool.compiled.threadpool import (
    APART,
    ASLEEP,
    BUSY,
    PAUSES,
    POLITE_AFTER,
    POSTED,
    SEMAPHORE,
    SLEEPS,
    WAITING,
)


@entry(INT, INT)
def make_semaphores(states: int, helpers: int) -> None:
    """Make the semaphore of each thread."""
    for number in range(helpers):
        init_semaphore(states + number * APART + SEMAPHORE)


@entry(INT, INT, INT, INT, result=INT)
def serve(state: int, shared: int, number: int, semaphores: int) -> int:
    """Do what is posted; 1: the thread is to sleep on its lock, 0: it is to end."""
    waited = 0
    while True:
        if load(state) == POSTED and compare_exchange(state, POSTED, BUSY):
            function = load(shared)
            if function == 0:
                return 0
            call_at(function, load(shared + 8) + (number + 1) * load(shared + 16))
            exchange(state, WAITING)
            waited = 0
        waited += 1
        if waited > PAUSES and compare_exchange(state, WAITING, ASLEEP):
            if semaphores == 0:
                return 1
            while load(state) == ASLEEP:
                wait_semaphore(state + SEMAPHORE)
            waited = 0
        pause()


@entry(INT, INT, INT, INT, INT, INT, result=INT)
def post(states: int, helpers: int, shared: int, function: int, job: int, stride: int) -> int:
    """Give a job to the threads; note by each whether it sleeps, and return how many do."""
    exchange(shared, function)
    exchange(shared + 8, job)
    exchange(shared + 16, stride)
    asleep = 0
    for number in range(helpers):
        state = states + number * APART
        sleeps = 1 if exchange(state, POSTED) == ASLEEP else 0
        exchange(state + SLEEPS, sleeps)
        asleep += sleeps
    return asleep


@entry(INT, INT)
def release(states: int, helpers: int) -> None:
    """Wake the threads that slept on their semaphores at the last `post`."""
    for number in range(helpers):
        if load(states + number * APART + SLEEPS) != 0:
            post_semaphore(states + number * APART + SEMAPHORE)


@entry(INT, INT, INT, INT, INT)
def finish(states: int, helpers: int, function: int, job: int, together: int) -> None:
    """Do the job too; then wait for the other threads.

    Threads that have not started are called back, unless the job is for all threads ``together``.
    """
    call_at(function, job)
    for number in range(helpers):
        state = states + number * APART
        waited = 0
        while True:
            now = load(state)
            if now in (WAITING, ASLEEP):
                break
            if together == 0 and now == POSTED and compare_exchange(state, POSTED, WAITING):
                break
            waited += 1
            if waited > POLITE_AFTER:
                yield_processor()
            pause()


@entry(INT, INT, INT, INT, INT, INT, INT, INT, result=INT)
def lead(
    states: int,
    helpers: int,
    shared: int,
    function: int,
    job: int,
    stride: int,
    together: int,
    semaphores: int,
) -> int:
    """Do a job with all threads; where some sleep on locks, only post it, and say how many."""
    asleep: int = post(states, helpers, shared, function, job, stride)
    if semaphores and asleep:
        release(states, helpers)
        asleep = 0
    if asleep == 0:
        finish(states, helpers, function, job, together)
    return asleep


@entry(INT, INT)
def wake(states: int, helpers: int) -> None:
    """Wake threads that sleep: work follows at once."""
    for number in range(helpers):
        if compare_exchange(states + number * APART, ASLEEP, WAITING):
            post_semaphore(states + number * APART + SEMAPHORE)


@entry(INT, INT)
def call(function: int, job: int) -> None:
    """Call a compiled function with the address of its job, in this thread alone."""
    call_at(function, job)
