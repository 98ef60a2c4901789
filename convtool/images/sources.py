"""The bytes of a picture: of a regular file, standard input, a URL or an open file object."""

import os
import sys
from typing import BinaryIO, cast

from convtool.errors import FileRefusedError, ImageReadError
from convtool.images import limits
from convtool.images.formats import recognise
from convtool.images.options import ReadOptions
from convtool.images.paths import shown
from convtool.images.remote import is_url, local, pieces_of
from convtool.images.streams import UNNAMED, Readable, name_of
from convtool.reading import open_regular

STDIN = "-"
Source = str | os.PathLike[str] | Readable
"""A path, a URL, ``-`` for standard input, or a file object that is open in binary mode."""

_ENOUGH_TO_RECOGNISE = 192
_PIECE = 1 << 24
_SMALL, _LARGEST_PIXEL, _LARGE = 1 << 30, 32, 1 << 34
"""Bytes that a file may have in any case, for each pixel that may be read, and at most."""


def load_bytes(source: Source, options: ReadOptions | None = None) -> bytes:
    """Load a whole regular file, standard input, a URL's file or a file object's rest.

    Parameters
    ----------
    source : str, path-like or binary file object
        The file, its URL, or ``-``; an object is read from its position to its end.
    options : ReadOptions, optional
        The limits: no more is loaded than ``max_memory``, or pixels of `_LARGEST_PIXEL` bytes.

    Raises
    ------
    ImageReadError
        If it cannot be read, is a folder, a pipe, a device, or does not begin like a picture.
    ImageTooLargeError
        If it is larger than the limits allow.
    """
    options = options or ReadOptions()
    try:
        if isinstance(source, Readable):
            start = _start(source, name_of(source))
            return _with_rest(start, source, _most_bytes(options))
        if os.fspath(source) == STDIN:
            return _loaded(sys.stdin.buffer, "", options)
        name = os.fsdecode(source)
        if is_url(name):
            return _received(name, _most_bytes(options))
        with open_regular(local(name), "picture") as file:
            return _loaded(cast(BinaryIO, file.raw), name, options)
    except FileNotFoundError:
        raise ImageReadError("there is no such file") from None
    except ImageReadError:
        raise
    except FileRefusedError as error:
        what = str(error.strerror).removeprefix("it ")
        raise ImageReadError(f"{what}; a picture was expected") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageReadError(f"cannot be read: {reason}") from error


def text_of(source: Source) -> str:
    """Return the name of a source's file as it is; empty where there is none.

    Examples
    --------
    >>> text_of("a.png")
    'a.png'
    """
    return name_of(source) if isinstance(source, Readable) else os.fsdecode(source)


def shown_source(source: Source) -> str:
    """Return what messages call a source.

    Examples
    --------
    >>> shown_source("-"), shown_source("a.png")
    ('standard input', 'a.png')
    """
    if isinstance(source, Readable):
        return shown(name_of(source)) or UNNAMED
    return "standard input" if os.fspath(source) == STDIN else shown(source)


def _loaded(file: BinaryIO, name: str, options: ReadOptions) -> bytes:
    """Read a file of this machine to its end; of a seekable one the size is checked first."""
    start, most = _start(file, name), _most_bytes(options)
    if not file.seekable():
        return _with_rest(start, file, most)
    limits.check_memory(file.seek(0, os.SEEK_END), most)
    file.seek(0)
    return file.read() or b""


def _start(file: Readable, name: str) -> bytes:
    """Read enough to recognise a picture, which an endless file is not."""
    start = b""
    while len(start) < _ENOUGH_TO_RECOGNISE:
        part = file.read(_ENOUGH_TO_RECOGNISE - len(start))
        if isinstance(part, str):
            raise ImageReadError("is open as text; open it in mode 'rb'")
        if not part:
            break
        start += part
    recognise(start, name)
    return start


def _with_rest(start: bytes, file: Readable, most: int) -> bytes:
    """Read a file to its end, or until it has more bytes than it may have."""
    parts, length = [start], len(start)
    while length <= most and (part := file.read(_PIECE)):
        parts.append(part)
        length += len(part)
    limits.check_memory(length, most)
    return b"".join(parts)


def _most_bytes(options: ReadOptions) -> int:
    if options.max_memory is not None:
        return options.max_memory
    return min(max(_SMALL, _LARGEST_PIXEL * options.max_pixels), _LARGE)


def _received(url: str, max_bytes: int) -> bytes:
    """Read a file at a URL to its end, after a look at its first bytes."""
    data = bytearray()
    for piece in pieces_of(url, max_bytes):
        if len(data) < _ENOUGH_TO_RECOGNISE <= len(data) + len(piece):
            recognise(bytes(data + piece[:_ENOUGH_TO_RECOGNISE]), url)
        data += piece
    recognise(bytes(data[:_ENOUGH_TO_RECOGNISE]), url)
    return bytes(data)
