"""The command ``convtool``, also ``python -m convtool``: it can be interrupted as it starts."""

import atexit
import gc
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

_INTERRUPTED = 130
_MESSAGE = b"convtool: error: interrupted\n"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

SWITCH = 0.0005
"""Seconds that a thread may hold the interpreter while another waits: that one decodes a picture
while this one imports and plans, and has to ask for it several times. (Python's own are 0.005.)"""


def main() -> None:
    """Run the command line and end the process with its exit code.

    Ctrl-C and `kill` end it with 130: while it starts, at once; later as a ``KeyboardInterrupt``,
    or as a command sees fit.
    """
    heard = [one for one in _SIGNALS if signal.getsignal(one) != signal.SIG_IGN]
    _answer(heard, _end)
    sys.unraisablehook = _unraisable
    gc.disable()  # what is imported stays: looking through it again and again finds nothing to free
    sys.setswitchinterval(SWITCH)
    _buffer_stdout()
    from convtool.cli import run

    code = _INTERRUPTED
    try:
        _answer(heard, signal.default_int_handler)
        code = run()
    except KeyboardInterrupt:  # before the command line could say so
        os.write(2, _MESSAGE)
    _answer(heard, _end)
    if code == _INTERRUPTED or _nothing_is_left():
        _leave(code)
    sys.exit(code)


def _buffer_stdout() -> None:
    """Buffer standard output: with PYTHONUNBUFFERED Python drops what one write leaves over."""
    if sys.stdout is not None and isinstance(sys.stdout.buffer, io.RawIOBase):
        encoding, errors, place = sys.stdout.encoding, sys.stdout.errors, sys.stdout.fileno()
        sys.stdout = open(place, "w", encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115


def _answer(heard: Sequence[signal.Signals], how: Callable[[int, FrameType | None], Any]) -> None:
    for one in heard:
        signal.signal(one, how)


def _end(number: int, frame: FrameType | None) -> None:
    os.write(2, _MESSAGE)
    os._exit(_INTERRUPTED)


def _unraisable(told: "sys.UnraisableHookArgs") -> None:
    """End at once where an interrupt came inside a callback, which would swallow it."""
    if not issubclass(told.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(told)
        return
    files = sys.modules.get("convtool.files")
    if files is not None:
        files.abandon()
    _end(signal.SIGINT, None)


def _nothing_is_left() -> bool:
    """Run the exit handlers; return whether no thread is running and all output is flushed."""
    import threading

    if any(not thread.daemon for thread in threading.enumerate()[1:]):
        return False
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except (OSError, ValueError):
        return False
    return True


def _leave(code: int) -> None:
    """End without waiting for threads that still compute, nor taking modules and arrays apart.

    The system takes all memory back at once; Python would need as long as for importing them.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
