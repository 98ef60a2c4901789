"""Many pictures on several processes: hands out tasks, survives what a picture does to a worker."""

import multiprocessing
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from convtool.convolution import calibration
from convtool.convolution.planner import Calibration
from convtool.convolution.threads import usable_cores
from convtool.errors import TimeLimitError, WorkerError
from convtool.files import sweep
from convtool.filtering.job import Job
from convtool.images.paths import shown
from convtool.records import Record, replace
from convtool.work import worker
from convtool.work.naming import Task
from convtool.work.worker import TaskResult

_FIRST_CHUNK = 2
_LARGEST_CHUNK = 64
_LARGEST_MESSAGE = 32_000
_SECONDS_OF_A_CHUNK = 0.1
_SECONDS_TO_END = 5.0


class Interrupted(KeyboardInterrupt):
    """The batch was told to stop."""


class WorkerConfig(Record):
    """How many worker processes there are, and what they do.

    Parameters
    ----------
    jobs : int or None
        How many worker processes; as many as there are cores unless given, never more than there
        are pictures. With a number each computes in one thread, unless the job says otherwise;
        without, they share the cores.
    timeout : float or None
        Seconds that one picture may take.
    stamped : bool
        Whether inputs and outputs are stamped, for a journal.
    """

    jobs: int | None = None
    timeout: float | None = None
    stamped: bool = False


class _Worker:
    """A worker process, and the numbers of the tasks that it has."""

    def __init__(self, job: Job, stamped: bool, planning: Calibration) -> None:
        context = multiprocessing.get_context(_start_method())
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(  # type: ignore[attr-defined]
            target=worker.main, args=(theirs, job, stamped, planning), daemon=True
        )
        self.process.start()
        theirs.close()
        self.numbers: deque[int] = deque()
        self.since = 0.0

    def give(self, tasks: Sequence[tuple[int, Task]]) -> None:
        if not self.numbers:
            self.since = time.monotonic()
        self.numbers.extend(number for number, _ in tasks)
        self._send(tasks)

    def give_nothing_more(self) -> None:
        self._send(None)

    def _send(self, message: object) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # the next look at it shows it dead
            self.connection.send(message)

    def results(self) -> list[TaskResult] | None:
        """Return what it has finished; None if it is dead."""
        try:
            done: list[TaskResult] = self.connection.recv() if self.connection.poll() else []
        except (EOFError, ConnectionResetError):
            return None
        for one in done:
            self.numbers.remove(one.number)
        if done:
            return done
        return [] if self.process.is_alive() else None

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _start_method() -> str:
    """Return how to start a process: a copy of this one where that is quick and safe.

    Other threads do not exist in a copy, and the locks that they held stay locked in it.
    """
    alone = threading.active_count() == 1 and not {"cv2", "numba"} & sys.modules.keys()
    return "fork" if sys.platform == "linux" and alone else "spawn"


def filter_files(
    tasks: Sequence[Task],
    job: Job,
    config: WorkerConfig | None = None,
    *,
    stop: int | None = None,
    started: Callable[[int], None] | None = None,
) -> Generator[TaskResult, None, None]:
    """Filter many pictures, on several processes: as `filter_together`, one at a time.

    Examples
    --------
    >>> list(filter_files([], Job(())))
    []
    """
    together = filter_together(tasks, job, config, stop=stop, started=started)
    with closing(together):
        for some in together:
            yield from some


