"""The interface of stores: a picture that is read or written window by window."""

import math
import mmap
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from convtool.images.codec import Header
from convtool.images.image import Pixels
from convtool.records import Record

Span = tuple[int, int]
"""First row or column, and the one after the last."""

BAND_BYTES = 1 << 22
"""Strips are read together up to so many bytes."""


class StorageLayout(Record):
    """How a picture is cut and compressed where it is stored."""

    tile: tuple[int, int] | None = None
    """Height and width of tiles or chunks; None where the store knows none."""
    compression: str = ""
    """A word for the method."""


class Picture(Protocol):
    """A picture in a file or folder, open for reading; several threads may read at once."""

    @property
    def path(self) -> str:
        """Where it is."""

    @property
    def header(self) -> Header:
        """Size, channels, type, metadata and remarks."""

    @property
    def layout(self) -> StorageLayout:
        """How it is cut and compressed."""

    @property
    def bands(self) -> Sequence[Span]:
        """Rows that are stored, and so best read, together; they cover the picture in order."""

    def window(self, rows: Span, columns: Span | None = None) -> Pixels:
        """Read part of the picture, all columns unless told otherwise.

        Returns
        -------
        ndarray, shape (rows, columns) or (rows, columns, C)

        Raises
        ------
        ImageReadError
            If that part is damaged.
        """

    def identity(self) -> str:
        """Return a text that differs when the stored picture has changed."""

    def close(self) -> None:
        """Close the files."""


class Wanted(Record):
    """The description of a picture to write."""

    shape: tuple[int, ...]
    """(H, W) or (H, W, C)."""
    dtype: np.dtype[Any]
    """The type of its pixels."""
    header: Header
    """That of the picture it is made from: metadata, alpha."""
    layout: StorageLayout = StorageLayout()
    """How it is to be cut and compressed."""
    pyramid: bool = False
    """Whether smaller levels follow it, each half as large as the one before."""
    modified: int | None = None
    """The time of change of its file, in nanoseconds; the present unless given."""


def bands(height: int, rows: int, row_bytes: int) -> list[Span]:
    """Return which rows are read together: of strips of so many rows, about `BAND_BYTES`.

    Examples
    --------
    >>> bands(7, 2, BAND_BYTES // 4)
    [(0, 4), (4, 7)]
    """
    together = max(1, BAND_BYTES // max(1, row_bytes * rows)) * rows
    return [(top, min(top + together, height)) for top in range(0, height, together)]


def room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Pixels:
    """Return an array whose memory goes back to the system when it is dropped.

    Large arrays of several threads would leave holes in the process's own store of memory, a third
    of what is used here. What the array holds is 0.
    """
    count = math.prod(shape)
    memory = mmap.mmap(-1, max(1, count * dtype.itemsize))
    return np.frombuffer(memory, dtype, count).reshape(shape)


class Strips:
    """Gathers rows until they make a strip of a certain height.

    Parameters
    ----------
    height : int
        Rows of a strip.

    Examples
    --------
    >>> strips = Strips(2)
    >>> [strip.tolist() for strip in strips.cut(np.array([[1], [2], [3]]))]
    [[[1], [2]]]
    >>> [strip.tolist() for strip in strips.cut(np.array([[4]]))], strips.rest()
    ([[[3], [4]]], None)
    """

    def __init__(self, height: int) -> None:
        self._height, self._filled = height, 0
        self._strip: Pixels | None = None

    def cut(self, rows: Pixels) -> Iterator[Pixels]:
        """Take rows, and return the strips that are full now."""
        while len(rows):
            if self._strip is None:
                self._strip, self._filled = room((self._height, *rows.shape[1:]), rows.dtype), 0
            fitting = min(self._height - self._filled, len(rows))
            self._strip[self._filled : self._filled + fitting] = rows[:fitting]
            self._filled += fitting
            rows = rows[fitting:]
            if self._filled == self._height:
                full, self._strip = self._strip, None
                yield full

    def rest(self) -> Pixels | None:
        """Return the rows that fill no strip, if there are any."""
        return None if self._strip is None else self._strip[: self._filled]
