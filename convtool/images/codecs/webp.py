"""WebP: 8 bits a channel, colour, with or without alpha; lossless unless a quality is asked for.

References
----------
RFC 9649: the container, the three kinds of bitstream and where each states its size.
"""

import io
from collections.abc import Iterator

import numpy as np

from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.codecs import opencv
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.ifd import exif_orientation
from convtool.images.formats import Decoded, Header
from convtool.images.image import Pixels

LARGEST = 16383
_LOSSLESS_FOR_OPENCV = 101
_ALPHA_FLAG = 0x10


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of each chunk, checking that the file is whole."""
    (size,) = unpack("<I", data, 4)
    if size + 8 > len(data):
        raise ImageReadError(f"is cut off: it has {len(data)} bytes of {size + 8}")
    position = 12
    while position + 8 <= size + 8:
        name, length = unpack("<4sI", data, position)
        start, end = position + 8, position + 8 + length
        if end > size + 8:
            raise ImageReadError("is damaged: a chunk reaches beyond its end")
        yield name, start, end
        position = end + (length & 1)


def _bits24(data: bytes, offset: int) -> int:
    low, high = unpack("<HB", data, offset)
    return int(low | high << 16)


def inspect(data: bytes) -> Header:
    """Read size and alpha from the first chunk, orientation and frames from the others."""
    size = alpha = None
    orientation, frames = 1, 0
    for name, start, end in _chunks(data):
        if name == b"VP8X":
            (flags,) = unpack("B", data, start)
            size = _bits24(data, start + 4) + 1, _bits24(data, start + 7) + 1
            alpha = bool(flags & _ALPHA_FLAG)
        elif name == b"VP8 " and size is None:
            width, height = unpack("<HH", data, start + 6)
            size, alpha = (width & 0x3FFF, height & 0x3FFF), False
        elif name == b"VP8L" and size is None:
            (bits,) = unpack("<I", data, start + 1)
            size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
            alpha = bool(bits >> 28 & 1)
        elif name == b"ANMF":
            frames += 1
        elif name == b"EXIF":
            orientation = exif_orientation(data[start:end].removeprefix(b"Exif\0\0"))
    if size is None or alpha is None or 0 in size:
        raise ImageReadError("is damaged: it states no size")
    channels = 4 if alpha else 3
    return Header(*size, channels, "uint8", alpha, orientation, max(frames, 1))


def decode(data: bytes, header: Header) -> Decoded:
    """Decode the picture, or the first frame of an animation."""
    pixels, _ = opencv.decode(data)
    if pixels.ndim != 3 or pixels.shape[:2] != (header.height, header.width):
        raise ImageReadError("is damaged: it decodes to another size than its header says")
    if header.has_alpha and pixels.shape[2] == 3:
        return Decoded(np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)]))
    return Decoded(pixels[:, :, : header.channels])


def encode(pixels: Pixels, has_alpha: bool, quality: int | None) -> bytes:
    """Encode; grey is stored as three equal colours, and colours under full transparency stay."""
    height, width = pixels.shape[:2]
    if max(height, width) > LARGEST:
        raise ImageFormatError(
            f"WebP holds at most {LARGEST} pixels a side, this picture has {width}×{height}; "
            "write PNG or TIFF"
        )
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, np.newaxis], 3, axis=2)
    elif pixels.shape[2] == 2:
        pixels = pixels[:, :, [0, 0, 0, 1]]
    if not has_alpha:
        chosen = _LOSSLESS_FOR_OPENCV if quality is None else quality
        return opencv.encode(".webp", pixels, {"WEBP_QUALITY": chosen})
    from PIL import Image as Pillow

    file = io.BytesIO()
    picture = Pillow.fromarray(np.ascontiguousarray(pixels))
    picture.save(file, "WEBP", lossless=quality is None, quality=quality or 75, exact=True)
    return file.getvalue()
