"""Compiling by Numba: what its source files are written with, and compiling at use.

A compiled function knows nothing of Python's objects and of Numba's memory: it takes addresses and
numbers, raises nothing, and has its memory from :mod:`~.memory`. It runs without the GIL.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import from_dtype, types
from numba.core import caching

from convtool.compiled import cache, target
from convtool.compiled.checksummed import ChecksummedFiles, warn_not_kept
from convtool.compiled.families import Family
from convtool.compiled.functions import FUNCTIONS, Types

INT = types.intp

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
"""How functions are compiled: without the GIL, and dividing by zero as NumPy does."""

Kind = Any
"""A type of Numba's, or what makes one of the dtypes that a function is for."""


class Entry:
    """How a function is compiled under a name of its own.

    Attributes
    ----------
    function : callable
        The function as written.
    kinds : tuple
        The types of its arguments; a callable is given the function's dtypes and returns one.
    result : type
        What it returns.
    fastmath : set of str
        LLVM's flags for its floating-point arithmetic.
    """

    def __init__(
        self, function: Callable[..., Any], kinds: tuple[Kind, ...], result: Any, fastmath: set[str]
    ) -> None:
        self.function, self.kinds, self.result = function, kinds, result
        self.fastmath = fastmath

    def signature(self, names: Types) -> Any:
        """Return the signature for dtypes of these names."""
        dtypes = [np.dtype(name) for name in names]
        return self.result(*(kind(*dtypes) if _is_maker(kind) else kind for kind in self.kinds))


def _is_maker(kind: Kind) -> bool:
    return callable(kind) and not isinstance(kind, types.Type)


def pointer_to(dtype: np.dtype[Any]) -> Any:
    """Return the type of an address that points to values of a dtype."""
    return types.CPointer(from_dtype(dtype))


def value_of(dtype: np.dtype[Any]) -> Any:
    """Return the type of a number."""
    return from_dtype(dtype)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that only compiled functions call."""
    made: Callable[..., Any] = numba.njit(**OPTIONS)(function)
    return made


def entry(
    *kinds: Kind, result: Any = types.void, fastmath: frozenset[str] = frozenset()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function that has a name of its own in :data:`~.functions.FUNCTIONS`.

    Parameters
    ----------
    *kinds
        See `Entry`.
    result : type
        What the function returns.
    fastmath : set of str
        See `Entry`.
    """

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        made = compiled(function)
        made.entry = Entry(function, kinds, result, set(fastmath))  # type: ignore[attr-defined]
        return made

    return mark


def entry_of(name: str) -> Entry:
    """Return how a function of :data:`~.functions.FUNCTIONS` is compiled."""
    source = FUNCTIONS[name]
    found: Entry = getattr(import_module(source.module), source.attribute).entry
    return found


_kept: list[Any] = []
"""Compiled functions whose addresses are in use."""


def address(name: str, names: Types) -> int:
    """Compile a function, or take it from the cache, and return its address."""
    made = entry_of(name)
    options = OPTIONS | ({"fastmath": made.fastmath} if made.fastmath else {})
    options = {key: value for key, value in options.items() if key != "nogil"}
    function = _cached(made.function, made.signature(names), options)
    _kept.append(function)
    found: int = function.address
    return found


def _cached(function: Callable[..., Any], signature: Any, options: dict[str, Any]) -> Any:
    """Compile a function and keep the result on disk where that is possible."""
    folder = cache.folder()
    if folder is None:
        warn_not_kept(cache.wanted() or "convtool", "there is no private, writable folder")
    else:
        try:
            with _kept_in(folder, target.current()):
                return numba.cfunc(signature, cache=True, **options)(function)
        except (OSError, RuntimeError) as error:
            warn_not_kept(folder, str(error))
    return numba.cfunc(signature, **options)(function)


@contextmanager
def _kept_in(folder: Path, family: Family) -> Iterator[None]:
    """Have Numba keep what is compiled in a folder, in files that it can tell from damaged ones.

    Numba takes both from its modules when a function is decorated, and has no other way.
    """
    before = numba.config.CACHE_DIR, caching.IndexDataCacheFile
    numba.config.CACHE_DIR = str(folder / family.name)
    caching.IndexDataCacheFile = ChecksummedFiles
    try:
        yield
    finally:
        numba.config.CACHE_DIR, caching.IndexDataCacheFile = before
