"""JPEG files whose 8×8 blocks are flat, so that every decoder must give the same values.

A flat block has only a DC coefficient: 8·(v − 128) with a quantisation table of ones.

References
----------
ITU-T T.81: annexes B (markers), F (sequential), G (progressive). ITU-T T.871 (JFIF): luma, chroma.
"""

import struct

SOF0, SOF1, SOF2, SOF3, SOF9 = 0xC0, 0xC1, 0xC2, 0xC3, 0xC9
EOI = b"\xff\xd9"
SOI = b"\xff\xd8"
_ZERO_AC = 0x00
"""The one AC symbol in use: end of block."""


def segment(marker, contents):
    return struct.pack(">BBH", 0xFF, marker, len(contents) + 2) + contents


def jfif():
    return segment(0xE0, b"JFIF\0" + struct.pack(">HBHHBB", 0x0102, 1, 72, 72, 0, 0))


def adobe(transform):
    return segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform))


def quantisation():
    return segment(0xDB, b"\0" + b"\1" * 64)


def huffman():
    """Define DC categories 0 to 11 as codes of 4 bits, and end of block as one bit."""
    dc = b"\x00" + bytes([0, 0, 0, 12, *[0] * 12]) + bytes(range(12))
    ac = b"\x10" + bytes([1, *[0] * 15]) + bytes([_ZERO_AC])
    return segment(0xC4, dc) + segment(0xC4, ac)


def frame(width, height, components, marker=SOF0, bits=8):
    """Write a frame header; ``components`` holds (identifier, sampling across, sampling down)."""
    contents = struct.pack(">BHHB", bits, height, width, len(components))
    for name, across, down in components:
        contents += bytes([name, across << 4 | down, 0])
    return segment(marker, contents)


def scan_header(names, first=0, last=63, high=0, low=0):
    contents = bytes([len(names)]) + b"".join(bytes([name, 0]) for name in names)
    return segment(0xDA, contents + bytes([first, last, high << 4 | low]))


class Bits:
    """Bits of entropy-coded data, filled up with ones, bytes of 0xFF stuffed."""

    def __init__(self):
        self.text = []

    def add(self, value, count):
        if count:
            self.text.append(f"{value:0{count}b}")

    def bytes(self):
        text = "".join(self.text)
        text = text.ljust(-(-len(text) // 8) * 8, "1")
        packed = int(text, 2).to_bytes(len(text) // 8, "big") if text else b""
        return packed.replace(b"\xff", b"\xff\0")


def _dc(bits, difference):
    size = abs(difference).bit_length()
    bits.add(size, 4)
    bits.add(difference if difference >= 0 else difference + (1 << size) - 1, size)


def blocks(planes, order, *, with_ac=True, restart=0, middle=128):
    """Code flat blocks: ``planes`` holds levels, ``order`` the (plane, index) of each MCU."""
    out = b""
    bits, before = Bits(), [middle] * len(planes)
    for number, unit in enumerate(order):
        if restart and number and number % restart == 0:
            out += bits.bytes() + bytes([0xFF, 0xD0 | (number // restart - 1) % 8])
            bits, before = Bits(), [middle] * len(planes)
        for plane, index in unit:
            level = planes[plane][index]
            _dc(bits, 8 * (level - before[plane]))
            before[plane] = level
            if with_ac:
                bits.add(0, 1)
    return out + bits.bytes()


def interleaved(count, planes):
    """Return the order of MCUs that hold one block of each plane."""
    return [[(plane, index) for plane in range(planes)] for index in range(count)]


def baseline(
    across, down, planes, *, names=None, extra=(), marker=SOF0, restart=0, size=None, bits=8
):
    """Make a file of across × down blocks; ``planes`` holds a level for each block."""
    names = names or range(1, len(planes) + 1)
    width, height = size or (8 * across, 8 * down)
    parts = [
        SOI,
        *extra,
        quantisation(),
        frame(width, height, [(n, 1, 1) for n in names], marker, bits),
    ]
    parts.append(huffman())
    if restart:
        parts.append(segment(0xDD, struct.pack(">H", restart)))
    parts.append(scan_header(names))
    order = interleaved(across * down, len(planes))
    parts.append(blocks(planes, order, restart=restart, middle=2 ** (bits - 1)))
    return b"".join(parts) + EOI


def lossless(width, height, planes, *, bits=8, extra=()):
    """Make a lossless file: each value is the one to the left, or above, and a difference."""
    names = range(1, len(planes) + 1)
    parts = [SOI, *extra, frame(width, height, [(n, 1, 1) for n in names], SOF3, bits)]
    parts += [huffman(), scan_header(names, 1, 0)]
    coded = Bits()
    for place in range(width * height):
        for plane in planes:
            row, column = divmod(place, width)
            before = plane[place - 1] if column else plane[place - width] if row else None
            _dc(coded, plane[place] - (2 ** (bits - 1) if before is None else before))
    return b"".join([*parts, coded.bytes(), EOI])


def progressive(across, down, planes, *, extra=(), more_scans=b"", size=None):
    """Make a file of one DC scan and one AC scan for each plane."""
    names = range(1, len(planes) + 1)
    width, height = size or (8 * across, 8 * down)
    count = across * down
    parts = [SOI, *extra, quantisation(), frame(width, height, [(n, 1, 1) for n in names], SOF2)]
    parts += [huffman(), scan_header(names, 0, 0)]
    parts.append(blocks(planes, interleaved(count, len(planes)), with_ac=False))
    for name in names:
        bits = Bits()
        for _ in range(count):
            bits.add(0, 1)
        parts += [scan_header([name], 1, 63), bits.bytes()]
    return b"".join(parts) + more_scans + EOI


def subsampled(across, down, planes, *, extra=()):
    """Make a 4:2:0 file: planes[0] has four levels for each one of the two chroma planes."""
    parts = [SOI, *extra, quantisation()]
    parts.append(frame(16 * across, 16 * down, [(1, 2, 2), (2, 1, 1), (3, 1, 1)]))
    parts += [huffman(), scan_header([1, 2, 3])]
    order = []
    for index in range(across * down):
        x, y = 2 * (index % across), 2 * (index // across)
        luma = [(0, (y + j) * 2 * across + x + i) for j in (0, 1) for i in (0, 1)]
        order.append([*luma, (1, index), (2, index)])
    parts.append(blocks(planes, order))
    return b"".join(parts) + EOI


def colour_of(luma, blue, red):
    """Return red, green and blue of a luma and two chromas."""
    values = (
        luma + 1.402 * (red - 128),
        luma - 0.344136 * (blue - 128) - 0.714136 * (red - 128),
        luma + 1.772 * (blue - 128),
    )
    return tuple(min(255, max(0, round(value))) for value in values)
