"""Where compiled code is kept between runs, and whether there is any. Imports no compiler."""

import hashlib
import os
import sys
from functools import lru_cache
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"
"""Numba's own variable; where it is set, it decides."""


SOURCES = ("jit.py", "simd.py")
"""The files that the compiled code is made from."""


@lru_cache(maxsize=1)
def _fingerprint() -> str:
    """Return a name for this version of the sources: Numba itself looks only at the first."""
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()[:16]


def folder() -> Path | None:
    """Return the folder for compiled code, private to the user, or None where there can be none.

    It is created on first use with mode 0700. A folder that belongs to somebody else, that others
    may write to, or that cannot be written is not used.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen) / _fingerprint()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = base / "convtool" / "jit" / _fingerprint()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
    except (OSError, RuntimeError):
        return None
    if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
        return None
    return path if os.access(path, os.W_OK | os.X_OK) else None


def is_filled() -> bool:
    """Return whether compiled code of an earlier run is there (it may still be out of date)."""
    path = folder()
    try:
        return path is not None and next(path.rglob("*.nbc"), None) is not None
    except OSError:
        return False
