"""Metadata in the segments of a JPEG: read and written.

References
----------
JFIF 1.02: the APP0 segment and its density. Exif 2.32, section 4.7: APP1. ICC.1:2022, annex B.4:
profiles in APP2 segments. XMP part 3, section 1.1.3: XMP in APP1.
"""

import struct
from collections.abc import Iterable

from convtool.images.codecs.binary import unpack
from convtool.images.codecs.exif_facts import resolution_in
from convtool.images.image import Metadata

APP0, APP1, APP2, APP14, COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_JFIF = b"JFIF\0"
_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_LONG_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_ICC = b"ICC_PROFILE\0"
_LARGEST = 65533
_JFIF_LENGTH = 14
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
        elif marker == APP2 and content.startswith(_ICC) and len(content) > len(_ICC) + 2:
            number, parts = content[len(_ICC)], content[len(_ICC) + 1]
            profile[number] = content[len(_ICC) + 2 :]
        elif marker == COMMENT:
            texts.append(("Comment", _text(content)))
    whole = parts and sorted(profile) == list(range(1, parts + 1))
    if profile and not whole:
        notes.append("its colour profile is incomplete and left out")
    icc = b"".join(profile[number] for number in sorted(profile)) if whole else b""
    metadata = Metadata(
        icc=icc,
        exif=exif,
        xmp=xmp,
        resolution=density or resolution_in(exif),
        text=tuple(texts),
    )
    return metadata, tuple(notes)


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
    segments += [_segment(COMMENT, text.encode()) for _, text in metadata.text]
    return b"".join([file[:2], *segments, file[4 + length :]])


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def unfit(metadata: Metadata) -> tuple[str, ...]:
    """Name the fields that are too large for a JPEG's segments."""
    sizes = {
        "exif": len(metadata.exif) + len(_EXIF) > _LARGEST,
        "xmp": len(metadata.xmp) + len(_XMP) > _LARGEST,
        "icc": len(metadata.icc) > LARGEST_ICC,
        "text": any(len(text.encode()) > _LARGEST for _, text in metadata.text),
    }
    return tuple(name for name, too_large in sizes.items() if too_large)
