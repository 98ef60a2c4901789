"""Many pictures on a Dask cluster, submitted in chunks, with a bounded number in flight."""

import os
import time
from collections.abc import Generator, Iterable, Iterator, Sized
from itertools import chain, islice
from typing import Any

from convtool.convolution import calibration
from convtool.convolution.planner import Calibration
from convtool.distributed.task_pool import TaskPool
from convtool.distributed.verification import (
    Probe,
    Verification,
    is_local,
    name_of,
    probed,
    unseen,
)
from convtool.errors import WorkerError
from convtool.extras import need
from convtool.files import sweep
from convtool.filtering.job import FilterJob
from convtool.images.paths import shown
from convtool.records import Record, replace
from convtool.work.dispatch import Dispatcher, Report
from convtool.work.naming import Task
from convtool.work.run import Chunk, pieces
from convtool.work.worker import TaskResult, do, limit_opencv

Results = list[tuple[Task, TaskResult]]

_FIRST_CHUNK = 2
_LARGEST_CHUNK = 256
_SECONDS_OF_A_CHUNK = 0.25
_LEAST_SECONDS_OF_A_CHUNK = 0.05
_SECONDS_OF_A_TASK = 0.0025
"""The scheduler's overhead per task in seconds, measured by ``benchmarks/cluster.py``."""

_CHUNKS_A_THREAD = 2


class _Order(Record):
    """The settings of a worker, the same for all chunks."""

    job: FilterJob
    stamped: bool
    calibration: Calibration
    folder: str
    probe: Probe


class _Answer(Record):
    """A worker's answer to a chunk."""

    results: list[TaskResult]
    seconds: float
    worker: str
    """Its name."""
    unseen: list[int]
    """The numbers of the failed tasks whose inputs it does not see."""


def _work(order: _Order, tasks: Chunk) -> _Answer:
    """Run a chunk on a worker."""
    order.probe.check()
    if order.folder != os.getcwd():
        tasks = [(number, _below(order.folder, task)) for number, task in tasks]
    began = time.perf_counter()
    limit_opencv(order.job)
    with calibration.held(order.calibration):
        done = do(tasks, order.job, order.stamped)
    seconds = time.perf_counter() - began
    failed = {one.number for one in done if one.error is not None}
    missing = [number for number, task in tasks if not os.path.exists(task.source)]
    return _Answer(done, seconds, name_of(), [number for number in missing if number in failed])


def _below(folder: str, task: Task) -> Task:
    """Return a task with relative paths resolved against a folder."""
    return Task(os.path.join(folder, task.source), os.path.join(folder, task.target))


def filter_files(
    tasks: Iterable[Task], job: FilterJob, client: Any, *, stamped: bool = False
) -> Iterator[tuple[Task, TaskResult]]:
    """Filter many pictures on a Dask cluster whose workers see the same files.

    Parameters
    ----------
    tasks : iterable of Task
        Inputs and outputs; the output folders exist. The iterable is consumed lazily.
    job : FilterJob
        The kernels and options. Each picture uses one thread unless the job says otherwise.
    client : distributed.Client
        A client of the cluster, as from `local_cluster` or `connected`.
    stamped : bool
        Whether to return stamps of inputs and outputs, for a journal.

    Yields
    ------
    (Task, TaskResult)
        The results in order of completion. A picture that fails, or that ends every worker that
        takes it, does not affect the others. Files are written atomically, even if two workers
        filter the same picture.

    Raises
    ------
    ClusterError
        If the scheduler is lost, its workers have another version of convtool or none, or one of
        them does not share the inputs or the outputs with this machine: outputs are read here
        before they are reported, except those of a cluster on this machine.

    Notes
    -----
    The outputs are byte-identical to those of :func:`.filter_file`, on workers with the same
    packages and the same kind of processor.

    Examples
    --------
    >>> list(filter_files([], FilterJob(()), None))
    []
    """
    pictures = len(tasks) if isinstance(tasks, Sized) else 1
    for results in Spread(job, stamped=stamped, pictures=pictures).over(client, tasks):
        yield from results


class Spread:
    """A job distributed over a cluster.

    Parameters
    ----------
    job : FilterJob
        The kernels and options.
    stamped : bool
        Whether to return stamps of inputs and outputs, for a journal.
    pictures : int
        The total number of pictures, if known, which makes the last chunks smaller.
    """

    def __init__(self, job: FilterJob, *, stamped: bool = False, pictures: int = 1) -> None:
        if job.filtering.threads is None:
            job = replace(job, filtering=replace(job.filtering, threads=1))
        self._job, self._stamped = job, stamped
        self._pictures = pictures
        self._unfinished: set[str] = set()

    def over(
        self, client: Any, tasks: Iterable[Task], *, stop: int | None = None
    ) -> Generator[Results, None, None]:
        """Run the tasks; yield groups of results in order of completion.

        Parameters
        ----------
        client : distributed.Client
            A client of the cluster.
        tasks : iterable of Task
            Inputs and outputs.
        stop : int, optional
            A file descriptor; the work is interrupted when it becomes readable.

        Raises
        ------
        Interrupted
            If ``stop`` becomes readable.
        ClusterError
            If the cluster fails.
        """
        source = iter(tasks)
        first = next(source, None)
        if first is None:
            return
        need("cluster", "distributed")
        folder = os.path.dirname(first.target)
        with probed(client, folder, first.source, stop=stop) as probe:
            cluster = _Cluster(
                client, self._order(client, probe), chain([first], source), self._pictures
            )
            try:
                yield from cluster.run(stop)
            finally:
                cluster.close()
                self._unfinished |= cluster.unfinished

    def _order(self, client: Any, probe: Probe) -> _Order:
        stamped = self._stamped or not is_local(client)
        return _Order(self._job, stamped, calibration.load(), os.getcwd(), probe)

    def sweep(self) -> None:
        """Remove temporary files of ended workers from their output folders."""
        for folder in self._unfinished:
            sweep(folder)


