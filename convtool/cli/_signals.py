"""Handling of Ctrl-C and `kill`: the process ends promptly and removes temporary files."""

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from convtool.cli import FAILED, INTERRUPTED
from convtool.errors import printable
from convtool.files import abandon

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals() -> Iterator[int]:
    """Convert termination signals to bytes in a pipe.

    Python's default, an exception in the main thread, is raised only when native code has returned,
    and then anywhere; the byte is in the pipe at once. Ignored signals stay ignored.

    Yields
    ------
    int
        The read end of the pipe. Outside of the main thread it never receives anything.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    main = threading.current_thread() is threading.main_thread()
    heard = [one for one in _SIGNALS if main and signal.getsignal(one) != signal.SIG_IGN]
    before = {one: signal.signal(one, lambda number, frame: None) for one in heard}
    wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False) if main else -1
    try:
        yield reading
    finally:
        if main:
            signal.set_wakeup_fd(wakeup)
        for one, handler in before.items():
            signal.signal(one, handler)
        os.close(reading)
        os.close(writing)


@contextmanager
def ending(what: str = "", timeout: float | None = None) -> Iterator[None]:
    """End the process on a signal or a timeout, even during a long native call.

    A context manager, or with ``()`` a decorator of a whole command.

    A separate thread removes temporary files, prints a line, and exits the process with 130, or
    with 1 after a timeout.

    Parameters
    ----------
    what : str
        The subject of the timeout message.
    timeout : float, optional
        The time limit of the block in seconds.
    """
    done, over = os.pipe()
    stderr = os.dup(2)  # while a codec runs, 2 is redirected
    with signals() as stop:

        def watch() -> None:
            ready, _, _ = select.select([done, stop], [], [], timeout)
            if done in ready:
                return
            abandon()
            _end_children()
            words = "interrupted"
            if not ready:
                words = f"{what}: took longer than {timeout:g} s; --timeout sets the limit"
            # a progress bar, which this thread cannot end, hides the cursor
            shown = "\x1b[?25h" if "rich.live" in sys.modules and os.isatty(stderr) else ""
            os.write(stderr, f"{shown}convtool: error: {printable(words)}\n".encode())
            os._exit(INTERRUPTED if ready else FAILED)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            os.close(over)
            watcher.join()
            os.close(done)
            os.close(stderr)


def _end_children() -> None:
    """Kill the processes that a cluster has started, before they report the end of this one.

    Another thread may meanwhile start a replacement for a killed one; it inherits a stderr that is
    redirected to the null device. psutil, which also finds processes that are just starting, is
    loaded only if this process has started a cluster.
    """
    psutil = sys.modules.get("psutil")
    if psutil is None:
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.kill()
