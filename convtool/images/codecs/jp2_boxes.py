"""The boxes of a JPEG 2000 file, by hand because no library gives or takes their metadata.

References
----------
ITU-T T.800, annex I: jp2h with colr, pclr, cmap and res, jp2c, uuid. XMP part 3, 1.1.7: XMP in a
uuid box.
"""

import struct
from collections.abc import Iterator

from convtool.errors import ImageReadError
from convtool.images.codecs.binary import unpack
from convtool.images.image import Metadata
from convtool.records import Record

CODESTREAM = b"\xff\x4f\xff\x51"
CMYK, CIELAB, SRGB, GREY, SYCC = 12, 14, 16, 17, 18
"""Values of EnumCS."""

_START = b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 "
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF = b"JpgTiffExif->JP2"
_BY_NUMBER, _BY_PROFILE = 1, 2
_INCH = 0.0254
_FROM_PALETTE = 1


class Boxes(Record):
    """What the boxes say."""

    start: int
    end: int
    """Where the codestream is."""
    space: int = 0
    """The EnumCS, 0 where there is none."""
    palette: tuple[bytes, ...] = ()
    """For each index, the colour; empty where there is no palette."""
    metadata: Metadata = Metadata()
    """Profile, XMP and resolution."""
    notes: tuple[str, ...] = ()
    """What is left out."""


def boxes(
    data: bytes, position: int = 0, end: int | None = None
) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, start and end of each box's contents."""
    end = len(data) if end is None else end
    while position + 8 <= end:
        length, name = unpack(">I4s", data, position)
        start = position + 8
        if length == 1:
            (length,) = unpack(">Q", data, start)
            start += 8
        stop = position + length if length else end
        if not start <= stop <= end:
            raise ImageReadError("is cut off or damaged: a box reaches beyond its end")
        yield name, start, stop
        position = stop


def read(data: bytes) -> Boxes:
    """Read the boxes of a file, or find that it is a codestream alone.

    Raises
    ------
    ImageReadError
        If there is no codestream, or the boxes make no sense.
    """
    if data.startswith(CODESTREAM):
        return Boxes(0, len(data))
    stream, xmp = (-1, -1), b""
    notes: tuple[str, ...] = ()
    inner: dict[bytes, bytes] = {}
    for name, start, end in boxes(data):
        if name == b"jp2c" and stream[0] < 0:
            stream = start, end
        elif name == b"jp2h":
            for box, first, last in boxes(data, start, end):
                if box != b"colr":
                    inner.setdefault(box, data[first:last])
                elif data[first : first + 1] in (b"\1", b"\2"):
                    inner.setdefault(f"colr{data[first]}".encode(), data[first + 3 : last])
        elif name == b"uuid" and data[start:end].startswith(_XMP):
            xmp = data[start + len(_XMP) : end]
        elif name == b"uuid" and data[start:end].startswith(_EXIF):
            notes = ("its EXIF is left out",)
    if stream[0] < 0:
        raise ImageReadError("is cut off or damaged: it has no pixels")
    numbered = inner.get(b"colr%d" % _BY_NUMBER)
    metadata = Metadata(
        icc=inner.get(b"colr%d" % _BY_PROFILE, b""),
        xmp=xmp,
        resolution=_resolution(inner.get(b"res ", b"")),
    )
    space = unpack(">I", numbered, 0)[0] if numbered else 0
    return Boxes(*stream, space, _palette(inner), metadata, notes)


def _palette(inner: dict[bytes, bytes]) -> tuple[bytes, ...]:
    stored = inner.get(b"pclr")
    if stored is None:
        return ()
    count, columns = unpack(">HB", stored, 0)
    mapped = inner.get(b"cmap", b"")
    expected = b"".join(struct.pack(">HBB", 0, _FROM_PALETTE, n) for n in range(columns))
    if stored[3 : 3 + columns] != b"\7" * columns or mapped != expected or columns not in (3, 4):
        raise ImageReadError(
            "has a palette of another kind than 3 or 4 colours of 8 bits; not read"
        )
    colours = stored[3 + columns :]
    if not count or len(colours) < count * columns:
        raise ImageReadError("is damaged: its palette ends early")
    return tuple(colours[n * columns : (n + 1) * columns] for n in range(count))


def _resolution(content: bytes) -> tuple[float, float] | None:
    """Return pixels an inch across and down, by the box of capture or else of display."""
    for wanted in (b"resc", b"resd"):
        for name, start, _ in boxes(content):
            if name == wanted:
                up, under, over, beneath, power, powers = unpack(">HHHHbb", content, start)
                if up and under and over and beneath:
                    down, across = up / under * 10.0**power, over / beneath * 10.0**powers
                    return across * _INCH, down * _INCH
    return None


def box(name: bytes, *contents: bytes) -> bytes:
    """Return the bytes of a box."""
    content = b"".join(contents)
    return struct.pack(">I4s", len(content) + 8, name) + content


def plain(stream: bytes, width: int, height: int, channels: int, bits: int) -> bytes:
    """Return a file from which decoders return the channels as they are stored."""
    header = box(b"ihdr", struct.pack(">IIHBBBB", height, width, channels, bits - 1, 7, 0, 0))
    space = box(b"colr", struct.pack(">BBBI", 1, 0, 0, SRGB if channels >= 3 else GREY))
    return _START + box(b"jp2h", header, space) + box(b"jp2c", stream)


def with_metadata(file: bytes, metadata: Metadata) -> bytes:
    """Put profile, XMP and resolution into a file."""
    parts = []
    for name, start, end in boxes(file):
        content = file[start:end]
        if name == b"jp2h":
            content = _header(content, metadata)
        parts.append(box(name, content))
        if name == b"jp2h" and metadata.xmp:
            parts.append(box(b"uuid", _XMP, metadata.xmp))
    return b"".join(parts)


def _header(content: bytes, metadata: Metadata) -> bytes:
    parts = []
    for name, start, end in boxes(content):
        profiled = name == b"colr" and metadata.icc
        inner = bytes([_BY_PROFILE, 0, 0]) + metadata.icc if profiled else content[start:end]
        parts.append(box(name, inner))
    if metadata.resolution is not None:
        across, down = (value / _INCH for value in metadata.resolution)
        numbers = struct.pack(">HHHHbb", *_ratio(down), *_ratio(across), *2 * [0])
        parts.append(box(b"res ", box(b"resc", numbers)))
    return b"".join(parts)


def _ratio(metre: float) -> tuple[int, int]:
    """Return a number of pixels a metre as numerator and denominator of 16 bits."""
    under = max(1, min(100, int(65535 / max(metre, 1))))
    return max(1, min(65535, round(metre * under))), under
