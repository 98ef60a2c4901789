"""Options for the workers of a batch, and for resuming one."""

from contextlib import AbstractContextManager
from typing import Any

import click

from convtool.cli._file_options import size_of
from convtool.cli._help import option
from convtool.cli._options import together
from convtool.cli._terminal import is_verbose
from convtool.errors import OptionError
from convtool.limits import check_addresses, check_open_files
from convtool.records import Record

_FILES_OF_CLIENT = 64
_FILES, _FILES_A_WORKER = 288, 16
"""Files that one process has open: a worker its outputs that wait for the disk, the client two or
three connections to each worker."""
_ADDRESSES = 1 << 30

cluster_options = together(
    option(
        "--workers",
        topic="machine",
        type=click.IntRange(1, 1024),
        metavar="N",
        help="Start N worker processes on this machine with Dask (pip install "
        "'convtool[cluster]'), for a batch or the blocks of one TIFF or Zarr picture.",
    ),
    option(
        "--worker-memory",
        topic="machine",
        type=size_of,
        metavar="SIZE",
        help="With --workers: memory limit of each worker, such as 512M or 2G; a worker that takes "
        "more is ended.  [default: its share of the machine's]",
    ),
    option(
        "--scheduler",
        topic="machine",
        metavar="ADDRESS",
        help="Use the workers of this Dask scheduler (tcp://10.0.0.5:8786, or tls:// with the "
        "certificates of Dask's configuration), which must see the same files.",
    ),
)
"""Who does the work: the fields of `Cluster`."""


class Cluster(Record):
    """The cluster options; false if no cluster is requested."""

    workers: int | None = None
    worker_memory: int | None = None
    scheduler: str | None = None

    def __bool__(self) -> bool:
        return self.workers is not None or self.scheduler is not None

    def check(self, *, jobs: int | None, timeout: float | None) -> None:
        """Refuse options that contradict each other.

        Raises
        ------
        OptionError
            If some do.
        """
        if self.workers is not None and self.scheduler is not None:
            raise OptionError("--workers starts a cluster, --scheduler names one; give one of them")
        if self.worker_memory is not None and self.workers is None:
            raise OptionError("--worker-memory is for the processes of --workers; give both")
        if self and jobs is not None:
            raise OptionError("--jobs is for a batch without a cluster; --workers takes its place")
        if self and timeout is not None:
            raise OptionError("--timeout is not kept by a cluster; leave it out")

    def open(self) -> AbstractContextManager[Any]:
        """Return a context that starts or connects to the cluster and yields its client."""
        from convtool.distributed.cluster import connected, local_cluster

        workers = self.workers or 0
        who = f"--workers {workers}" if workers else "--scheduler"
        needed = _FILES + workers * _FILES_A_WORKER if workers else _FILES_OF_CLIENT
        check_open_files(needed, who)
        check_addresses(_ADDRESSES, who)
        if self.scheduler is not None:
            return connected(self.scheduler, verbose=is_verbose())
        return local_cluster(self.workers or 1, memory_limit=self._limit, verbose=is_verbose())

    @property
    def _limit(self) -> int | str:
        return "auto" if self.worker_memory is None else self.worker_memory

    def facts(self) -> tuple[int, int | None]:
        """Return the number of parallel tasks, and the memory limit of each if known.

        This queries a scheduler but starts no processes.
        """
        if self.scheduler is None:
            from convtool.distributed.cluster import memory_of_worker

            return self.workers or 1, memory_of_worker(self._limit)
        from convtool.distributed.task_pool import TaskPool

        with self.open() as client:
            return TaskPool.facts(client)