def filter_together(
    tasks: Sequence[Task],
    job: Job,
    config: WorkerConfig | None = None,
    *,
    stop: int | None = None,
    started: Callable[[int], None] | None = None,
) -> Generator[list[TaskResult], None, None]:
    """Filter many pictures, on several processes.

    A picture that fails, that takes too long, or that ends its worker process, fails alone. When
    the iterator is closed, work that is not finished is broken off and leaves no file.

    Parameters
    ----------
    tasks : sequence of Task
        Inputs and outputs; the folders of the outputs are there.
    job : Job
        What is done to each.
    config : WorkerConfig, optional
        Who does it.
    stop : int, optional
        A file descriptor; when there is something to read, the work is broken off.
    started : callable, optional
        Called with the number of worker processes once they run.

    Yields
    ------
    list of TaskResult
        What became of some tasks, as they are finished, with their numbers among the tasks.

    Raises
    ------
    Interrupted
        If ``stop`` says so.

    Examples
    --------
    >>> list(filter_together([], Job(())))
    []
    """
    config = config or WorkerConfig()
    workers = min(config.jobs or usable_cores(), len(tasks))
    if job.filtering.threads is None and workers:
        threads = 1 if config.jobs else max(1, usable_cores() // workers)
        job = replace(job, filtering=replace(job.filtering, threads=threads))
    if not workers:
        return
    dispatcher = _Dispatcher(tasks, job, config, workers)
    try:
        if started is not None:
            started(workers)
        yield from dispatcher.run(stop)
        dispatcher.close()
    finally:
        dispatcher.break_off()


class _Dispatcher:
    """Hands out tasks in chunks, so that workers need not wait, and takes in the results."""

    def __init__(self, tasks: Sequence[Task], job: Job, config: WorkerConfig, workers: int) -> None:
        self._tasks = tasks
        self._job = job
        self._config = config
        self._open = deque(range(len(tasks)))
        self._suspects: deque[int] = deque()
        self._began = time.monotonic()
        self._finished = 0
        self._planning = calibration.load()
        self._workers = [_Worker(job, config.stamped, self._planning) for _ in range(workers)]

    def run(self, stop: int | None) -> Iterator[list[TaskResult]]:
        while self._finished < len(self._tasks):
            for one in self._workers:
                self._feed(one)
            ends: list[Connection | int] = [one.connection for one in self._workers]
            ends += [one.process.sentinel for one in self._workers]
            ready = wait([*ends, *([] if stop is None else [stop])], self._patience())
            if stop in ready:
                raise Interrupted
            for position in range(len(self._workers)):
                if together := self._take_in(position):
                    self._finished += len(together)
                    yield together

    def _feed(self, one: _Worker) -> None:
        """Give a worker the next chunk while it works on the last one."""
        if self._suspects:
            if not one.numbers:
                number = self._suspects.popleft()
                one.give([(number, self._tasks[number])])
            return
        alone = self._config.timeout is not None
        size = 1 if alone else self._chunk()
        while self._open and len(one.numbers) < (1 if alone else 2 * size):
            chunk: list[tuple[int, Task]] = []
            letters = 0
            while self._open and len(chunk) < size and letters < _LARGEST_MESSAGE:
                number = self._open.popleft()
                task = self._tasks[number]
                letters += len(task.source) + len(task.target)
                chunk.append((number, task))
            one.give(chunk)

    def _chunk(self) -> int:
        """Return how many pictures make a tenth of a second, and leave some for the others."""
        if not self._finished:
            return _FIRST_CHUNK
        each = (time.monotonic() - self._began) * len(self._workers) / self._finished
        fair = len(self._open) // (2 * len(self._workers))
        return max(1, min(_LARGEST_CHUNK, int(_SECONDS_OF_A_CHUNK / each), fair))

    def _patience(self) -> float | None:
        """Return how many seconds there are until the first picture has taken too long."""
        if self._config.timeout is None:
            return None
        ends = [one.since + self._config.timeout for one in self._workers if one.numbers]
        return max(0.0, min(ends, default=time.monotonic()) - time.monotonic())

    def _take_in(self, position: int) -> list[TaskResult]:
        one = self._workers[position]
        results = one.results()
        if results is None:
            return self._dead(position)
        limit = self._config.timeout
        if limit is not None and one.numbers and time.monotonic() - one.since > limit:
            number = one.numbers[0]
            self._replace(position)
            words = f"took longer than {limit:g} s and was broken off; --timeout sets the limit"
            return [self._failed(number, TimeLimitError(f"{self._name(number)}: {words}"))]
        return results

    def _dead(self, position: int) -> list[TaskResult]:
        """Deal with the end of a worker: blame its picture, or have each of several tried alone."""
        one = self._workers[position]
        numbers = list(one.numbers)
        code = one.process.exitcode
        self._replace(position)
        if len(numbers) == 1:
            how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
            words = f"the process that worked on it ended ({how}); is the file damaged?"
            return [self._failed(numbers[0], WorkerError(f"{self._name(numbers[0])}: {words}"))]
        self._suspects.extend(numbers)
        return []

    def _replace(self, position: int) -> None:
        one = self._workers[position]
        one.end()
        self._clear(one.numbers)
        self._workers[position] = _Worker(self._job, self._config.stamped, self._planning)

    def _failed(self, number: int, error: Exception) -> TaskResult:
        return TaskResult(number, error=error)

    def _name(self, number: int) -> str:
        return shown(self._tasks[number].source)

    def _clear(self, numbers: Sequence[int]) -> None:
        """Remove what a worker that was ended left in the folders it wrote to."""
        targets = {self._tasks[number].target for number in numbers}
        for folder in {os.path.dirname(os.path.realpath(target)) for target in targets}:
            sweep(folder)

    def close(self) -> None:
        """Let the workers go home."""
        for one in self._workers:
            one.give_nothing_more()
        for one in self._workers:
            one.process.join(_SECONDS_TO_END)

    def break_off(self) -> None:
        """End the workers, whatever they are doing."""
        for one in self._workers:
            one.end()
        self._clear([number for one in self._workers for number in one.numbers])
