"""Start worker processes on this machine, or connect to a scheduler."""

import asyncio
import logging
import os
import re
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing import resource_tracker
from typing import Any

from convtool.distributed.task_pool import LOST
from convtool.distributed.tls import refusal, security_for
from convtool.errors import ClusterError, ConvtoolError, OptionError
from convtool.extras import need
from convtool.interrupts import interrupts_blocked

SECONDS_TO_CONNECT = 8
"""Timeout of the connection to a scheduler."""

_STRANGE_ANSWERS = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    MemoryError,
    EOFError,
    RuntimeError,
)
"""Errors of a connection to an address without a scheduler."""

_SECONDS_TO_CLOSE = 20.0
_WARNINGS = "PYTHONWARNINGS"
_ADDRESS = re.compile(r"((tcp|tls|ws|wss|ucx)://)?(\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]]+):[0-9]{1,5}")
_NOISY = re.compile(r"(distributed|asyncio|tornado)(\.|$)")
_QUIET = {
    "distributed.admin.low-level-log-length": 1,
    "distributed.admin.log-length": 1,
    "distributed.nanny.pre-spawn-environ": {
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    },
    "distributed.diagnostics.computations.max-history": 1,
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.scheduler.allowed-failures": 1,
    "distributed.scheduler.dashboard.status.task-stream-length": 1,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.profile.enabled": False,
}
"""Dask settings of a local cluster. Memory must not grow with the number of finished tasks. Workers
hold few results, so spilling is disabled and a worker above the limit is killed. Dask's default
returns all freed memory to the system, which then clears it on reuse: half of a worker's time.
Profiling and frequent monitoring are disabled, because they take time from the workers."""


@contextmanager
def local_cluster(
    workers: int, *, memory_limit: int | str = "auto", verbose: bool = False
) -> Iterator[Any]:
    """Start worker processes on this machine and end them afterwards.

    They listen on 127.0.0.1 only, at ports that the system chooses; there is no dashboard.

    Parameters
    ----------
    workers : int
        Number of processes; each runs one task at a time.
    memory_limit : int or str
        The memory limit of each process, above which it is killed, as in ``"2GiB"``; by default its
        share of the machine's memory.
    verbose : bool
        Whether to show what Dask logs and warns about.

    Yields
    ------
    distributed.Client
        A client of the cluster.

    Raises
    ------
    OptionError
        If the packages of the extra ``cluster`` are missing, or an option is invalid.
    ClusterError
        If the processes do not start.

    Examples
    --------
    >>> with local_cluster(1) as client:
    ...     client.submit(divmod, 17, 5).result()
    (3, 2)
    """
    need("cluster", "dask", "distributed")
    if workers < 1:
        raise OptionError(f"workers must be at least 1, not {workers}")
    import dask
    from distributed import Client, LocalCluster

    _quieten_tracker()
    with (
        tempfile.TemporaryDirectory(prefix="convtool-workers-") as folder,
        dask.config.set(_QUIET),
        nullcontext() if verbose else _silence(),
    ):
        try:
            with interrupts_blocked():
                cluster: Any = LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    scheduler_port=0,
                    dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": False},
                    memory_limit=memory_limit,
                    local_directory=folder,
                    silence_logs=logging.WARNING if verbose else logging.CRITICAL,
                )
        except (OSError, RuntimeError, TimeoutError) as error:
            raise ClusterError(f"the worker processes do not start: {error}") from error
        try:
            with Client(cluster, set_as_default=False, timeout=SECONDS_TO_CONNECT) as client:
                yield client
        finally:
            _end(cluster)


def memory_of_worker(memory_limit: int | str = "auto") -> int | None:
    """Return the bytes that a worker of `local_cluster` may take; none is started.

    Raises
    ------
    OptionError
        If the packages of the extra ``cluster`` are missing.

    Examples
    --------
    >>> memory_of_worker(1 << 20)
    1048576
    """
    need("cluster", "dask", "distributed")
    from distributed.worker_memory import parse_memory_limit

    limit: int | None = parse_memory_limit(memory_limit, 1, logger=logging.getLogger(__name__))
    return limit


