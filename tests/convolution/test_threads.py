"""Threads: how many, what happens to errors, and after a fork."""

import os
import sys
import threading

import numpy as np
import pytest

import convtool
from convtool.convolution import threads
from convtool.convolution.api import filtered
from convtool.convolution.engines import ENGINES
from convtool.errors import OptionError


class TestCount:
    def test_argument_goes_before_the_environment(self, monkeypatch):
        monkeypatch.setenv(threads.VARIABLE, "5")
        assert threads.count(2) == 2
        assert threads.count(np.int64(3)) == 3
        assert threads.count() == 5

    @pytest.mark.parametrize("text", ["", "  "])
    def test_all_usable_cores_by_default(self, text, monkeypatch):
        monkeypatch.setenv(threads.VARIABLE, text)
        assert threads.count() == threads.usable_cores() >= 1
        monkeypatch.delenv(threads.VARIABLE)
        assert threads.count() == threads.usable_cores()

    def test_without_affinity(self, monkeypatch):
        monkeypatch.delattr(os, "sched_getaffinity", raising=False)
        assert threads.usable_cores() == (os.cpu_count() or 1)

    def test_refuses(self, monkeypatch):
        for number in (0, -1, 1025, 10**20):
            with pytest.raises(OptionError, match="threads must be a whole number from 1 to 1024"):
                threads.count(number)
        for text in ("two", "9" * 5000, "1" * 9):
            monkeypatch.setenv(threads.VARIABLE, text)
            with pytest.raises(OptionError, match=r"CONVTOOL_NUM_THREADS must be .* not"):
                threads.count()


class TestBegun:
    def test_goes_on_beside_the_block(self):
        meeting = threading.Barrier(2, timeout=60)
        with threads.submit(lambda: meeting.wait() >= 0) as answer:
            meeting.wait()
            assert answer() is True

    def test_an_error_surfaces_where_the_answer_is_wanted(self):
        with threads.submit(lambda: 1 // 0) as answer, pytest.raises(ZeroDivisionError):
            answer()

    def test_the_block_is_not_left_before_the_task_has_ended(self):
        started, ended = threading.Event(), []

        def task():
            started.wait(60)
            ended.append(True)

        def block():
            with threads.submit(task):
                threading.Timer(0.05, started.set).start()
                raise KeyError

        with pytest.raises(KeyError):
            block()
        assert ended


class TestForEach:
    @pytest.mark.parametrize("workers", [1, 2, 5])
    def test_does_every_item_once(self, workers):
        done = []
        threads.for_each(done.append, range(100), workers)
        assert sorted(done) == list(range(100))

    def test_works_in_several_threads(self):
        meeting = threading.Barrier(3, timeout=60)
        threads.for_each(lambda item: meeting.wait() and None, range(3), 3)
        assert meeting.n_waiting == 0

    @pytest.mark.parametrize("workers", [1, 2, 5])
    def test_an_error_surfaces_and_ends_the_work(self, workers):
        done = []

        def task(item):
            if item == 3:
                raise MemoryError("no room")
            done.append(item)

        with pytest.raises(MemoryError, match="no room"):
            threads.for_each(task, range(100_000), workers)
        count = len(done)
        assert count < 100_000 - 1
        threads.for_each(done.append, range(3), workers)
        assert len(done) == count + 3

    def test_an_error_in_a_helper_alone_surfaces(self):
        main = threading.current_thread()
        met = threading.Barrier(2, timeout=60)

        def task(item):
            met.wait()
            if threading.current_thread() is not main:
                raise OSError("in a helper")

        with pytest.raises(OSError, match="in a helper"):
            threads.for_each(task, range(2), 2)

    def test_nothing_is_at_work_when_the_error_is_raised(self):
        main = threading.current_thread()
        started, slow = threading.Event(), threading.Event()
        finished = []

        def task(item):
            if threading.current_thread() is main:
                started.wait(60)
                slow.set()
                raise OSError("first")
            started.set()
            slow.wait(60)
            finished.append(item)

        with pytest.raises(OSError, match="first"):
            threads.for_each(task, range(2), 2)
        assert len(finished) == 1

    def test_calls_from_several_threads_do_not_wait_for_each_other_for_ever(self):
        answers = []

        def caller():
            done = []
            threads.for_each(done.append, range(50), 4)
            answers.append(sorted(done))

        callers = [threading.Thread(target=caller) for _ in range(8)]
        for one in callers:
            one.start()
        for one in callers:
            one.join(60)
        assert answers == [list(range(50))] * 8


@pytest.mark.parametrize("engine", [name for name, entry in ENGINES.items() if entry.own])
def test_an_engines_error_in_a_worker_reaches_the_caller(engine):
    def broken(values, out):
        raise MemoryError("no room for a tile")

    image = np.ones((900, 900), np.float32)
    box = (convtool.kernel("box"),)
    with pytest.raises(MemoryError, match="no room for a tile"):
        filtered(image, box, True, dtype=np.int32, engine=engine, threads=4, store=broken)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("engine", list(ENGINES))
def test_works_after_a_fork(engine):
    image = np.arange(700.0 * 700).reshape(700, 700)
    expected = convtool.convolve(image, "gaussian:size=5", engine=engine, threads=3)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            again = convtool.convolve(image, "gaussian:size=5", engine=engine, threads=3)
            code = 0 if np.array_equal(again, expected) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
