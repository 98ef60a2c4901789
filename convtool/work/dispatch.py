"""The dispatcher: submits tasks to processes of this machine or to the workers of a cluster.

One policy for workers that end: what such a worker had is done again, piece by piece, each alone,
so that the piece which ended it is found; that one is divided if it can be, else it fails alone.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

from convtool.records import Record

Work = TypeVar("Work")
Given_contra = TypeVar("Given_contra", contravariant=True)


class Report(Record, eq=False):
    """What became of work.

    Parameters
    ----------
    work : object
        What was handed out, or what is left of it if its worker ended.
    value : object
        What its worker returned.
    crash : object
        What is known of the worker's end; None if it has not ended.
    alone : bool
        Whether nothing else can have ended the worker.
    """

    work: Any
    value: Any = None
    crash: Any = None
    alone: bool = False


class Place(Protocol[Given_contra]):
    """Where work is done."""

    @property
    def busy(self) -> bool:
        """Whether any work is there."""

    def has_room(self, *, again: bool) -> bool:
        """Return whether more work can be given: new work, or work that is done again."""

    def give(self, work: Given_contra, *, again: bool) -> None:
        """Hand over work."""

    def wait(self, stop: int | None) -> Sequence[Report]:
        """Wait a while for reports.

        Raises
        ------
        Interrupted
            If there is something to read from ``stop``.
        """


class Dispatcher(Generic[Work]):
    """Hands out work until there is none left.

    Parameters
    ----------
    place : Place
        Where it is done.
    next_work : callable
        Returns the next work; None if there is none.
    divide : callable
        Returns the pieces of which work consists that ended its worker, or smaller ones; a list
        without any for work that is not divided.

    Examples
    --------
    >>> class Here:
    ...     def __init__(self):
    ...         self.given = []
    ...     busy = property(lambda self: bool(self.given))
    ...     def has_room(self, *, again):
    ...         return not self.given
    ...     def give(self, work, *, again):
    ...         self.given.append(work)
    ...     def wait(self, stop):
    ...         work = self.given.pop()
    ...         return [Report(work, crash="ended" if 3 in work else None, alone=len(work) == 1)]
    >>> chunks = iter([[1, 2], [3, 4], [5]])
    >>> dispatcher = Dispatcher(
    ...     Here(), lambda: next(chunks, None), lambda work: [[one] for one in work[1:] and work]
    ... )
    >>> [(report.work, report.crash) for report in dispatcher.run()]
    [([1, 2], None), ([3], 'ended'), ([4], None), ([5], None)]
    """

    def __init__(
        self,
        place: Place[Work],
        next_work: Callable[[], Work | None],
        divide: Callable[[Work], list[Work]],
    ) -> None:
        self._place, self._next, self._divide = place, next_work, divide
        self._again: deque[Work] = deque()

    def run(self, stop: int | None = None) -> Iterator[Report]:
        """Yield what became of work, with a ``crash`` only for work that ended its worker alone.

        Parameters
        ----------
        stop : int, optional
            A file descriptor; when there is something to read, the work is broken off.
        """
        while True:
            self._hand_out()
            if not self._place.busy:
                return
            for report in self._place.wait(stop):
                if report.crash is None:
                    yield report
                    continue
                pieces = self._divide(report.work)
                if pieces:
                    self._again.extend(pieces)
                elif report.alone:
                    yield report
                else:
                    self._again.append(report.work)

    def _hand_out(self) -> None:
        while self._again and self._place.has_room(again=True):
            self._place.give(self._again.popleft(), again=True)
        while self._place.has_room(again=False):
            work = self._next()
            if work is None:
                return
            self._place.give(work, again=False)
