"""The worker process of a batch: filters pictures in sequence and flushes their files."""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait

from convtool.convolution import calibration
from convtool.convolution.planner import Calibration
from convtool.errors import ConvtoolError
from convtool.files import Replacement, sync_folder
from convtool.filtering.job import FilterJob, Outcome
from convtool.filtering.picture import filter_file, planner
from convtool.images.codecs.stderr import diverted
from convtool.images.write import Placer, cannot_be_written, placer
from convtool.records import Record
from convtool.work.journal import Stamp, stamp
from convtool.work.naming import Task

FAILURES = (ConvtoolError, OSError, MemoryError)
"""Errors of one picture that do not affect the others."""

_FLUSHING_AT_ONCE = 2
_WAITING_TO_BE_FLUSHED = 4
_FLUSHED_TOGETHER = 32
_BYTES_TOGETHER = 1 << 20
_SECONDS_BETWEEN_REPORTS = 0.05

OPEN_OUTPUTS = _FLUSHED_TOGETHER * (_WAITING_TO_BE_FLUSHED + 3)
"""The most files that one process has open at once, as they wait to be flushed."""


class TaskResult(Record):
    """The result of a task."""

    number: int
    """The task's number."""
    outcome: Outcome | None = None
    """The outcome; None if the task failed."""
    error: Exception | None = None
    """The error of a failed task."""
    stamps: tuple[Stamp, Stamp] | None = None
    """The stamps of input and output, if requested."""


class _Unflushed:
    """Writes a file; `begin`, `flush` and `place` put it in its place."""

    def __init__(self, stamped: bool, placed: Placer) -> None:
        self._stamped = stamped
        self._placed = placed
        self._new: Replacement | None = None
        self.stamp: Stamp | None = None
        self.size = 0

    def __call__(self, path: str | os.PathLike[str], data: bytes, modified: int | None) -> None:
        target = self._placed(path)
        try:
            self._new = new = Replacement(target, buffered=False, modified=modified)
            self.size = len(data)
            new.put(data)
            if self._stamped:
                now = os.fstat(new.file.fileno()).st_mtime_ns
                time = now if modified is None else modified
                self.stamp = Stamp(len(data), time, sha256(data).hexdigest())
        except OSError as error:
            self.discard()
            raise cannot_be_written(path, error) from error

    def discard(self) -> None:
        if self._new is not None:
            self._new.discard()

    def begin(self) -> None:
        """Have the system begin to write the file to the disk."""
        if self._new is not None:
            self._new.send()

    def flush(self) -> None:
        """Wait until the disk has the file."""
        if self._new is not None:
            self._new.sync()

    @property
    def folder(self) -> str:
        """The folder of the file; empty if none was begun."""
        return "" if self._new is None else os.path.dirname(self._new.target)

    def place(self) -> None:
        """Rename the file."""
        if self._new is not None:
            self._new.place()


Unfinished = tuple[TaskResult, _Unflushed | None, str]
"""A result, the writer of its file if it succeeded, and the output path."""


def _finish(together: Sequence[Unfinished]) -> list[TaskResult]:
    """Flush and rename files that were written together; return their results.

    The system begins to write all of them before it is waited for the first: a journaling file
    system then commits them at once. Names that a journal will list are flushed, too.
    """
    failed: dict[int, ConvtoolError] = {}
    for step in (_Unflushed.begin, _Unflushed.flush, _Unflushed.place):
        for one, save, target in together:
            if save is not None and one.number not in failed:
                try:
                    step(save)
                except OSError as error:
                    save.discard()
                    failed[one.number] = cannot_be_written(target, error)
    for folder in {save.folder for _, save, _ in together if save is not None and save.stamp}:
        sync_folder(folder)
    return [
        TaskResult(one.number, error=failed[one.number]) if one.number in failed else one
        for one, _, _ in together
    ]


def work(connection: Connection, job: FilterJob, stamped: bool) -> None:
    """Run the tasks that arrive, until None arrives or the connection closes.

    Parameters
    ----------
    connection : Connection
        Lists of (number, `Task`) arrive, lists of `TaskResult` leave, in the same order.
    job : FilterJob
        The kernels and options.
    stamped : bool
        Whether to stamp inputs and outputs.
    """
    with ThreadPoolExecutor(_FLUSHING_AT_ONCE) as flushers:
        runner = _TaskRunner(connection.send, job, stamped, flushers)
        while (tasks := _next(connection, runner)) is not None:
            for number, task in tasks:
                runner.begin(number, task)
        runner.report(all_of_it=True)


