"""BMP: headers of three ages, palettes, masks, run lengths, and claims."""

import struct

from corpus.case import Registry
from corpus.make import bmp as make
from corpus.make.exif import icc
from corpus.picture import Picture, pattern

cases = Registry("bmp")

DAMAGED = r"damaged|cut off"
COLOUR = pattern(3)
WIDE = [(i * 53 % 256, i * 91 % 256, i * 17 % 256) for i in range(256)]


def index(pixel):
    return pixel[0]


cases.shows("24-bits", make.bmp(COLOUR, make.colour), COLOUR)
cases.shows("24-bits-top-down", make.bmp(COLOUR, make.colour, top_down=True), COLOUR)
cases.shows("24-bits-core-header", make.bmp(COLOUR, make.colour, header=12), COLOUR)
cases.shows("32-bits-without-mask", make.bmp(COLOUR, make.colour, 32), COLOUR)
for bits in (1, 4, 8):
    small = pattern(1, white=2**bits - 1)
    palette = WIDE[: 2**bits]
    truth = small.each(lambda pixel: WIDE[pixel[0]])
    cases.shows(f"palette-{bits}-bits", make.bmp(small, index, bits, palette=palette), truth)
    if bits == 8:
        core = make.bmp(small, index, bits, palette=palette, header=12)
        cases.shows("palette-8-bits-core-header", core, truth)
GREY = pattern(1)
cases.shows("grey", make.bmp(GREY, index, 8, palette=[(i, i, i) for i in range(256)]), GREY)
ALPHA = pattern(4)
MASKS = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
BITFIELDS = {"compression": make.BITFIELDS, "masks": MASKS}
cases.shows(
    "alpha-by-mask",
    make.bmp(ALPHA, lambda p: make.colour(p[:3]) | p[3] << 24, 32, header=108, **BITFIELDS),
    ALPHA,
)
FIVE = pattern(3, white=31)
cases.shows(
    "16-bits",
    make.bmp(FIVE, lambda p: p[2] | p[1] << 5 | p[0] << 10, 16),
    FIVE.each(lambda p: [round(v * 255 / 31) for v in p]),
    tolerance=7,
)
cases.shows(
    "16-bits-565",
    make.bmp(
        FIVE,
        lambda p: p[2] | p[1] << 6 | p[0] << 11,
        16,
        header=56,
        compression=make.BITFIELDS,
        masks=(0xF800, 0x7E0, 0x1F),
    ),
    FIVE.each(lambda p: [round(p[0] * 255 / 31), round(p[1] * 510 / 63), round(p[2] * 255 / 31)]),
    tolerance=7,
)
RUNS = Picture(4, 2, 1, "8", (5, 5, 5, 9, 1, 2, 3, 3))
RUN8 = b"\0\3\1\2\3\0\1\3\0\0" + b"\3\5\1\x09\0\0\0\1"
cases.shows(
    "runs-of-8-bits",
    make.bmp(RUNS, index, 8, compression=make.RLE8, palette=WIDE, pixels=RUN8),
    RUNS.each(lambda pixel: WIDE[pixel[0]]),
)

# ImageMagick takes the bytes that fill a row of 3 pixels up to 4 for pixels.
FILLED = Picture(3, 2, 1, "8", (5, 5, 5, 9, 1, 2))
cases.shows(
    "runs-that-fill-the-row",
    make.bmp(
        FILLED,
        index,
        8,
        compression=make.RLE8,
        palette=WIDE,
        pixels=b"\0\4\x09\1\2\0\0\0" + b"\4\5\0\0\0\1",
    ),
    FILLED.each(lambda pixel: WIDE[pixel[0]]),
)
PROFILE = icc(b"RGB ", 300)


def profiled(space=b"DEBM", length=300):
    """Make a file with the header of version 5, the profile behind the pixels."""
    file = bytearray(make.bmp(COLOUR, make.colour, header=124))
    file[70:74] = space
    struct.pack_into("<III", file, 122, 4, len(file) - 14, length)
    return bytes(file) + PROFILE


cases.shows("profile", profiled(), COLOUR)
cases.shows("profile-in-another-file", profiled(b"KNIL"), COLOUR, warning="in another file")
cases.shows("profile-cut", profiled(length=9999), COLOUR, warning="profile is incomplete")

WHOLE = make.bmp(COLOUR, make.colour)
for end in (2, 10, 14, 20, 40, 54, 60, len(WHOLE) // 2, len(WHOLE) - 1):
    cases.refused(f"cut-at-{end}", WHOLE[:end], DAMAGED)


def patched(place, form, value):
    data = bytearray(WHOLE)
    struct.pack_into(form, data, place, value)
    return bytes(data)


for name, place, form, value in (
    ("header-of-13-bytes", 14, "<I", 13),
    ("header-of-2-32-bytes", 14, "<I", 2**32 - 1),
    ("pixels-beyond", 10, "<I", 2**32 - 1),
    ("pixels-in-the-header", 10, "<I", 3),
    ("no-width", 18, "<i", 0),
    ("negative-width", 18, "<i", -13),
    ("no-height", 22, "<i", 0),
    ("height-of-minus-2-31", 22, "<i", -(2**31)),
    ("bits-0", 28, "<H", 0),
    ("bits-5", 28, "<H", 5),
    ("bits-64", 28, "<H", 64),
    ("unknown-compression", 30, "<I", 99),
    ("jpeg-inside", 30, "<I", make.JPEG),
):
    cases.refused(name, patched(place, form, value), DAMAGED + "|not read|limit")
SMALL = pattern(1, white=200)
cases.refused(
    "colour-not-in-the-palette", make.bmp(SMALL, index, 8, palette=WIDE[:9]), DAMAGED + "|palette"
)
for name, pixels in (
    ("runs-beyond-the-row", b"\xff\1" * 40),
    ("run-that-jumps-out", b"\0\2\xff\xff\1\1\0\1"),
    ("no-runs", b""),
):
    file = make.bmp(RUNS, index, 8, compression=make.RLE8, palette=WIDE, pixels=pixels)
    cases.refused(name, file, DAMAGED)
for name, side in (("claims-30000-by-30000", 30_000), ("claims-2-31-by-2-31", 2**31 - 1)):
    cases.refused(name, make.bmp(COLOUR, make.colour, size=(side, side)), DAMAGED + "|limit")
cases.refused(
    "claims-13000-by-13000-in-runs",
    make.bmp(
        RUNS, index, 8, compression=make.RLE8, palette=WIDE, pixels=RUN8, size=(13_000, 13_000)
    ),
    DAMAGED,
)
