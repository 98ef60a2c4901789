"""The process that decodes and encodes for this one: started on use, replaced when it ends.

A library that crashes, hangs or takes too much memory ends that process and no other.
"""

import atexit
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

from convtool.errors import ImageReadError, ImageTooLargeError
from convtool.images.doors.wire import receive, send
from convtool.records import Record, names_of

_PROGRAM = "import sys; sys.path[:] = {!r}; from convtool.images.doors.child import main; main()"


class Request(Record):
    """A call of a function in the other process."""

    module: str
    function: str
    """What to call."""
    arguments: tuple[Any, ...]
    """With what."""
    memory: int
    """The most bytes that it may take besides what the process has already."""
    seconds: float
    """The most time that it may take."""
    library: str
    """Which library it calls, for the message."""


class _Child:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM.format(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"MALLOC_ARENA_MAX": "2"},
        )

    def ask(self, request: Request) -> tuple[str, Any]:
        """Return the kind of an answer and the answer, or how the process ended."""
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self.process.kill()

        watch = threading.Timer(request.seconds, expire)
        watch.daemon = True
        watch.start()
        requests, answers = self.process.stdin, self.process.stdout
        assert requests is not None
        assert answers is not None
        try:
            send(requests, tuple(getattr(request, name) for name in names_of(Request)))
            kind, answer = receive(answers, request.memory)
            return kind, answer
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            self.end()
            if expired.is_set():
                return "failed", f"takes longer than {request.seconds:.0f} seconds to decode"
            return "failed", f"cannot be decoded: {request.library} {self._end_in_words()}"
        except BaseException:
            self.end()
            raise
        finally:
            watch.cancel()

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.close()
        self.process.wait()

    def close(self) -> None:
        """Close the pipes to it."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _end_in_words(self) -> str:
        code = self.process.returncode
        if code < 0:
            with suppress(ValueError):
                return (
                    f"crashed ({signal.Signals(-code).name}); the file is damaged or of a rare kind"
                )
        return f"ended its process (exit code {code})"


class _Client:
    """Asks one process at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def ask(self, request: Request) -> Any:
        """Call a function in the other process.

        Raises
        ------
        ImageReadError
            If the function refuses the file, a package is missing, or the process ends.
        """
        with self._lock:
            if self._child is None or self._child.process.poll() is not None:
                self._child = _Child()
            kind, answer = self._child.ask(request)
        if kind == "done":
            return answer
        raise (ImageTooLargeError if kind == "too large" else ImageReadError)(answer)

    def forget(self) -> None:
        """Leave the other process to the process that this one was forked from."""
        if self._child is not None:
            self._child.process.returncode = 0
            self._child.close()
        self._lock, self._child = threading.Lock(), None

    def end(self) -> None:
        """End the other process."""
        if self._child is not None:
            self._child.end()


_client = _Client()
ask = _client.ask
atexit.register(_client.end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_client.forget)
