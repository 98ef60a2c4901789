"""Compiled functions: written for Numba, built ahead of time or compiled at use, run on threads.

:mod:`~.functions` lists them. Where an installation has a built library (:mod:`~.library`, made by
:mod:`~.build`), they come from it, and neither Numba nor LLVM is imported. Elsewhere they are
compiled at use (:mod:`~.jit`) and kept (:mod:`~.cache`).
"""

from functools import lru_cache
from typing import Any

from convtool.compiled import cache, library

__all__ = ["address", "build_info", "function", "is_ready"]


@lru_cache(maxsize=256)
def address(name: str, *types: str) -> int:
    """Return the address of a compiled function.

    Parameters
    ----------
    name : str
        One of :data:`~.functions.FUNCTIONS`.
    *types : str
        The names of the dtypes that it is for.

    Raises
    ------
    KeyError
        If there is none of that name and types.
    """
    built = library.load()
    if built is not None:
        return built.address(name, types)
    from convtool.compiled import jit

    return jit.address(name, types)


def function(name: str, *arguments: Any, result: Any = None) -> Any:
    """Return a compiled function as one that Python calls, without the GIL.

    Parameters
    ----------
    name : str
        One of :data:`~.functions.FUNCTIONS`, without types.
    *arguments
        The types of its arguments, of ctypes.
    result
        The type of what it returns.
    """
    import ctypes

    return ctypes.CFUNCTYPE(result, *arguments)(address(name))


@lru_cache(maxsize=1)
def is_ready() -> bool:
    """Return whether compiled functions are there without compiling any.

    A state of the installation: a library was built, or ``convtool compile`` has filled the cache.
    """
    return library.load() is not None or cache.is_complete()


def build_info() -> dict[str, str | None]:
    """Return where compiled functions come from in this installation.

    Returns
    -------
    dict
        ``compiled``: the family of processors of the built library (``"x86-64-v4"``,
        ``"x86-64-v3"`` or ``"native"``); ``"jit"`` where ``convtool compile`` has filled the cache;
        None where they would be compiled at use. ``library``: the path of the library, or None.

    Examples
    --------
    >>> sorted(build_info())
    ['compiled', 'library']
    """
    built = library.load()
    if built is not None:
        return {"compiled": built.family, "library": built.path}
    return {"compiled": "jit" if cache.is_complete() else None, "library": None}
