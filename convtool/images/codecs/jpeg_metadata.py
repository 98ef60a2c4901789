"""Metadata in the segments of a JPEG: read and written.

References
----------
JFIF 1.02: the APP0 segment and its density. Exif 2.32, section 4.7: APP1. ICC.1:2022, annex B.4:
profiles in APP2 segments. XMP part 3, section 1.1.3: XMP in APP1, Photoshop's blocks in APP13. CIPA
DC-007: several pictures. ISO 21496-1 and Google's "Ultra HDR": gain maps.
"""

import re
import struct
from collections.abc import Iterable

from convtool.images.codecs.binary import unpack
from convtool.images.codecs.exif_facts import resolution_in
from convtool.images.image import Metadata

APP0, APP1, APP2, APP13, APP14, COMMENT = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE
PHOTOSHOP, THERMAL = "IPTC and Photoshop blocks", "thermal data"
"""Names of `Metadata.blocks`."""

_JFIF = b"JFIF\0"
_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_LONG_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_ICC = b"ICC_PROFILE\0"
_MANY = b"MPF\0"
_PICTURES = 0xB001
_BLOCKS = b"Photoshop 3.0\0"
_FLIR, _FLIR_HEAD = b"FLIR\0", 8
_THUMBNAILS = (1033, 1036)
_CODING = (b"JFXX", b"Adobe", b"Ducky", b"FPXR", b"Picture Info", b"[picture info]")
"""Segments that tell how pixels are coded, or hold small copies of them."""

_CLAIMS = re.compile(
    rb"<Container:Directory\b.*?</Container:Directory\s*>"
    rb"|<((?:hdrgm:\w+|GCamera:(?:MotionPhoto|MicroVideo)\w*))\b[^>]*(?:/>|>.*?</\1\s*>)"
    rb"|\s(?:hdrgm:\w+|GCamera:(?:MotionPhoto|MicroVideo)\w*)\s*=\s*(?:\"[^\"]*\"|'[^']*')",
    re.DOTALL,
)
"""What XMP says of a second picture or a video in the same file."""

_LARGEST = 65533
_JFIF_LENGTH = 14
_LAST_APP = 0xEF
_LONGEST_NAME = 40
_KNOWN = (_JFIF, _EXIF, _XMP, _LONG_XMP, _ICC, _MANY, _BLOCKS, _FLIR, b"Adobe_CM")
LARGEST_ICC = 255 * (_LARGEST - len(_ICC) - 2)


def metadata_of(segments: Iterable[tuple[int, bytes]]) -> tuple[Metadata, tuple[str, ...]]:
    """Read what the segments before the first scan say.

    Parameters
    ----------
    segments : iterable of (int, bytes)
        Marker and contents of each.

    Returns
    -------
    Metadata
        Without orientation and coding.
    tuple of str
        Remarks on what could not be taken.
    """
    exif = xmp = b""
    blocks: dict[str, bytes] = {}
    others: list[str] = []
    density = None
    profile: dict[int, bytes] = {}
    texts: list[tuple[str, str]] = []
    notes: list[str] = []
    parts = 0
    for marker, content in segments:
        if marker == APP0 and content.startswith(_JFIF) and len(content) >= _JFIF_LENGTH - 2:
            density = _density(content)
        elif marker == APP1 and content.startswith(_EXIF) and not exif:
            exif = content[len(_EXIF) :]
        elif marker == APP1 and content.startswith(_XMP) and not xmp:
            xmp = content[len(_XMP) :]
        elif marker == APP1 and content.startswith(_LONG_XMP) and not notes:
            notes.append("XMP beyond its first 64 KB is left out")
        elif marker == APP13 and content.startswith(_BLOCKS):
            blocks[PHOTOSHOP] = blocks.get(PHOTOSHOP, b"") + content[len(_BLOCKS) :]
        elif marker == APP1 and content.startswith(_FLIR) and len(content) > _FLIR_HEAD:
            blocks[THERMAL] = blocks.get(THERMAL, b"") + content[_FLIR_HEAD:]
        elif marker == APP2 and content.startswith(_MANY):
            notes.append(_pictures(content[len(_MANY) :]))
        elif marker == APP2 and content.startswith(_ICC) and len(content) > len(_ICC) + 2:
            number, parts = content[len(_ICC)], content[len(_ICC) + 1]
            profile[number] = content[len(_ICC) + 2 :]
        elif marker == COMMENT:
            texts.append(("Comment", _text(content)))
        elif APP1 <= marker <= _LAST_APP and not content.startswith((*_CODING, *_KNOWN)):
            others.append(_name(content) or f"APP{marker - APP0}")
    whole = parts and sorted(profile) == list(range(1, parts + 1))
    if profile and not whole:
        notes.append("its colour profile is incomplete and left out")
    icc = b"".join(profile[number] for number in sorted(profile)) if whole else b""
    if others:
        notes.append(f"its segments are left out: {', '.join(dict.fromkeys(others))[:120]}")
    claimed, xmp = xmp, _CLAIMS.sub(b"", xmp)
    if xmp != claimed:
        notes.append("what its XMP says of a gain map or video beside the picture is left out")
    if PHOTOSHOP in blocks:
        blocks[PHOTOSHOP] = without_thumbnails(blocks[PHOTOSHOP])
    metadata = Metadata(
        icc=icc,
        exif=exif,
        xmp=xmp,
        resolution=density or resolution_in(exif),
        text=tuple(texts),
        blocks=tuple(pair for pair in blocks.items() if pair[1]),
    )
    return metadata, tuple(notes)


