"""What a plan depends on besides its problem, held still, so that every process plans alike.

Which engine is fastest depends on what a process has imported and on the rates of its machine, and
engines differ in their last bits. Work that is divided among processes carries the conditions of
the one that divides it, and comes out the same wherever and in whatever order it is done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from convtool.convolution import calibration, startup
from convtool.convolution.planner import Calibration, Rate
from convtool.convolution.threads import usable_cores
from convtool.records import Record


class Conditions(Record):
    """Seconds that each engine takes to start, and the planner's rates; plain data.

    Parameters
    ----------
    waits : tuple of (str, float)
        The engines and their seconds.
    rates : tuple of (str, Rate)
        The algorithms and their rates.
    """

    waits: tuple[tuple[str, float], ...]
    rates: tuple[tuple[str, Rate], ...]


def of_fresh_workers(pictures: int = 1) -> Conditions:
    """Return the conditions of processes that have just begun and share so many pictures.

    Each process starts an engine once: a picture bears its share of that. There is a process for
    each core, whatever is asked for, so that the plans do not depend on it.

    Examples
    --------
    >>> alone, together = of_fresh_workers(), of_fresh_workers(10_000)
    >>> dict(together.waits)["numba"] < dict(alone.waits)["numba"]
    True
    """
    share = min(1.0, usable_cores() / max(1, pictures))
    waits = ((engine, seconds * share) for engine, seconds in startup.fresh().items())
    return Conditions(tuple(waits), _rates())


def with_all_ready() -> Conditions:
    """Return the conditions where no engine has to be started any more.

    Examples
    --------
    >>> dict(with_all_ready().waits)["numba"]
    0.0
    """
    return Conditions(tuple(dict.fromkeys(startup.fresh(), 0.0).items()), _rates())


def _rates() -> tuple[tuple[str, Rate], ...]:
    return tuple(calibration.load().rates.items())


@lru_cache(maxsize=4)
def _calibration(rates: tuple[tuple[str, Rate], ...]) -> Calibration:
    """Return the same object for the same rates: plans are remembered by it."""
    return Calibration(dict(rates))


@contextmanager
def held(conditions: Conditions) -> Iterator[None]:
    """Plan under these conditions meanwhile in this thread.

    Examples
    --------
    >>> from convtool.convolution.api import plan
    >>> with held(with_all_ready()):
    ...     plan((3000, 4000), "float32", "box").engine
    'numba'
    """
    with (
        calibration.held(_calibration(conditions.rates)),
        startup.held(dict(conditions.waits)),
    ):
        yield
