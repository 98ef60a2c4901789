"""Threads that help with compiled work: whether they sleep on semaphores or on locks."""

import threading
import time

import numpy as np
import pytest
from numba import carray, cfunc, types

from convtool.convolution.engines.jit import team
from convtool.convolution.engines.jit.atomics import HAS_SEMAPHORES, take_next

ASLEEP_BY = 0.05
"""Seconds after which a thread without work sleeps, by far."""

PARTS = 8


@cfunc(types.void(types.CPointer(types.intp), *[types.CPointer(types.intp)] * 4))
def count_parts(job, _a, _b, _c, _d):
    """Take parts, each by one thread only, and count how often each was taken."""
    numbers = carray(job, (2 + PARTS,))
    taken = take_next(numbers[0])
    while taken < PARTS:
        numbers[2 + taken] += 1
        taken = take_next(numbers[0])


@pytest.fixture(params=[False, True] if HAS_SEMAPHORES else [False], ids=["locks", "semaphores"])
def threads(request):
    made = team.Team(3, semaphores=request.param)
    yield made
    made.end()


def run(threads):
    """Run a job that counts; return how often each part was done."""
    job = np.zeros(2 + PARTS, np.intp)
    job[0] = job[1:].ctypes.data
    threads.run(count_parts.address, job.ctypes.data)
    return job[2:].tolist()


def test_all_is_done_once_at_once_or_after_sleep(threads):
    for pause in (0, 0, ASLEEP_BY, 0, ASLEEP_BY):
        time.sleep(pause)
        assert run(threads) == [1] * PARTS


def test_threads_that_are_roused_work_or_sleep_again(threads):
    for pause in (0, ASLEEP_BY):
        time.sleep(ASLEEP_BY)
        threads.rouse()
        threads.rouse()
        time.sleep(pause)
        assert run(threads) == [1] * PARTS


def test_many_jobs_with_and_without_pauses(threads):
    for number in range(2000):
        if number % 100 == 0:
            threads.rouse()
        assert run(threads) == [1] * PARTS


def test_ends_while_asleep():
    before = threading.active_count()
    made = team.Team(2)
    assert threading.active_count() == before + 2
    time.sleep(ASLEEP_BY)
    made.end()
    assert threading.active_count() == before
