"""Where compiled code is kept between runs, and whether there is any. Imports no compiler."""

import hashlib
import os
import stat
import sys
from functools import lru_cache
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"
"""Numba's own variable; where it is set, it decides."""


SOURCES = Path(__file__).with_name("jit")
"""Where the compiled code's sources are."""


@lru_cache(maxsize=1)
def _fingerprint() -> str:
    """Return a name for this version of the sources.

    Numba looks only at the file of the function that it compiles, not at those that it calls.
    """
    digest = hashlib.sha256()
    for path in sorted(SOURCES.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _base() -> Path | None:
    """Return the user's own folder for caches."""
    try:
        if sys.platform == "win32":
            return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None


def _is_private(path: Path) -> bool:
    """Return whether a folder belongs to the user and nobody else may write to it."""
    status = path.stat()
    return not hasattr(os, "getuid") or (
        status.st_uid == os.getuid() and not status.st_mode & 0o022
    )


def _is_guarded(path: Path) -> bool:
    """Return whether nobody may put another folder in the place of one in this folder."""
    mode = path.stat().st_mode
    return not hasattr(os, "getuid") or not mode & stat.S_IWOTH or bool(mode & stat.S_ISVTX)


def wanted() -> Path | None:
    """Return the folder that would hold compiled code, if it is fit for that."""
    chosen, base = os.environ.get(VARIABLE), _base()
    return Path(chosen) if chosen else base and base / "convtool" / "jit"


@lru_cache(maxsize=8)
def _usable(path: Path, chosen: bool) -> Path | None:
    own = path / _fingerprint()
    try:
        # One by one, since parents that mkdir makes by itself take no mode.
        for part in (path.parent, path, own):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        private = (own,) if chosen else (path.parent, path, own)
        if not all(map(_is_private, private)) or not all(map(_is_guarded, own.resolve().parents)):
            return None
    except OSError:
        return None
    return own if os.access(own, os.W_OK | os.X_OK) else None


def folder() -> Path | None:
    """Return the folder for compiled code, private to the user, or None where there can be none.

    It is created on first use with mode 0700. A folder that belongs to somebody else, that others
    may write to (it, or the two above it), that lies below one to which everybody may write (but
    for those like ``/tmp``, in which each may remove only what is his), or that cannot be written
    is not used. Where ``NUMBA_CACHE_DIR`` is set, that folder takes the place of the two above it.
    """
    path = wanted()
    return None if path is None else _usable(path, bool(os.environ.get(VARIABLE)))


def forget() -> None:
    """Look again at the next call: the answers are kept, since they are wanted before each run."""
    _usable.cache_clear()
    is_filled.cache_clear()


@lru_cache(maxsize=1)
def is_filled() -> bool:
    """Return whether compiled code of an earlier run is there (it may still be out of date)."""
    path = folder()
    try:
        return path is not None and next(path.rglob("*.nbc"), None) is not None
    except OSError:
        return False
