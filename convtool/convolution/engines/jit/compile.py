"""How a function is compiled: without the GIL, and kept on disk where that is possible."""

from collections.abc import Callable
from typing import Any

import numba

from convtool.convolution.engines import jit_cache


def cached(decorator: Callable[..., Any], *arguments: Any, **options: Any) -> Callable[..., Any]:
    """Return a decorator that compiles a function and keeps the result where that is possible."""
    folder = jit_cache.folder()

    def compiled(function: Callable[..., Any]) -> Any:
        if folder is None:
            return decorator(*arguments, **options)(function)
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(folder)
        try:
            return decorator(*arguments, cache=True, **options)(function)
        except (OSError, RuntimeError):
            return decorator(*arguments, **options)(function)
        finally:
            numba.config.CACHE_DIR = before

    return compiled


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function without the GIL."""
    made: Callable[..., Any] = cached(numba.njit, nogil=True, error_model="numpy")(function)
    return made
