"""Files that other libraries read, and NPY: right pixels, and a note that names the library."""

import struct

from corpus.case import Registry
from corpus.picture import Picture, pattern

from .foreign import named

cases = Registry("doors")
GREY, COLOUR = pattern(1), pattern(3)
SIZE = struct.pack("<HH", COLOUR.width, COLOUR.height)


def npy(picture, kind):
    shape = (picture.height, picture.width, picture.channels)[: 2 if picture.channels == 1 else 3]
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\1\0v\0" + head.ljust(117) + b"\n" + bytes(picture.values)


def swapped(picture):
    """Return blue, green, red."""
    rows = zip(*[iter(picture.values)] * 3, strict=True)
    return bytes(value for pixel in rows for value in pixel[::-1])


def card(name, value):
    return f"{name:8}= {value!s:>20}".ljust(80)


FITS = "".join(
    card(*pair)
    for pair in (
        ("SIMPLE", "T"), ("BITPIX", 8), ("NAXIS", 2),
        ("NAXIS1", GREY.width), ("NAXIS2", GREY.height),
    )
)  # fmt: skip

cases.shows("npy", npy(GREY, "|u1"), GREY)
cases.shows("npy-colour", npy(COLOUR, "|u1"), COLOUR)
cases.refused("npy-of-objects", npy(GREY, "|O"), "Python objects, which are never unpickled")
cases.shows(
    "tga",
    b"\0\0\2" + bytes(9) + SIZE + b"\x18\x20" + swapped(COLOUR),
    COLOUR,
    warning="is decoded by Pillow",
    place=named("a.tga"),
)
cases.shows(
    "qoi",
    b"qoif"
    + struct.pack(">IIBB", COLOUR.width, COLOUR.height, 3, 0)
    + b"".join(
        b"\xfe" + bytes(COLOUR.values[place : place + 3])
        for place in range(0, len(COLOUR.values), 3)
    )
    + bytes(7)
    + b"\1",
    COLOUR,
    warning="is decoded by Pillow",
)
cases.shows(
    "xbm",
    b"#define a_width 3\n#define a_height 2\nchar a_bits[] = {\n0x05, 0x02 };\n",
    Picture(3, 2, 1, "8", (0, 255, 0, 255, 0, 255)),
    warning="is decoded by Pillow",
)
cases.shows(
    "fits",
    (FITS + "END").encode().ljust(2880) + bytes(GREY.values).ljust(2880, b"\0"),
    GREY,
    warning="is decoded by astropy",
)

BROKEN = "damaged|cut off|not read"
for name, data in (
    ("npy", b"\x93NUMPY\1\0v\0{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)}"),
    ("psd", b"8BPS\0\1" + bytes(60)),
    ("ico", b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0\x68\4\0\0\x16\0\0\0" + bytes(60)),
    ("heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60)),
    ("jpeg-xl", b"\xff\x0a" + bytes(60)),
    ("fits", b"SIMPLE  =                    T" + b" " * 2850),
    ("xpm", b'/* XPM */\nstatic char *x[] = {"1 1 1 1"};'),
):
    cases.refused(f"{name}-broken", data, BROKEN, place=named(f"{name}.png"))
