"""A background writer: a thread with a short queue, so that memory stays bounded."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Stopped(Exception):  # noqa: N818 - it is no error
    """The work is given up: raised in its thread where it would take the next item."""


class BackgroundWriter(Generic[T]):
    """Runs work that takes items one by one, while the caller makes the next.

    An item is handed over when the work is done with the one before, so that one is held at most.

    Parameters
    ----------
    work : callable
        Called in a thread with the iterator of the items.

    Examples
    --------
    >>> taken = []
    >>> writer = BackgroundWriter(taken.extend)
    >>> for number in range(3):
    ...     writer.put(number)
    >>> writer.finish()
    >>> taken
    [0, 1, 2]
    """

    def __init__(self, work: Callable[[Iterator[T]], object]) -> None:
        self._queue: queue.Queue[tuple[T] | None] = queue.Queue()
        self._free = threading.Semaphore()
        self._error: BaseException | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Hand over an item; what the work raised is raised here."""
        while not self._free.acquire(timeout=0.1):
            self._check()
        self._check()
        self._queue.put((item,))

    def finish(self) -> None:
        """Wait until all items are done; what the work raised is raised here."""
        self._queue.put(None)
        self._thread.join()
        self._check()

    def abandon(self) -> None:
        """Stop the work before its next item, and wait for that."""
        self._stopping = True
        self._queue.put(None)
        self._thread.join()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self, work: Callable[[Iterator[T]], object]) -> None:
        try:
            work(self._items())
        except Stopped:
            pass
        except BaseException as error:
            self._error = error  # raised in the caller's thread

    def _items(self) -> Iterator[T]:
        while True:
            item = self._queue.get()
            if self._stopping:
                raise Stopped
            if item is None:
                return
            yield item[0]
            del item
            self._free.release()
