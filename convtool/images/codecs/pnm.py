"""PNM, PAM and PFM, by hand: no library stretches odd whites, reads PAM and refuses cut files.

PBM, PGM, PPM, plain and raw, 1 to 16 bits; PAM with alpha; PFM with 32-bit floats, the lowest row
first. A file states which value is white; values are stretched so that white is 255 or 65535. The
sign of PFM's third line tells the byte order; its size, a scale with no agreed meaning, is not
applied.

References
----------
Netpbm manual: pbm(5), pgm(5), ppm(5), pam(5), pfm(5).
"""

import re
from collections.abc import Callable
from typing import NamedTuple

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
_PFM = re.compile(rb"P([Ff])\s+(\d{1,9})\s+(\d{1,9})\s+([-+0-9.eE]{1,40})\s")
_TUPLES = {
    "BLACKANDWHITE": 1,
    "GRAYSCALE": 1,
    "GRAYSCALE_ALPHA": 2,
    "BLACKANDWHITE_ALPHA": 2,
    "RGB": 3,
    "RGB_ALPHA": 4,
}
_TUPLE_NAMES = {1: b"GRAYSCALE", 2: b"GRAYSCALE_ALPHA", 3: b"RGB", 4: b"RGB_ALPHA"}
_PAM_END = b"\nENDHDR\n"


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


def _raw_values(data: bytes, start: int, count: int, white: int) -> Pixels:
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
    return _raw_values(data, layout.start, layout.count, layout.white)


def _raw_bits(data: bytes, layout: _PnmLayout) -> Pixels:
    row_bytes = (layout.width + 7) // 8
    packed = _raw_values(data, layout.start, layout.height * row_bytes, 255)
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
    return head + _big_endian(image.pixels)


def _big_endian(pixels: Pixels) -> bytes:
    """Return the bytes of pixels, the most significant first."""
    return pixels.astype(pixels.dtype.newbyteorder(">"), copy=False).tobytes()


class _PamLayout(Record):
    width: int
    height: int
    channels: int
    white: int
    start: int


def _pam_layout(data: bytes) -> _PamLayout:
    end = data.find(_PAM_END)
    if end < 0:
        raise ImageReadError("is cut off or damaged: its header has no end")
    fields = {}
    for line in data[3:end].decode("ascii", "replace").splitlines():
        if line.strip() and not line.startswith("#"):
            key, _, value = line.strip().partition(" ")
            fields[key] = value.strip()
    numbers = []
    for key in ("WIDTH", "HEIGHT", "DEPTH", "MAXVAL"):
        text = fields.get(key, "")
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
            raise ImageReadError(f"is damaged: its header has {key} '{text}'")
        numbers.append(int(text))
    width, height, channels, white = numbers
    kind = fields.get("TUPLTYPE", "")
    if _TUPLES.get(kind, channels) != channels or channels > 4 or white > 65535:
        raise ImageReadError(f"is a PAM of {channels} channels ('{kind}'), which is not read")
    return _PamLayout(width, height, channels, white, end + len(_PAM_END))


def _inspect_pam(data: bytes) -> Header:
    """Read size, channels and white from the text at the start."""
    layout = _pam_layout(data)
    dtype = "uint8" if layout.white < 256 else "uint16"
    return Header(layout.width, layout.height, layout.channels, dtype, layout.channels in (2, 4))


def _decode_pam(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Read the values and stretch them to the full range."""
    layout = _pam_layout(data)
    count = layout.width * layout.height * layout.channels
    values = _raw_values(data, layout.start, count, layout.white)
    pixels = to_full_range(values, layout.white).reshape(layout.height, layout.width, -1)
    return Decoded(pixels[:, :, 0] if layout.channels == 1 else pixels)


def _encode_pam(image: Image, options: WriteOptions) -> bytes:
    """Encode in the depth of the pixels."""
    header = b"P7\nWIDTH %d\nHEIGHT %d\nDEPTH %d\nMAXVAL %d\nTUPLTYPE %s" % (
        image.width,
        image.height,
        image.channels,
        np.iinfo(image.pixels.dtype).max,
        _TUPLE_NAMES[image.channels],
    )
    return header + _PAM_END + _big_endian(image.pixels)


class _PfmLayout(Record):
    channels: int
    width: int
    height: int
    order: str
    start: int


def _pfm_layout(data: bytes) -> _PfmLayout:
    found = _PFM.match(data)
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


def _inspect_pfm(data: bytes) -> Header:
    """Read size and channels from the text at the start."""
    layout = _pfm_layout(data)
    return Header(layout.width, layout.height, layout.channels, "float32")


def _decode_pfm(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Read the values as they are."""
    layout = _pfm_layout(data)
    count = layout.width * layout.height * layout.channels
    needed = layout.start + 4 * count
    if needed > len(data):
        raise ImageReadError(f"is cut off: it has {len(data)} bytes of {needed}")
    stored = np.frombuffer(data, layout.order + "f4", count, layout.start).astype(np.float32)
    rows = stored.reshape(layout.height, layout.width, layout.channels)[::-1]
    return Decoded(np.ascontiguousarray(rows[:, :, 0] if layout.channels == 1 else rows))


def _encode_pfm(image: Image, options: WriteOptions) -> bytes:
    """Encode, little-endian."""
    kind = b"Pf" if image.channels == 1 else b"PF"
    head = kind + b"\n%d %d\n-1.0\n" % (image.width, image.height)
    return head + image.pixels[::-1].astype("<f4").tobytes()


class _Kind(NamedTuple):
    """The codec of one of the formats."""

    inspect: Callable[[bytes], Header]
    decode: Callable[[bytes, Header, ReadOptions], Decoded]
    encode: Callable[[Image, WriteOptions], bytes]


PAM = _Kind(_inspect_pam, _decode_pam, _encode_pam)
PFM = _Kind(_inspect_pfm, _decode_pfm, _encode_pfm)
