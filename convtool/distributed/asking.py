"""Wait for answers of a scheduler that may never come."""

import select
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from time import monotonic
from typing import TypeVar

from convtool.work.run import Interrupted

Answer = TypeVar("Answer")

SECONDS_TO_ANSWER = 10.0
_SECONDS_BETWEEN_LOOKS = 0.05


def check_stop(stop: int | None) -> None:
    """Raise `Interrupted` if a file descriptor is readable."""
    if stop is not None and select.select([stop], [], [], 0)[0]:
        raise Interrupted


def asked(
    ask: Callable[[], Answer], stop: int | None = None, seconds: float = SECONDS_TO_ANSWER
) -> Answer:
    """Return what a blocking call returns, which Dask itself waits for without a limit.

    Parameters
    ----------
    ask : callable
        The call, which is made in a thread of its own.
    stop : int, optional
        A file descriptor; the call is abandoned when it becomes readable.
    seconds : float
        The timeout.

    Raises
    ------
    Interrupted
        If ``stop`` becomes readable.
    TimeoutError
        If there is no answer in time.

    Examples
    --------
    >>> asked(lambda: 7)
    7
    """
    answer: Future[Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except Exception as error:
            answer.set_exception(error)

    Thread(target=run, daemon=True).start()
    end = monotonic() + seconds
    while True:
        check_stop(stop)
        try:
            return answer.result(_SECONDS_BETWEEN_LOOKS)
        except TimeoutError:
            if answer.done() or monotonic() > end:
                raise
