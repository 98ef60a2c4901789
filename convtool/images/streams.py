"""Binary file objects in the place of paths: what is asked of them, and how they are named."""

from io import RawIOBase
from typing import Any, Protocol, runtime_checkable

from convtool.errors import ImageWriteError
from convtool.images.paths import shown

UNNAMED = "file object"


@runtime_checkable
class Readable(Protocol):
    """An object to read bytes from: an open file, a pipe, a socket's file, ``io.BytesIO``."""

    def read(self, size: int = ..., /) -> bytes:
        """Return at most so many bytes, none at the end."""


@runtime_checkable
class Writable(Protocol):
    """An object to write bytes to."""

    def write(self, data: bytes, /) -> Any:
        """Write bytes."""


def name_of(stream: object) -> str:
    """Return the name of the file that an object reads or writes, empty where there is none.

    Examples
    --------
    >>> import io
    >>> name_of(io.BytesIO())
    ''
    """
    name = getattr(stream, "name", "")
    return name if isinstance(name, str) else ""


def send(stream: Writable, data: bytes) -> None:
    """Write all of some bytes to a file object, and flush it; it stays open.

    Raises
    ------
    ImageWriteError
        If it is closed, open as text or for reading alone, or its file cannot be written.

    Examples
    --------
    >>> import io
    >>> stream = io.BytesIO()
    >>> send(stream, b"all of it")
    >>> stream.getvalue()
    b'all of it'
    """
    name = shown(name_of(stream)) or UNNAMED
    try:
        if isinstance(stream, RawIOBase):  # it may take a part
            rest = memoryview(data)
            while rest:
                rest = rest[_taken(stream.write(rest)) :]
        else:
            stream.write(data)
        if hasattr(stream, "flush"):
            stream.flush()
    except TypeError as error:
        raise ImageWriteError(f"{name}: is open as text; open it in mode 'wb'") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageWriteError(f"{name}: cannot be written: {reason}") from error


def _taken(count: int | None) -> int:
    if count is None:
        raise BlockingIOError(11, "it does not take more bytes without waiting")
    return count
