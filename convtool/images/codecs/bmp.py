"""BMP: 8 bits a channel or less; grey, palette, colour, and alpha where a mask says so.

References
----------
Microsoft, "Bitmap Storage" and BITMAPV5HEADER: the headers and the meaning of their masks.
"""

import struct

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codecs import opencv
from convtool.images.codecs.binary import unpack
from convtool.images.formats import Decoded, Header
from convtool.images.image import Coding, Image, Metadata, Pixels
from convtool.images.options import ReadOptions, WriteOptions

_CORE, _INFO, _WITH_ALPHA_MASK, _V4 = 12, 40, 56, 108
_BYTE_MASKS = {0xFF: 0, 0xFF00: 1, 0xFF0000: 2, 0xFF000000: 3}
_RGB, _RLE8, _RLE4, _BITFIELDS, _ALPHA_BITFIELDS = 0, 1, 2, 3, 6
_NAMES = {_RLE8: "RLE", _RLE4: "RLE"}
_INCH = 0.0254


def _fields(data: bytes) -> tuple[int, int, int, int]:
    """Return width, height, bits a pixel and compression; refuse what is cut off."""
    (pixels_from, size) = unpack("<II", data, 10)
    compression = _RGB
    if size == _CORE:
        width, height, _, bits = unpack("<HHHH", data, 18)
    elif size >= _INFO:
        width, height, _, bits, compression = unpack("<iiHHI", data, 18)
    else:
        raise ImageReadError(f"is damaged: its header claims to have {size} bytes")
    if width <= 0 or height == 0 or bits not in (1, 4, 8, 16, 24, 32):
        raise ImageReadError(f"is damaged: {width}×{height} pixels of {bits} bits")
    if compression not in (_RGB, _RLE8, _RLE4, _BITFIELDS, _ALPHA_BITFIELDS):
        raise ImageReadError(f"has the BMP compression {compression}, which is not read")
    needed = abs(height) * ((width * bits + 31) // 32 * 4)
    if compression not in (_RLE8, _RLE4) and pixels_from + needed > len(data):
        raise ImageReadError(f"is cut off: it has {len(data)} bytes of {pixels_from + needed}")
    return width, abs(height), bits, compression


def _has_alpha(data: bytes, bits: int, compression: int) -> bool:
    """Tell whether there is an alpha mask; without one the fourth byte of a pixel means nothing."""
    (size,) = unpack("<I", data, 14)
    if bits != 32 or compression not in (_BITFIELDS, _ALPHA_BITFIELDS):
        return False
    if size < _WITH_ALPHA_MASK and compression != _ALPHA_BITFIELDS:
        return False
    (mask,) = unpack("<I", data, 66)
    return bool(mask)


def _is_grey(data: bytes, bits: int) -> bool:
    """Tell whether every colour of the palette is grey."""
    if bits > 8:
        return False
    (pixels_from, size) = unpack("<II", data, 10)
    stored = data[14 + size : pixels_from]
    step = 3 if size == _CORE else 4
    stored = stored[: min(len(stored) // step, 2**bits) * step]
    palette = np.frombuffer(stored, np.uint8).reshape(-1, step)[:, :3]
    return bool((palette == palette[:, :1]).all())


def inspect(data: bytes) -> Header:
    """Read size and kind from the header and the palette."""
    width, height, bits, compression = _fields(data)
    has_alpha = _has_alpha(data, bits, compression)
    channels = 4 if has_alpha else 1 if _is_grey(data, bits) else 3
    coding = Coding(_NAMES.get(compression, ""))
    metadata = Metadata(resolution=_resolution(data), coding=coding)
    return Header(width, height, channels, "uint8", has_alpha, metadata=metadata)


def _resolution(data: bytes) -> tuple[float, float] | None:
    (size,) = unpack("<I", data, 14)
    if size < _INFO:
        return None
    across, down = unpack("<ii", data, 38)
    return (across * _INCH, down * _INCH) if across > 0 and down > 0 else None


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Decode; a fourth byte without a mask is left out."""
    if header.has_alpha:
        return Decoded(_decode_alpha(data, header))
    pixels, _ = opencv.decode(data)
    if pixels.shape[:2] != (header.height, header.width):
        raise ImageReadError("is damaged: it decodes to another size than its header says")
    if header.channels == 1:
        return Decoded(pixels if pixels.ndim == 2 else pixels[:, :, 0])
    if pixels.ndim == 2:
        return Decoded(np.repeat(pixels[:, :, np.newaxis], 3, axis=2))
    return Decoded(pixels[:, :, :3])


def _decode_alpha(data: bytes, header: Header) -> Pixels:
    """Take four channels out of each pixel, by their masks; some OpenCV drop the fourth."""
    pixels_from, _, _, height = unpack("<IIii", data, 10)
    masks = unpack("<4I", data, 54)
    if not set(masks) <= set(_BYTE_MASKS):
        raise ImageReadError("has channels that are no whole bytes, beside alpha; not read")
    stored = np.frombuffer(data, np.uint8, header.width * header.height * 4, pixels_from)
    pixels = stored.reshape(header.height, header.width, 4)[:: 1 if height < 0 else -1]
    return np.ascontiguousarray(pixels[:, :, [_BYTE_MASKS[mask] for mask in masks]])


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode; grey with alpha is stored as equal colours with alpha."""
    pixels = image.pixels
    if not image.has_alpha:
        file = bytearray(opencv.encode(".bmp", pixels, {}))
        if image.metadata.resolution is not None:
            struct.pack_into("<ii", file, 38, *_density(image.metadata.resolution))
        return bytes(file)
    order = [2, 1, 0, 3] if pixels.shape[2] == 4 else [0, 0, 0, 1]
    height, width = pixels.shape[:2]
    body = np.ascontiguousarray(pixels[::-1, :, order]).tobytes()
    density = _density(image.metadata.resolution or (0, 0))
    info = struct.pack(
        "<IiiHHIIiiII", _V4, width, height, 1, 32, _BITFIELDS, len(body), *density, 0, 0
    )
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    space = b"BGRs" + bytes(_V4 - _INFO - 16 - 4)
    start = 14 + _V4
    return struct.pack("<2sIII", b"BM", start + len(body), 0, start) + info + masks + space + body


def _density(resolution: tuple[float, float]) -> tuple[int, int]:
    """Return pixels an inch as pixels a metre."""
    across, down = (min(round(value / _INCH), 2**31 - 1) for value in resolution)
    return across, down