def _quieten_tracker() -> None:
    """Start multiprocessing's resource tracker with silenced warnings.

    It would otherwise warn about leaked resources when Ctrl-C ends this process.
    """
    before = os.environ.get(_WARNINGS)
    os.environ[_WARNINGS] = ",".join([*([before] if before else []), "ignore:resource_tracker"])
    try:
        resource_tracker.ensure_running()
    finally:
        del os.environ[_WARNINGS]
        if before is not None:
            os.environ[_WARNINGS] = before


def _end(cluster: Any) -> None:
    """Kill the local workers at once, without restarting them."""
    for nanny in list(cluster.workers.values()):
        nanny.close_gracefully()
        if nanny.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(nanny.pid, signal.SIGKILL)
    cluster.close(timeout=_SECONDS_TO_CLOSE)


@contextmanager
def connected(
    address: str, *, seconds: float = SECONDS_TO_CONNECT, verbose: bool = False
) -> Iterator[Any]:
    """Connect to a running scheduler, which keeps running afterwards.

    Certificates and other settings are those of Dask's configuration: files, ``DASK_CONFIG`` and
    variables such as ``DASK_DISTRIBUTED__COMM__TLS__CA_FILE``.

    Parameters
    ----------
    address : str
        The scheduler's address, as in ``tcp://10.0.0.5:8786`` or ``tls://10.0.0.5:8786``.
    seconds : float
        The timeout.
    verbose : bool
        Whether to show what Dask logs and warns about.

    Yields
    ------
    distributed.Client
        A client of the cluster.

    Raises
    ------
    OptionError
        If the packages of the extra ``cluster`` are missing, or the address is invalid.
    ClusterError
        If no scheduler answers in time, its certificate or that of this machine is refused, or
        it is lost later.
    """
    need("cluster", "dask", "distributed")
    if not _ADDRESS.fullmatch(address):
        raise OptionError(f"{address!r} is not a scheduler's address such as tcp://10.0.0.5:8786")
    import dask
    from distributed import Client
    from distributed.comm import CommClosedError

    settings = {"distributed.comm.timeouts.connect": f"{seconds}s"}
    with dask.config.set(settings), nullcontext() if verbose else _silence():
        security = security_for(address)
        try:
            asyncio.run(asyncio.wait_for(_greet(address, security), seconds))
            client: Any = Client(address, security=security, set_as_default=False, timeout=seconds)
        except _STRANGE_ANSWERS as error:
            reason = refusal(address, error) or (
                f"no Dask scheduler answers within {seconds:g} s; is it running, is the port open, "
                "and is it tcp:// or tls://?"
            )
            raise ClusterError(f"{address}: {reason}") from error
        try:
            with client:
                yield client
        except ConvtoolError:
            raise
        except Exception as error:
            if client.status == "running" and not isinstance(error, CommClosedError):
                raise
            raise ClusterError(f"{address}: {LOST}") from error


async def _greet(address: str, security: Any) -> None:
    """Ask a scheduler for its identity with a timeout, which a client itself does not apply."""
    from distributed.core import rpc

    arguments = security.get_connection_args("client")
    async with rpc(address, connection_args=arguments) as scheduler:
        answer = await scheduler.identity()
    if answer["type"] != "Scheduler":
        raise ValueError(answer["type"])


@contextmanager
def _silence() -> Iterator[None]:
    """Suppress Dask's logs and warnings, of lost workers and of versions: convtool has its own.

    The context restores the previous levels. Dask gives some loggers levels of their own.
    """
    import distributed  # noqa: F401  its loggers

    names = {"distributed", "asyncio", "tornado", *logging.root.manager.loggerDict}
    loggers = [logging.getLogger(name) for name in names if _NOISY.match(name)]
    before = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=_NOISY.pattern)
            yield
    finally:
        for one, level in zip(loggers, before, strict=True):
            one.setLevel(level)