class _Cluster:
    """The submitted chunks of tasks, in bounded memory."""

    def __init__(
        self, client: Any, order: _Order, tasks: Iterator[Task], pictures: int = 1
    ) -> None:
        self._order = order
        self._open = enumerate(tasks)
        self._left = pictures
        self._pool: TaskPool[Chunk] = TaskPool(client, "convtool-filter")
        self._alone: int | None = None
        self._recent: set[str] = set()
        self.unfinished: set[str] = set()
        self._each: float | None = None
        self._verification = None if is_local(client) else Verification()

    def run(self, stop: int | None) -> Iterator[Results]:
        """Run all tasks; yield results as they arrive."""
        for report in Dispatcher(self, self._next_chunk, pieces).run(stop):
            if report.crash is not None:
                yield self._blamed(report)
                continue
            yield self._verified(report.work, report.value)

    def _verified(self, chunk: Chunk, answer: _Answer) -> Results:
        """Check the results of a chunk that a worker has reported, and return them."""
        tasks = dict(chunk)
        for number in answer.unseen:
            if os.path.exists(tasks[number].source):
                raise unseen(tasks[number].source, answer.worker)
        results = [(tasks[one.number], one) for one in answer.results]
        if self._verification is not None:
            self._verification.check(results, answer.worker)
        return results

    @property
    def busy(self) -> bool:
        """Whether any chunk is submitted and unfinished."""
        return bool(self._pool.out)

    def has_room(self, *, again: bool) -> bool:
        """Return whether to submit another chunk; a retried task needs an idle cluster."""
        if again or self._alone in self._pool.out:
            return not self._pool.out
        return len(self._pool.out) < _CHUNKS_A_THREAD * self._pool.threads

    def give(self, work: Chunk, *, again: bool) -> None:
        """Submit a chunk."""
        self._recent |= _folders(work)
        number = self._pool.give(work, _work, self._order, work)
        self._alone = number if again else None

    def _next_chunk(self) -> Chunk | None:
        chunk = list(islice(self._open, self._chunk()))
        self._left -= len(chunk)
        return chunk or None

    def _notice_workers_that_went(self, stop: int | None) -> None:
        """Record the output folders in which a killed worker may have left temporary files.

        A chunk that another worker retries does not report the loss.
        """
        if self._pool.look_now_and_then(stop):
            out = (_folders(chunk) for chunk in self._pool.out.values())
            if self._pool.workers_went:
                self.unfinished |= self._recent
                self._pool.workers_went = False
            self._recent = set().union(*out)

    def _chunk(self) -> int:
        """Return the number of pictures for the next task.

        After the first measurement, a task takes a quarter of a second, which is much more than its
        overhead; or longer if there are so many workers that the scheduler would be busy for more
        than half of its time. If the total is known, tasks become smaller towards the end, so that
        no worker waits long for the last one.
        """
        if self._each is None:
            return _FIRST_CHUNK
        seconds = max(_SECONDS_OF_A_CHUNK, 2 * self._pool.threads * _SECONDS_OF_A_TASK)
        size = min(_LARGEST_CHUNK, int(seconds / self._each))
        if self._left > 0:
            fair = self._left // (_CHUNKS_A_THREAD * self._pool.threads)
            size = min(size, max(fair, int(_LEAST_SECONDS_OF_A_CHUNK / self._each)))
        return max(1, size)

    def wait(self, stop: int | None) -> list[Report]:
        """Wait briefly for finished chunks."""
        self._notice_workers_that_went(stop)
        arrived = self._pool.wait(stop)
        if arrived is None:
            return []
        chunk = arrived.work
        if arrived.killed is not None:
            self.unfinished |= _folders(chunk)
            return [Report(chunk, crash=arrived.killed, alone=arrived.number == self._alone)]
        answer: _Answer = arrived.value()
        each = answer.seconds / len(chunk)
        known = each if self._each is None else self._each
        self._each = min(each, 0.8 * known + 0.2 * each)
        return [Report(chunk, answer)]

    def _blamed(self, report: Report) -> Results:
        """Return the failure of a picture that ended its workers while running alone."""
        ((number, task),), killed = report.work, report.crash
        reason = "it ended every worker that took it; is the file damaged?"
        if self._pool.ended_by_memory(killed):
            limit = killed.last_worker.memory_limit / 2**20
            reason = (
                f"it needs more than a worker's limit of {limit:.0f} MiB; "
                "give each more memory, or filter it by itself"
            )
        failure = WorkerError(f"{shown(task.source)}: {reason}")
        return [(task, TaskResult(number, error=failure))]

    def close(self) -> None:
        """Cancel the submitted chunks."""
        for chunk in self._pool.out.values():
            self.unfinished |= _folders(chunk)
        self.unfinished |= self._recent  # the end of a worker may not have been noticed yet
        self._pool.close()
        if self._verification is not None:
            self._verification.close()


def _folders(chunk: Chunk) -> set[str]:
    return {os.path.dirname(os.path.realpath(task.target)) for _, task in chunk}
