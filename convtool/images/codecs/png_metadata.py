"""Metadata in the chunks of a PNG: read and written.

References
----------
W3C, Portable Network Graphics (third edition), 11.3: the ancillary chunks.
"""

import struct
import zlib
from collections.abc import Iterable

from convtool.errors import ImageReadError
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.exif_facts import resolution_in
from convtool.images.image import Metadata

_COLOUR = (b"cICP", b"sRGB", b"gAMA", b"cHRM", b"mDCV", b"cLLI")
_XMP = "XML:com.adobe.xmp"
_INCH = 0.0254
_LARGEST = 1 << 24
_NAME = b"ICC profile"


def metadata_of(chunks: Iterable[tuple[bytes, bytes]]) -> tuple[Metadata, tuple[str, ...]]:
    """Read what chunks say.

    Parameters
    ----------
    chunks : iterable of (bytes, bytes)
        Name and contents of each.

    Returns
    -------
    Metadata
        Without orientation.
    tuple of str
        Remarks on what is damaged or too large, and left out.
    """
    icc = exif = xmp = b""
    density: tuple[float, float] | None = None
    texts, colour, notes = [], [], []
    for name, content in chunks:
        try:
            if name == b"iCCP":
                icc = _inflated(content.partition(b"\0")[2][1:])
            elif name == b"eXIf":
                exif = content.removeprefix(b"Exif\0\0")
            elif name == b"pHYs":
                density = _density(content)
            elif name in _COLOUR:
                colour.append((name.decode(), content))
            elif name in (b"tEXt", b"zTXt", b"iTXt"):
                key, text = _text(name, content)
                if key == _XMP:
                    xmp = text.encode()
                else:
                    texts.append((key, text))
        except (ImageReadError, zlib.error, UnicodeDecodeError):
            notes.append(f"its chunk {name.decode()} is damaged or too large, and left out")
    metadata = Metadata(
        icc=icc,
        exif=exif,
        xmp=xmp,
        resolution=density or resolution_in(exif),
        text=tuple(texts),
        colour=tuple(colour),
    )
    return metadata, tuple(dict.fromkeys(notes))


def _inflated(packed: bytes) -> bytes:
    """Inflate, but not more than any honest chunk holds."""
    inflater = zlib.decompressobj()
    content = inflater.decompress(packed, _LARGEST)
    if not inflater.eof:
        raise ImageReadError("is cut off or too large")
    return content


def _density(content: bytes) -> tuple[float, float] | None:
    across, down, unit = unpack(">IIB", content, 0)
    return (across * _INCH, down * _INCH) if unit == 1 and across and down else None


def _text(name: bytes, content: bytes) -> tuple[str, str]:
    key, found, rest = content.partition(b"\0")
    if not found:
        raise ImageReadError("has a text without a key")
    if name == b"tEXt":
        return key.decode("latin-1"), rest.decode("latin-1")
    if name == b"zTXt":
        return key.decode("latin-1"), _inflated(rest[1:]).decode("latin-1")
    packed, rest = rest[:1] == b"\1", rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return key.decode("latin-1"), (_inflated(rest) if packed else rest).decode("utf-8")


def chunks_of(metadata: Metadata) -> list[tuple[bytes, bytes]]:
    """Make the chunks that stand between header and pixels: name and contents of each."""
    chunks = [(name.encode(), content) for name, content in metadata.colour]
    if metadata.icc:
        chunks = [(name, content) for name, content in chunks if name != b"sRGB"]
        chunks.append((b"iCCP", _NAME + b"\0\0" + zlib.compress(metadata.icc)))
    if metadata.resolution is not None:
        across, down = (max(1, round(value / _INCH)) for value in metadata.resolution)
        chunks.append((b"pHYs", struct.pack(">IIB", across, down, 1)))
    if metadata.exif:
        chunks.append((b"eXIf", metadata.exif))
    texts = list(metadata.text)
    if metadata.xmp:
        texts.append((_XMP, metadata.xmp.decode("utf-8", "replace")))
    return chunks + [_text_chunk(key, text) for key, text in texts]


def _text_chunk(key: str, text: str) -> tuple[bytes, bytes]:
    """Make a tEXt chunk, or an iTXt one where the text is not Latin."""
    name = key.encode("latin-1", "replace")[:79] or b"Comment"
    try:
        if key != _XMP:
            return b"tEXt", name + b"\0" + text.replace("\0", " ").encode("latin-1")
    except UnicodeEncodeError:
        pass
    return b"iTXt", name + b"\0\0\0\0\0" + text.encode("utf-8")
