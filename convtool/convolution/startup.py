"""What each engine still has to start in this process, in seconds."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from convtool.compiled import cache

IMPORT_SECONDS = {"numba": 0.45, "scipy.fft": 0.30, "scipy.ndimage": 0.30, "cv2": 0.12}
"""Measured import times, numpy already there."""

COMPILE_SECONDS = 10.0
"""Compilation of the JIT engine's functions where none are kept from an earlier run."""

LOAD_SECONDS = 0.1
"""Loading them where they are."""

Waits = tuple[tuple[str, float], ...]
"""Engines, and how many seconds each takes to start."""

_MODULES = {
    "fft": "scipy.fft",
    "opencv": "cv2",
    "scipy": "scipy.ndimage",
    "numba": "convtool.convolution.engines.jit",
    "numba-fft": "convtool.convolution.engines.jit.transforms",
    "": "numba",
}
"""What an engine's start imports; the compiler that two of them need besides has no name."""

_held: ContextVar[Waits | None] = ContextVar("startup", default=None)


class _Tally:
    """What calls in this process lost because engines were not started.

    ``lost`` are the seconds for each; ``due`` are the engines for which these have reached what
    starting them takes.
    """

    def __init__(self) -> None:
        self.lost: dict[str, float] = {}
        self.due: frozenset[str] = frozenset()

    def add(self, losses: Waits, prices: Mapping[str, float]) -> None:
        for engine, loss in losses:
            self.lost[engine] = self.lost.get(engine, 0.0) + loss
            if self.lost[engine] >= prices[engine]:
                self.due |= {engine}


_tally = _Tally()


@contextmanager
def held(waits: Mapping[str, float]) -> Iterator[None]:
    """Let these seconds hold meanwhile in this thread, whatever is imported."""
    before = _held.set(tuple(waits.items()))
    try:
        yield
    finally:
        _held.reset(before)


def _imported(module: str) -> bool:
    return module in sys.modules


@lru_cache(maxsize=64)
def _waits(ready: tuple[bool, ...], filled: bool, due: frozenset[str]) -> Waits:
    there = dict(zip(_MODULES, ready, strict=True))
    waits = {"direct": 0.0, "separable": 0.0}
    for engine in ("fft", "opencv", "scipy"):
        waits[engine] = 0.0 if there[engine] else IMPORT_SECONDS[_MODULES[engine]]
    for engine in ("numba", "numba-fft"):
        waits[engine] = 0.0
        if not there[engine]:
            waits[engine] = 0.0 if there[""] else IMPORT_SECONDS["numba"]
            waits[engine] += LOAD_SECONDS if filled else COMPILE_SECONDS
    return tuple((engine, 0.0 if engine in due else wait) for engine, wait in waits.items())


def waits() -> Waits:
    """Return what `seconds` says, as something to look up by: equal while nothing has changed."""
    held_ones = _held.get()
    if held_ones is not None:
        return held_ones
    ready = tuple(map(_imported, _MODULES.values()))
    return _waits(ready, all(ready) or cache.is_complete(), _tally.due)


def seconds() -> dict[str, float]:
    """Return how long each engine takes to start from here; 0 for one that is ready.

    It is 0, too, for an engine for want of which earlier calls have lost as much time as starting
    it takes (`lose`): a process that filters again and again pays for the start once.

    Examples
    --------
    >>> seconds()["direct"]
    0.0
    """
    return dict(waits())


def lose(losses: Waits) -> None:
    """Remember how many seconds a call lost for want of engines that were not started.

    Whoever decides anew at each call, and cannot know how many follow, does at most twice as badly
    as one who knows if he buys when he has paid the price in rent: the ski rental problem
    (Karlin et al., Competitive snoopy caching, Algorithmica 3, 1988).
    """
    if _held.get() is None:
        _tally.add(losses, dict(waits()))


def fresh() -> dict[str, float]:
    """Return what `seconds` says in a process that works on pictures and has just begun.

    Examples
    --------
    >>> fresh()["opencv"], fresh()["fft"]
    (0.0, 0.3)
    """
    loading = LOAD_SECONDS if cache.is_complete() else COMPILE_SECONDS
    compiled = IMPORT_SECONDS["numba"] + loading
    return {
        "direct": 0.0,
        "separable": 0.0,
        "fft": IMPORT_SECONDS["scipy.fft"],
        "opencv": 0.0,
        "scipy": IMPORT_SECONDS["scipy.ndimage"],
        "numba": compiled,
        "numba-fft": compiled,
    }
