"""What workers must share with the client: versions, inputs and outputs, checked on both sides.

Before its work each worker reads a probe file that the client has made among the outputs, and looks
for an input. Afterwards the client reads each output that a worker reports as written.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from warnings import warn

from convtool._version import __version__
from convtool.distributed.asking import asked
from convtool.distributed.versions import Versions, differences, installed
from convtool.errors import ClusterError, ConvtoolWarning, ImageWriteError
from convtool.files import Replacement
from convtool.images.paths import shown
from convtool.records import Record
from convtool.work.journal import Stamp, stamp
from convtool.work.naming import Task
from convtool.work.worker import TaskResult

_SECONDS_UNTIL_SEEN = 2.0
"""How late a network file system may show the files of another machine."""

_SECONDS_BETWEEN_LOOKS = 0.1
_READ_AT_ONCE = 4


class Probe(Record):
    """A file that the client has made among the outputs, and an input."""

    path: str
    content: bytes
    source: str
    """The absolute path of an input that the client sees."""
    size: int
    """Its bytes; -1 if it is a folder."""
    versions: Versions
    """The client's."""

    def check(self, worker: Any = None) -> list[str]:
        """Check on a worker that it shares all this with the client; return remarks on versions.

        Raises
        ------
        ClusterError
            If it does not.
        """
        wrong, other = differences(installed(), self.versions)
        if wrong:
            raise ClusterError(
                f"worker {name_of(worker)} has {'; '.join(wrong)} as this machine; install the same"
            )
        if not _soon(lambda: _content(self.path) == self.content, self.path):
            folder = shown(os.path.dirname(self.path))
            raise ClusterError(
                f"workers do not share {folder}: worker {name_of(worker)} does not see a file that "
                "this machine has made there; mount one file system at this path on all machines"
            )
        if not _soon(lambda: _size(self.source) == self.size, self.source):
            raise unseen(self.source, name_of(worker))
        return [f"worker {name_of(worker)} has {one} as this machine" for one in other]


def name_of(worker: Any = None) -> str:
    """Return the name and address of a worker, by default of the one that runs this task."""
    from distributed import get_worker

    worker = worker or get_worker()
    name, address = str(worker.name), worker.address
    return address if name == address else f"{name} ({address})"


def unseen(source: str, worker: str) -> ClusterError:
    """Return the error about an input that a worker does not see as the client does."""
    return ClusterError(
        f"workers do not share the inputs: worker {worker} does not see {shown(source)} as this "
        "machine does; mount one file system at this path on all machines"
    )


def not_here(target: str, worker: str) -> ClusterError:
    """Return the error about a file that is missing or different on this machine."""
    folder = shown(os.path.dirname(target) or os.curdir)
    return ClusterError(
        f"workers do not share {folder}: {shown(target)} is not here as worker {worker} has "
        "written it; mount one file system at this path on all machines"
    )


def wait_for_size(path: str, size: int, worker: str) -> None:
    """Wait until a file that a worker has written is here as a whole.

    Raises
    ------
    ClusterError
        If it does not come.
    """
    if not _soon(lambda: _size(path) == size, path):
        raise not_here(path, worker)


def _content(path: str) -> bytes | None:
    with suppress(OSError), open(path, "rb") as file:
        return file.read()
    return None


def _size(path: str) -> int | None:
    with suppress(OSError):
        return -1 if os.path.isdir(path) else os.stat(path).st_size
    return None


def _soon(is_seen: Callable[[], bool], path: str) -> bool:
    """Try again for a while; opening its folder has a network file system look for a new file."""
    end = time.monotonic() + _SECONDS_UNTIL_SEEN
    while not is_seen():
        if time.monotonic() > end:
            return False
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        with suppress(OSError), os.scandir(os.path.dirname(path)) as found:
            next(found, None)
    return True


@contextmanager
def probed(client: Any, folder: str, source: str, *, stop: int | None = None) -> Iterator[Probe]:
    """Make a probe file for the block, and check all workers that there are.

    Parameters
    ----------
    client : distributed.Client
        A client of the cluster.
    folder : str
        The folder of the outputs.
    source : str
        An input.
    stop : int, optional
        A file descriptor; the check is interrupted when it becomes readable.

    Raises
    ------
    Interrupted
        If ``stop`` becomes readable.
    ClusterError
        If a worker does not share the files, or has versions that do not fit.
    ImageWriteError
        If nothing can be written to the folder.
    """
    folder = os.path.abspath(folder)
    try:
        new = Replacement(os.path.join(folder, "probe"))
    except OSError as error:
        words = f"{shown(folder)}: cannot be written to: {error.strerror}"
        raise ImageWriteError(words) from error
    try:
        content, source = os.urandom(16).hex().encode(), os.path.abspath(source)
        new.put(content)
        new.sync()
        probe = Probe(new.path, content, source, _size(source) or 0, installed())
        _check_all(client, probe, stop)
        yield probe
    finally:
        new.discard()


def _check(probe: Probe, dask_worker: Any) -> list[str]:
    return probe.check(dask_worker)


def _check_all(client: Any, probe: Probe, stop: int | None) -> None:
    """Check the workers that answer; each task checks the others and those that join later."""
    answers: dict[str, Any] = {}
    with suppress(TimeoutError):
        answers = asked(lambda: client.run(_check, probe, on_error="return"), stop)
    for worker, answer in sorted(answers.items()):
        if isinstance(answer, ClusterError):
            raise answer
        if isinstance(answer, Exception) and not isinstance(answer, OSError):
            raise cannot_run(answer, worker) from answer
        for remark in answer if isinstance(answer, list) else ():
            warn(f"{remark}; outputs may differ", ConvtoolWarning, stacklevel=2)


def cannot_run(error: Exception, worker: str = "") -> ClusterError:
    """Return the error about a worker without convtool, or with a very different one."""
    who = f"worker {worker}" if worker else "a worker"
    return ClusterError(
        f"{who} cannot run convtool ({error}); install convtool {__version__} there"
    )


def is_local(client: Any) -> bool:
    """Return whether all workers are on this machine, as those of `local_cluster`."""
    from distributed import LocalCluster

    return isinstance(client.cluster, LocalCluster)


class Verification:
    """Reads what workers have written, where the client looks for it."""

    def __init__(self) -> None:
        self._readers = ThreadPoolExecutor(_READ_AT_ONCE, thread_name_prefix="convtool-verify")

    def check(self, results: list[tuple[Task, TaskResult]], worker: str) -> None:
        """Compare written files with the size and checksum that a worker has reported.

        Raises
        ------
        ClusterError
            If one is missing or different.
        """
        written = [(task.target, one.stamps[1]) for task, one in results if one.stamps]
        for (target, _), same in zip(written, self._readers.map(_is_written, written), strict=True):
            if not same:
                raise not_here(target, worker)

    def close(self) -> None:
        """Stop reading."""
        self._readers.shutdown(wait=False, cancel_futures=True)


def _is_written(one: tuple[str, Stamp]) -> bool:
    target, expected = one

    def is_same() -> bool:
        with suppress(OSError):
            found = stamp(target)
            return (found.size, found.sha256) == (expected.size, expected.sha256)
        return False

    return _soon(is_same, target)
