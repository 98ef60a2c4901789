"""Keeping Ctrl-C from processes that are ended by the one that has started them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Let Ctrl-C wait in this thread; threads and processes that it starts never get it.

    A terminal sends Ctrl-C to all processes of a command, and one that is still importing answers
    with a traceback. Where the system has no signal masks nothing is blocked.

    Examples
    --------
    >>> with interrupts_blocked():
    ...     print("Ctrl-C waits")
    Ctrl-C waits
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
