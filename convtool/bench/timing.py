"""Time several contenders in turns, so that changes of the machine's speed affect all equally."""

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from convtool.records import Record

Call = Callable[[], object]
"""A prepared contender: a call does its work once."""

TURN = 0.002
"""Minimum duration of a turn in seconds: a fast contender is called several times."""

FEWEST, MOST = 5, 60
"""Minimum and maximum number of rounds."""

FEWEST_SLOW = 3
"""Number of rounds if one round exceeds the budget."""


class Timing(Record):
    """The times of one contender by round."""

    seconds: tuple[float, ...]
    """Seconds per call in each round, at least one."""

    @property
    def median(self) -> float:
        """The median over the rounds."""
        return statistics.median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The lower and the upper quartile over the rounds."""
        return quartiles(self.seconds)

    @property
    def spread(self) -> float:
        """The interquartile range relative to the median.

        Examples
        --------
        >>> Timing((1.0, 2.0, 3.0, 4.0, 5.0)).spread
        0.6666666666666666
        """
        lower, upper = self.quartiles
        return (upper - lower) / self.median


def quartiles(values: tuple[float, ...]) -> tuple[float, float]:
    """Return the lower and the upper quartile, linearly interpolated.

    Examples
    --------
    >>> quartiles((1.0, 2.0, 3.0, 4.0, 5.0))
    (2.0, 4.0)
    """
    if len(values) == 1:
        return values[0], values[0]
    lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, upper


@contextmanager
def _no_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def interleave(
    calls: Mapping[str, Call],
    *,
    rounds: int | None = None,
    budget: float = 0.5,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time contenders in rounds: each round calls every contender, starting with another one.

    Each contender is called once untimed before the rounds and at the start of each turn, because
    threads of the previous one may still be spinning. Garbage collection is disabled meanwhile.

    Parameters
    ----------
    calls : mapping of str to callable
        The prepared contenders.
    rounds : int, optional
        Number of rounds; by default as many as the budget allows, 5 to 60, or 3 if a single round
        exceeds it.
    budget : float
        Time budget in seconds for all contenders together.
    clock : callable
        A clock in seconds.

    Returns
    -------
    dict of str to Timing
        Seconds per call of each contender, one value per round.

    Examples
    --------
    >>> sorted(interleave({"a": lambda: None, "b": lambda: None}, rounds=2))
    ['a', 'b']
    """
    names = list(calls)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    with _no_collection():
        single = {name: _turn(calls[name], 1, clock) for name in names}
        repeats = {name: max(1, math.ceil(TURN / max(single[name], 1e-9))) for name in names}
        repeats = {name: min(count, 1000) for name, count in repeats.items()}
        if rounds is None:
            rounds = _rounds(budget, sum(single[name] * repeats[name] for name in names))
        for index in range(rounds):
            first = index % max(1, len(names))
            for name in names[first:] + names[:first]:
                calls[name]()
                seconds[name].append(_turn(calls[name], repeats[name], clock))
    return {name: Timing(tuple(taken)) for name, taken in seconds.items()}


def _rounds(budget: float, one: float) -> int:
    if one >= budget:
        return FEWEST_SLOW
    return max(FEWEST, min(MOST, int(budget / max(one, 1e-9))))


def _turn(call: Call, repeats: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in range(repeats):
        call()
    return (clock() - start) / repeats
