"""JPEG 2000: 8 and 16 bits a channel, grey or colour, with or without alpha; written lossless.

OpenCV decodes all depths but no grey with alpha, and encodes nothing below 32 pixels a side; Pillow
is the other way round, but has no 16-bit colours.

References
----------
ITU-T T.800: annex A.5.1 (the SIZ segment), annex I.5 (boxes ihdr, colr, cdef).
"""

import io
from collections.abc import Iterator

import numpy as np

from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.codecs import opencv
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.pillow import strictly
from convtool.images.image import Image, Metadata, Pixels
from convtool.images.options import ReadOptions, WriteOptions

_CODESTREAM = b"\xff\x4f\xff\x51"
_END = b"\xff\xd9"
_SMALLEST_FOR_OPENCV = 32
_LOSSLESS_FOR_OPENCV = 1000
_BY_PROFILE = 2


def _boxes(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, start and end of each box's contents."""
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


def _parts(data: bytes) -> tuple[int, bytes]:
    """Return where the codestream starts, and the colour profile."""
    if data.startswith(_CODESTREAM):
        return 0, b""
    icc, stream = b"", -1
    for name, start, end in _boxes(data, 0, len(data)):
        if name == b"jp2c" and stream < 0:
            stream = start
        elif name == b"jp2h":
            for inner, first, last in _boxes(data, start, end):
                if inner == b"pclr":
                    raise ImageReadError("has a palette, which is not read; convert it to PNG")
                if inner == b"colr" and data[first] == _BY_PROFILE:
                    icc = data[first + 3 : last]
    if stream < 0:
        raise ImageReadError("is cut off or damaged: it has no pixels")
    return stream, icc


def inspect(data: bytes) -> Header:
    """Read size, depth and channels from the SIZ segment."""
    stream, icc = _parts(data)
    if data[stream : stream + 4] != _CODESTREAM:
        raise ImageReadError("is damaged: its codestream has no beginning")
    right, bottom, left, top = unpack(">IIII", data, stream + 8)
    (channels,) = unpack(">H", data, stream + 40)
    if not 1 <= channels <= 4 or right <= left or bottom <= top:
        raise ImageReadError(
            f"is damaged: {right - left}×{bottom - top} pixels of {channels} channels"
        )
    kinds = {unpack("BBB", data, stream + 42 + 3 * n) for n in range(channels)}
    if len(kinds) > 1:
        raise ImageReadError("has channels of different sizes or depths, which is not read")
    ((bits, across, down),) = kinds
    if bits not in (7, 15) or (across, down) != (1, 1):
        raise ImageReadError(
            f"has samples of {(bits & 127) + 1} bits{' with sign' if bits & 128 else ''}, "
            "which are not read; convert it to 8 or 16 bits"
        )
    if channels == 2 and bits == 15:
        raise ImageReadError("has 16-bit grey with alpha, which is not read; convert it to PNG")
    dtype = "uint8" if bits == 7 else "uint16"
    metadata = Metadata(icc=icc)
    size = (right - left, bottom - top)
    return Header(*size, channels, dtype, channels in (2, 4), metadata=metadata)


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Decode, refusing what ends early."""
    if not data.rstrip(b"\0").endswith(_END):
        raise ImageReadError("is cut off: it ends without its end marker")
    if header.channels == 2:
        return Decoded(_by_pillow(data))
    pixels, remarks = opencv.decode(data)
    if remarks:
        raise ImageReadError(f"is damaged: {remarks}")
    return Decoded(pixels)


def _by_pillow(data: bytes) -> Pixels:
    from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

    with strictly(), Jpeg2KImageFile(io.BytesIO(data)) as picture:
        return np.array(picture)


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode with the reversible transform."""
    pixels = image.pixels
    if pixels.dtype == np.uint8 or pixels.ndim == 2:
        return _encoded_by_pillow(pixels)
    if min(pixels.shape[:2]) < _SMALLEST_FOR_OPENCV:
        raise ImageFormatError(
            "JPEG 2000 is not written with 16-bit colours below "
            f"{_SMALLEST_FOR_OPENCV} pixels a side; write PNG or TIFF, or use --depth 8"
        )
    return opencv.encode(".jp2", pixels, {"JPEG2000_COMPRESSION_X1000": _LOSSLESS_FOR_OPENCV})


def _encoded_by_pillow(pixels: Pixels) -> bytes:
    from PIL import Image as Pillow

    levels = min(5, int(min(pixels.shape[:2])).bit_length() - 1)
    file = io.BytesIO()
    picture = Pillow.fromarray(pixels)
    picture.save(file, "JPEG2000", irreversible=False, num_resolutions=levels + 1)
    return file.getvalue()
