"""Open files to read: regular files only, and none longer than its kind may be.

A file is opened first and checked then, because a path may lead elsewhere a moment after it was
looked at. It is opened without waiting, because a FIFO without a writer waits for ever.
"""

import errno
import os
import stat
from collections.abc import Mapping
from io import BufferedReader
from types import MappingProxyType
from typing import BinaryIO

from convtool.errors import FileRefusedError

LIMITS: Mapping[str, int] = MappingProxyType(
    {
        "calibration": 2**20,
        "kernel file": 2**26,
        "list of files": 2**30,
        "report": 2**26,
        "journal": 2**34,
        "model file": 2**31 - 1,
        "ctsvd file": 2**31 - 1,
        "data set": 2**33,
        "batch of CIFAR-10": 2**28,
        "picture": 2**40,
        "object of a Zarr store": 2**40,
        "compiled code": 2**28,
    }
)
"""The most bytes that a file of each kind may have."""

UNPACKED = 2**30
"""The most bytes that compressed numbers may unpack to, unless a limit on memory is given."""

_PIECE = 2**20
_FLAGS = (
    getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def open_regular(path: str | os.PathLike[str], kind: str) -> BufferedReader:
    """Open a regular file to read its bytes.

    Parameters
    ----------
    path : str or path-like
        The file; a symbolic link is followed.
    kind : str
        One of `LIMITS`.

    Returns
    -------
    binary file
        Open at its start.

    Raises
    ------
    FileRefusedError
        If it is a folder, a FIFO, a socket or a device, or longer than `LIMITS` says.
    OSError
        If it cannot be opened.

    Examples
    --------
    >>> open_regular("/dev/null", "report")
    Traceback (most recent call last):
        ...
    convtool.errors.FileRefusedError: [Errno 22] it is not a regular file: '/dev/null'
    """
    return open(_handle(path, kind, os.O_RDONLY), "rb")


def open_to_append(path: str | os.PathLike[str], kind: str) -> BinaryIO:
    """Open a regular file to read and to append to it; it is made if there is none.

    Parameters and errors are those of `open_regular`.
    """
    return open(_handle(path, kind, os.O_RDWR | os.O_APPEND | os.O_CREAT), "a+b")


def _handle(path: str | os.PathLike[str], kind: str, way: int) -> int:
    """Return the handle of a regular file."""
    try:
        handle = os.open(path, way | _FLAGS, 0o666)
    except ValueError as error:  # a NUL in the name
        raise OSError(errno.EINVAL, str(error), path) from error
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.EISDIR):
            raise _irregular(path, folder=error.errno == errno.EISDIR) from error
        raise
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise _irregular(path, folder=stat.S_ISDIR(status.st_mode))
        check_length(status.st_size, kind, path)
    except BaseException:
        os.close(handle)
        raise
    return handle


def load(path: str | os.PathLike[str], kind: str) -> bytes:
    """Return all bytes of a regular file; see `open_regular`.

    One that grows while it is read is refused, too, once it is longer than it may be.
    """
    parts, length = [], 0
    with open_regular(path, kind) as file:
        size = os.fstat(file.fileno()).st_size + 1
        while length <= LIMITS[kind] and (part := file.read(size)):
            parts.append(part)
            length += len(part)
            size = _PIECE
    check_length(length, kind, path)
    return b"".join(parts)


def check_length(length: int, kind: str, path: str | os.PathLike[str]) -> None:
    """Check the length of a file against the limit of its kind.

    Raises
    ------
    FileRefusedError
        If it is longer.
    """
    if length > LIMITS[kind]:
        what = f"it has {length} bytes; a {kind} may have {LIMITS[kind]}"
        raise FileRefusedError(errno.EFBIG, what, path)


def _irregular(path: str | os.PathLike[str], *, folder: bool) -> FileRefusedError:
    if folder:
        return FileRefusedError(errno.EISDIR, "it is a folder", path)
    return FileRefusedError(errno.EINVAL, "it is not a regular file", path)
