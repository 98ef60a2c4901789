"""Reading numbers from a file's bytes, with a clear error where the bytes end."""

import os
import struct
from typing import Any, BinaryIO, Protocol

from convtool.errors import ImageReadError


class Data(Protocol):
    """The bytes of a file, of which parts can be taken: ``bytes``, or a file that is open."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, part: slice, /) -> bytes:
        """Return a part of them."""


class FileBytes:
    """The bytes of an open file, read on demand, by several threads at once.

    Parameters
    ----------
    file : binary file
        A regular file, which stays open as long as this is used.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._size = file, os.fstat(file.fileno()).st_size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice, /) -> bytes:
        start, stop, _ = part.indices(self._size)
        if hasattr(os, "pread"):
            return b"".join(self._pieces(start, stop))
        with open(self._file.name, "rb") as own:
            own.seek(start)
            return own.read(max(0, stop - start))

    def _pieces(self, start: int, stop: int) -> list[bytes]:
        """Return bytes as the system gives them: of a long part not all at once."""
        pieces = []
        while start < stop and (piece := os.pread(self._file.fileno(), stop - start, start)):
            pieces.append(piece)
            start += len(piece)
        return pieces


def unpack(form: str, data: Data, offset: int) -> tuple[Any, ...]:
    """Unpack numbers as ``struct.unpack_from`` does.

    Raises
    ------
    ImageReadError
        If the file ends before them.

    Examples
    --------
    >>> unpack(">HB", bytes([1, 0, 7]), 0)
    (256, 7)
    """
    end = offset + struct.calcsize(form)
    if offset < 0 or end > len(data):
        raise ImageReadError("is cut off or damaged: it ends within its header")
    return struct.unpack(form, data[offset:end])
