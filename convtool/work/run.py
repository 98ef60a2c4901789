"""Filter many pictures on several processes; a crash of one does not affect the others."""

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
from convtool.filtering.job import FilterJob
from convtool.images.paths import shown
from convtool.limits import check_open_files
from convtool.records import Record, replace
from convtool.work import worker
from convtool.work.dispatch import Dispatcher, Report
from convtool.work.naming import Task
from convtool.work.worker import TaskResult

_FIRST_CHUNK = 2
_LARGEST_CHUNK = 64
_LARGEST_MESSAGE = 32_000
_SECONDS_OF_A_CHUNK = 0.1
_SECONDS_TO_END = 5.0
_FILES, _FILES_A_WORKER = 24, 4
"""Files that a batch has open in one process, with some to spare."""


Chunk = list[tuple[int, Task]]
"""Tasks that are submitted together, with their numbers."""


class Interrupted(KeyboardInterrupt):
    """The batch was interrupted."""


class WorkerConfig(Record):
    """The number of worker processes and their settings."""

    jobs: int | None = None
    """Number of worker processes, never more than pictures. With a number, each uses one thread
    unless the job says otherwise; None stands for all cores, which the processes share."""
    timeout: float | None = None
    """Time limit for one picture in seconds."""
    stamped: bool = False
    """Whether to return stamps of inputs and outputs, for a journal."""


class _Worker:
    """A worker process and the numbers of its tasks."""

    def __init__(self, job: FilterJob, stamped: bool, planning: Calibration) -> None:
        context = multiprocessing.get_context(_start_method())
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(  # type: ignore[attr-defined]
            target=worker.main, args=(theirs, job, stamped, planning), daemon=True
        )
        self.process.start()
        theirs.close()
        self.numbers: deque[int] = deque()
        self.since = 0.0
        self.has_suspect = False

    def give(self, tasks: Sequence[tuple[int, Task]]) -> None:
        if not self.numbers:
            self.since = time.monotonic()
        self.numbers.extend(number for number, _ in tasks)
        self._send(tasks)

    def give_nothing_more(self) -> None:
        self._send(None)

    def _send(self, message: object) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # `results` will report the crash
            self.connection.send(message)

    def results(self) -> list[TaskResult] | None:
        """Return the finished results; None if the process has ended."""
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
    """Return multiprocessing's start method: fork where that is fast and safe.

    A forked process lacks the other threads, and locks that they held stay locked in it.
    """
    alone = threading.active_count() == 1 and not {"cv2", "numba"} & sys.modules.keys()
    return "fork" if sys.platform == "linux" and alone else "spawn"


def filter_files(
    tasks: Sequence[Task],
    job: FilterJob,
    config: WorkerConfig | None = None,
    *,
    stop: int | None = None,
    started: Callable[[int], None] | None = None,
) -> Generator[TaskResult, None, None]:
    """Filter many pictures on several processes; yield results one at a time.

    Examples
    --------
    >>> list(filter_files([], FilterJob(())))
    []
    """
    together = filter_together(tasks, job, config, stop=stop, started=started)
    with closing(together):
        for some in together:
            yield from some


