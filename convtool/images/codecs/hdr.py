"""Radiance HDR: colours as three 8-bit mantissas with one exponent.

References
----------
G. Ward, Real Pixels, Graphics Gems II (1991), 80-83: the format. Radiance file formats, section 4:
header and run lengths.
"""

import re

import numpy as np

from convtool.errors import ImageFormatError, ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.codecs import opencv
from convtool.images.image import Image
from convtool.images.options import ReadOptions, WriteOptions

_SIZE = re.compile(rb"\n\n-Y (\d{1,9}) \+X (\d{1,9})\n")
_ANY_SIZE = re.compile(rb"\n\n[-+][XY] \d+ [-+][XY] \d+\n")
_LARGEST_HEADER = 1 << 16


def inspect(data: bytes) -> Header:
    """Read the size from the end of the text at the start."""
    found = _SIZE.search(data[:_LARGEST_HEADER])
    if found is None:
        if _ANY_SIZE.search(data[:_LARGEST_HEADER]):
            raise ImageReadError("has its rows in another order than down and right; not read")
        raise ImageReadError("is cut off or damaged: its header states no size")
    height, width = int(found.group(1)), int(found.group(2))
    if not width * height:
        raise ImageReadError(f"is damaged: {width}×{height} pixels")
    if b"FORMAT=32-bit_rle_xyze" in data[: found.start()]:
        raise ImageReadError("has its colours as XYZ, which is not read; convert it to RGB first")
    return Header(width, height, 3, "float32")


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Decode, refusing what ends early."""
    pixels, _ = opencv.decode(data)
    return Decoded(pixels)


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode; grey is stored as three equal colours, all with 8 bits of mantissa."""
    pixels = image.pixels
    if not bool(np.isfinite(pixels).all()) or float(pixels.min()) < 0:
        raise ImageFormatError(
            "Radiance HDR holds no negative values, NaN or infinity, this picture has some; "
            "write OpenEXR, TIFF or PFM, or use --range abs"
        )
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, np.newaxis], 3, axis=2)
    return opencv.encode(".hdr", pixels, {})
