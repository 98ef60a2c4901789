"""Many pictures on a Dask cluster: handed out in chunks, a bounded number at a time."""

import os
import queue
import select
import time
import uuid
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from convtool import __version__
from convtool.convolution import conditions
from convtool.convolution.conditions import Conditions
from convtool.distributed.extra import need
from convtool.errors import ClusterError, WorkerError
from convtool.files import sweep
from convtool.images.batch.naming import Task
from convtool.images.batch.run import Interrupted
from convtool.images.batch.worker import Done, do, limit_opencv
from convtool.images.job import Job
from convtool.images.paths import shown

Results = list[tuple[Task, Done]]

_FIRST_CHUNK = 2
_LARGEST_CHUNK = 256
_SECONDS_OF_A_CHUNK = 0.25
_SECONDS_OF_A_TASK = 0.0025
"""What a task costs the scheduler, measured by ``benchmarks/cluster.py``."""

_CHUNKS_A_THREAD = 2
_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_BETWEEN_COUNTS = 5.0
_SECONDS_WITHOUT_SCHEDULER = 10.0


@dataclass(frozen=True)
class _Order:
    """What a chunk's worker is told, the same for all chunks."""

    job: Job
    stamped: bool
    planning: Conditions
    folder: str
    version: str = __version__


def _work(order: _Order, tasks: Sequence[tuple[int, Task]]) -> tuple[list[Done], float]:
    """Do a chunk on a worker; return what became of it and the seconds that it took."""
    if order.version != __version__:
        raise ClusterError(
            f"a worker has convtool {__version__}, this is {order.version}; install one version"
        )
    if order.folder != os.getcwd():
        tasks = [(number, _below(order.folder, task)) for number, task in tasks]
    began = time.perf_counter()
    limit_opencv(order.job)
    with conditions.held(order.planning):
        done = do(tasks, order.job, order.stamped)
    return done, time.perf_counter() - began


def _below(folder: str, task: Task) -> Task:
    """Return a task whose relative paths, if it has any, begin in a folder."""
    return Task(os.path.join(folder, task.source), os.path.join(folder, task.target))


def filter_files(
    tasks: Iterable[Task], job: Job, client: Any, *, stamped: bool = False
) -> Iterator[tuple[Task, Done]]:
    """Filter many pictures on a Dask cluster, whose workers see the same files.

    Parameters
    ----------
    tasks : iterable of Task
        Inputs and outputs; the folders of the outputs are there. It is read as the work goes on.
    job : Job
        What is done to each. Each picture is computed in one thread, unless the job says otherwise.
    client : distributed.Client
        A client of the cluster, as from `local_cluster` or `connected`.
    stamped : bool
        Whether inputs and outputs are stamped, for a journal.

    Yields
    ------
    (Task, Done)
        What became of each, as they are finished. A picture that fails, or that ends every worker
        which takes it, fails alone. Files appear whole or not at all, even if two workers do one
        picture.

    Raises
    ------
    ClusterError
        If the scheduler is lost, or its workers have another convtool or none.

    Notes
    -----
    The outputs are those of ``convtool filter --jobs 1``, byte for byte, on workers with the same
    packages and the same kind of processor.

    Examples
    --------
    >>> list(filter_files([], Job(()), None))
    []
    """
    for results in Spread(job, stamped=stamped).over(client, tasks):
        yield from results


class Spread:
    """A job that is spread over a cluster.

    Parameters
    ----------
    job : Job
        What is done to each picture.
    stamped : bool
        Whether inputs and outputs are stamped, for a journal.
    """

    def __init__(self, job: Job, *, stamped: bool = False) -> None:
        if job.filtering.threads is None:
            job = replace(job, filtering=replace(job.filtering, threads=1))
        self._order = _Order(job, stamped, conditions.of_fresh_workers(), os.getcwd())
        self._unfinished: set[str] = set()

    def over(
        self, client: Any, tasks: Iterable[Task], *, stop: int | None = None
    ) -> Generator[Results, None, None]:
        """Do the tasks; yield what became of some of them, as they are finished.

        Parameters
        ----------
        client : distributed.Client
            Who hands them out.
        tasks : iterable of Task
            Inputs and outputs.
        stop : int, optional
            A file descriptor; when there is something to read, the work is broken off.

        Raises
        ------
        Interrupted
            If ``stop`` says so.
        ClusterError
            If the cluster cannot do it.
        """
        source = iter(tasks)
        first = next(source, None)
        if first is None:
            return
        need("distributed")
        office = _Office(client, self._order, chain([first], source))
        try:
            yield from office.run(stop)
        finally:
            self._unfinished |= office.close()

    def sweep(self) -> None:
        """Remove what workers that have ended left in the folders they wrote to."""
        for folder in self._unfinished:
            sweep(folder)


