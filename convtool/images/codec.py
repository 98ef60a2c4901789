"""The interface of codecs: headers, decoded pixels, functions.

``inspect`` looks at the header only, ``decode`` makes the pixels, ``encode`` makes a file. A format
with several pages has a `PagedCodec`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from convtool.images.image import (
    PIXEL_TYPES,
    Coding,
    Document,
    Image,
    Metadata,
    Pixels,
    PixelType,
)
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import Record


class Header(Record):
    """What the header of a file promises.

    Parameters
    ----------
    width, height : int
        Size in pixels as stored, before the orientation is applied.
    channels : int
        As many as the pixels will have, alpha included.
    dtype : str
        The name of one of `PIXEL_TYPES`, which the pixels will have.
    has_alpha : bool
        Whether the last channel is alpha.
    orientation : int
        EXIF orientation, 1 to 8.
    pages : int
        Pages or frames in the file.
    metadata : Metadata
        What else the header says.
    notes : tuple of str
        Remarks on it.
    cmyk : bool
        Whether the file holds CMYK, which is converted to RGB.
    duration : float
        Milliseconds that a frame is shown; 0 for pages.
    loop : int
        How often an animation is played, 0 for ever.
    """

    width: int
    height: int
    channels: int
    dtype: str
    has_alpha: bool = False
    orientation: int = 1
    pages: int = 1
    metadata: Metadata = Metadata()
    notes: tuple[str, ...] = ()
    cmyk: bool = False
    duration: float = 0.0
    loop: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the pixels once the orientation is applied."""
        size = (self.height, self.width)[:: -1 if self.orientation >= 5 else 1]
        return size if self.channels == 1 else (*size, self.channels)

    @property
    def pixel_type(self) -> np.dtype[Any]:
        """The NumPy type of the pixels."""
        return self.type.dtype

    @property
    def type(self) -> PixelType:
        """The type of the pixels."""
        return PIXEL_TYPES[self.dtype]


class Decoded(Record, eq=False):
    """The pixels of a file, not yet turned as its orientation says, and remarks on them.

    ``coding`` is how they were compressed, where only decoding tells.
    """

    pixels: Pixels
    notes: tuple[str, ...] = ()
    coding: Coding | None = None


class Codec(Protocol):
    """What a module of ``convtool.images.codecs`` offers."""

    def inspect(self, data: bytes) -> Header:
        """Read the header, of the first page if there are several."""

    def decode(self, data: bytes, header: Header, options: ReadOptions) -> Decoded:
        """Make the pixels, of the first page if there are several."""

    def encode(self, image: Image, options: WriteOptions) -> bytes:
        """Make a file of a picture, with its metadata; the pixels are contiguous."""


class PagedCodec(Codec, Protocol):
    """What the module of a format with several pages or frames offers besides."""

    def inspect_all(self, data: bytes) -> tuple[Header, ...]:
        """Read the headers of all pages."""

    def decode_all(
        self, data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
    ) -> Iterator[Decoded]:
        """Make the pixels of one page after the other, from number ``start`` (0, 1 …) on."""

    def encode_all(self, document: Document, options: WriteOptions) -> bytes:
        """Make a file of several pictures."""
