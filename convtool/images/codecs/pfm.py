"""PFM: 32-bit floats, grey or colour, the lowest row first.

References
----------
Netpbm manual: pfm(5). The sign of the third line tells the byte order; its size, a scale with no
agreed meaning, is not applied.
"""

import re

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.image import Image
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import Record

_HEADER = re.compile(rb"P([Ff])\s+(\d{1,9})\s+(\d{1,9})\s+([-+0-9.eE]{1,40})\s")


class _PfmLayout(Record):
    channels: int
    width: int
    height: int
    order: str
    start: int


def _layout(data: bytes) -> _PfmLayout:
    found = _HEADER.match(data)
    try:
        if found is None:
            raise ValueError
        kind, width, height = found.group(1), int(found.group(2)), int(found.group(3))
        scale = float(found.group(4))
    except ValueError:
        raise ImageReadError("is cut off or damaged: its header is no PFM header") from None
    if not width * height or not scale or not np.isfinite(scale):
        raise ImageReadError(f"is damaged: {width}×{height} pixels, scale {scale}")
    return _PfmLayout(
        3 if kind == b"F" else 1, width, height, "<" if scale < 0 else ">", found.end()
    )


def inspect(data: bytes) -> Header:
    """Read size and channels from the text at the start."""
    layout = _layout(data)
    return Header(layout.width, layout.height, layout.channels, "float32")


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Read the values as they are."""
    layout = _layout(data)
    count = layout.width * layout.height * layout.channels
    needed = layout.start + 4 * count
    if needed > len(data):
        raise ImageReadError(f"is cut off: it has {len(data)} bytes of {needed}")
    stored = np.frombuffer(data, layout.order + "f4", count, layout.start).astype(np.float32)
    rows = stored.reshape(layout.height, layout.width, layout.channels)[::-1]
    return Decoded(np.ascontiguousarray(rows[:, :, 0] if layout.channels == 1 else rows))


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode, little-endian."""
    kind = b"Pf" if image.channels == 1 else b"PF"
    head = kind + b"\n%d %d\n-1.0\n" % (image.width, image.height)
    return head + image.pixels[::-1].astype("<f4").tobytes()
