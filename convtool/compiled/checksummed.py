"""Numba's files of compiled code, each with its digest: what is damaged is never run."""

import os
import warnings
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import IndexDataCacheFile

from convtool.errors import ConvtoolWarning
from convtool.reading import load

_DIGEST_BYTES = sha256().digest_size
_warned: set[str] = set()


class _DamagedError(OSError):
    """A file that does not end with its digest. Numba takes an `OSError` as 'not there'."""


def warn(what: str) -> None:
    """Warn of compiled code, the first time that it is so in this process."""
    if not _warned:
        _warned.add(what)
        warnings.warn(what, ConvtoolWarning, stacklevel=2)


class ChecksummedFiles(IndexDataCacheFile):  # type: ignore[misc]
    """The compiled code of one function, and its index.

    Where a file is damaged it is as if it were not there, so that the function is compiled and the
    file written again; where none can be written the function works all the same. Each is warned
    of, once in a process.
    """

    def __init__(self, cache_path: str, filename_base: str, source_stamp: object) -> None:
        # Numba looks for another folder where this one has no room, private or not.
        if not Path(cache_path).is_relative_to(numba.config.CACHE_DIR):
            raise OSError("there is no room, or it cannot be written")
        # Another version's index may hold what this one cannot load.
        super().__init__(cache_path, f"{filename_base}-numba{numba.__version__}", source_stamp)

    def save(self, key: object, data: object) -> None:
        """Keep the compiled code of a signature."""
        try:
            super().save(key, data)
        except OSError as error:
            warn_not_kept(self._cache_path, error.strerror or str(error))

    def _load_index(self) -> dict[object, str]:
        index: dict[object, str] = {}
        try:
            stamp, index = self._load_data(self._index_name)
        except OSError:
            return {}
        return index if stamp == self._source_stamp else {}

    def _save_index(self, overloads: dict[object, str]) -> None:
        self._save_data(self._index_name, (self._source_stamp, overloads))

    def _load_data(self, name: str) -> Any:
        data = load(self._data_path(name), "compiled code")
        if sha256(data[:-_DIGEST_BYTES]).digest() != data[-_DIGEST_BYTES:]:
            folder = os.path.dirname(self._cache_path)
            warn(f"{folder}: compiled code is damaged and is compiled again")
            raise _DamagedError(f"{name} is damaged")
        return super()._load_data(name)  # what stands behind the end of its data is not looked at

    def _dump(self, obj: object) -> bytes:
        data: bytes = super()._dump(obj)
        return data + sha256(data).digest()


def warn_not_kept(place: object, reason: str) -> None:
    """Warn that compiled code cannot be kept in a place."""
    warn(
        f"{place}: compiled code cannot be kept ({reason}) and is compiled again in each run; "
        "name a private folder with room in NUMBA_CACHE_DIR"
    )
