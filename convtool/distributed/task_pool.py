"""Tasks submitted to a cluster; the tasks of lost workers are retried."""

import queue
import time
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Generic, TypeVar

from convtool.distributed.asking import asked, check_stop
from convtool.distributed.verification import cannot_run
from convtool.errors import ClusterError

Work = TypeVar("Work")

_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_BETWEEN_COUNTS = 5.0
_SECONDS_WITHOUT_SCHEDULER = 10.0
_SECONDS_WITHOUT_WORKERS = 30.0


LOST = "the scheduler has ended or dropped the work; the rest was not done"


class Arrived(Generic[Work]):
    """A finished task.

    Parameters
    ----------
    number : int
        The task's number.
    work : Work
        The submitted work.
    result : Future
        The task's future.

    Attributes
    ----------
    killed : KilledWorker or None
        The error if the task ended every worker that took it.
    """

    def __init__(self, number: int, work: Work, result: "Future[Any]") -> None:
        from distributed.scheduler import KilledWorker

        self.number, self.work, self._result = number, work, result
        error = None if result.cancelled() else result.exception()
        self.killed: Any = error if isinstance(error, KilledWorker) else None

    def value(self) -> Any:
        """Return the task's result or raise its exception.

        Raises
        ------
        ClusterError
            If the task was not run.
        """
        try:
            return self._result.result()
        except CancelledError as error:
            raise ClusterError(LOST) from error
        except (ImportError, AttributeError) as error:
            raise cannot_run(error) from error


class TaskPool(Generic[Work]):
    """Submits tasks to a cluster and returns their results, without storing finished tasks.

    Parameters
    ----------
    client : distributed.Client
        A client of the cluster.
    name : str
        Prefix of the tasks' names.

    Attributes
    ----------
    out : dict of int to Work
        The submitted, unfinished work by task number.
    workers_went : bool
        Whether a worker has been lost since this was last set to False.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = f"{name}-{uuid.uuid4().hex}"
        self.out: dict[int, Work] = {}
        self._futures: dict[int, Any] = {}
        self._arrived: queue.SimpleQueue[tuple[int, Future[Any]]] = queue.SimpleQueue()
        self._fetchers = ThreadPoolExecutor(2, thread_name_prefix="convtool-results")
        self._given = 0
        self._workers: dict[str, Any] = {}
        self._last_workers: dict[str, Any] = {}
        self._heard = self._seen = time.monotonic()
        self.workers_went = False
        self.look()

    def give(self, work: Work, function: Callable[..., Any], *arguments: Any) -> int:
        """Submit a function call to a worker; return the task's number."""
        self._given += 1
        number = self._given
        future = self._client.submit(function, *arguments, key=(self._name, number), pure=False)
        self.out[number], self._futures[number] = work, future

        def fetch(finished: Any) -> None:
            with suppress(RuntimeError):  # raised after the pool is closed
                result = self._fetchers.submit(finished.result)
                result.add_done_callback(lambda fetched: self._arrived.put((number, fetched)))

        future.add_done_callback(fetch)
        return number

    def wait(self, stop: int | None) -> Arrived[Work] | None:
        """Wait briefly for a finished task.

        Parameters
        ----------
        stop : int, optional
            A file descriptor; the work is interrupted when it becomes readable.

        Raises
        ------
        Interrupted
            If ``stop`` becomes readable.
        ClusterError
            If the scheduler is lost.
        """
        check_stop(stop)
        try:
            number, result = self._arrived.get(timeout=_SECONDS_BETWEEN_LOOKS)
        except queue.Empty:
            self._check_scheduler()
            self._check_workers(stop)
            return None
        del self._futures[number]
        return Arrived(number, self.out.pop(number), result)

    def _check_scheduler(self) -> None:
        now = time.monotonic()
        if self._client.status == "running":
            self._heard = now
        elif now - self._heard > _SECONDS_WITHOUT_SCHEDULER or self._client.status == "closed":
            raise ClusterError(LOST)

    def _check_workers(self, stop: int | None) -> None:
        self.look_now_and_then(stop)
        if self._workers:
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > _SECONDS_WITHOUT_WORKERS:
            raise ClusterError(
                f"there is no worker for {_SECONDS_WITHOUT_WORKERS:g} s; the rest was not done"
            )

    def look_now_and_then(self, stop: int | None = None) -> bool:
        """Query the workers if the last query is long ago; return whether it was."""
        if time.monotonic() - self._looked < _SECONDS_BETWEEN_COUNTS:
            return False
        self.look(stop)
        return True

    def look(self, stop: int | None = None) -> None:
        """Query the scheduler's workers."""
        self._looked = time.monotonic()
        try:
            found = asked(self._client.scheduler_info, stop).get("workers")
        except OSError:
            found = None
        if found is None:  # a lost scheduler is reported after a timeout
            self.workers_went = True
            return
        workers = {one["id"]: one for one in found.values()}
        self.workers_went |= not self._workers.keys() <= workers.keys()
        self._workers = workers
        self._last_workers = workers or self._last_workers

    @property
    def threads(self) -> int:
        """Number of tasks that run in parallel, at least 1."""
        return max(1, sum(int(one["nthreads"]) for one in self._workers.values()))

    @property
    def memory(self) -> int | None:
        """The memory limit of a worker per thread in bytes; None if there is no limit.

        While all workers restart, it is their previous limit.
        """
        shares = [
            one["memory_limit"] // max(1, one["nthreads"])
            for one in self._last_workers.values()
            if one["memory_limit"]
        ]
        return min(shares, default=None)

    def ended_by_memory(self, killed: Any) -> bool:
        """Return whether the memory limit ended a task's last worker."""
        address = killed.last_worker.address
        events = self._client.get_events("worker-restart-memory") or ()
        return address in {event["worker"] for _, event in events}

    @classmethod
    def facts(cls, client: Any) -> tuple[int, int | None]:
        """Return `threads` and `memory` of a cluster without submitting work."""
        pool = cls(client, "convtool")
        try:
            return pool.threads, pool.memory
        finally:
            pool.close()

    def close(self) -> None:
        """Cancel all submitted tasks."""
        self.out.clear()
        self._futures.clear()
        self._fetchers.shutdown(wait=False, cancel_futures=True)
