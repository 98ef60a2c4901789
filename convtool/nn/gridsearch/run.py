"""All trainings of a grid, several at a time."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from convtool.errors import TrainingError
from convtool.interrupts import interrupts_blocked
from convtool.limits import check_open_files
from convtool.nn.gridsearch.axes import Value
from convtool.nn.gridsearch.journal import Outcome
from convtool.nn.gridsearch.training import Search, begin, train_choice, train_once

_FILES, _FILES_A_JOB = 24, 4
"""Files that a search has open in one process, with some to spare."""
_THREADS = ("CONVTOOL", "MKL", "NUMBA", "OMP", "OPENBLAS")
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in _THREADS}


def train_all(
    search: Search,
    choices: Sequence[dict[str, Value]],
    jobs: int,
    done: Callable[[Outcome], None],
) -> None:
    """Train each combination in `jobs` processes with one thread each.

    Parameters
    ----------
    search : Search
    choices : sequence of dict
    jobs : int
        Number of processes; with 1 all trainings run in this one.
    done : callable
        Called in this process with each outcome, in order of completion.

    Raises
    ------
    ConvtoolError
        An error of a training other than divergence; no further training starts.
    TrainingError
        If a process was killed from outside.
    """
    if jobs == 1 or len(choices) <= 1:
        for choice in choices:
            done(train_once(search, choice))
        return
    check_open_files(_FILES + jobs * _FILES_A_JOB, f"a search with {jobs} processes")
    others = multiprocessing.active_children()
    with _environment(_ONE_THREAD):
        pool = ProcessPoolExecutor(
            min(jobs, len(choices)),
            multiprocessing.get_context("spawn"),
            initializer=begin,
            initargs=(search,),
        )
        try:
            _collect(pool, choices, jobs, done)
        except BrokenProcessPool as error:
            raise TrainingError(
                "a process of the search was killed, perhaps for want of memory: fewer `jobs=`, and"
                " `resume=True` goes on"
            ) from error
        except BaseException:
            for child in multiprocessing.active_children():
                if child not in others:
                    child.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _collect(
    pool: ProcessPoolExecutor,
    choices: Sequence[dict[str, Value]],
    jobs: int,
    done: Callable[[Outcome], None],
) -> None:
    """Keep every process busy and report finished trainings."""
    waiting = iter(choices)
    running: set[Future[Outcome]] = set()
    for choice in waiting:
        with interrupts_blocked():
            running.add(pool.submit(train_choice, choice))
        if len(running) > jobs:
            running = _handed_over(running, done)
    while running:
        running = _handed_over(running, done)


def _handed_over(
    running: set[Future[Outcome]], done: Callable[[Outcome], None]
) -> set[Future[Outcome]]:
    ended, rest = wait(running, return_when=FIRST_COMPLETED)
    for future in ended:
        done(future.result())
    return rest


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for processes started within the context."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
