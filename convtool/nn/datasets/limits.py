"""Limits on data sets in one file, checked on what headers promise before anything is unpacked."""

import gzip
from io import BufferedReader
from math import prod
from pathlib import Path
from typing import cast

from convtool.errors import DatasetError
from convtool.images.options import MAX_PIXELS
from convtool.nn._types import Shape
from convtool.reading import UNPACKED, open_regular
from convtool.records import Record

KIND = "data set"
_GZIP = b"\x1f\x8b"


class Limits(Record):
    """The largest data set to read.

    Examples
    --------
    >>> Limits(max_memory=10**6).check((60_000, 28, 28), 1)
    Traceback (most recent call last):
        ...
    convtool.errors.DatasetError: claims 47 MB (60000x28x28), more than the limit of 1 MB; \
`max_memory=` raises it
    """

    max_pixels: int = MAX_PIXELS
    """The most pixels of each picture."""
    max_memory: int | None = None
    """The most bytes of an array; `UNPACKED` unless given."""

    @property
    def memory(self) -> int:
        """The most bytes of an array."""
        return UNPACKED if self.max_memory is None else self.max_memory

    def check(self, shape: Shape, item: int) -> None:
        """Check an array of pictures or labels, with `item` bytes for each number.

        Raises
        ------
        DatasetError
            If it is too large.
        """
        sizes = "x".join(map(str, shape))
        if prod(shape[1:3]) > self.max_pixels:
            raise DatasetError(
                f"claims pictures of {shape[1]}x{shape[2]} pixels, more than the limit of"
                f" {self.max_pixels}; `max_pixels=` raises it"
            )
        needed = prod(shape) * item
        if needed > self.memory:
            raise DatasetError(
                f"claims {needed / 1e6:.3g} MB ({sizes}), more than the limit of"
                f" {self.memory / 1e6:.3g} MB; `max_memory=` raises it"
            )


DEFAULT = Limits()
"""The limits unless others are given."""


def unpacked(file: BufferedReader) -> BufferedReader:
    """Return the bytes of an open file as a file, unpacked if it is gzipped."""
    zipped = file.read(2) == _GZIP
    file.seek(0)
    return cast(BufferedReader, gzip.open(file, "rb")) if zipped else file


def opened(path: Path) -> BufferedReader:
    """Open a file of a data set; see `open_regular`."""
    return open_regular(path, KIND)
