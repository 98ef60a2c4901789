"""JPEG: 8 bits a channel, grey or colour.

References
----------
ITU-T T.81, annex B: the markers and the frame header.
Exif 2.32, section 4.5.4: the orientation within the APP1 segment.
"""

import re
from dataclasses import dataclass

from convtool.errors import ImageReadError
from convtool.images.codecs import opencv
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.ifd import exif_orientation
from convtool.images.formats import Decoded, Header
from convtool.images.image import Pixels

DEFAULT_QUALITY = 95
_FULL_COLOUR_FROM = 90
_SOS, _EOI, _APP1 = 0xDA, 0xD9, 0xE1
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])", re.DOTALL)
"""A marker, any fill bytes (0xFF) before it left aside. Beginning with one literal byte it is found
fifteen times as fast as with any number of them."""
_HARMLESS = "extraneous bytes before marker"


@dataclass(frozen=True)
class _Segment:
    marker: int
    start: int
    end: int


def _next_segment(data: bytes, position: int) -> _Segment:
    found = _MARKER.search(data, position)
    if found is None:
        raise ImageReadError("is cut off: it ends without its end marker")
    marker = found.group(1)[0]
    if marker == _EOI:
        return _Segment(marker, found.end(), found.end())
    (length,) = unpack(">H", data, found.end())
    return _Segment(marker, found.end() + 2, found.end() + max(length, 2))


def _segments(data: bytes) -> list[_Segment]:
    """List the segments up to the first scan."""
    found = []
    position = 2
    while True:
        segment = _next_segment(data, position)
        if segment.marker == _EOI:
            raise ImageReadError("is damaged: it has no picture before its end marker")
        found.append(segment)
        if segment.marker == _SOS:
            return found
        position = segment.end


def inspect(data: bytes) -> Header:
    """Read size, channels and orientation from the segments before the first scan."""
    segments = _segments(data)
    frame = next((s for s in segments if s.marker in _FRAMES), None)
    if frame is None:
        raise ImageReadError("is damaged: it has no frame header")
    bits, height, width, channels = unpack(">BHHB", data, frame.start)
    if bits != 8 or frame.marker in _LOSSLESS:
        raise ImageReadError(
            f"is a {bits}-bit or lossless JPEG, which is not read; convert it to TIFF or PNG"
        )
    if channels == 4:
        raise ImageReadError(
            "is a CMYK JPEG, whose colours need its profile; convert it to RGB first"
        )
    if channels not in (1, 3) or width == 0 or height == 0:
        raise ImageReadError(f"is damaged: {width}×{height} pixels of {channels} channels")
    return Header(width, height, channels, "uint8", orientation=_orientation(data, segments))


def _orientation(data: bytes, segments: list[_Segment]) -> int:
    for segment in segments:
        if segment.marker == _APP1 and data[segment.start : segment.start + 6] == b"Exif\0\0":
            return exif_orientation(data[segment.start + 6 : segment.end])
    return 1


def _check_end(data: bytes) -> None:
    """Check that an end marker follows the last scan; decoders fill what is missing with grey."""
    segment = _segments(data)[-1]
    while segment.marker != _EOI:
        segment = _next_segment(data, segment.end)


def decode(data: bytes, header: Header) -> Decoded:
    """Decode, refusing a file that ends early or whose data are damaged."""
    _check_end(data)
    pixels, remarks = opencv.decode(data)
    if not remarks:
        return Decoded(pixels)
    if _HARMLESS in remarks:
        return Decoded(pixels, (f"the file may be damaged ({remarks})",))
    raise ImageReadError(f"is damaged: {remarks}")


def encode(pixels: Pixels, has_alpha: bool, quality: int | None) -> bytes:
    """Encode; from quality 90 on, colour is stored at full resolution."""
    quality = DEFAULT_QUALITY if quality is None else quality
    options = {"JPEG_QUALITY": quality}
    if quality >= _FULL_COLOUR_FROM:
        options["JPEG_SAMPLING_FACTOR"] = opencv.constant("JPEG_SAMPLING_FACTOR_444")
    return opencv.encode(".jpg", pixels, options)
