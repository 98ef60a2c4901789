"""BMP files: any header, any bits, any masks.

References
----------
Microsoft, "Bitmap Storage", BITMAPCOREHEADER, BITMAPINFOHEADER and BITMAPV4HEADER.
"""

import struct

RGB, RLE8, RLE4, BITFIELDS, JPEG = 0, 1, 2, 3, 4


def row(values, bits):
    """Pack whole numbers of ``bits`` bits into a row of a multiple of four bytes."""
    if bits < 8:
        text = "".join(f"{value:0{bits}b}" for value in values)
        text = text.ljust(-(-len(text) // 8) * 8, "0")
        packed = int(text, 2).to_bytes(len(text) // 8, "big")
    else:
        packed = b"".join(value.to_bytes(bits // 8, "little") for value in values)
    return packed.ljust(-(-len(packed) // 4) * 4, b"\0")


def bmp(
    picture, words, bits=24, *, compression=RGB, palette=(), masks=(), header=40, top_down=False,
    pixels=None, size=None, start=None,
):  # fmt: skip
    """Make a file; ``words`` turns a pixel into the number that is stored."""
    width, height = size or (picture.width, picture.height)
    if pixels is None:
        rows = [
            row([words(picture.pixel(x, y)) for x in range(picture.width)], bits)
            for y in range(picture.height)
        ]
        pixels = b"".join(rows if top_down else reversed(rows))
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
        colours = b"".join(bytes([b, g, r]) for r, g, b in palette)
    else:
        info = struct.pack(
            "<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits, compression,
            len(pixels), 2835, 2835, len(palette), 0,
        )  # fmt: skip
        info += b"".join(struct.pack("<I", mask) for mask in masks)
        info = info.ljust(header, b"\0")
        colours = b"".join(bytes([b, g, r, 0]) for r, g, b in palette)
    offset = 14 + len(info) + len(colours) if start is None else start
    file = struct.pack("<2sIHHI", b"BM", 14 + len(info) + len(colours) + len(pixels), 0, 0, offset)
    return file + info + colours + pixels


def colour(pixel):
    red, green, blue = pixel
    return blue | green << 8 | red << 16
