"""The dispatcher: submits tasks to local processes or to the workers of a cluster.

It has one policy for workers that end: retry their work in pieces, each alone, to identify the
piece that ended the worker; divide that piece if possible, else report it as failed.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

from convtool.records import Record

Work = TypeVar("Work")
Given_contra = TypeVar("Given_contra", contravariant=True)


class Report(Record, eq=False):
    """The result of a piece of work."""

    work: Any
    """The submitted work, or its unfinished rest if the worker ended."""
    value: Any = None
    """The worker's return value."""
    crash: Any = None
    """The description of the worker's end; None if it has not ended."""
    alone: bool = False
    """Whether no other work can have ended the worker."""


class Place(Protocol[Given_contra]):
    """A place to run work: a pool of processes or a cluster."""

    @property
    def busy(self) -> bool:
        """Whether any work is submitted and unfinished."""

    def has_room(self, *, again: bool) -> bool:
        """Return whether the place accepts more work: new work, or with `again` a retry."""

    def give(self, work: Given_contra, *, again: bool) -> None:
        """Hand over work."""

    def wait(self, stop: int | None) -> Sequence[Report]:
        """Wait for reports, for a limited time.

        Raises
        ------
        Interrupted
            If ``stop`` becomes readable.
        """


class Dispatcher(Generic[Work]):
    """Submits work until none is left.

    Parameters
    ----------
    place : Place
        The place to run work.
    next_work : callable
        Returns the next piece of work, or None at the end.
    divide : callable
        Divides a piece of work that ended its worker; returns an empty list if it is indivisible.

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
        """Yield reports, with a ``crash`` only for work that ended its worker while alone.

        Parameters
        ----------
        stop : int, optional
            A file descriptor; the work is interrupted when it becomes readable.
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
