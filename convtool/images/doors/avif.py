"""AVIF by Pillow, and of 10 and 12 bits, of which Pillow keeps 8, by imagecodecs."""

import re
from collections.abc import Sequence

import numpy as np

from convtool.extras import load
from convtool.images.codec import Decoded, Format, Header
from convtool.images.doors import pillow
from convtool.images.doors.depths import widened
from convtool.images.image import Document
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import replace

_CONFIGURATION = re.compile(rb"av1C\x81.(.)", re.DOTALL)
"""The box that says how the first picture, which is no alpha, is coded.

References
----------
AOM, AV1 Codec ISO Media File Format Binding, 2.3.3: high_bitdepth and twelve_bit follow one bit.
"""
_DEPTHS = {0: 8, 2: 10, 3: 12}


def _bits(data: bytes) -> int:
    found = _CONFIGURATION.search(data)
    return _DEPTHS.get(found.group(1)[0] >> 5 & 3, 8) if found else 8


def inspect(entry: Format, data: bytes) -> tuple[Header, ...]:
    """Read the header of the first picture."""
    (header,) = pillow.inspect(entry, data)
    if _bits(data) > 8:
        load("jxl", "imagecodecs")
        header = replace(header, dtype="uint16")
    return (header,)


def decode(
    entry: Format, data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
) -> list[Decoded]:
    """Make the pixels of the first picture."""
    bits = _bits(data)
    if bits == 8:
        return pillow.decode(entry, data, headers, options, start)
    pixels = np.asarray(load("jxl", "imagecodecs").avif_decode(data))
    pixels = pixels[0] if pixels.ndim == 4 else pixels  # asked for one frame, it crashes
    if pixels.ndim == 2 and headers[0].channels == 3:
        pixels = np.dstack([pixels] * 3)
    return [widened(pixels, bits)]


def encode(entry: Format, document: Document, options: WriteOptions) -> bytes:
    """Encode one picture of 8 bits."""
    return pillow.encode(entry, document, options)