def do(tasks: Sequence[tuple[int, Task]], job: FilterJob, stamped: bool) -> list[TaskResult]:
    """Run some tasks and return when all their files are flushed and renamed.

    Parameters
    ----------
    tasks : sequence of (int, Task)
        Numbers and tasks.
    job, stamped
        As for `work`.

    Returns
    -------
    list of TaskResult
        The results, in the order of the tasks.

    Examples
    --------
    >>> do([], FilterJob(()), False)
    []
    """
    finished: list[TaskResult] = []
    with ThreadPoolExecutor(_FLUSHING_AT_ONCE) as flushers:
        runner = _TaskRunner(finished.extend, job, stamped, flushers)
        for number, task in tasks:
            runner.begin(number, task)
        runner.report(all_of_it=True)
    return finished


def _next(connection: Connection, runner: "_TaskRunner") -> Sequence[tuple[int, Task]] | None:
    parent = parent_process()
    if not connection.poll():
        runner.report(all_of_it=True)
        others = [] if parent is None else [parent.sentinel]
        if connection not in wait([connection, *others]):
            return None
    try:
        tasks: Sequence[tuple[int, Task]] | None = connection.recv()
    except EOFError:
        return None
    return tasks


class _TaskRunner:
    """Runs tasks while earlier ones are flushed by background threads and later reported."""

    def __init__(
        self,
        send: Callable[[list[TaskResult]], None],
        job: FilterJob,
        stamped: bool,
        flushers: ThreadPoolExecutor,
    ) -> None:
        self._send = send
        self._job = job
        self._plan_for = planner(job)
        self._placed = placer()
        self._stamped = stamped
        self._flushers = flushers
        self._together: list[Unfinished] = []
        self._bytes = 0
        self._submitted: deque[Future[list[TaskResult]]] = deque()
        self._finished: list[TaskResult] = []
        self._reported = time.monotonic()

    def begin(self, number: int, task: Task) -> None:
        """Filter a picture, submit its file for flushing, and report finished tasks."""
        save = _Unflushed(self._stamped, self._placed)
        try:
            before = stamp(task.source) if self._stamped else None
            outcome = filter_file(
                task.source,
                task.target,
                self._job,
                save=save,
                plan_for=self._plan_for,
                placed=self._placed,
            )
        except FAILURES as error:
            self._together.append((TaskResult(number, error=error), None, task.target))
        else:
            stamps = (before, save.stamp) if before and save.stamp else None
            done = TaskResult(number, outcome, stamps=stamps)
            self._together.append((done, save, task.target))
            self._bytes += save.size
        if len(self._together) >= _FLUSHED_TOGETHER or self._bytes >= _BYTES_TOGETHER:
            self._flush()
        self.report()

    def _flush(self) -> None:
        """Submit the written files to a thread that flushes them in sequence."""
        if self._together:
            self._submitted.append(self._flushers.submit(_finish, self._together))
            self._together, self._bytes = [], 0

    def report(self, *, all_of_it: bool = False) -> None:
        """Send finished results at intervals, or with `all_of_it` wait for all and send them."""
        if all_of_it:
            self._flush()
        while self._submitted:
            full = all_of_it or len(self._submitted) > _WAITING_TO_BE_FLUSHED
            if not (full or self._submitted[0].done()):
                break
            self._finished += self._submitted.popleft().result()
        now = time.monotonic()
        if self._finished and (all_of_it or now - self._reported > _SECONDS_BETWEEN_REPORTS):
            self._send(self._finished)
            self._finished = []
            self._reported = now


def limit_opencv(job: FilterJob) -> None:
    """Limit OpenCV, which also codes files, to the job's threads."""
    if job.filtering.threads is not None:
        import cv2

        cv2.setNumThreads(job.filtering.threads)


def main(connection: Connection, job: FilterJob, stamped: bool, planning: Calibration) -> None:
    """Run a worker process, which ignores Ctrl-C: the dispatching process handles it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    limit_opencv(job)
    try:
        with diverted(), calibration.held(planning):
            work(connection, job, stamped)
    except (BrokenPipeError, ConnectionResetError):
        return
