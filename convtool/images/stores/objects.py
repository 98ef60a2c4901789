"""The objects of a Zarr store, where they are: in a folder, in a zip file, or at a URL.

Only what a store can hold is read from a folder: regular files in it. Links that lead out of it,
pipes, sockets and devices are refused, and so is an object larger than its reader allows.
"""

import errno
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from io import BufferedReader
from typing import Any, Protocol

from convtool.errors import FileRefusedError, ImageReadError
from convtool.images.remote import filesystem, local, reading, stream, take
from convtool.reading import open_regular

ZIP_ENDING = ".zip"

METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")
"""The objects that describe arrays and groups; all others hold chunks."""

METADATA_BYTES = 1 << 23
"""The most bytes of one of them."""

Part = tuple[int | None, int | None]
"""First byte and the one after the last, as in a slice: None, or counted from the end."""


class Objects(Protocol):
    """The objects of a store by their keys, for reading."""

    def read(self, key: str, most: int, part: Part | None = None) -> bytes | None:
        """Return an object, or a part of it; None where there is none.

        Raises
        ------
        ImageReadError
            If it is no regular file of the store, or has more than ``most`` bytes.
        """

    def stamps(self, below: str) -> Mapping[str, str] | None:
        """Return what stands for the state of each object whose key begins so, by the rest of it.

        ``below`` is empty or ends in a slash. None where objects cannot be listed.
        """

    def close(self) -> None:
        """Close what is open."""


def is_zip(path: str) -> bool:
    """Return whether a store's name is that of a zip file."""
    return path.rstrip("/").lower().endswith(ZIP_ENDING)


def objects_of(path: str) -> Objects:
    """Return the objects of a store by its name: a folder, a ``.zip``, or a URL.

    Raises
    ------
    ImageReadError
        If there is no such store.
    OptionError
        If it is a URL, and what reads it is not installed.
    """
    remote = filesystem(path)
    if remote is not None:
        return RemoteObjects(*remote)
    path = local(path)
    return ZipObjects(_regular(path, "it")) if is_zip(path) else FolderObjects(path)


def _too_large(key: str, size: int, most: int) -> ImageReadError:
    return ImageReadError(f"{key} has {size} bytes; by the metadata, {most} at most are expected")


def _regular(path: str, key: str) -> BufferedReader:
    """Open a regular file; no other kind is waited for."""
    try:
        return open_regular(path, "object of a Zarr store")
    except FileRefusedError as error:
        if error.errno == errno.EISDIR:
            raise IsADirectoryError from None
        raise ImageReadError(f"{key} {str(error.strerror).removeprefix('it ')}") from error


def _span(part: Part | None, size: int) -> tuple[int, int]:
    """Return where a part of so many bytes begins, and its length."""
    first, last, _ = slice(*(part or (None, None))).indices(size)
    return first, max(0, last - first)


class FolderObjects:
    """A store in a folder."""

    def __init__(self, path: str) -> None:
        self._path, self._real = path, os.path.realpath(path)
        self._inside: dict[str, bool] = {}

    def read(self, key: str, most: int, part: Part | None = None) -> bytes | None:
        """Return an object; see `Objects`."""
        path = os.path.join(self._real, key)
        try:
            self._check(path, key)
            with _regular(path, key) as file:
                first, length = _span(part, os.fstat(file.fileno()).st_size)
                if length > most:
                    raise _too_large(key, length, most)
                file.seek(first)
                pieces = []
                while length and (piece := file.read(length)):
                    pieces.append(piece)
                    length -= len(piece)
                return b"".join(pieces)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def _check(self, path: str, key: str) -> None:
        """Check that a file is in the folder, whatever links lead to it."""
        above = os.path.dirname(path)
        if above not in self._inside:
            self._inside[above] = self._contains(above)
        if not self._inside[above] or (os.path.islink(path) and not self._contains(path)):
            raise ImageReadError(f"{key} is a link out of the store, which is not followed")

    def _contains(self, path: str) -> bool:
        return os.path.join(os.path.realpath(path), "").startswith(os.path.join(self._real, ""))

    def stamps(self, below: str) -> Mapping[str, str]:
        """Return size and time of each file; see `Objects`."""
        found: dict[str, str] = {}
        top = os.path.join(self._real, below)
        for folder, _, names in os.walk(top):
            inner = os.path.relpath(folder, top)
            for name in names:
                with suppress(OSError):
                    status = os.stat(os.path.join(folder, name))
                    key = name if inner == os.curdir else f"{inner}/{name}".replace(os.sep, "/")
                    found[key] = f"{status.st_size} {status.st_mtime_ns}"
        return found

    def close(self) -> None:
        """Do nothing: no file stays open."""


