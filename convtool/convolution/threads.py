"""How many threads work, and the small pool that they work in."""

import operator
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache

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


@lru_cache(maxsize=8)
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="convtool")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)


def for_each(task: Callable[[int], None], items: Iterable[int], threads: int) -> None:
    """Call ``task`` on every item, on several threads; an error of any of them is raised.

    The calling thread works too, so that one thread needs no pool. After an error no further item
    is begun, and none is still at work when it is raised.
    """
    queue = iter(list(items))

    def work() -> None:
        try:
            for item in queue:
                task(item)
        finally:
            for item in queue:
                del item

    helpers = [_pool(threads - 1).submit(work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        wait(helpers)
    for helper in helpers:
        helper.result()
