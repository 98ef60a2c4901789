"""Files at URLs, read and written through fsspec; credentials are left to it and the environment.

``file://`` names a file of this machine and needs nothing; all else needs the extra ``remote``. A
file at a URL is read once from its beginning, and no further than a limit; it is written as one
object, which an object store shows when all of it has arrived.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from convtool.errors import (
    ConvtoolError,
    ImageReadError,
    ImageTooLargeError,
    ImageWriteError,
    OptionError,
    printable,
)
from convtool.extras import load
from convtool.files import temporary_folder
from convtool.images.paths import called, shown

UNSTATED = 1 << 30
"""The most bytes that are read of a file whose server does not say how many it has."""

SILENCE = 60.0
"""Seconds after which a server that sends nothing is given up."""

_STORE = re.compile(r"\.zarr(/|$)", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?:://|::)")
_FILE = "file://"
_PIECE = 1 << 22
_LONGEST = 200


def is_url(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is a URL of a file elsewhere.

    Examples
    --------
    >>> is_url("s3://scans/a.tif"), is_url("a.tif"), is_url("file:///tmp/a.tif")
    (True, False, False)
    """
    text = os.fsdecode(path)
    return _SCHEME.match(text) is not None and not text.lower().startswith(_FILE)


def is_store_url(path: str) -> bool:
    """Return whether a URL is that of a Zarr store, or of a part of one; its name says so.

    Examples
    --------
    >>> is_store_url("s3://scans/a.zarr/0"), is_store_url("s3://scans/a.zarr.zip")
    (True, False)
    """
    return is_url(path) and _STORE.search(path.partition("?")[0]) is not None


def local(path: str) -> str:
    """Return a path with ``file://`` resolved; others as they are.

    Examples
    --------
    >>> local("file:///tmp/a%20b.tif"), local("a.tif")
    ('/tmp/a b.tif', 'a.tif')
    """
    if not path.lower().startswith(_FILE):
        return path
    parts = urlsplit(path)
    if parts.netloc not in ("", "localhost"):
        raise OptionError(f"{shown(path)}: names a file of another machine; file:/// has three /")
    return unquote(path[len(_FILE) + len(parts.netloc) :])


def filesystem(path: str) -> tuple[Any, str] | None:
    """Return what reads a URL and its path there; None for a file of this machine.

    Raises
    ------
    OptionError
        If the extra ``remote`` is not installed, or nothing reads such URLs.
    """
    if not is_url(path):
        return None
    fsspec = load("remote", "fsspec")
    try:
        found: tuple[Any, str] = fsspec.core.url_to_fs(path, **_patience(fsspec, path))
    except ImportError as error:
        raise OptionError(f"{shown(path)}: {_words(error)}") from error
    except Exception as error:
        raise OptionError(f"{shown(path)}: is no URL that is read: {_words(error)}") from error
    return found


def _patience(fsspec: Any, path: str) -> dict[str, Any]:
    """Return the time limits of HTTP, where the user's own settings of fsspec name none."""
    protocol = path.partition("://")[0].lower()
    if protocol not in ("http", "https") or "client_kwargs" in fsspec.config.conf.get(protocol, {}):
        return {}
    aiohttp = load("remote", "aiohttp")
    limit = aiohttp.ClientTimeout(total=None, sock_connect=SILENCE, sock_read=SILENCE)
    return {"client_kwargs": {"timeout": limit}}


