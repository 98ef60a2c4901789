"""Processes that run inputs, and a watch over them: they may crash, hang, or eat memory."""

import mmap
import os
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .targets import Target, input_of

Source = Callable[[int, int], tuple[Target, bytes]]

HANG_SECONDS = 10
MEBIBYTES = 768
_ADDRESSES = 6 << 30
_TOO_MUCH_MEMORY = 77
_STATE = struct.Struct("<QQ")
_WAIT = 0.05
_ENDING = {signal.SIGINT, signal.SIGTERM}
_PATIENCE = 3
"""An input that hangs has so many times as long at its second go: the machine may be busy."""


@dataclass
class Finding:
    """An input that did what none may do."""

    target: str
    ending: str
    what: str
    data: bytes
    trace: str = ""


@dataclass
class Worker:
    """One process and what it shares: the number it is at, and how many it has done.

    ``slow`` is the last input that took too long and is, or was, tried once more.
    """

    first: int
    step: int
    shared: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, _STATE.size))
    pid: int = 0
    seen: tuple[int, float] = (-1, 0.0)
    slow: int = -1

    @property
    def state(self) -> tuple[int, int]:
        """The number of the input it is at, and the count of those done."""
        return _STATE.unpack_from(self.shared, 0)


class Fuzzing:
    """A run: ``jobs`` processes over the inputs of a seed, until the time or the inputs end.

    ``source`` gives the target and the data of a seed and a number.
    """

    def __init__(
        self,
        seed: int,
        jobs: int,
        seconds: float | None = None,
        inputs: int | None = None,
        source: Source = input_of,
        hang_seconds: float = HANG_SECONDS,
        mebibytes: int = MEBIBYTES,
    ) -> None:
        self.seed, self.seconds, self.inputs = seed, seconds, inputs
        self.source, self.hang_seconds, self.mebibytes = source, hang_seconds, mebibytes
        self.workers = [Worker(first, jobs) for first in range(jobs)]
        self.parent = os.getpid()
        self.place = Path(tempfile.mkdtemp(prefix="fuzz-", dir=memory_folder()))
        self.findings: dict[str, list[Finding]] = {}

    def run(self) -> int:
        """Run, and return how many inputs were done."""
        start = time.monotonic()
        try:
            for worker in self.workers:
                self._start(worker, worker.first)
            while any(worker.pid for worker in self.workers):
                time.sleep(_WAIT)
                for worker in self.workers:
                    self._look_after(worker)
                if self.seconds is not None and time.monotonic() - start > self.seconds:
                    break
        finally:
            for worker in self.workers:
                self._stop(worker)
            self._collect()
            shutil.rmtree(self.place, ignore_errors=True)
        return sum(worker.state[1] for worker in self.workers)

    def _start(self, worker: Worker, number: int) -> None:
        """Start a process at an input.

        Signals wait until its number is known here, and until it leaves Ctrl-C to this process:
        else it would clean up what is still in use, or stay behind in a folder that is gone.
        """
        _STATE.pack_into(worker.shared, 0, number, worker.state[1])
        worker.seen = (number, time.monotonic())
        folder = self.place / f"work-{worker.first}-{number}"
        folder.mkdir(exist_ok=True)
        sys.stdout.flush()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        worker.pid = os.fork()
        if not worker.pid:
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                self._work(worker, number, folder)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _look_after(self, worker: Worker) -> None:
        """Start a process anew behind the input that ended it."""
        if not worker.pid:
            return
        number, _ = worker.state
        if number != worker.seen[0]:
            worker.seen = (number, time.monotonic())
        ended, status = os.waitpid(worker.pid, os.WNOHANG)
        patience = self.hang_seconds * (_PATIENCE if number == worker.slow else 1)
        if not ended and time.monotonic() - worker.seen[1] < patience:
            return
        code = os.waitstatus_to_exitcode(status) if ended else None
        if code is None:
            self._stop(worker)
            if number != worker.slow:
                worker.slow = number
                self._start(worker, number)
                return
        worker.pid = 0
        if code == 0:
            return
        number, done = worker.state
        self._keep(number, "hangs" if code is None else self._words(code))
        _STATE.pack_into(worker.shared, 0, number, done + 1)
        self._start(worker, number + worker.step)

    def _keep(self, number: int, what: str) -> None:
        target, data = self.source(self.seed, number)
        key = f"{target.name}: {what}"
        self.findings.setdefault(key, []).append(Finding(target.name, target.ending, what, data))

    def _words(self, code: int) -> str:
        if code == _TOO_MUCH_MEMORY:
            return f"takes more than {self.mebibytes} MB"
        return f"is ended by signal {-code}" if code < 0 else f"ends the process with {code}"

    def _stop(self, worker: Worker) -> None:
        if worker.pid:
            os.kill(worker.pid, signal.SIGKILL)
            os.waitpid(worker.pid, 0)
            worker.pid = 0

    def _work(self, worker: Worker, number: int, folder: Path) -> None:
        """Run every ``step``-th input from a number on; never returns by an exception."""
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
        _make_warnings_errors()
        known: set[str] = set()
        while os.getppid() == self.parent and (self.inputs is None or number < self.inputs):
            _STATE.pack_into(worker.shared, 0, number, worker.state[1])
            target, data = self.source(self.seed, number)
            try:
                target.run(data, folder)
            except Exception as error:
                self._write_down(known, number, error)
            if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > self.mebibytes << 10:
                os._exit(_TOO_MUCH_MEMORY)
            _STATE.pack_into(worker.shared, 0, number, worker.state[1] + 1)
            number += worker.step

    def _write_down(self, known: set[str], number: int, error: Exception) -> None:
        """Leave a note of an exception for the parent, one of each kind."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        kind = f"{type(error).__name__} in {Path(frame.filename).name}:{frame.name}"
        if kind not in known:
            known.add(kind)
            note = f"{kind}\n" + "".join(traceback.format_exception(error))
            (self.place / f"note-{number}").write_text(note, encoding="utf-8")

    def _collect(self) -> None:
        for note in sorted(self.place.glob("note-*")):
            kind, _, trace = note.read_text(encoding="utf-8").partition("\n")
            target, data = self.source(self.seed, int(note.name.rpartition("-")[2]))
            finding = Finding(target.name, target.ending, kind, data, trace)
            self.findings.setdefault(f"{target.name}: {kind}", []).append(finding)


def memory_folder():
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _make_warnings_errors():
    from convtool.errors import ConvtoolWarning

    warnings.simplefilter("error")
    warnings.simplefilter("ignore", ConvtoolWarning)
