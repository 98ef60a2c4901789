"""PAM: grey or colour, with or without alpha, 1 to 16 bits.

References
----------
Netpbm manual: pam(5).
"""

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.codecs.full_range import to_full_range
from convtool.images.codecs.pnm import big_endian, raw_values
from convtool.images.image import Image
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import Record

_KINDS = {
    "BLACKANDWHITE": 1,
    "GRAYSCALE": 1,
    "GRAYSCALE_ALPHA": 2,
    "BLACKANDWHITE_ALPHA": 2,
    "RGB": 3,
    "RGB_ALPHA": 4,
}
_NAMES = {1: b"GRAYSCALE", 2: b"GRAYSCALE_ALPHA", 3: b"RGB", 4: b"RGB_ALPHA"}
_END = b"\nENDHDR\n"


class _PamLayout(Record):
    width: int
    height: int
    channels: int
    white: int
    start: int


def _layout(data: bytes) -> _PamLayout:
    end = data.find(_END)
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
    if _KINDS.get(kind, channels) != channels or channels > 4 or white > 65535:
        raise ImageReadError(f"is a PAM of {channels} channels ('{kind}'), which is not read")
    return _PamLayout(width, height, channels, white, end + len(_END))


def inspect(data: bytes) -> Header:
    """Read size, channels and white from the text at the start."""
    layout = _layout(data)
    dtype = "uint8" if layout.white < 256 else "uint16"
    return Header(layout.width, layout.height, layout.channels, dtype, layout.channels in (2, 4))


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Read the values and stretch them to the full range."""
    layout = _layout(data)
    count = layout.width * layout.height * layout.channels
    values = raw_values(data, layout.start, count, layout.white)
    pixels = to_full_range(values, layout.white).reshape(layout.height, layout.width, -1)
    return Decoded(pixels[:, :, 0] if layout.channels == 1 else pixels)


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode in the depth of the pixels."""
    header = b"P7\nWIDTH %d\nHEIGHT %d\nDEPTH %d\nMAXVAL %d\nTUPLTYPE %s" % (
        image.width,
        image.height,
        image.channels,
        np.iinfo(image.pixels.dtype).max,
        _NAMES[image.channels],
    )
    return header + _END + big_endian(image.pixels)
