"""Where compiled code is kept between runs, and whether there is any. Imports no compiler."""

import hashlib
import os
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


@lru_cache(maxsize=8)
def _usable(chosen: str | None, base: Path | None) -> Path | None:
    path = Path(chosen) if chosen else base and base / "convtool" / "jit"
    if path is None:
        return None
    try:
        # One by one, since parents that mkdir makes by itself take no mode.
        for part in (path.parent, path, path / _fingerprint()):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not chosen and not _is_private(part):
                return None
    except OSError:
        return None
    path = path / _fingerprint()
    return path if os.access(path, os.W_OK | os.X_OK) else None


def folder() -> Path | None:
    """Return the folder for compiled code, private to the user, or None where there can be none.

    It is created on first use with mode 0700. A folder that belongs to somebody else, that others
    may write to (it, or the two above it), or that cannot be written is not used. Where
    ``NUMBA_CACHE_DIR`` is set, that folder is used, as its owner wants.
    """
    return _usable(os.environ.get(VARIABLE), _base())


def forget() -> None:
    """Look again at the next call: the answer is kept, since it is wanted before each run."""
    _usable.cache_clear()
    _holds_code.cache_clear()


@lru_cache(maxsize=8)
def _holds_code(path: Path) -> bool:
    try:
        return next(path.rglob("*.nbc"), None) is not None
    except OSError:
        return False


def is_filled() -> bool:
    """Return whether compiled code of an earlier run is there (it may still be out of date)."""
    path = folder()
    return path is not None and _holds_code(path)
