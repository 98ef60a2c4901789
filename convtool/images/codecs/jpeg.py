"""JPEG: segments by hand, for libraries survive damage and lose metadata; pixels by OpenCV.

8 bits a channel, grey or colour; CMYK becomes RGB. 12 bits and lossless by imagecodecs.

References
----------
ITU-T T.81, annex B: the markers and the frame header. ITU-T T.872, section 6: APP14 and CMYK.
"""

from collections.abc import Sequence
from functools import lru_cache

from convtool.errors import ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.codecs import (
    jpeg_metadata,
    jpeg_strips,
    jpeg_two_qualities,
    opencv,
)
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.exif_facts import orientation_in
from convtool.images.codecs.jpeg_segments import (
    DQT,
    EOI,
    SOS,
    Segment,
    frame_of,
    next_segment,
    segments,
)
from convtool.images.codecs.jpeg_tables import Table, quality_of, subsampling_of, tables
from convtool.images.image import Coding, Image, Pixels
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import replace

DEFAULT_QUALITY = 95
_FULL_COLOUR_FROM = 90
_LOSSLESS = 0xC3
_NOT_READ = frozenset({0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF})
"""Frames that are hierarchical, or lossless with arithmetic coding."""

_PROGRESSIVE = 0xC2
_MOST_SCANS = 500
_BLOCK = 8
"""Pixels a side of what takes a bit at least."""

_LOOK_BEHIND = 1 << 16
_HARMLESS = ("extraneous bytes before marker", "Unknown Adobe color transform code")


def inspect(data: bytes) -> Header:
    """Read size, channels and orientation from the segments before the first scan."""
    found = segments(data)
    frame = frame_of(found)
    bits, height, width, channels = unpack(">BHHB", data, frame.start)
    is_deep = _is_deep(bits, frame)
    if frame.marker in _NOT_READ or not 2 <= bits <= 16 or (is_deep and channels == 4):
        raise ImageReadError(
            f"is a {bits}-bit JPEG of the kind {frame.marker & 15} with {channels} channels, "
            "which is not read; convert it to TIFF or PNG"
        )
    if channels not in (1, 3, 4) or width == 0 or height == 0:
        raise ImageReadError(f"is damaged: {width}×{height} pixels of {channels} channels")
    contents = [(s.marker, data[s.start : s.end]) for s in found]
    metadata, notes = jpeg_metadata.metadata_of(contents)
    coding = _coding(data, frame, contents)
    return Header(
        width,
        height,
        1 if channels == 1 else 3,
        "uint8" if bits <= 8 else "uint16",
        orientation=orientation_in(metadata.exif),
        metadata=replace(metadata, coding=coding),
        notes=notes,
        cmyk=channels == 4,
    )


def _is_deep(bits: int, frame: Segment) -> bool:
    return bits != 8 or frame.marker == _LOSSLESS


def _coding(data: bytes, frame: Segment, contents: list[tuple[int, bytes]]) -> Coding:
    """Tell quality and subsampling from the tables and the frame header."""
    (channels,) = unpack("B", data, frame.start + 5)
    parts = tuple(unpack("BBB", data, frame.start + 6 + 3 * n) for n in range(channels))
    defined = tuple(content for marker, content in contents if marker == DQT)
    return _coded_with(parts, defined, frame.marker == _PROGRESSIVE)


@lru_cache(maxsize=16)
def _coded_with(
    parts: tuple[tuple[int, ...], ...], defined: tuple[bytes, ...], progressive: bool
) -> Coding:
    """Tell it from the parts of the frame, and all segments of tables; files of a folder share it.

    Each part has a number, its factors of sampling, and the number of its table.
    """
    found: dict[int, Table] = {}
    for segment in defined:
        found |= tables(segment)
    used = [found[table] for _, _, table in parts if table in found]
    qualities = [quality_of(table, chroma=n > 0) for n, table in enumerate(used[:2])]
    return Coding(
        quality=qualities[0] if qualities else None,
        chroma_quality=qualities[1] if len(qualities) > 1 else None,
        subsampling=subsampling_of([divmod(factors, 16) for _, factors, _ in parts]),
        progressive=progressive,
    )