def _pictures(block: bytes) -> str:
    """Say how many pictures an MPF segment lists."""
    from convtool.errors import ImageReadError
    from convtool.images.codecs.ifd import all_directories

    try:
        count = next(all_directories(block)).value(_PICTURES, 0)
    except ImageReadError:
        count = 0
    return f"holds {count if count > 1 else 'several'} pictures; only the first is read"


def names_pictures(notes: Iterable[str]) -> bool:
    """Tell whether remarks say already that there are several pictures."""
    return any(note.endswith("only the first is read") for note in notes)


def _name(content: bytes) -> str:
    start = content[:_LONGEST_NAME].partition(b"\0")[0].decode("ascii", "replace")
    return start if start.isprintable() and "\ufffd" not in start else ""


def without_thumbnails(blocks: bytes) -> bytes:
    """Return Photoshop's blocks without those that show the picture as it was.

    Examples
    --------
    >>> without_thumbnails(b"8BIM" + bytes([4, 12, 0, 0, 0, 0, 0, 2]) + b"ab")
    b''
    """
    kept, position = [], 0
    while position + 12 <= len(blocks):
        number, name = struct.unpack_from(">HB", blocks, position + 4)
        start = position + 6 + (name + 2) // 2 * 2
        size = int.from_bytes(blocks[start : start + 4], "big")
        end = start + 4 + size + size % 2
        if number not in _THUMBNAILS:
            kept.append(blocks[position:end])
        position = end
    return b"".join([*kept, blocks[position:]])


def _density(content: bytes) -> tuple[float, float] | None:
    unit, across, down = unpack(">BHH", content, 7)
    scale = {1: 1.0, 2: 2.54}.get(unit)
    return (across * scale, down * scale) if scale and across and down else None


def _text(content: bytes) -> str:
    content = content.rstrip(b"\0")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def with_metadata(file: bytes, metadata: Metadata) -> bytes:
    """Put metadata into a file that begins with a JFIF segment.

    Parameters
    ----------
    file : bytes
        A JPEG as OpenCV makes it.
    metadata : Metadata
        What to put in; it fits, see `unfit`.
    """
    (length,) = unpack(">H", file, 4)
    jfif = bytearray(file[2 : 4 + length])
    if metadata.resolution is not None:
        across, down = (min(65535, max(1, round(value))) for value in metadata.resolution)
        struct.pack_into(">BHH", jfif, 11, 1, across, down)
    segments = [bytes(jfif)]
    if metadata.exif:
        segments.append(_segment(APP1, _EXIF + metadata.exif))
    if metadata.xmp:
        segments.append(_segment(APP1, _XMP + metadata.xmp))
    step = _LARGEST - len(_ICC) - 2
    parts = [metadata.icc[start : start + step] for start in range(0, len(metadata.icc), step)]
    for number, part in enumerate(parts, 1):
        segments.append(_segment(APP2, _ICC + bytes([number, len(parts)]) + part))
    blocks = dict(metadata.blocks)
    segments += [_segment(APP13, _BLOCKS + part) for part in _cut(blocks.get(PHOTOSHOP, b""))]
    thermal = _cut(blocks.get(THERMAL, b""))
    for number, part in enumerate(thermal):
        segments.append(_segment(APP1, _FLIR + bytes([1, number, len(thermal) - 1]) + part))
    segments += [_segment(COMMENT, text.encode()) for _, text in metadata.text]
    return b"".join([file[:2], *segments, file[4 + length :]])


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _cut(content: bytes) -> list[bytes]:
    """Cut content into parts that fit a segment together with its name."""
    step = _LARGEST - len(_BLOCKS)
    return [content[start : start + step] for start in range(0, len(content), step)]


def unfit(metadata: Metadata) -> tuple[str, ...]:
    """Name the fields that are too large for a JPEG's segments."""
    sizes = {
        "exif": len(metadata.exif) + len(_EXIF) > _LARGEST,
        "xmp": len(metadata.xmp) + len(_XMP) > _LARGEST,
        "icc": len(metadata.icc) > LARGEST_ICC,
        "blocks": len(dict(metadata.blocks).get(THERMAL, b"")) > 255 * (_LARGEST - len(_BLOCKS)),
        "text": any(len(text.encode()) > _LARGEST for _, text in metadata.text),
    }
    return tuple(name for name, too_large in sizes.items() if too_large)
