"""GIF files, with an LZW encoder of its own.

References
----------
CompuServe, Graphics Interchange Format, version 89a. The NETSCAPE2.0 extension for loops.
"""

import struct


def lzw(indices, bits):
    """Compress indices: codes of bits + 1 to 12 bits, the lowest bit first."""
    clear = 1 << bits
    out, buffer, filled = bytearray(), 0, 0

    def put(code):
        nonlocal buffer, filled
        buffer |= code << filled
        filled += width
        while filled >= 8:
            out.append(buffer & 0xFF)
            buffer >>= 8
            filled -= 8

    width, table, word = bits + 1, {(i,): i for i in range(clear)}, ()
    following = clear + 2
    put(clear)
    for index in indices:
        longer = (*word, index)
        if longer in table:
            word = longer
            continue
        put(table[word])
        if following == 4096:
            put(clear)
            width, table, following = bits + 1, {(i,): i for i in range(clear)}, clear + 2
        else:
            table[longer] = following
            if following == 1 << width:
                width += 1
            following += 1
        word = (index,)
    put(table[word])
    if following == 1 << width and width < 12:
        width += 1
    put(clear + 1)
    if filled:
        out.append(buffer)
    return bytes(out)


def blocks(data, size=255):
    """Cut data into sub-blocks and end them."""
    cut = [data[start : start + size] for start in range(0, len(data), size)]
    return b"".join(bytes([len(part)]) + part for part in cut) + b"\0"


def screen(width, height, palette=None, version=b"89a"):
    """Write signature, size and the palette of the whole file."""
    flags = 0x80 | _size_bits(palette) if palette else 0
    colours = b"".join(bytes(colour) for colour in palette or ())
    return b"GIF" + version + struct.pack("<HHBBB", width, height, flags, 0, 0) + colours


def _size_bits(palette):
    return len(palette).bit_length() - 2


def control(*, duration=0, transparent=None, disposal=0):
    """Write what concerns the next frame; the duration is in hundredths of a second."""
    flags = disposal << 2 | (transparent is not None)
    return b"!\xf9\4" + struct.pack("<BHBB", flags, duration, transparent or 0, 0)


def loop(count):
    return b"!\xff\x0bNETSCAPE2.0\3\1" + struct.pack("<H", count) + b"\0"


def comment(text):
    return b"!\xfe" + blocks(text)


def frame(picture, *, at=(0, 0), bits=2, palette=None, interlaced=False, contents=None, size=None):
    """Write a frame whose values are indices; ``contents`` and ``size`` replace what is right."""
    flags = (0x80 | _size_bits(palette) if palette else 0) | 0x40 * interlaced
    colours = b"".join(bytes(colour) for colour in palette or ())
    width, height = size or (picture.width, picture.height)
    head = struct.pack("<BHHHHB", 0x2C, *at, width, height, flags)
    rows = picture.rows()
    if interlaced:
        steps = ((0, 8), (4, 8), (2, 4), (1, 2))
        rows = [row for first, step in steps for row in rows[first::step]]
    if contents is None:
        contents = lzw([index for row in rows for index in row], bits)
    return head + colours + bytes([bits]) + blocks(contents)


def gif(*parts):
    return b"".join(parts) + b";"
