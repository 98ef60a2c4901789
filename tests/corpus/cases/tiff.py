"""TIFF: the layouts that exist, pages, and directories that lie."""

import struct
import zlib

from corpus.case import Registry
from corpus.make import tiff as make
from corpus.make.bombs import zeros_deflated
from corpus.make.exif import icc
from corpus.picture import Picture, pattern, stretched

cases = Registry("tiff")

DAMAGED = r"damaged|cut off"
GREY, COLOUR = pattern(1), pattern(3)
WORDS = pattern(3, "16")
REALS = pattern(1, "float")


def one(picture=GREY, *, file=None, **how):
    """Make a file of one page; ``file`` holds what concerns the file."""
    file = file or {}
    return make.tiff(make.page(picture, order=file.get("order", "<"), **how), **file)


# Layouts.

for big in (False, True):
    for order in "<>":
        name = ("bigtiff" if big else "classic") + ("-big-endian" if order == ">" else "")
        file = {"order": order, "big": big}
        for picture in (GREY, pattern(1, "16"), WORDS):
            kind = f"{picture.channels}-channels-{picture.depth}-bits"
            cases.shows(f"{name}-{kind}", one(picture, file=file), picture)
for picture in (pattern(2), pattern(4), pattern(2, "16"), pattern(4, "16")):
    cases.shows(f"{picture.channels}-channels-{picture.depth}-bits", one(picture), picture)
for compression in ("lzw", "deflate", "packbits"):
    cases.shows(f"{compression}-8-bits", one(COLOUR, compression=compression), COLOUR)
for compression in ("lzw", "deflate"):
    file = one(WORDS, compression=compression, predictor=2)
    cases.shows(f"{compression}-16-bits-predictor", file, WORDS)
cases.shows(
    "lzw-long",
    one(pattern(3, width=70, height=60), rows_per_strip=60, compression="lzw"),
    pattern(3, width=70, height=60),
)
cases.shows("planar", one(WORDS, planar=True), WORDS)
cases.shows("tiled", one(COLOUR, tile=(16, 16)), COLOUR)
LARGE = pattern(3, width=40, height=35)
cases.shows("tiled-many", one(LARGE, tile=(16, 16), compression="deflate"), LARGE)
cases.shows(
    "tiled-planar-predictor-big-endian",
    one(LARGE, tile=(16, 16), planar=True, predictor=2, compression="deflate", file={"order": ">"}),
    LARGE,
)
cases.shows(
    "one-strip-of-more-rows-than-the-picture", one(tags={278: [2**32 - 1]}, rows_per_strip=9), GREY
)
cases.shows("no-strip-lengths", one(tags={279: None, 278: None}, rows_per_strip=9), GREY)

# Meanings.

for bits in (1, 2, 4, 8):
    white = 2**bits - 1
    small = pattern(1, white=white)
    cases.shows(
        f"white-is-zero-{bits}-bits",
        one(small, bits=bits, tags={262: [0]}),
        stretched(small.each(lambda p, w=white: [w - p[0]]), white),
    )
    if bits < 8:
        cases.shows(f"grey-{bits}-bits", one(small, bits=bits), stretched(small, white))
cases.shows(
    "white-is-zero-16-bits",
    one(pattern(1, "16"), tags={262: [0]}),
    pattern(1, "16").each(lambda p: [65535 - p[0]]),
)
for bits in (4, 8):
    count = 2**bits
    colours = [(i * 53 % 256, i * 91 % 256, i * 17 % 256) for i in range(count)]
    table = [colour[channel] * 257 for channel in range(3) for colour in colours]
    small = pattern(1, white=count - 1)
    cases.shows(
        f"palette-{bits}-bits",
        one(small, bits=bits, tags={262: [3], 320: table}),
        small.each(lambda p, c=colours: c[p[0]]),
    )
