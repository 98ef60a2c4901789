"""WebP: the container by hand, for libraries lose its metadata or exact times; pixels by OpenCV.

8 bits a channel, colour, with or without alpha; lossless unless a quality is asked for.

References
----------
RFC 9649: the container, the kinds of bitstream and where each states its size, animation.
"""

import io
import struct
from collections.abc import Iterator, Sequence

import numpy as np

from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.codecs import opencv
from convtool.images.codecs.animation import CLEAR, LEAVE, Patch, compose
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.exif_facts import orientation_in, resolution_in
from convtool.images.image import Coding, Document, Image, Metadata, Pixels
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import Record, replace

LARGEST = 16383
_LOSSLESS_FOR_OPENCV = 101
_LEAST_FOR_OPENCV = 64
"""Bytes: it takes no file of fewer than 32 for a WebP."""

_ANIMATION_FLAG, _XMP_FLAG, _EXIF_FLAG, _ALPHA_FLAG, _ICC_FLAG = 0x02, 0x04, 0x08, 0x10, 0x20
_FRAME_HEADER = 16
_PICTURE = (b"ALPH", b"VP8 ", b"VP8L")
_DEFAULT_ALPHA_QUALITY = 75


class _Frame(Record):
    """One ANMF chunk: its place, duration (milliseconds), how it is laid there, its chunks."""

    left: int
    top: int
    width: int
    height: int
    duration: int
    flags: int
    content: bytes


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of each chunk, checking that the file is whole."""
    (size,) = unpack("<I", data, 4)
    if size + 8 > len(data):
        raise ImageReadError(f"is cut off: it has {len(data)} bytes of {size + 8}")
    return _chunks_within(data, 12, size + 8)


def _chunks_within(data: bytes, position: int, limit: int) -> Iterator[tuple[bytes, int, int]]:
    while position + 8 <= limit:
        name, length = unpack("<4sI", data, position)
        start, end = position + 8, position + 8 + length
        if end > limit:
            raise ImageReadError("is damaged: a chunk reaches beyond its end")
        yield name, start, end
        position = end + (length & 1)


def _bits24(data: bytes, offset: int) -> int:
    low, high = unpack("<HB", data, offset)
    return int(low | high << 16)


def inspect(data: bytes) -> Header:
    """Read size and alpha from the first chunk, metadata and frames from the others."""
    size = alpha = None
    frames, loop = 0, 0
    side: dict[bytes, bytes] = {}
    compression = ""
    for name, start, end in _chunks(data):
        if name == b"VP8X":
            (flags,) = unpack("B", data, start)
            size = _bits24(data, start + 4) + 1, _bits24(data, start + 7) + 1
            alpha = bool(flags & _ALPHA_FLAG)
        elif name == b"VP8 ":
            compression = "lossy"
            width, height = unpack("<HH", data, start + 6)
            size, alpha = size or (width & 0x3FFF, height & 0x3FFF), bool(alpha)
        elif name == b"VP8L":
            compression = "lossless"
            (bits,) = unpack("<I", data, start + 1)
            size = size or ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
            alpha = bool(bits >> 28 & 1) if alpha is None else alpha
        elif name == b"ANMF":
            frames += 1
        elif name == b"ANIM":
            (loop,) = unpack("<H", data, start + 4)
        elif name in (b"ICCP", b"EXIF", b"XMP "):
            side.setdefault(name, data[start:end])
    if size is None or alpha is None or 0 in size:
        raise ImageReadError("is damaged: it states no size")
    exif = side.get(b"EXIF", b"").removeprefix(b"Exif\0\0")
    metadata = Metadata(
        icc=side.get(b"ICCP", b""),
        exif=exif,
        xmp=side.get(b"XMP ", b""),
        resolution=resolution_in(exif),
        coding=Coding(compression),
    )
    if frames > 1 and not alpha:
        alpha = _shows_through(data, size)
    return Header(
        *size,
        4 if alpha else 3,
        "uint8",
        alpha,
        orientation_in(exif),
        max(frames, 1),
        metadata=metadata,
        loop=loop,
    )


def inspect_all(data: bytes) -> tuple[Header, ...]:
    """Give each frame of an animation the header of all, with its duration."""
    header = inspect(data)
    frames = _frames(data) if header.pages > 1 else []
    return tuple(replace(header, duration=float(frame.duration)) for frame in frames) or (header,)


def _frames(data: bytes) -> list[_Frame]:
    found = []
    for name, start, end in _chunks(data):
        if name == b"ANMF":
            left, top, width, height, duration = (_bits24(data, start + 3 * n) for n in range(5))
            (flags,) = unpack("B", data, start + 15)
            inner = _chunks_within(data, start + _FRAME_HEADER, end)
            parts = [data[s - 8 : e + (e - s & 1)] for kind, s, e in inner if kind in _PICTURE]
            place = (2 * left, 2 * top, width + 1, height + 1)
            found.append(_Frame(*place, duration, flags, b"".join(parts)))
    return found


def _shows_through(data: bytes, size: tuple[int, int]) -> bool:
    """Tell whether part of a picture without alpha is ever uncovered."""
    frames = _frames(data)
    covered = (frames[0].width, frames[0].height) == size
    return not covered or any(frame.flags & 1 for frame in frames[:-1])


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Decode the picture, or the first frame of an animation."""
    if _frames(data):
        return next(decode_all(data, (header,), options, 0))
    return Decoded(_decoded(data, header.width, header.height, header.channels))


