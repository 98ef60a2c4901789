"""PNG: 1 to 16 bits a channel, grey, colour or palette, with alpha, with a transparent colour.

OpenCV loses the alpha of grey pictures, and follows side chunks of its choice. So it is given only
the compressed pixels, under a header that makes it return the stored samples as they are: PNG's
row filters work on bytes, and so a grey-alpha picture of 8 bits decodes as 16-bit grey, one of 16
bits as 8-bit colour with alpha, and a palette picture as grey.

References
----------
W3C, Portable Network Graphics (third edition): 5 (chunks), 9 (filters), 11 (chunk contents).
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codecs import opencv
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.ifd import exif_orientation
from convtool.images.formats import Decoded, Header
from convtool.images.image import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOUR, _PALETTE, _GREY_ALPHA, _COLOUR_ALPHA = 0, 2, 3, 4, 6
_DEPTHS = {
    _GREY: (1, 2, 4, 8, 16),
    _COLOUR: (8, 16),
    _PALETTE: (1, 2, 4, 8),
    _GREY_ALPHA: (8, 16),
    _COLOUR_ALPHA: (8, 16),
}
_CHANNELS = {_GREY: 1, _COLOUR: 3, _PALETTE: 3, _GREY_ALPHA: 2, _COLOUR_ALPHA: 4}
_STAND_IN = {
    (_GREY_ALPHA, 8): (_GREY, 16),
    (_GREY_ALPHA, 16): (_COLOUR_ALPHA, 8),
    (_PALETTE, 1): (_GREY, 1),
    (_PALETTE, 2): (_GREY, 2),
    (_PALETTE, 4): (_GREY, 4),
    (_PALETTE, 8): (_GREY, 8),
}
"""Colour type and bit depth -> those under which OpenCV returns the stored samples."""


@dataclass(frozen=True)
class _Layout:
    width: int
    height: int
    bits: int
    colour: int
    interlace: int


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, start and end of each chunk's contents, checked against its checksum."""
    position = len(SIGNATURE)
    while True:
        length, name = unpack(">I4s", data, position)
        start, end = position + 8, position + 8 + length
        (checksum,) = unpack(">I", data, end)
        if zlib.crc32(memoryview(data)[position + 4 : end]) != checksum:
            raise ImageReadError(f"is damaged: the checksum of its chunk {_text(name)} is wrong")
        yield name, start, end
        if name == b"IEND":
            return
        position = end + 4


def _text(name: bytes) -> str:
    return name.decode("ascii", "backslashreplace")


def _layout(data: bytes) -> _Layout:
    length, name, width, height, bits, colour, _, _, interlace = unpack(
        ">I4sIIBBBBB", data, len(SIGNATURE)
    )
    if name != b"IHDR" or length != 13 or bits not in _DEPTHS.get(colour, ()) or not width * height:
        raise ImageReadError("is damaged: its header makes no sense")
    return _Layout(width, height, bits, colour, interlace)


def inspect(data: bytes) -> Header:
    """Read size, kind, transparency and orientation from the chunks before the pixels."""
    layout = _layout(data)
    transparent, pages, orientation = False, 1, 1
    for name, start, end in _leading_chunks(data):
        if name == b"tRNS":
            transparent = True
        elif name == b"acTL":
            (pages,) = unpack(">I", data, start)
        elif name == b"eXIf":
            orientation = exif_orientation(data[start:end])
    channels = _CHANNELS[layout.colour]
    if transparent and channels in (1, 3):
        channels += 1
    dtype = "uint16" if layout.bits == 16 else "uint8"
    has_alpha = channels in (2, 4)
    return Header(layout.width, layout.height, channels, dtype, has_alpha, orientation, pages)


def _leading_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    for name, start, end in _chunks(data):
        if name == b"IDAT":
            return
        yield name, start, end


def decode(data: bytes, header: Header) -> Decoded:
    """Decode the stored samples and put palette and transparency to use."""
    layout = _layout(data)
    side: dict[bytes, bytes] = {}
    parts = []
    for name, start, end in _chunks(data):
        if name == b"IDAT":
            parts.append(data[start - 8 : end + 4])
        elif name in (b"PLTE", b"tRNS"):
            side[name] = data[start:end]
    if not parts:
        raise ImageReadError("is damaged: it has no pixels")
    samples = _samples(layout, parts)
    if layout.colour == _PALETTE:
        return Decoded(_look_up(samples, layout, side, header.channels))
    if b"tRNS" in side and layout.colour in (_GREY, _COLOUR):
        return Decoded(_with_key(samples, layout, side[b"tRNS"]))
    return Decoded(samples)


