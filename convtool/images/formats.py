"""The file formats: how each is recognised and named, and what it can hold.

The table is data. A codec is a module with three functions: ``inspect(data) -> Header`` looks at
the header only, ``decode(data, header) -> Decoded`` makes the pixels, and ``encode(pixels,
has_alpha, quality) -> bytes`` makes a file; it is imported when it is used.
"""

import os
import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np

from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.image import DEPTHS, Pixels
from convtool.images.paths import shown


@dataclass(frozen=True)
class Header:
    """What the header of a file promises.

    Parameters
    ----------
    width, height : int
        Size in pixels as stored, before the orientation is applied.
    channels : int
        1 to 4, as the pixels will have, alpha included.
    dtype : str
        ``"uint8"``, ``"uint16"``, ``"float32"`` or ``"float64"``, as the pixels will have.
    has_alpha : bool
        Whether the last channel is alpha.
    orientation : int
        EXIF orientation, 1 to 8.
    pages : int
        Pages or frames in the file.
    """

    width: int
    height: int
    channels: int
    dtype: str
    has_alpha: bool = False
    orientation: int = 1
    pages: int = 1

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the pixels once the orientation is applied."""
        size = (self.height, self.width)[:: -1 if self.orientation >= 5 else 1]
        return size if self.channels == 1 else (*size, self.channels)

    @property
    def pixel_type(self) -> np.dtype[Any]:
        """The type of the pixels."""
        return np.dtype(self.dtype)


@dataclass(frozen=True, eq=False)
class Decoded:
    """The pixels of a file, not yet turned as its orientation says, and remarks on them."""

    pixels: Pixels
    notes: tuple[str, ...] = ()


class Codec(Protocol):
    """What a module of ``convtool.images.codecs`` offers."""

    def inspect(self, data: bytes) -> Header:
        """Read the header."""

    def decode(self, data: bytes, header: Header) -> Decoded:
        """Make the pixels."""

    def encode(self, pixels: Pixels, has_alpha: bool, quality: int | None) -> bytes:
        """Make a file."""


@dataclass(frozen=True)
class Format:
    """One file format.

    Parameters
    ----------
    name : str
        The name, as ``Image.format`` has it.
    title : str
        The name as people write it.
    extensions : tuple of str
        File name endings, lower case, with the dot.
    signature : bytes
        A regular expression that the first bytes of every such file match.
    codec : str
        The module in ``convtool.images.codecs`` that reads and writes it.
    depths : tuple of str
        The depths it can be written with.
    channels : tuple of int
        The numbers of channels it can be written with; 2 and 4 mean that it holds alpha.
    lossy : bool
        Whether it knows a quality from 1 to 100.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    signature: bytes
    codec: str
    depths: tuple[str, ...]
    channels: tuple[int, ...]
    lossy: bool = False

    def load(self) -> Codec:
        """Import the codec."""
        return cast(Codec, import_module(f"convtool.images.codecs.{self.codec}"))


_ALL = (1, 2, 3, 4)
_NEVER = rb"(?!)"

FORMATS = {
    entry.name: entry
    for entry in (
        Format(
            name="jpeg",
            title="JPEG",
            extensions=(".jpg", ".jpeg", ".jpe", ".jfif"),
            signature=rb"\xff\xd8\xff",
            codec="jpeg",
            depths=("8",),
            channels=(1, 3),
            lossy=True,
        ),
        Format(
            name="png",
            title="PNG",
            extensions=(".png",),
            signature=rb"\x89PNG\r\n\x1a\n",
            codec="png",
            depths=("8", "16"),
            channels=_ALL,
        ),
        Format(
            name="tiff",
            title="TIFF",
            extensions=(".tif", ".tiff"),
            signature=rb"II[*+]\0|MM\0[*+]",
            codec="tiff",
            depths=("8", "16", "float"),
            channels=_ALL,
        ),
        Format(
            name="webp",
            title="WebP",
            extensions=(".webp",),
            signature=rb"RIFF....WEBP",
            codec="webp",
            depths=("8",),
            channels=_ALL,
            lossy=True,
        ),
        Format(
            name="bmp",
            title="BMP",
            extensions=(".bmp", ".dib"),
            signature=rb"BM",
            codec="bmp",
            depths=("8",),
            channels=_ALL,
        ),
        Format(
            name="pgm",
            title="PGM",
            extensions=(".pgm",),
            signature=rb"P[25][\s#]",
            codec="pnm",
            depths=("8", "16"),
            channels=(1,),
        ),
        Format(
            name="ppm",
            title="PPM",
            extensions=(".ppm",),
            signature=rb"P[36][\s#]",
            codec="pnm",
            depths=("8", "16"),
            channels=(3,),
        ),
        Format(
            name="pam",
            title="PAM",
            extensions=(".pam",),
            signature=rb"P7\n",
            codec="pam",
            depths=("8", "16"),
            channels=_ALL,
        ),
        Format(
            name="pbm",
            title="PBM",
            extensions=(".pbm",),
            signature=rb"P[14][\s#]",
            codec="pnm",
            depths=(),
            channels=(),
        ),
        Format(
            name="pnm",
            title="PNM",
            extensions=(".pnm",),
            signature=_NEVER,
            codec="pnm",
            depths=("8", "16"),
            channels=(1, 3),
        ),
    )
}
"""Every format by its name. ``pnm`` writes a PGM or PPM by the number of channels; PBM, which has
only black and white, is read and not written. WebP and BMP store grey as equal colours."""

