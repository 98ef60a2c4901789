"""How many threads work, and the small pool that they work in."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from convtool.errors import OptionError

VARIABLE = "CONVTOOL_NUM_THREADS"
"""The environment variable that sets the default number of threads."""


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
        If either is not a whole number of at least 1.

    Examples
    --------
    >>> count(2)
    2
    """
    source, value = "threads", threads
    if value is None:
        text = os.environ.get(VARIABLE, "").strip()
        if not text:
            return usable_cores()
        source, value = VARIABLE, int(text) if text.isdigit() else -1
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        shown = os.environ.get(VARIABLE) if source == VARIABLE else threads
        raise OptionError(f"{source} must be a whole number of at least 1, not {shown!r}")
    return value


@lru_cache(maxsize=8)
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="convtool")


os.register_at_fork(after_in_child=_pool.cache_clear)


def for_each(task: Callable[[int], None], items: Iterable[int], threads: int) -> None:
    """Call ``task`` on every item, on several threads; the first error of any is raised.

    The calling thread works too, so that one thread needs no pool.
    """
    queue = iter(list(items))

    def work() -> None:
        for item in queue:
            task(item)

    helpers = [_pool(threads - 1).submit(work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        for item in queue:
            del item
        for helper in helpers:
            helper.result()
