"""Radiance HDR: old run lengths by hand, for no library here undoes them; the rest by OpenCV.

Colours are three 8-bit mantissas with one exponent.

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
from convtool.images.image import Image, Pixels
from convtool.images.options import ReadOptions, WriteOptions

_SIZE = re.compile(rb"\n\n-Y +(\d{1,9}) +\+X +(\d{1,9})\n")
_ANY_SIZE = re.compile(rb"\n\n[-+][XY] +\d+ +[-+][XY] +\d+\n")
_HEADER = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n"
_NEW_RUNS = range(8, 32768)
"""The widths that rows in the new run lengths can have."""

_MOST_MARKS = 3
"""Of old runs in a row: each counts 8 bits more."""
_LARGEST_HEADER = 1 << 16


def _size(data: bytes) -> tuple[int, int, int]:
    """Return width, height, and where the pixels start."""
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
    return width, height, found.end()


def inspect(data: bytes) -> Header:
    """Read the size from the end of the text at the start."""
    width, height, _ = _size(data)
    return Header(width, height, 3, "float32")


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Decode, refusing what ends early."""
    width, height, start = _size(data)
    if width in _NEW_RUNS and data[start : start + 4] == bytes([2, 2, *divmod(width, 256)]):
        pixels, _ = opencv.decode(_HEADER % (height, width) + data[start:])
        return Decoded(pixels)
    return Decoded(_without_new_runs(data[start:], width, height))


def _without_new_runs(data: bytes, width: int, height: int) -> Pixels:
    """Decode pixels of four bytes; one of mantissas 1, 1, 1 repeats the last as its fourth says."""
    stored = np.frombuffer(data, np.uint8, len(data) // 4 * 4).reshape(-1, 4)[: width * height]
    repeats = (stored[:, :3] == 1).all(axis=1)
    places = np.arange(len(stored))
    last = np.maximum.accumulate(np.where(repeats, -1, places))
    marks = places - last - 1
    if len(stored) and (last[0] < 0 or int(marks.max()) > _MOST_MARKS):
        raise ImageReadError("is damaged: its run lengths make no sense")
    counts = np.where(repeats, stored[:, 3].astype(np.int64) << 8 * np.maximum(marks, 0), 1)
    ends = np.cumsum(counts)
    used = int(np.searchsorted(ends, width * height)) + 1
    if used > len(ends) or ends[used - 1] != width * height:
        raise ImageReadError("is cut off or damaged: its pixels end early or leave the picture")
    pixels = np.repeat(stored[last[:used]], counts[:used], axis=0)
    values = np.ldexp(pixels[:, :3].astype(np.float32), pixels[:, 3:].astype(np.int32) - 136)
    values[pixels[:, 3] == 0] = 0
    return values.reshape(height, width, 3)


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode; grey is stored as three equal colours, all with 8 bits of mantissa."""
    pixels = image.pixels
    if not bool(np.isfinite(pixels).all()) or float(pixels.min()) < 0:
        raise ImageFormatError(
            "Radiance HDR holds no negative values, NaN or infinity, this picture has some; "
            "write OpenEXR, TIFF or PFM, or use `range='abs'`"
        )
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, np.newaxis], 3, axis=2)
    return opencv.encode(".hdr", pixels, {})
