"""Work of workers that end: done again piece by piece, and blamed only where it was alone."""

import multiprocessing
import os
import signal
from contextlib import closing

import numpy as np
import pytest

from convtool.errors import WorkerError
from convtool.filtering.job import FilterJob
from convtool.images.write import write
from convtool.kernels.spec import parse
from convtool.work.dispatch import Dispatcher, Report
from convtool.work.naming import Task
from convtool.work.run import WorkerConfig, filter_together, pieces


class Workers:
    """Two workers, which some pieces of work end."""

    def __init__(self, fatal):
        self.fatal, self.out, self.log = fatal, [], []

    @property
    def busy(self):
        return bool(self.out)

    def has_room(self, *, again):
        return not self.out if again or any(alone for _, alone in self.out) else len(self.out) < 2

    def give(self, work, *, again):
        self.log.append((work, again))
        self.out.append((work, again))

    def wait(self, stop):
        work, alone = self.out.pop(0)
        ended = bool(self.fatal & {number for number, _ in work})
        return [Report(work, None if ended else len(work), "ended" if ended else None, alone)]


def chunk(*numbers):
    return [(number, Task(f"{number}.png", "out.png")) for number in numbers]


@pytest.mark.parametrize("fatal", [set(), {3}, {1, 4}, {5}])
def test_only_work_that_ends_its_worker_alone_is_blamed(fatal):
    place, left = Workers(fatal), iter([chunk(1, 2), chunk(3, 4), chunk(5)])
    dispatcher = Dispatcher(place, lambda: next(left, None), pieces)
    reports = list(dispatcher.run())
    blamed = [number for report in reports if report.crash for number, _ in report.work]
    done = [number for report in reports if not report.crash for number, _ in report.work]
    assert sorted(blamed) == sorted(fatal)
    assert sorted(done) == sorted({1, 2, 3, 4, 5} - fatal)
    assert all(len(work) == 1 for work, again in place.log if again)


def test_work_that_can_be_made_smaller_is_never_blamed():
    place, left = Workers({3}), iter([chunk(1, 2, 3)])

    def halves(work):
        place.fatal = set()
        return [work[:1], work[1:]]

    reports = list(Dispatcher(place, lambda: next(left, None), halves).run())
    assert [(report.value, report.crash) for report in reports] == [(1, None), (2, None)]


@pytest.mark.slow
def test_killed_processes_lose_no_picture(tmp_path, rng):
    tasks = []
    for number in range(30):
        source = tmp_path / f"{number}.png"
        write(source, rng.integers(0, 256, (40, 50), np.uint8))
        tasks.append(Task(str(source), str(tmp_path / f"out{number}.png")))
    results, killed = [], False
    work = filter_together(tasks, FilterJob((parse("box"),)), WorkerConfig(jobs=2))
    with closing(work):
        for some in work:
            results += some
            if not killed:
                killed = True
                for child in multiprocessing.active_children():
                    os.kill(child.pid, signal.SIGKILL)
    assert sorted(one.number for one in results) == list(range(30))
    for one in results:
        if one.error is None:
            assert os.path.exists(tasks[one.number].target)
        else:
            assert isinstance(one.error, WorkerError)
            assert "ended (signal 9); is the file damaged?" in str(one.error)
    assert not list(tmp_path.glob(".convtool-*"))
