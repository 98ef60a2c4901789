"""WebP files of one kind: lossless, each channel of each pixel a code of eight bits.

References
----------
RFC 9649: sections 2 (container), 3 (lossless bitstream: 3.4, 3.7.2.1.2 normal code lengths).
"""

import struct


class _Bits:
    """Bits, the lowest of each byte first."""

    def __init__(self):
        self.value = self.count = 0

    def put(self, value, count):
        self.value |= value << self.count
        self.count += count

    def bytes(self):
        return self.value.to_bytes(-(-self.count // 8), "little")


_ORDER = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8)
"""The order in which the code of code lengths is stored, up to the last length in use."""


def _code_of_eight_bits(bits, symbols):
    """Define a code in which the first 256 of ``symbols`` symbols have 8 bits each."""
    bits.put(0, 1)
    bits.put(len(_ORDER) - 4, 4)
    for length in _ORDER:
        bits.put(1 if length in (0, 8) else 0, 3)
    bits.put(0, 1)
    for symbol in range(symbols):
        bits.put(1 if symbol < 256 else 0, 1)


def _code_of_one_symbol(bits, symbol):
    bits.put(1, 1)
    bits.put(0, 1)
    bits.put(int(symbol > 1), 1)
    bits.put(symbol, 8 if symbol > 1 else 1)


def _reversed(value):
    return int(f"{value:08b}"[::-1], 2)


def lossless(picture, *, size=None, solid=None):
    """Return the bitstream of a colour picture; ``solid`` (green, red, blue,
    alpha) makes all pixels one colour, of no bits."""
    width, height = size or (picture.width, picture.height)
    bits = _Bits()
    bits.put(0x2F, 8)
    bits.put(width - 1, 14)
    bits.put(height - 1, 14)
    bits.put(picture.channels == 4, 1)
    bits.put(0, 3)
    bits.put(0, 3)  # no transform, no colour cache, one group of codes
    if solid is not None:
        for value in solid:
            _code_of_one_symbol(bits, value)
    else:
        for symbols in (256 + 24, 256, 256, 256):
            _code_of_eight_bits(bits, symbols)
    _code_of_one_symbol(bits, 0)
    if solid is None:
        for y in range(picture.height):
            for x in range(picture.width):
                red, green, blue, *alpha = picture.pixel(x, y)
                for value in (green, red, blue, alpha[0] if alpha else 255):
                    bits.put(_reversed(value), 8)
    return bits.bytes()


def chunk(name, contents):
    return name + struct.pack("<I", len(contents)) + contents + bytes(len(contents) % 2)


def riff(*chunks, size=None):
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def webp(picture, **how):
    return riff(chunk(b"VP8L", lossless(picture, **how)))


ICC, ALPHA, EXIF, XMP, ANIMATION = 0x20, 0x10, 0x08, 0x04, 0x02


def extended(flags, width, height):
    sizes = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return chunk(b"VP8X", struct.pack("<BBBB", flags, 0, 0, 0) + sizes)


def animation(loops):
    return chunk(b"ANIM", struct.pack("<IH", 0, loops))


def frame(picture, milliseconds, at=(0, 0)):
    """Write a frame that replaces what it covers."""
    numbers = (at[0] // 2, at[1] // 2, picture.width - 1, picture.height - 1, milliseconds)
    head = b"".join(struct.pack("<I", number)[:3] for number in numbers) + b"\2"
    return chunk(b"ANMF", head + chunk(b"VP8L", lossless(picture)))
