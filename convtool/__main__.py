"""The command ``convtool``, also ``python -m convtool``: it can be interrupted as it starts."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

_INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    """Run the command line and end the process with its exit code.

    Ctrl-C and `kill` end it with 130: while it starts, at once; later as a ``KeyboardInterrupt``,
    or as a command sees fit.
    """
    heard = [one for one in _SIGNALS if signal.getsignal(one) != signal.SIG_IGN]
    _answer(heard, _end)
    sys.unraisablehook = _unraisable
    gc.disable()  # what is imported stays: looking through it again and again finds nothing to free
    from convtool.cli import run

    code = _INTERRUPTED
    with suppress(KeyboardInterrupt):
        _answer(heard, signal.default_int_handler)
        code = run()
    _answer(heard, _end)
    if code == _INTERRUPTED:
        _leave()
    sys.exit(code)


def _answer(heard: Sequence[signal.Signals], how: Callable[[int, FrameType | None], Any]) -> None:
    for one in heard:
        signal.signal(one, how)


def _end(number: int, frame: FrameType | None) -> None:
    os.write(2, b"convtool: error: interrupted\n")
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


def _leave() -> None:
    """End without waiting for threads that still compute."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