SHEER = pattern(4).each(lambda p: [*(v * p[3] // 255 for v in p[:3]), p[3]])
cases.shows(
    "alpha-multiplied-in",
    one(SHEER, tags={338: [1]}),
    SHEER.each(lambda p: [*(min(255, round(v * 255 / p[3])) if p[3] else 0 for v in p[:3]), p[3]]),
    warning="alpha was multiplied",
    tolerance=1,
)
for bits, depth in ((32, "32"), (64, "64")):
    cases.shows(f"float-{depth}", one(REALS, bits=bits, floats=True), REALS)
HALVES = REALS.each(lambda p: [round(p[0] * 8) / 8])
cases.shows("float-16", one(HALVES, bits=16, floats=True), HALVES)
ODD = Picture(4, 1, 1, "float", (float("inf"), float("-inf"), 1e-42, -0.0))
cases.shows("float-odd-values", one(ODD, bits=64, floats=True), ODD, warning="infinit|NaN")
for orientation in range(1, 9):
    cases.shows(
        f"orientation-{orientation}",
        one(COLOUR, tags={274: [orientation]}),
        COLOUR.turned(orientation),
    )
cases.shows(
    "profile-and-text",
    one(
        COLOUR,
        tags={
            34675: icc(b"RGB ", 900),
            270: b"a scan\0",
            282: (5, 1, struct.pack("<II", 300, 1)),
            283: (5, 1, struct.pack("<II", 300, 1)),
            700: b"<x:xmpmeta/>",
        },
    ),
    COLOUR,
)
cases.shows(
    "lists-of-longs-as-shorts",
    one(tags={256: (3, 1, struct.pack("<H", 13)), 257: (3, 1, struct.pack("<H", 9))}),
    GREY,
)
cases.refused("cmyk", one(pattern(4), tags={262: [5], 338: None}), "CMYK")
cases.refused("itu-lab", one(COLOUR, tags={262: [10]}), "colour model")
cases.refused("log-luv", one(COLOUR, tags={262: [32845]}), "colour model")
cases.refused("signed-24-bits", one(tags={258: [24], 339: [2]}), "signed samples of 24 bits")
cases.refused("five-samples", one(COLOUR, tags={277: [5], 258: [8] * 5}), "samples|" + DAMAGED)
cases.refused("old-jpeg", one(tags={259: [6]}), DAMAGED)

# Pages.

PAGES = [pattern(1), pattern(3, "16"), pattern(4, width=5, height=22)]
cases.shows("pages", make.tiff(*(make.page(picture) for picture in PAGES)), *PAGES)
cases.shows(
    "pages-second",
    make.tiff(*(make.page(picture) for picture in PAGES)),
    PAGES[1],
    options=("--page", "2"),
)
cases.refused(
    "pages-fourth-of-three",
    make.tiff(*(make.page(picture) for picture in PAGES)),
    "page 4|3 pages",
    options=("--page", "4"),
)

# Directories that lie.

WHOLE = one(COLOUR, compression="deflate")
DIRECTORY = struct.unpack_from("<I", WHOLE, 4)[0]
END = len(WHOLE)
for end in (
    4,
    7,
    8,
    20,
    DIRECTORY // 2,
    DIRECTORY,
    DIRECTORY + 1,
    DIRECTORY + 30,
    END - 20,
    END - 1,
):
    cases.refused(f"cut-at-{end}", WHOLE[:end], DAMAGED)
cases.refused(
    "next-directory-is-the-first",
    make.tiff(make.page(GREY), last=8 + GREY.width * GREY.height + 1),
    DAMAGED + "|loop",
)
cases.refused("next-directory-is-the-header", make.tiff(make.page(GREY), last=2), DAMAGED)
cases.refused("next-directory-is-beyond", make.tiff(make.page(GREY), last=10**9), DAMAGED)
cases.refused(
    "first-directory-is-beyond", b"II*\0" + struct.pack("<I", 2**32 - 1) + bytes(40), DAMAGED
)
cases.refused("no-directory", b"II*\0\0\0\0\0" + bytes(40), DAMAGED)
cases.refused("no-entries", b"MM\0*\0\0\0\x08" + bytes(40), DAMAGED)
cases.refused("65535-entries", b"II*\0\x08\0\0\0\xff\xff" + bytes(400), DAMAGED)
cases.refused(
    "2-64-entries", struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, 2**64 - 1) + bytes(400), DAMAGED
)
cases.refused("version-44", one(file={"version": 44}), "format|damaged")
for name, tags, words in (
    ("no-width", {256: [0]}, DAMAGED),
    ("no-height", {257: [0]}, DAMAGED),
    ("width-missing", {256: None}, DAMAGED),
    ("width-is-text", {256: b"wide\0"}, DAMAGED + "|limit|unknown"),
    ("width-of-2-32-values", {256: (4, 2**32 - 1, struct.pack("<I", 8))}, DAMAGED),
    ("width-of-type-99", {256: (99, 1, b"\5\0\0\0")}, DAMAGED),
    ("bits-0", {258: [0]}, "0 bits"),
    ("bits-24", {258: [24]}, "24 bits"),
    ("bits-65535", {258: [65535]}, "65535 bits"),
    ("no-samples", {277: [0]}, DAMAGED),
    ("65535-samples", {277: [65535]}, DAMAGED),
    ("unknown-compression", {259: [50999]}, "compression 50999"),
    ("unknown-colours", {262: [77]}, "colour model"),
    ("no-rows-in-a-strip", {278: [0]}, DAMAGED),
    ("strips-missing", {273: None}, DAMAGED),
    ("strips-too-few", {273: [8], 279: [52]}, DAMAGED),
    ("strips-beyond", {273: [8, 10**9, 8]}, DAMAGED),
    ("strips-offsets-beyond", {273: (4, 3, struct.pack("<I", 2**31))}, DAMAGED),
    ("2-32-strips", {273: (4, 2**32 - 1, struct.pack("<I", 8))}, DAMAGED),
    ("no-palette", {262: [3]}, "palette"),
    ("short-palette", {262: [3], 320: [1, 2, 3]}, "palette"),
    ("deflate-of-garbage", {259: [8]}, DAMAGED),
    ("lzw-of-garbage", {259: [5], 273: [0] * 3}, DAMAGED),
    ("packbits-of-garbage", {259: [32773]}, DAMAGED),
    ("jpeg-of-garbage", {259: [7]}, DAMAGED),
    ("fax-of-garbage", {259: [4], 258: [1]}, DAMAGED),
    ("tiles-of-no-width", {322: [0], 323: [16], 324: [8], 325: [99]}, DAMAGED),
    ("tiles-of-2-31", {322: [2**31], 323: [2**31], 324: [8], 325: [99]}, DAMAGED),
    ("claims-30000-by-30000", {256: [30_000], 257: [30_000]}, DAMAGED + "|limit"),
    ("claims-13000-by-13000", {256: [13_000], 257: [13_000], 278: [13_000]}, DAMAGED),
    (
        "claims-13000-by-13000-deflated",
        {256: [13_000], 257: [13_000], 278: [13_000], 259: [8]},
        DAMAGED,
    ),
    ("claims-13000-by-13000-lzw", {256: [13_000], 257: [13_000], 278: [13_000], 259: [5]}, DAMAGED),
    (
        "claims-13000-by-13000-fax",
        {256: [13_000], 257: [13_000], 278: [13_000], 258: [1], 259: [4]},
        DAMAGED,
    ),
    ("claims-13000-by-13000-in-strips-of-a-row", {256: [13_000], 257: [13_000], 278: [1]}, DAMAGED),
):
    cases.refused(name, one(tags=tags), words)

cases.shows("strips-of-2-32-bytes", one(tags={279: [2**32 - 1] * 3}), GREY)
cases.shows("strips-of-no-bytes", one(tags={279: [0] * 3}), GREY)


def gigabyte(width, height):
    tags = {256: [width], 257: [height], 258: [8], 259: [8], 262: [1], 277: [1], 278: [height]}
    return lambda: make.tiff((tags, [zeros_deflated(1024)]))


def black(width, height):
    return Picture(width, height, 1, "8", (0,) * (width * height))


cases.shows("gigabyte-in-a-small-strip", gigabyte(9, 5), black(9, 5))
cases.refused(
    "gigapixel-that-is-there",
    gigabyte(30_000, 30_000),
    "limit",
    options=("--max-pixels", "178956970"),
)
SHARED = {256: [10_000], 257: [10_000], 258: [8], 259: [8], 262: [1], 277: [1], 278: [1]}
cases.refused(
    "all-strips-are-one",
    lambda: make.tiff(
        (SHARED | {273: [8] * 10_000, 279: [30] * 10_000}, [zlib.compress(bytes(9))])
    ),
    DAMAGED,
)
PAGE_BOMB = 60_000


def page_bomb():
    """Make as many directories as fit, each of a picture of 4000 × 4000 in the same few bytes."""
    strip = zlib.compress(bytes(4000 * 4000), 9)
    entries = [
        (256, 4000), (257, 4000), (258, 8), (259, 8), (262, 1), (273, 8), (277, 1), (278, 4000),
        (279, len(strip)),
    ]  # fmt: skip
    start = 8 + len(strip) + len(strip) % 2
    size = 2 + 12 * len(entries) + 4
    body = b"".join(struct.pack("<HHII", number, 4, 1, value) for number, value in entries)
    pages = [
        struct.pack("<H", len(entries)) + body + struct.pack("<I", start + size * (i + 1))
        for i in range(PAGE_BOMB)
    ]
    data = struct.pack("<2sHI", b"II", 42, start) + strip + bytes(len(strip) % 2) + b"".join(pages)
    return data[:-4] + bytes(4)


cases.refused("60000-pages-of-16-megapixels", page_bomb, "pages|limit|memory|time")