_READABLE = ", ".join(entry.title for entry in FORMATS.values() if entry.signature != _NEVER)


def writable() -> list[str]:
    """Return the names of the formats that can be written.

    Examples
    --------
    >>> writable()[:3]
    ['jpeg', 'png', 'tiff']
    """
    return [entry.name for entry in FORMATS.values() if entry.depths]


def recognise(data: bytes) -> Format:
    r"""Find the format of a file by its first bytes.

    Raises
    ------
    ImageReadError
        If no format of the table begins like this.

    Examples
    --------
    >>> recognise(b"\xff\xd8\xff\xe0...").title
    'JPEG'
    """
    for entry in FORMATS.values():
        if re.match(entry.signature, data, re.DOTALL):
            return entry
    if not data:
        raise ImageReadError("is empty; a picture was expected")
    start = data[:8].decode("ascii", "replace").encode("unicode_escape").decode().strip()
    raise ImageReadError(
        f"is of no format that convtool reads ({_READABLE}); begins with '{start}'"
    )


def format_for(path: str | os.PathLike[str], name: str | None = None) -> Format:
    """Find the format to write, by its name or else by the ending of the file's name.

    Parameters
    ----------
    path : str or path-like
        Where the picture will be written.
    name : str, optional
        The name of the format, which then need not agree with the path.

    Raises
    ------
    ImageFormatError
        If there is no such name or ending in the table.

    Examples
    --------
    >>> format_for("edges.TIF").name
    'tiff'
    """
    if name is not None:
        if name not in FORMATS:
            raise ImageFormatError(f"no format is called '{name}'; there are {', '.join(FORMATS)}")
        return FORMATS[name]
    ending = os.path.splitext(os.fspath(path))[1].lower()
    for entry in FORMATS.values():
        if ending in entry.extensions:
            return entry
    known = " ".join(ending for entry in FORMATS.values() for ending in entry.extensions)
    which = f"'{ending}' is the ending of no format" if ending else "has no ending, so no format"
    raise ImageFormatError(f"{shown(path)}: {which} that convtool writes; use one of {known}")


def _those_with(depth: str, channels: int) -> str:
    fit = [e.title for e in FORMATS.values() if depth in e.depths and channels in e.channels]
    return " or ".join([", ".join(fit[:-1]), fit[-1]] if len(fit) > 1 else fit)


def check_holds(entry: Format, where: str, channels: int, dtype: str) -> None:
    """Check that a format can hold pixels of a kind.

    Parameters
    ----------
    entry : Format
        The format.
    where : str
        The file, for the message.
    channels : int
        1 to 4; 2 and 4 mean alpha.
    dtype : str
        The name of the pixels' type.

    Raises
    ------
    ImageFormatError
        If it cannot; the message names formats that can.

    Examples
    --------
    >>> check_holds(FORMATS["jpeg"], "a.jpg", 4, "uint8")
    Traceback (most recent call last):
    ...
    convtool.errors.ImageFormatError: a.jpg: JPEG holds no alpha; write PNG, TIFF, WebP, BMP or PAM
    """
    depth = DEPTHS[dtype]
    if depth in entry.depths and channels in entry.channels:
        return
    others = _those_with(depth, channels)
    if not entry.depths:
        raise ImageFormatError(f"{where}: {entry.title} is not written; write {others}")
    if depth not in entry.depths:
        words = "floats" if depth == "float" else f"{depth} bits a channel"
        depths = " or ".join(f"--depth {depth}" for depth in entry.depths)
        raise ImageFormatError(
            f"{where}: {entry.title} holds no {words}; write {others}, or use {depths}"
        )
    kind = {1: "single grey channel", 2: "alpha", 3: "colour", 4: "alpha"}[channels]
    raise ImageFormatError(f"{where}: {entry.title} holds no {kind}; write {others}")
