"""Ctrl-C and `kill`: the process ends within moments, whatever it is doing, and leaves no file."""

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from convtool.cli import FAILED, INTERRUPTED
from convtool.files import abandon

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals() -> Iterator[int]:
    """Take signals to stop as something to read from a pipe, and do nothing else about them.

    Python's own way, an exception in the main thread, comes only when native code has returned, and
    then anywhere; the byte is in the pipe at once. Signals that are ignored stay so.

    Yields
    ------
    int
        The pipe's end to read from. In a thread that is not the main one nothing ever comes.
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
    """End the process when a signal says so or the time is over, also inside a long native call.

    A context manager, or with ``()`` a decorator of a whole command.

    The end comes from a thread of its own: temporary files are removed, a line is printed, and the
    process exits with 130, or with 1 when the time is over.

    Parameters
    ----------
    what : str
        What takes too long when the time is over.
    timeout : float, optional
        Seconds for the block.
    """
    done, over = os.pipe()
    stderr = os.dup(2)  # while a codec runs, 2 leads elsewhere
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
            os.write(stderr, os.fsencode(f"convtool: error: {words}\n"))
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
    """Kill the processes that a cluster has started: they would complain of the end of this one.

    Another thread may start one more meanwhile, in the place of one that was killed: it inherits a
    stderr that leads nowhere. Only who starts some has psutil loaded, which knows those, too, that
    are not quite there.
    """
    psutil = sys.modules.get("psutil")
    if psutil is None:
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.kill()