class _Office:
    """Hands out chunks and takes in results; what it keeps does not grow with the pictures."""

    def __init__(self, client: Any, order: _Order, tasks: Iterator[Task]) -> None:
        self._client = client
        self._order = order
        self._open = enumerate(tasks)
        self._out: dict[int, tuple[Any, list[tuple[int, Task]]]] = {}
        self._suspects: deque[tuple[int, Task]] = deque()
        self._alone: int | None = None
        self._unfinished: set[str] = set()
        self._arrived: queue.SimpleQueue[tuple[int, Future[Any]]] = queue.SimpleQueue()
        self._fetchers = ThreadPoolExecutor(2, thread_name_prefix="convtool-results")
        self._name = f"convtool-filter-{uuid.uuid4().hex}"
        self._chunks = 0
        self._each: float | None = None
        self._threads, self._counted = 0, -_SECONDS_BETWEEN_COUNTS
        self._heard = time.monotonic()

    def run(self, stop: int | None) -> Iterator[Results]:
        while True:
            self._hand_out()
            if not self._out:
                return
            try:
                number, result = self._arrived.get(timeout=_SECONDS_BETWEEN_LOOKS)
            except queue.Empty:
                self._check_scheduler()
            else:
                if number in self._out:
                    yield self._take_in(number, result)
            if stop is not None and select.select([stop], [], [], 0)[0]:
                raise Interrupted

    def _check_scheduler(self) -> None:
        now = time.monotonic()
        if self._client.status == "running":
            self._heard = now
        elif now - self._heard > _SECONDS_WITHOUT_SCHEDULER or self._client.status == "closed":
            raise ClusterError("the connection to the scheduler is lost; the rest was not done")

    def _hand_out(self) -> None:
        """Keep so many chunks with the cluster that no worker waits, and no more."""
        while len(self._out) < self._window():
            chunk = []
            for one in self._open:
                chunk.append(one)
                if len(chunk) >= self._chunk():
                    break
            if not chunk:
                break
            self._give(chunk)
        if not self._out and self._suspects:
            self._alone = self._give([self._suspects.popleft()])

    def _window(self) -> int:
        now = time.monotonic()
        if now - self._counted > _SECONDS_BETWEEN_COUNTS:
            self._threads = sum(self._client.nthreads().values())
            self._counted = now
        return _CHUNKS_A_THREAD * max(1, self._threads)

    def _chunk(self) -> int:
        """Return how many pictures make a task.

        It takes a quarter of a second, which dwarfs its overhead; or longer where there are so many
        workers that the scheduler would be busy for more than half of its time.
        """
        if self._each is None:
            return _FIRST_CHUNK
        seconds = max(_SECONDS_OF_A_CHUNK, 2 * self._threads * _SECONDS_OF_A_TASK)
        return max(1, min(_LARGEST_CHUNK, int(seconds / self._each)))

    def _give(self, chunk: list[tuple[int, Task]]) -> int:
        self._chunks += 1
        number = self._chunks
        future = self._client.submit(
            _work, self._order, chunk, key=(self._name, number), pure=False
        )
        self._out[number] = future, chunk

        def fetch(finished: Any) -> None:
            result = self._fetchers.submit(finished.result)
            result.add_done_callback(lambda fetched: self._arrived.put((number, fetched)))

        future.add_done_callback(fetch)
        return number

    def _take_in(self, number: int, result: "Future[Any]") -> Results:
        from distributed.scheduler import KilledWorker

        _, chunk = self._out.pop(number)
        error = None if result.cancelled() else result.exception()
        if isinstance(error, KilledWorker):
            self._unfinished |= _folders(chunk)
            if number == self._alone:
                return self._blamed(chunk[0], error)
            self._suspects.extend(chunk)
            return []
        if isinstance(error, ClusterError):
            raise error
        if isinstance(error, ImportError | AttributeError):
            raise ClusterError(
                f"a worker cannot run convtool ({error}); install convtool {__version__} there"
            ) from error
        if result.cancelled() or isinstance(error, CancelledError):
            raise ClusterError("the scheduler has dropped the work; the rest was not done")
        done, seconds = result.result()
        each = seconds / len(chunk)
        self._each = each if self._each is None else 0.8 * self._each + 0.2 * each
        tasks = dict(chunk)
        return [(tasks[one.number], one) for one in done]

    def _blamed(self, suspect: tuple[int, Task], error: Any) -> Results:
        """Report a picture that was alone with the cluster and ended its workers all the same."""
        number, task = suspect
        reason = "it ended every worker that took it; is the file damaged?"
        events = self._client.get_events("worker-restart-memory") or ()
        if error.last_worker.address in {event["worker"] for _, event in events}:
            limit = error.last_worker.memory_limit / 2**20
            reason = (
                f"it needs more than the {limit:.0f} MiB that a worker may take; "
                "give each more memory, or filter it by itself"
            )
        failure = WorkerError(f"{shown(task.source)}: {reason}")
        return [(task, Done(number, error=failure))]

    def close(self) -> set[str]:
        """Drop what is with the cluster; return the folders where something may be left over."""
        for _, chunk in self._out.values():
            self._unfinished |= _folders(chunk)
        self._out.clear()
        self._fetchers.shutdown(wait=False, cancel_futures=True)
        return self._unfinished


def _folders(chunk: Sequence[tuple[int, Task]]) -> set[str]:
    return {os.path.dirname(os.path.realpath(task.target)) for _, task in chunk}