class ZipObjects:
    """A store in a zip file; its file is closed with it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            file.close()
            raise ImageReadError(f"is no zip file, or damaged: {error}") from error
        self._entries = {one.filename: one for one in self._zip.infolist() if not one.is_dir()}
        self._root = _root_of(self._entries)

    def read(self, key: str, most: int, part: Part | None = None) -> bytes | None:
        """Return an object; see `Objects`."""
        entry = self._entries.get(self._root + key)
        if entry is None:
            return None
        first, length = _span(part, entry.file_size)
        needed = length if entry.compress_type == zipfile.ZIP_STORED else entry.file_size
        if needed > most:
            raise _too_large(key, needed, most)
        try:
            with self._zip.open(entry) as stored:
                stored.seek(first)
                return stored.read(length)
        except (zipfile.BadZipFile, RuntimeError, EOFError, NotImplementedError) as error:
            raise ImageReadError(f"{key} is damaged in the zip file: {error}") from error

    def stamps(self, below: str) -> Mapping[str, str]:
        """Return checksum and size of each entry; see `Objects`."""
        start = self._root + below
        return {
            name.removeprefix(start): f"{one.CRC} {one.file_size}"
            for name, one in self._entries.items()
            if name.startswith(start)
        }

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
        self._file.close()


def _root_of(names: Mapping[str, Any]) -> str:
    """Return the one folder that a zip file holds, where its store does not begin at once."""
    if any(mark in names for mark in ("zarr.json", ".zarray", ".zgroup")):
        return ""
    tops = {name.partition("/")[0] for name in names}
    return f"{tops.pop()}/" if len(tops) == 1 else ""


class RemoteObjects:
    """A store at a URL, read through fsspec."""

    def __init__(self, system: Any, path: str) -> None:
        self._system, self._path = system, path.rstrip("/")
        self._sizes: dict[str, int] = {}

    def read(self, key: str, most: int, part: Part | None = None) -> bytes | None:
        """Return an object; see `Objects`."""
        place = f"{self._path}/{key}"
        try:
            with reading(key):
                if "http" in self._system.protocol:
                    return self._streamed(place, key, most, part)
                size = self._sizes.get(key) or int(self._system.size(place))
                first, length = _span(part, size)
                if length > most:
                    raise _too_large(key, length, most)
                found = self._system.cat_file(place, start=first, end=first + length)
                return bytes(found) if length else b""
        except FileNotFoundError:
            return None

    def _streamed(self, place: str, key: str, most: int, part: Part | None) -> bytes:
        """Read an object whose size is not known beforehand."""
        with stream(self._system, place, _range(part)) as file:
            data = b"".join(take(file, most))
            if len(data) > most:
                raise _too_large(key, len(data), most)
            return data[slice(*part)] if part and file.whole else data

    def stamps(self, below: str) -> Mapping[str, str] | None:
        """Return what the store says of each object; see `Objects`."""
        if "http" in self._system.protocol:
            return None
        start = f"{self._path}/{below}"
        with reading("the list of its objects"):
            found = self._system.find(start.rstrip("/"), detail=True)
        root, told = len(self._path) + 1, ("size", "ETag", "LastModified", "mtime")
        self._sizes |= {name[root:]: int(one.get("size") or 0) for name, one in found.items()}
        return {
            name[len(start) :]: " ".join(str(one.get(what)) for what in told)
            for name, one in found.items()
        }

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _range(part: Part | None) -> str | None:
    """Return a part as the header Range of HTTP has it."""
    if part is None:
        return None
    first, last = part
    if first is not None and first < 0:
        return str(first)
    return f"{first or 0}-{'' if last is None else last - 1}"