def _samples(layout: _Layout, parts: list[bytes]) -> Pixels:
    """Decode the samples: (H, W) palette indices, or (H, W[, C]) values in full range."""
    colour, bits = _STAND_IN.get((layout.colour, layout.bits), (layout.colour, layout.bits))
    file = _assemble(layout.width, layout.height, bits, colour, parts, layout.interlace)
    pixels, _ = opencv.decode(file)
    if pixels.shape[:2] != (layout.height, layout.width):
        raise ImageReadError("is damaged: it decodes to another size than its header says")
    if layout.colour == _GREY_ALPHA:
        return _split_grey_alpha(pixels, layout.bits)
    if layout.colour == _PALETTE:
        indices: Pixels = pixels // np.uint8(255 // (2**layout.bits - 1))
        return indices
    return pixels


def _assemble(
    width: int, height: int, bits: int, colour: int, parts: list[bytes], interlace: int = 0
) -> bytes:
    """Make a file of a header and whole IDAT chunks."""
    ihdr = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace)
    return b"".join([SIGNATURE, _chunk(b"IHDR", ihdr), *parts, _chunk(b"IEND", b"")])


def _chunk(name: bytes, contents: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + contents))
    return struct.pack(">I", len(contents)) + name + contents + checksum


def _split_grey_alpha(stored: Pixels, bits: int) -> Pixels:
    """Take grey-alpha pairs apart, which were decoded as 16-bit grey or as 8-bit colour."""
    if bits == 8:
        return np.stack([stored >> 8, stored & 0xFF], axis=-1).astype(np.uint8)
    wide = stored.astype(np.uint16)
    return (wide[:, :, 0::2] << 8) | wide[:, :, 1::2]


def _look_up(indices: Pixels, layout: _Layout, side: dict[bytes, bytes], channels: int) -> Pixels:
    """Replace palette indices by colours, with alpha where the palette has it."""
    stored = np.frombuffer(side.get(b"PLTE", b""), np.uint8)
    if stored.size == 0 or stored.size % 3 or stored.size > 768:
        raise ImageReadError("is damaged: its palette is missing or makes no sense")
    palette = np.zeros((256, channels), np.uint8)
    palette[: stored.size // 3, :3] = stored.reshape(-1, 3)
    if channels == 4:
        alpha = np.frombuffer(side[b"tRNS"][:256], np.uint8)
        palette[:, 3] = 255
        palette[: alpha.size, 3] = alpha
    if int(indices.max()) >= stored.size // 3:
        raise ImageReadError("is damaged: a pixel's colour is not in its palette")
    return palette[indices]


def _with_key(samples: Pixels, layout: _Layout, key: bytes) -> Pixels:
    """Append an alpha channel that is 0 where a pixel has the transparent colour."""
    channels = 1 if samples.ndim == 2 else 3
    colour = np.array(unpack(f">{channels}H", key, 0)) & (2**layout.bits - 1)
    if layout.bits < 8:
        colour = colour * (255 // (2**layout.bits - 1))
    planes = samples.reshape(layout.height, layout.width, channels)
    alpha = np.where((planes == colour).all(axis=2), 0, np.iinfo(samples.dtype).max)
    return np.dstack([planes, alpha.astype(samples.dtype)])


def encode(pixels: Pixels, has_alpha: bool, quality: int | None) -> bytes:
    """Encode in the depth of the pixels."""
    if pixels.ndim == 2 or pixels.shape[2] != 2:
        return opencv.encode(".png", pixels, {})
    if pixels.dtype == np.uint8:
        stored = (pixels[:, :, 0].astype(np.uint16) << 8) | pixels[:, :, 1]
    else:
        stored = np.empty((*pixels.shape[:2], 4), np.uint8)
        stored[:, :, 0::2] = pixels >> 8
        stored[:, :, 1::2] = pixels & 0xFF
    file = opencv.encode(".png", stored, {})
    parts = [file[s - 8 : e + 4] for name, s, e in _chunks(file) if name == b"IDAT"]
    height, width = pixels.shape[:2]
    return _assemble(width, height, 8 * pixels.itemsize, _GREY_ALPHA, parts)
