"""Threads that help with compiled work: whether they sleep on semaphores or on locks."""

import threading
import time

import numpy as np
import pytest
from numba import carray, cfunc, types

from convtool.compiled.atomics import fetch_add_one, load, pause
from convtool.compiled.threadpool import HAS_SEMAPHORES, ThreadPool

ASLEEP_BY = 0.05
"""Seconds after which a thread without work sleeps, by far."""

PARTS = 8


@cfunc(types.void(types.CPointer(types.intp), *[types.CPointer(types.intp)] * 4))
def count_parts(job, _a, _b, _c, _d):
    """Take parts, each by one thread only, and count how often each was taken."""
    numbers = carray(job, (2 + PARTS,))
    taken = fetch_add_one(numbers[0])
    while taken < PARTS:
        numbers[2 + taken] += 1
        taken = fetch_add_one(numbers[0])


SLEEPS_ON = {"locks": False} | ({"semaphores": True} if HAS_SEMAPHORES else {})


@pytest.fixture(params=SLEEPS_ON.values(), ids=SLEEPS_ON.keys())
def threads(request):
    made = ThreadPool(3, semaphores=request.param)
    yield made
    made.end()


def run(threads):
    """Run a job that counts; return how often each part was done."""
    job = np.zeros(2 + PARTS, np.intp)
    job[0] = job[1:].ctypes.data
    threads.run(count_parts.address, job.ctypes.data)
    return job[2:].tolist()


def test_all_is_done_once_at_once_or_after_sleep(threads):
    for seconds in (0, 0, ASLEEP_BY, 0, ASLEEP_BY):
        time.sleep(seconds)
        assert run(threads) == [1] * PARTS


def test_threads_that_are_woken_work_or_sleep_again(threads):
    for seconds in (0, ASLEEP_BY):
        time.sleep(ASLEEP_BY)
        threads.wake()
        threads.wake()
        time.sleep(seconds)
        assert run(threads) == [1] * PARTS


def test_many_jobs_with_and_without_pauses(threads):
    for number in range(2000):
        if number % 100 == 0:
            threads.wake()
        assert run(threads) == [1] * PARTS


def test_ends_while_asleep():
    before = threading.active_count()
    made = ThreadPool(2)
    assert threading.active_count() == before + 2
    time.sleep(ASLEEP_BY)
    made.end()
    assert threading.active_count() == before


@cfunc(types.void(types.CPointer(types.intp), *[types.CPointer(types.intp)] * 4))
def meet(job, _a, _b, _c, _d):
    """Wait until as many threads have come here as the job says, then note that this one has."""
    numbers = carray(job, (3,))
    fetch_add_one(numbers[0])
    while load(numbers[0]) < numbers[1]:
        pause()
    numbers[2] += 1


def test_together_each_thread_has_a_job_of_its_own_and_waits_for_all(threads):
    for seconds in (0, 0, ASLEEP_BY, 0):
        time.sleep(seconds)
        come = np.zeros(1, np.intp)
        jobs = np.array([[come.ctypes.data, 4, 0]] * 4, np.intp)
        threads.run(meet.address, jobs.ctypes.data, jobs.strides[0], together=True)
        assert jobs[:, 2].tolist() == [1] * 4


@pytest.mark.parametrize("semaphores", SLEEPS_ON.values(), ids=SLEEPS_ON.keys())
def test_more_threads_than_an_integer_has_bits(semaphores):
    made = ThreadPool(70, semaphores=semaphores)
    for seconds in (0, ASLEEP_BY):
        time.sleep(seconds)
        come = np.zeros(1, np.intp)
        jobs = np.array([[come.ctypes.data, 71, 0]] * 71, np.intp)
        made.run(meet.address, jobs.ctypes.data, jobs.strides[0], together=True)
        assert jobs[:, 2].tolist() == [1] * 71
    made.end()
