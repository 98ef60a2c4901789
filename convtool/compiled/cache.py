"""Where compiled code is kept between runs, and whether there is any. Imports no compiler."""

import os
import stat
import sys
from functools import lru_cache
from typing import TYPE_CHECKING

from convtool.compiled.library import sources_digest

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"
"""Numba's own variable; where it is set, it decides."""


def _base() -> str | None:
    """Return the user's own folder for caches."""
    if sys.platform == "win32":
        chosen, usual = os.environ.get("LOCALAPPDATA"), os.path.join("~", "AppData", "Local")
    else:
        chosen, usual = os.environ.get("XDG_CACHE_HOME"), os.path.join("~", ".cache")
    found = chosen or os.path.expanduser(usual)
    return None if found.startswith("~") else found


def _is_private(path: str) -> bool:
    """Return whether a folder belongs to the user and nobody else may write to it."""
    status = os.stat(path)
    return not hasattr(os, "getuid") or (
        status.st_uid == os.getuid() and not status.st_mode & 0o022
    )


def _is_guarded(path: str) -> bool:
    """Return whether nobody may put another folder in the place of one in this folder."""
    mode = os.stat(path).st_mode
    return not hasattr(os, "getuid") or not mode & stat.S_IWOTH or bool(mode & stat.S_ISVTX)


def wanted() -> str | None:
    """Return the folder that would hold compiled code, if it is fit for that."""
    chosen, base = os.environ.get(VARIABLE), _base()
    return chosen or (base and os.path.join(base, "convtool", "jit"))


def _above(path: str) -> list[str]:
    """Return the folders that hold a place, up to the root, links resolved."""
    found, path = [], os.path.realpath(path)
    while (folder := os.path.dirname(path)) != path:
        found.append(folder)
        path = folder
    return found


@lru_cache(maxsize=8)
def _usable(path: str, chosen: bool) -> str | None:
    parent, own = os.path.dirname(path) or os.curdir, os.path.join(path, sources_digest())
    try:
        # One by one, since parents that makedirs makes by itself take no mode.
        for part in (parent, path, own):
            os.makedirs(part, mode=0o700, exist_ok=True)
        private = (own,) if chosen else (parent, path, own)
        if not all(map(_is_private, private)) or not all(map(_is_guarded, _above(own))):
            return None
    except OSError:
        return None
    return own if os.access(own, os.W_OK | os.X_OK) else None


def _found() -> str | None:
    path = wanted()
    return None if path is None else _usable(path, bool(os.environ.get(VARIABLE)))


def folder() -> "Path | None":
    """Return the folder for compiled code, private to the user, or None where there can be none.

    It is created on first use with mode 0700. A folder that belongs to somebody else, that others
    may write to (it, or the two above it), that lies below one to which everybody may write (but
    for those like ``/tmp``, in which each may remove only what is his), or that cannot be written
    is not used. Where ``NUMBA_CACHE_DIR`` is set, that folder takes the place of the two above it.
    """
    from pathlib import Path

    found = _found()
    return None if found is None else Path(found)


def forget() -> None:
    """Look again at the next call: the answers are kept, since they are wanted before each run."""
    _usable.cache_clear()
    is_complete.cache_clear()


def _mark() -> str | None:
    """Return the file that says that all functions are compiled, by the Numba that is installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = _found()
    try:
        return found and os.path.join(found, f"complete-numba{version('numba')}")
    except PackageNotFoundError:
        return None


def mark_complete() -> None:
    """Say for later processes that all functions are compiled.

    Raises
    ------
    OSError
        If that cannot be written.
    """
    mark = _mark()
    if mark is None:
        raise OSError(f"{wanted() or 'convtool'}: there is no private, writable folder")
    with open(mark, "w", encoding="ascii"):
        pass
    is_complete.cache_clear()


@lru_cache(maxsize=1)
def is_complete() -> bool:
    """Return whether ``convtool compile`` has filled the folder for the present sources."""
    if _found() is None:
        return False
    mark = _mark()
    return mark is not None and os.path.exists(mark)