def _decoded(data: bytes, width: int, height: int, channels: int) -> Pixels:
    pixels, _ = opencv.decode(data.ljust(_LEAST_FOR_OPENCV, b"\0"))
    if pixels.ndim != 3 or pixels.shape[:2] != (height, width):
        raise ImageReadError("is damaged: it decodes to another size than its header says")
    if channels == 4 and pixels.shape[2] == 3:
        return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    return pixels[:, :, :channels]


def decode_all(
    data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
) -> Iterator[Decoded]:
    """Decode the frames of an animation, each as a whole picture."""
    header = headers[0]
    shape = (header.height, header.width, header.channels)
    for number, canvas in enumerate(compose(map(_patch, _frames(data)), shape)):
        if number >= start:
            yield Decoded(canvas if header.channels == 4 else canvas[:, :, :3])


def _patch(frame: _Frame) -> Patch:
    has_alpha = frame.content[:4] == b"ALPH" or (
        frame.content[:4] == b"VP8L" and bool(unpack("<I", frame.content, 9)[0] >> 28 & 1)
    )
    first = _extended(_ALPHA_FLAG if has_alpha else 0, frame.width, frame.height)
    file = _riff([first, frame.content])
    pixels = _decoded(file, frame.width, frame.height, 4 if has_alpha else 3)
    disposal = CLEAR if frame.flags & 1 else LEAVE
    return Patch(pixels, frame.left, frame.top, disposal, not frame.flags & 2)


def _riff(parts: Sequence[bytes]) -> bytes:
    body = b"".join([b"WEBP", *parts])
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) & 1)


def _extended(flags: int, width: int, height: int) -> bytes:
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return _chunk(b"VP8X", struct.pack("<BBBB", flags, 0, 0, 0) + size)


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode; grey is stored as three equal colours, and colours under full transparency stay."""
    file = _encoded(image, options.quality)
    flags, before, behind = _side(image.metadata)
    if not flags:
        return file
    chunks = _picture(file)
    alpha = _ALPHA_FLAG if image.has_alpha else 0
    first = _extended(flags | alpha, image.width, image.height)
    return _riff([first, before, chunks, behind])


def encode_all(document: Document, options: WriteOptions) -> bytes:
    """Encode an animation of whole frames, none of them blended."""
    page = document.pages[0]
    flags, before, behind = _side(page.metadata)
    alpha = _ALPHA_FLAG if page.has_alpha else 0
    first = _extended(flags | alpha | _ANIMATION_FLAG, page.width, page.height)
    frames = [
        _chunk(b"ANMF", _frame_header(image, duration) + _picture(_encoded(image, options.quality)))
        for image, duration in zip(document.pages, document.durations, strict=True)
    ]
    loop = _chunk(b"ANIM", struct.pack("<IH", 0, min(document.loop, 65535)))
    return _riff([first, before, loop, *frames, behind])


def _frame_header(image: Image, duration: float) -> bytes:
    values = (0, 0, image.width - 1, image.height - 1, min(round(duration), (1 << 24) - 1))
    return b"".join(struct.pack("<I", value)[:3] for value in values) + b"\x02"


def _picture(file: bytes) -> bytes:
    """Return the chunks of a file that hold its pixels."""
    parts = _chunks(file)
    return b"".join(file[s - 8 : e + (e - s & 1)] for name, s, e in parts if name in _PICTURE)


def _side(metadata: Metadata) -> tuple[int, bytes, bytes]:
    """Return flags, and the chunks that stand before and behind the pixels."""
    behind = [
        (_EXIF_FLAG, b"EXIF", metadata.exif),
        (_XMP_FLAG, b"XMP ", metadata.xmp),
    ]
    before = _chunk(b"ICCP", metadata.icc) if metadata.icc else b""
    flags = _ICC_FLAG if metadata.icc else 0
    flags |= sum(flag for flag, _, content in behind if content)
    return flags, before, b"".join(_chunk(name, content) for _, name, content in behind if content)


def _encoded(image: Image, quality: int | None) -> bytes:
    pixels, (height, width) = image.pixels, image.pixels.shape[:2]
    if max(height, width) > LARGEST:
        raise ImageFormatError(
            f"WebP holds at most {LARGEST} pixels a side, this picture has {width}×{height}; "
            "write PNG or TIFF"
        )
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, np.newaxis], 3, axis=2)
    elif pixels.shape[2] == 2:
        pixels = pixels[:, :, [0, 0, 0, 1]]
    if not image.has_alpha:
        chosen = _LOSSLESS_FOR_OPENCV if quality is None else quality
        return opencv.encode(".webp", pixels, {"WEBP_QUALITY": chosen})
    from PIL import Image as Pillow

    file = io.BytesIO()
    picture = Pillow.fromarray(np.ascontiguousarray(pixels))
    chosen = quality or _DEFAULT_ALPHA_QUALITY
    picture.save(file, "WEBP", lossless=quality is None, quality=chosen, exact=True)
    return file.getvalue()
