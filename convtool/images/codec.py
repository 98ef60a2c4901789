"""The interface of codecs: formats, headers, decoded pixels, functions.

``inspect`` looks at the header only, ``decode`` makes the pixels, ``encode`` makes a file. A format
with several pages has a `PagedCodec`.
"""

import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np

from convtool.images.image import (
    DEPTHS,
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
    """What the header of a file promises."""

    width: int
    height: int
    """Size in pixels as stored, before the orientation is applied."""
    channels: int
    """As many as the pixels will have, alpha included."""
    dtype: str
    """The name of one of `PIXEL_TYPES`, which the pixels will have."""
    has_alpha: bool = False
    """Whether the last channel is alpha."""
    orientation: int = 1
    """EXIF orientation, 1 to 8."""
    pages: int = 1
    """Pages or frames in the file."""
    metadata: Metadata = Metadata()
    """What else the header says."""
    notes: tuple[str, ...] = ()
    """Remarks on it."""
    cmyk: bool = False
    """Whether the file holds CMYK, which is converted to RGB."""
    duration: float = 0.0
    """Milliseconds that a frame is shown; 0 for pages."""
    loop: int = 0
    """How often an animation is played, 0 for ever."""

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


NEVER = rb"(?!)"
"""The signature of a format that is only written."""


class Format(Record):
    """One file format."""

    name: str
    """The name, as ``Image.format`` has it."""
    title: str
    """The name as people write it."""
    extensions: tuple[str, ...]
    """File name endings, lower case, with the dot."""
    signature: bytes
    """A regular expression that the first bytes of every such file match."""
    codec: str = ""
    """The module in ``convtool.images.codecs`` that reads and writes it, or a codec in a module; or
    a module in ``convtool.images.doors``. Empty where the module has the format's name."""
    depths: tuple[str, ...] = ()
    """The depths it can be written with."""
    channels: tuple[int, ...] = ()
    """The numbers of channels it can be written with; 2 and 4 mean that it holds alpha."""
    lossy: bool = False
    """Whether it knows a quality from 1 to 100."""
    several: str = ""
    """``"pages"`` or ``"frames"`` where it holds several."""
    metadata: tuple[str, ...] = ()
    """The fields and blocks of `Metadata` that it can hold; ``"comment"`` is a text of that key
    alone."""
    wide: bool = False
    """Whether its floats may have 64 bits."""
    bands: bool = False
    """Whether it holds any number of channels that are no colours."""
    but_not: tuple[tuple[int, str], ...] = ()
    """Channels and types that go together in no file it can be written with."""
    advised: bool = True
    """Whether it is named where another format cannot hold a picture."""
    decoder: str = ""
    """The library that decodes it, where that takes as long as to be worth a thread of its own."""
    library: str = "convtool"
    """The library that reads and writes it, as people call it."""
    package: str = ""
    """The package to import for it, where convtool runs without it."""
    extra: str = ""
    """The extra of convtool that installs the package."""
    door: bool = False
    """Whether a library reads it in a process of its own, by a module in
    ``convtool.images.doors``."""
    plugin: str = ""
    """What the library calls the format, where it reads several."""
    loses: str = ""
    """What the library does not keep, as a note says it."""
    cautions: tuple[tuple[bytes, str], ...] = ()
    """Notes on files whose first bytes match a regular expression."""
    refused: tuple[tuple[bytes, str], ...] = ()
    """Why a file is refused in which a regular expression is found."""
    read_depths: tuple[str, ...] = ()
    """The depths it is read with, where they are not those it can be written with."""
    reads: bool = True
    """Whether it can be read."""
    named: bool = False
    """Whether a file of it must have one of the endings, because many others begin the same way."""

    @property
    def is_foreign(self) -> bool:
        """Whether a library decides what is kept, as a note on each picture says."""
        return self.door and bool(self.loses)

    @property
    def installed(self) -> bool:
        """Whether the package that it needs is there."""
        from importlib.util import find_spec

        return not self.package or find_spec(self.package) is not None

    def origin(self, data: bytes) -> str:
        """Say which library decodes a file, and what it does not keep."""
        lost = [f"it does not keep {self.loses}"] if self.loses else []
        lost += [note for pattern, note in self.cautions if re.match(pattern, data, re.DOTALL)]
        return "; ".join([f"is decoded by {self.library}", *lost])

    def can_hold(self, channels: int, dtype: str, *, bands: bool = False) -> bool:
        """Tell whether it can be written with pixels of a kind."""
        fits = DEPTHS[dtype] in self.depths
        fits = fits and (self.bands if bands else channels in self.channels)
        narrow = dtype != "float64" or self.wide
        return fits and narrow and (channels, dtype) not in self.but_not

    def load(self) -> Codec:
        """Import the codec."""
        if self.door:
            door = import_module("convtool.images.doors.codec").DoorCodec(self)
            return cast(Codec, door)
        module, _, inner = (self.codec or self.name).partition(".")
        codec = import_module(f"convtool.images.codecs.{module}")
        return cast(Codec, getattr(codec, inner) if inner else codec)

    def load_decoder(self) -> None:
        """Import the library that decodes it."""
        import_module(self.decoder)

    def load_paged(self) -> PagedCodec:
        """Import the codec of a format with several pages."""
        return cast(PagedCodec, self.load())
