"""The number of threads, and the small thread pool."""

import operator
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TypeAlias, TypeVar

from convtool.errors import OptionError

VARIABLE = "CONVTOOL_NUM_THREADS"
"""The environment variable that sets the default number of threads."""

MOST = 1024
"""The most threads that may be asked for."""


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _whole(source: str, value: object) -> int:
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if not 1 <= number <= MOST:
        raise OptionError(f"{source} must be a whole number from 1 to {MOST}, not {value!r}")
    return number


def count(threads: int | None = None) -> int:
    """Return the number of threads to use.

    Parameters
    ----------
    threads : int, optional
        What the caller asks for; else what ``CONVTOOL_NUM_THREADS`` says; else all cores that the
        process may use.

    Raises
    ------
    OptionError
        If either is not a whole number from 1 to `MOST`.

    Examples
    --------
    >>> count(2)
    2
    """
    if threads is not None:
        return _whole("threads", threads)
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return usable_cores()
    return _whole(VARIABLE, int(text) if text.isdecimal() and len(text) < 10 else text)


_Answer = TypeVar("_Answer")
Answers: TypeAlias = "SimpleQueue[BaseException | None]"
"""What helpers say when they are done: nothing, or what went wrong."""


class _Helpers:
    """Threads that wait for work: as many as were ever needed at once.

    The executors of ``concurrent.futures`` do the same, and take long to import.
    """

    _orders: SimpleQueue[tuple[Callable[[], None], Answers]]
    _idle: int
    _counting: threading.Lock

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Know of no thread: a copy of the process has none."""
        self._orders, self._idle, self._counting = SimpleQueue(), 0, threading.Lock()

    def order(self, task: Callable[[], None], helpers: int) -> Answers:
        """Run a task on several threads; each answers once."""
        answers: Answers = SimpleQueue()
        with self._counting:
            new = max(0, helpers - self._idle)
            self._idle -= helpers - new
        for _ in range(new):
            threading.Thread(target=self._help, name="convtool", daemon=True).start()
        for _ in range(helpers):
            self._orders.put((task, answers))
        return answers

    def _help(self) -> None:
        while True:
            self._obey(*self._orders.get())

    def _obey(self, task: Callable[[], None], answers: Answers) -> None:
        failure: BaseException | None = None
        try:
            task()
        except BaseException as error:
            failure = error
        with self._counting:
            self._idle += 1
        answers.put(failure)


_helpers = _Helpers()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helpers.forget)


LONG = 0.05
"""Seconds of work from which on the main thread waits for it, so that signals are handled."""

LOOK = 0.05
"""Seconds after which it looks for signals again."""

GRACE = 0.5
"""Seconds that interrupted work may take to end; after them it is left to itself."""


class Stop:
    """Whether work is to end before it is done, and how compiled functions are told."""

    def __init__(self) -> None:
        self.asked = False
        self._told: dict[int, Callable[[], None]] = {}

    def ask(self) -> None:
        """Have the work ended, as soon as its pieces at work are done."""
        self.asked = True
        for tell in list(self._told.values()):
            tell()

    @contextmanager
    def telling(self, tell: Callable[[], None]) -> Iterator[None]:
        """Call ``tell`` from another thread if the work is to end while the block is at work."""
        key = id(tell)
        self._told[key] = tell
        if self.asked:
            tell()
        try:
            yield
        finally:
            del self._told[key]


_here = threading.local()


def stop_here() -> Stop | None:
    """Return what tells the work of this thread to end, if anything does."""
    stop: Stop | None = getattr(_here, "stop", None)
    return stop


@contextmanager
def _stopped_by(stop: Stop | None) -> Iterator[None]:
    before, _here.stop = stop_here(), stop
    try:
        yield
    finally:
        _here.stop = before


def _awaited(answers: Answers) -> BaseException | None:
    """Wait for an answer; look for signals now and then, which another thread may have received."""
    while True:
        with suppress(Empty):
            return answers.get(timeout=LOOK)


def interruptible(task: Callable[[], None], seconds: float) -> None:
    """Do a task that takes about so long such that Ctrl-C ends it within a second.

    Python handles signals in the main thread, between its own instructions; so that thread waits
    for another one that does the work. Work of a library that goes on after `GRACE` is left to
    itself.
    """
    if seconds < LONG or threading.current_thread() is not threading.main_thread():
        task()
        return
    stop = Stop()

    def work() -> None:
        with _stopped_by(stop):
            task()

    answers = _helpers.order(work, 1)
    try:
        error = _awaited(answers)
    except BaseException:
        stop.ask()
        with suppress(Empty):
            answers.get(timeout=GRACE)
        raise
    if error is not None:
        raise error


def for_each(task: Callable[[int], None], items: Iterable[int], threads: int) -> None:
    """Call ``task`` on every item, on several threads; an error of any of them is raised.

    The calling thread works too, so that one thread needs no helper. After an error no further item
    is started, and none is still at work when it is raised. What ends the work of the calling
    thread ends that of the others, too.
    """
    queue, stop = iter(list(items)), stop_here()

    def work() -> None:
        try:
            for item in queue:
                if stop is not None and stop.asked:
                    break
                task(item)
        finally:
            for item in queue:
                del item

    def help_working() -> None:
        with _stopped_by(stop):
            work()

    if threads < 2:
        work()
        return
    answers = _helpers.order(work if stop is None else help_working, threads - 1)
    try:
        work()
    finally:
        errors = [answers.get() for _ in range(threads - 1)]
    for error in errors:
        if error is not None:
            raise error


@contextmanager
def submit(task: Callable[[], _Answer]) -> Iterator[Callable[[], _Answer]]:
    """Submit a task to another thread, which runs it while the block goes on.

    Yields
    ------
    callable
        Waits for the task's answer, and returns it or raises its error. The block is not left
        before the task has ended.

    Examples
    --------
    >>> with submit(lambda: 6 * 7) as answer:
    ...     print(answer())
    42
    """
    made: list[_Answer] = []
    answers = _helpers.order(lambda: made.append(task()), 1)
    ended = False

    def answer() -> _Answer:
        nonlocal ended
        error = answers.get()
        ended = True
        if error is not None:
            raise error
        return made[0]

    try:
        yield answer
    finally:
        if not ended:
            answers.get()
