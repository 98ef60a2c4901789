"""How a function is compiled: without the GIL, and kept on disk where that is possible."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
from numba.core import caching
from numba.core.dispatcher import Dispatcher

from convtool.convolution.engines import jit_cache
from convtool.convolution.engines.jit.sealed import LenientCache, SealedFiles, warn_not_kept


def cached(decorator: Callable[..., Any], *arguments: Any, **options: Any) -> Callable[..., Any]:
    """Return a decorator that compiles a function and keeps the result where that is possible."""

    def compiled(function: Callable[..., Any]) -> Any:
        folder = jit_cache.folder()
        if folder is None:
            warn_not_kept(jit_cache.wanted() or "convtool", "there is no private, writable folder")
        else:
            try:
                with _kept_in(folder):
                    made = decorator(*arguments, cache=True, **options)(function)
                    if isinstance(made, Dispatcher):
                        made._cache = LenientCache(function)  # type: ignore[attr-defined]
                    return made
            except (OSError, RuntimeError) as error:
                warn_not_kept(folder, str(error))
        return decorator(*arguments, **options)(function)

    return compiled


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """Have Numba keep what is compiled in a folder, in files that it can tell from damaged ones.

    Numba takes both from its modules when a function is decorated, and has no other way.
    """
    before = numba.config.CACHE_DIR, caching.IndexDataCacheFile
    numba.config.CACHE_DIR, caching.IndexDataCacheFile = str(folder), SealedFiles
    try:
        yield
    finally:
        numba.config.CACHE_DIR, caching.IndexDataCacheFile = before


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function without the GIL."""
    made: Callable[..., Any] = cached(numba.njit, nogil=True, error_model="numpy")(function)
    return made