def filter_together(
    tasks: Sequence[Task],
    job: FilterJob,
    config: WorkerConfig | None = None,
    *,
    stop: int | None = None,
    started: Callable[[int], None] | None = None,
) -> Generator[list[TaskResult], None, None]:
    """Filter many pictures on several processes; yield results in groups.

    A picture that fails, times out or crashes its worker process does not affect the others.
    Closing the iterator interrupts unfinished work and removes its temporary files.

    Parameters
    ----------
    tasks : sequence of Task
        Inputs and outputs; the output folders exist.
    job : FilterJob
        The kernels and options.
    config : WorkerConfig, optional
        The worker processes.
    stop : int, optional
        A file descriptor; the work is interrupted when it becomes readable.
    started : callable, optional
        Called with the number of worker processes once they run.

    Yields
    ------
    list of TaskResult
        Results in order of completion, with the numbers of their tasks.

    Raises
    ------
    Interrupted
        If ``stop`` becomes readable.

    Examples
    --------
    >>> list(filter_together([], FilterJob(())))
    []
    """
    config = config or WorkerConfig()
    workers = min(config.jobs or usable_cores(), len(tasks))
    if job.filtering.threads is None and workers:
        threads = 1 if config.jobs else max(1, usable_cores() // workers)
        job = replace(job, filtering=replace(job.filtering, threads=threads))
    if not workers:
        return
    needed = _FILES + workers * _FILES_A_WORKER + min(len(tasks), worker.OPEN_OUTPUTS)
    check_open_files(needed, f"a batch with {workers} processes")
    pool = _ProcessPool(tasks, job, config, workers)
    try:
        if started is not None:
            started(workers)
        yield from pool.run(stop)
        pool.close()
    finally:
        pool.break_off()


def pieces(chunk: Chunk) -> list[Chunk]:
    """Split a chunk into single tasks; a single task is indivisible."""
    return [[one] for one in chunk] if len(chunk) > 1 else []


class _ProcessPool:
    """Worker processes, each with queued chunks of tasks so that none is idle."""

    def __init__(
        self, tasks: Sequence[Task], job: FilterJob, config: WorkerConfig, workers: int
    ) -> None:
        self._tasks = tasks
        self._job = job
        self._config = config
        self._open = deque(range(len(tasks)))
        self._began = time.monotonic()
        self._finished = 0
        self._planning = calibration.load()
        self._workers = [_Worker(job, config.stamped, self._planning) for _ in range(workers)]

    def run(self, stop: int | None) -> Iterator[list[TaskResult]]:
        """Run all tasks; yield results as they arrive."""
        for report in Dispatcher(self, self._next_chunk, pieces).run(stop):
            together = report.value if report.crash is None else [self._blamed(report)]
            self._finished += len(together)
            yield together

    @property
    def busy(self) -> bool:
        """Whether any worker has a task."""
        return any(one.numbers for one in self._workers)

    def has_room(self, *, again: bool) -> bool:
        """Return whether a worker accepts another chunk; a retried task needs an idle worker."""
        one = self._least_busy()
        if again or one.has_suspect:
            return not one.numbers
        return len(one.numbers) < (1 if self._config.timeout is not None else 2 * self._chunk())

    def give(self, work: Chunk, *, again: bool) -> None:
        """Submit tasks to the least busy worker."""
        one = self._least_busy()
        one.give(work)
        one.has_suspect = again

    def _least_busy(self) -> _Worker:
        return min(self._workers, key=lambda one: (one.has_suspect, len(one.numbers)))

    def _next_chunk(self) -> Chunk | None:
        size = 1 if self._config.timeout is not None else self._chunk()
        chunk: Chunk = []
        letters = 0
        while self._open and len(chunk) < size and letters < _LARGEST_MESSAGE:
            number = self._open.popleft()
            task = self._tasks[number]
            letters += len(task.source) + len(task.target)
            chunk.append((number, task))
        return chunk or None

    def _chunk(self) -> int:
        """Return the number of pictures for a tenth of a second, leaving some for other workers."""
        if not self._finished:
            return _FIRST_CHUNK
        each = (time.monotonic() - self._began) * len(self._workers) / self._finished
        fair = len(self._open) // (2 * len(self._workers))
        return max(1, min(_LARGEST_CHUNK, int(_SECONDS_OF_A_CHUNK / each), fair))

    def wait(self, stop: int | None) -> list[Report]:
        """Wait until a worker has finished tasks, has ended, or has timed out."""
        ends: list[Connection | int] = [one.connection for one in self._workers]
        ends += [one.process.sentinel for one in self._workers]
        ready = wait([*ends, *([] if stop is None else [stop])], self._patience())
        if stop in ready:
            raise Interrupted
        reports = [self._take_in(position) for position in range(len(self._workers))]
        return [one for one in reports if one is not None]

    def _patience(self) -> float | None:
        """Return the seconds until the next timeout of a picture."""
        if self._config.timeout is None:
            return None
        ends = [one.since + self._config.timeout for one in self._workers if one.numbers]
        return max(0.0, min(ends, default=time.monotonic()) - time.monotonic())

    def _take_in(self, position: int) -> Report | None:
        one = self._workers[position]
        results = one.results()
        chunk = [(number, self._tasks[number]) for number in one.numbers]
        if results is None:
            code = one.process.exitcode
            how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
            self._replace(position)
            return Report(chunk, crash=how, alone=len(chunk) == 1) if chunk else None
        limit = self._config.timeout
        if limit is not None and one.numbers and time.monotonic() - one.since > limit:
            self._replace(position)
            words = f"took longer than {limit:g} s and was stopped; `timeout=` sets the limit"
            number, task = chunk[0]
            error = TimeLimitError(f"{shown(task.source)}: {words}")
            return Report(chunk, [TaskResult(number, error=error)])
        if not one.numbers:
            one.has_suspect = False
        return Report(chunk, results) if results else None

    def _blamed(self, report: Report) -> TaskResult:
        """Return the failure of a task that ended its process while running alone."""
        ((number, task),) = report.work
        words = f"the process that worked on it ended ({report.crash}); is the file damaged?"
        return TaskResult(number, error=WorkerError(f"{shown(task.source)}: {words}"))

    def _replace(self, position: int) -> None:
        one = self._workers[position]
        one.end()
        self._clear(one.numbers)
        self._workers[position] = _Worker(self._job, self._config.stamped, self._planning)

    def _clear(self, numbers: Sequence[int]) -> None:
        """Remove temporary files of an ended worker from its output folders."""
        targets = {self._tasks[number].target for number in numbers}
        for folder in {os.path.dirname(os.path.realpath(target)) for target in targets}:
            sweep(folder)

    def close(self) -> None:
        """Let the workers exit."""
        for one in self._workers:
            one.give_nothing_more()
        for one in self._workers:
            one.process.join(_SECONDS_TO_END)

    def break_off(self) -> None:
        """Terminate the workers at once."""
        for one in self._workers:
            one.end()
        self._clear([number for one in self._workers for number in one.numbers])