def _words(error: BaseException) -> str:
    return printable(str(error) or type(error).__name__)[:_LONGEST]


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Say in one line what goes wrong while something is read; `FileNotFoundError` passes."""
    try:
        yield
    except (ConvtoolError, FileNotFoundError):
        raise
    except Exception as error:  # of whichever library reads such URLs
        raise ImageReadError(f"{name} cannot be read: {_words(error)}") from error


@contextmanager
def writing(path: str) -> Iterator[None]:
    """Say in one line what goes wrong while something is written."""
    try:
        yield
    except ConvtoolError:
        raise
    except Exception as error:  # of whichever library writes such URLs
        raise ImageWriteError(f"{shown(path)}: cannot be written: {_words(error)}") from error


@contextmanager
def stream(system: Any, path: str, span: str | None = None) -> Iterator[Any]:
    """Open a file at a URL for reading from its beginning to its end.

    Yields an object with ``read(count)`` and ``size``, None where the server states none. ``span``
    is a range of bytes as HTTP has it, which a server may ignore; then ``whole`` is true.
    """
    if "http" in system.protocol:
        # The size -1 spares a request that asks for it, which not every server answers.
        headers = {"Range": f"bytes={span}"} if span else {}
        with system.open(path, "rb", block_size=0, size=-1, headers=headers) as file:
            length = file.r.headers.get("Content-Length")
            plain = "Content-Encoding" not in file.r.headers
            file.size = int(length) if length is not None and plain else None
            file.whole = file.r.status != 206
            yield file
    else:
        with system.open(path, "rb") as file:
            yield file


def take(file: Any, most: int) -> Iterator[bytes]:
    """Return the pieces of an open file, until there are more than ``most`` bytes.

    Raises
    ------
    ImageReadError
        If the file ends before its stated size.
    """
    count = 0
    while count <= most and (piece := file.read(min(_PIECE, most + 1 - count))):
        count += len(piece)
        yield piece
    if count <= most and file.size is not None and count < file.size:
        raise ImageReadError(f"cannot be read: the connection ended after {count} bytes")


def pieces_of(path: str, most: int | None = None) -> Iterator[bytes]:
    """Return the bytes of a file at a URL, piece by piece.

    Raises
    ------
    ImageReadError
        If it cannot be read, or has more bytes than ``most``, or than `UNSTATED` where its server
        does not say how many.
    """
    found = filesystem(path)
    assert found is not None
    try:
        with reading("it"), stream(*found) as source:
            stated = source.size
            limit = UNSTATED if stated is None else int(stated)
            if most is not None:
                limit = min(limit, most)
            if stated is not None and stated > limit:
                raise _too_large(limit)
            count = 0
            for piece in take(source, limit):
                count += len(piece)
                if count > limit:
                    raise _too_large(limit)
                yield piece
    except FileNotFoundError:
        raise ImageReadError("there is no such file") from None
    except ImageReadError as error:
        raise type(error)(str(error).removeprefix("it ")) from error


def _too_large(most: int) -> ImageTooLargeError:
    return ImageTooLargeError(f"has more than {most} bytes, the limit for a file at a URL")


def exists(path: str) -> bool:
    """Return whether there is a file at a URL."""
    found = filesystem(path)
    assert found is not None
    with reading(f"{shown(path)}:"):
        return bool(found[0].exists(found[1]))


def put(path: str, data: bytes) -> None:
    """Write a file at a URL as one object.

    Raises
    ------
    ImageWriteError
        If that fails; an object store shows what it had before.
    """
    found = filesystem(path)
    assert found is not None
    with writing(path):
        found[0].pipe_file(found[1], data)


@contextmanager
def staged(source: str, target: str, *, dry_run: bool = False) -> Iterator[tuple[str, str]]:
    """Work on files of this machine in the place of those at URLs; of Zarr stores, the URLs stay.

    The input is fetched, and the output is put where it belongs at the end of the block, unless an
    error is raised.

    Yields
    ------
    (str, str)
        The names of the files: temporary ones for URLs.
    """
    places = [path if is_store_url(path) else local(path) for path in (source, target)]
    moved = [is_url(path) and not is_store_url(path) for path in (source, target)]
    if not any(moved):
        yield places[0], places[1]
        return
    with temporary_folder() as folder:
        for number, path in enumerate(places):
            if moved[number]:
                os.mkdir(os.path.join(folder, str(number)))
                places[number] = os.path.join(folder, str(number), _last(path))
        with called(places[0], source), called(places[1], target):
            if moved[0]:
                _fetch(source, places[0])
            yield places[0], places[1]
        if moved[1] and not dry_run:
            _upload(places[1], target)


def _fetch(source: str, place: str) -> None:
    """Copy a file at a URL to this machine, if there is room for it."""
    import shutil

    with open(place, "wb") as file:
        try:
            file.writelines(pieces_of(source, shutil.disk_usage(os.path.dirname(place)).free))
        except ImageReadError as error:
            raise type(error)(f"{shown(source)}: {error}") from error
        except OSError as error:
            words = f"{shown(source)}: cannot be copied to the folder for temporary files"
            raise ImageReadError(f"{words}: {error.strerror}") from error


def _last(path: str) -> str:
    """Return a name for the file of a URL: its last part, without a query."""
    name = os.path.basename(path.partition("?")[0].rstrip("/"))
    return name.replace("\0", "") or "file"


def _upload(place: str, target: str) -> None:
    found = filesystem(target)
    assert found is not None
    system, path = found
    how = {"method": "put"} if "http" in system.protocol else {}
    with writing(target):
        system.put_file(place, path, **how)