def _end(data: bytes) -> int:
    """Return where the end marker behind the last scan ends.

    It must be there: decoders fill what is missing with grey.
    """
    segment = segments(data)[-1]
    scans = 0
    while segment.marker != EOI:
        scans += segment.marker == SOS
        if scans > _MOST_SCANS:
            raise ImageReadError(f"has more than {_MOST_SCANS} scans, the limit")
        segment = next_segment(data, segment.end)
    return segment.end


def _behind(rest: bytes) -> str:
    """Say what follows the picture in its file."""
    rest = rest[:_LOOK_BEHIND].lstrip(b"\0\xff")
    if rest.startswith(b"\xd8\xff"):
        return "holds several pictures; only the first is read"
    if rest[4:8] == b"ftyp" or rest[3:7] == b"ftyp":
        return "a video follows the picture, and is left out"
    return ""


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Decode, refusing a file that ends early or whose data are damaged."""
    end = _end(data)
    may_hold_all = 8 * len(data) >= (header.width // _BLOCK) * (header.height // _BLOCK)
    if not may_hold_all:
        raise ImageReadError(
            f"is cut off or damaged: {len(data)} bytes cannot hold "
            f"{header.width}×{header.height} pixels"
        )
    decoded = _decoded(data[:end], header, options)
    note = "" if jpeg_metadata.names_pictures(header.notes) else _behind(data[end:])
    return replace(decoded, notes=(*decoded.notes, note)) if note else decoded


def _decoded(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    found = segments(data)
    frame = frame_of(found)
    (bits,) = unpack("B", data, frame.start)
    if _is_deep(bits, frame):
        from convtool.images.codecs import jpeg_deep

        return Decoded(jpeg_deep.decode(data, bits))
    if header.cmyk:
        from convtool.images.codecs import cmyk

        has_marker = any(s.marker == jpeg_metadata.APP14 for s in found)
        return cmyk.from_jpeg(data, header.metadata.icc, options.cmyk, has_marker=has_marker)
    size = (header.height, header.width) if header.channels == 3 else None
    pixels, remarks = opencv.decode(data, uint8_size=size)
    if not remarks:
        return Decoded(pixels)
    if any(words in remarks for words in _HARMLESS):
        return Decoded(pixels, (f"the file may be damaged ({remarks})",))
    raise ImageReadError(f"is damaged: {remarks}")


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode with the quality asked for, or else as the file was that the picture came from.

    Of a quality that was asked for, 90 and more store colour at full resolution. With 4:4:0 and
    4:1:1 chroma has luma's quality.
    """
    coding = image.metadata.coding if options.quality is None else Coding()
    quality = options.quality or coding.quality or DEFAULT_QUALITY
    sampling = coding.subsampling or ("4:4:4" if quality >= _FULL_COLOUR_FROM else "4:2:0")
    chroma = coding.chroma_quality or quality
    if chroma != quality and image.channels == 3 and sampling in jpeg_two_qualities.SAMPLINGS:
        file = jpeg_two_qualities.encode(
            image.pixels, quality, chroma, sampling, progressive=coding.progressive
        )
    else:
        file = _with_opencv(image.pixels, quality, chroma, sampling, coding.progressive)
    return jpeg_metadata.with_metadata(file, image.metadata)


def _with_opencv(
    pixels: Pixels, quality: int, chroma: int, sampling: str, progressive: bool
) -> bytes:
    """Encode with OpenCV, which knows a quality of chroma only where all samples are stored."""
    chosen = {"JPEG_QUALITY": quality}
    if chroma != quality and sampling == "4:4:4":
        chosen |= {"JPEG_LUMA_QUALITY": quality, "JPEG_CHROMA_QUALITY": chroma}
    name = "JPEG_SAMPLING_FACTOR_" + sampling.replace(":", "")
    chosen["JPEG_SAMPLING_FACTOR"] = opencv.constant(name)
    if progressive:
        return opencv.encode(".jpg", pixels, chosen | {"JPEG_PROGRESSIVE": 1})

    def encoder(strips: Sequence[Pixels], interval: int) -> list[bytes]:
        return opencv.encode_each(".jpg", strips, chosen | {"JPEG_RST_INTERVAL": interval})

    return jpeg_strips.encode(pixels, sampling, encoder)
