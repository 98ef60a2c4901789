"""PNG files, chunk by chunk.

References
----------
W3C, Portable Network Graphics (third edition).
"""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
KINDS = {1: GREY, 2: GREY_ALPHA, 3: COLOUR, 4: COLOUR_ALPHA}
_PASSES = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
)  # fmt: skip
"""Adam7: first column, first row, column step, row step."""


def chunk(name, contents=b"", crc=None):
    checksum = zlib.crc32(name + contents) if crc is None else crc
    return struct.pack(">I", len(contents)) + name + contents + struct.pack(">I", checksum)


def header(width, height, bits, colour, *, compression=0, filtering=0, interlace=0):
    contents = struct.pack(
        ">IIBBBBB", width, height, bits, colour, compression, filtering, interlace
    )
    return chunk(b"IHDR", contents)


def assemble(*chunks):
    return SIGNATURE + b"".join(chunks) + chunk(b"IEND")


def packed(samples, bits):
    """Pack a row of samples into bytes, the first in the highest bits."""
    if bits == 16:
        return struct.pack(f">{len(samples)}H", *samples)
    if bits == 8:
        return bytes(samples)
    text = "".join(f"{sample:0{bits}b}" for sample in samples)
    text = text.ljust(-(-len(text) // 8) * 8, "0")
    return int(text, 2).to_bytes(len(text) // 8, "big")


def _paeth(a, b, c):
    p = a + b - c
    return min((a, b, c), key=lambda value: (abs(p - value), (a, b, c).index(value)))


def filtered(rows, step, kinds):
    """Prefix each row with its filter and apply it; ``kinds`` gives the filter of a row number."""
    out = bytearray()
    above = bytes(len(rows[0]))
    for number, row in enumerate(rows):
        kind = kinds(number)
        out.append(kind)
        for i, value in enumerate(row):
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            guess = {
                0: 0,
                1: left,
                2: above[i],
                3: (left + above[i]) // 2,
                4: _paeth(left, above[i], corner),
            }[kind]
            out.append((value - guess) & 0xFF)
        above = row
    return bytes(out)


def raw(picture, bits, *, interlaced=False, kinds=lambda number: 0):
    """Return what IDAT compresses; the picture's values are the samples as stored."""
    step = max(1, picture.channels * bits // 8)
    if not interlaced:
        return filtered([packed(row, bits) for row in picture.rows()], step, kinds)
    out = b""
    for left, top, across, down in _PASSES:
        columns = range(left, picture.width, across)
        rows = [
            packed([value for x in columns for value in picture.pixel(x, y)], bits)
            for y in range(top, picture.height, down)
        ]
        if rows and rows[0]:
            out += filtered(rows, step, kinds)
    return out


def data(contents, pieces=1):
    """Compress the rows into IDAT chunks."""
    stream = zlib.compress(contents)
    size = -(-len(stream) // pieces)
    return b"".join(
        chunk(b"IDAT", stream[start : start + size]) for start in range(0, len(stream), size)
    )


def png(picture, bits=8, colour=None, *, before=(), after=(), interlaced=False, **how):
    """Make a whole file; ``before`` and ``after`` hold chunks around the pixels."""
    colour = KINDS[picture.channels] if colour is None else colour
    start = header(picture.width, picture.height, bits, colour, interlace=int(interlaced))
    pixels = data(raw(picture, bits, interlaced=interlaced, **how))
    return assemble(start, *before, pixels, *after)
