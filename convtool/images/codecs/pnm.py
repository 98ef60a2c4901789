"""PBM, PGM and PPM, plain and raw: black and white, grey, colour, 1 to 16 bits.

A file states which value is white; values are stretched so that white is 255 or 65535.

References
----------
Netpbm manual: pbm(5), pgm(5), ppm(5).
"""

import re

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.codecs.full_range import to_full_range
from convtool.images.image import Image, Pixels
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import Record

_GAP = rb"(?:\s|#[^\n]*\n)+"
_SIZE = re.compile(rb"P([1-6])" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})")
_WHITE = re.compile(_GAP + rb"(\d{1,5})")
_COMMENT = re.compile(rb"#[^\n]*")
_NUMBERS = re.compile(rb"[\d\s]+")


class _PnmLayout(Record):
    kind: int
    width: int
    height: int
    white: int
    start: int

    @property
    def channels(self) -> int:
        return 3 if self.kind in (3, 6) else 1

    @property
    def count(self) -> int:
        return self.width * self.height * self.channels


def _layout(data: bytes) -> _PnmLayout:
    size = _SIZE.match(data)
    if size is None:
        raise ImageReadError("is cut off or damaged: its header is no PNM header")
    kind, width, height = (int(group) for group in size.groups())
    white, end = 1, size.end()
    if kind not in (1, 4):
        found = _WHITE.match(data, end)
        if found is None:
            raise ImageReadError("is cut off or damaged: its header states no white")
        white, end = int(found.group(1)), found.end()
    if not data[end : end + 1].isspace():
        raise ImageReadError("is cut off or damaged: no pixels follow its header")
    if not width * height or not 1 <= white <= 65535:
        raise ImageReadError(f"is damaged: {width}×{height} pixels, white is {white}")
    return _PnmLayout(kind, width, height, white, end + 1)


def inspect(data: bytes) -> Header:
    """Read size and white from the text at the start."""
    layout = _layout(data)
    dtype = "uint8" if layout.white < 256 else "uint16"
    return Header(layout.width, layout.height, layout.channels, dtype)


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Read the values and stretch them to the full range."""
    layout = _layout(data)
    readers = {1: _plain_bits, 2: _plain, 3: _plain, 4: _raw_bits, 5: _raw, 6: _raw}
    values = readers[layout.kind](data, layout)
    pixels = to_full_range(values, layout.white)
    shape = (layout.height, layout.width, 3) if layout.channels == 3 else pixels.shape
    if layout.channels == 1:
        shape = (layout.height, layout.width)
    return Decoded(pixels.reshape(shape))


def raw_values(data: bytes, start: int, count: int, white: int) -> Pixels:
    """Read raw values of one byte each, or of two where white is above 255.

    Raises
    ------
    ImageReadError
        If the file ends before them.
    """
    dtype = np.dtype("u1" if white < 256 else ">u2")
    needed = start + count * dtype.itemsize
    if needed > len(data):
        raise ImageReadError(f"is cut off: it has {len(data)} bytes of {needed}")
    return np.frombuffer(data, dtype, count, start).astype(dtype.newbyteorder("="))


def _raw(data: bytes, layout: _PnmLayout) -> Pixels:
    return raw_values(data, layout.start, layout.count, layout.white)


def _raw_bits(data: bytes, layout: _PnmLayout) -> Pixels:
    row_bytes = (layout.width + 7) // 8
    packed = raw_values(data, layout.start, layout.height * row_bytes, 255)
    bits = np.unpackbits(packed.reshape(layout.height, row_bytes), axis=1, count=layout.width)
    values: Pixels = 1 - bits
    return values


def _plain(data: bytes, layout: _PnmLayout) -> Pixels:
    text = _COMMENT.sub(b"", data[layout.start :]).strip()
    missing = f"is cut off or damaged: it has no {layout.count} numbers"
    if len(text) < 2 * layout.count - 1 or not _NUMBERS.fullmatch(text):
        raise ImageReadError(missing)
    # All numbers are read and then counted: asked for more than there are, some releases of NumPy
    # return as many and make the rest up.
    values = np.fromstring(text, np.int64, sep=" ")[: layout.count]
    if values.size < layout.count:
        raise ImageReadError(missing)
    return values if layout.white not in (255, 65535) else _narrow(values, layout.white)


def _narrow(values: Pixels, white: int) -> Pixels:
    if int(values.max()) > white:
        raise ImageReadError(f"is damaged: a value is above the stated white, {white}")
    return values.astype(np.uint8 if white < 256 else np.uint16)


def _plain_bits(data: bytes, layout: _PnmLayout) -> Pixels:
    text = np.frombuffer(_COMMENT.sub(b"", data[layout.start :]), np.uint8)
    digits = text[(text == ord("0")) | (text == ord("1"))]
    if digits.size < layout.count:
        raise ImageReadError(f"is cut off: it has {digits.size} pixels of {layout.count}")
    values: Pixels = ord("1") - digits[: layout.count]
    return values


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode as raw PGM (grey) or PPM (colour)."""
    kind = b"P5" if image.channels == 1 else b"P6"
    white = np.iinfo(image.pixels.dtype).max
    head = kind + b"\n%d %d\n%d\n" % (image.width, image.height, white)
    return head + big_endian(image.pixels)


def big_endian(pixels: Pixels) -> bytes:
    """Return the bytes of pixels, the most significant first."""
    return pixels.astype(pixels.dtype.newbyteorder(">"), copy=False).tobytes()
