"""What each engine still has to start in this process, in seconds."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from convtool.convolution.engines import jit_cache

IMPORT_SECONDS = {"numba": 0.45, "scipy.fft": 0.30, "scipy.ndimage": 0.30, "cv2": 0.12}
"""Measured import times, numpy already there."""

COMPILE_SECONDS = 10.0
"""Compilation of the JIT engine's functions where none are kept from an earlier run."""

LOAD_SECONDS = 0.1
"""Loading them where they are."""

_held: ContextVar[Mapping[str, float] | None] = ContextVar("startup", default=None)


@contextmanager
def held(waits: Mapping[str, float]) -> Iterator[None]:
    """Let these seconds hold meanwhile in this thread, whatever is imported."""
    before = _held.set(waits)
    try:
        yield
    finally:
        _held.reset(before)


def _imported(module: str) -> bool:
    return module in sys.modules


def seconds() -> dict[str, float]:
    """Return how long each engine takes to start from here; 0 for one that is ready.

    Examples
    --------
    >>> seconds()["direct"]
    0.0
    """
    held_ones = _held.get()
    if held_ones is not None:
        return dict(held_ones)
    waits = {"direct": 0.0, "separable": 0.0}
    for engine, module in (("fft", "scipy.fft"), ("opencv", "cv2"), ("scipy", "scipy.ndimage")):
        waits[engine] = 0.0 if _imported(module) else IMPORT_SECONDS[module]
    for engine, module in (("numba", "jit"), ("numba-fft", "jit.transforms")):
        waits[engine] = 0.0
        if not _imported(f"convtool.convolution.engines.{module}"):
            waits[engine] = 0.0 if _imported("numba") else IMPORT_SECONDS["numba"]
            waits[engine] += LOAD_SECONDS if jit_cache.is_filled() else COMPILE_SECONDS
    return waits


def fresh() -> dict[str, float]:
    """Return what `seconds` says in a process that works on pictures and has just begun.

    Examples
    --------
    >>> fresh()["opencv"], fresh()["fft"]
    (0.0, 0.3)
    """
    loading = LOAD_SECONDS if jit_cache.is_filled() else COMPILE_SECONDS
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
