"""PNG: every kind of sample, side chunks, and damage at every station."""

import struct
import zlib

from corpus.case import Registry
from corpus.make import png as make
from corpus.make.bombs import zeros_deflated
from corpus.make.exif import exif, icc
from corpus.picture import Picture, pattern, stretched

cases = Registry("png")

PALETTE = tuple((i * 53 % 256, i * 91 % 256, i * 17 % 256) for i in range(256))
DAMAGED = r"damaged|cut off"


def palette(count):
    return make.chunk(b"PLTE", bytes(v for colour in PALETTE[:count] for v in colour))


def coloured(picture):
    return picture.each(lambda pixel: PALETTE[pixel[0]])


# Kinds of samples.

for channels in (1, 2, 3, 4):
    for bits in (8, 16):
        truth = pattern(channels, str(bits))
        file = make.png(truth, bits)
        cases.shows(f"{channels}-channels-{bits}-bits", file, truth)
        file = make.png(truth, bits, interlaced=True, kinds=lambda number: number % 5)
        cases.shows(f"{channels}-channels-{bits}-bits-interlaced", file, truth)

for bits in (1, 2, 4):
    white = 2**bits - 1
    stored = pattern(1, white=white)
    cases.shows(f"grey-{bits}-bits", make.png(stored, bits), stretched(stored, white))

for bits in (1, 2, 4, 8):
    stored = pattern(1, white=2**bits - 1)
    plte = palette(2**bits)
    for interlaced in (False, True):
        file = make.png(stored, bits, make.PALETTE, before=[plte], interlaced=interlaced)
        name = f"palette-{bits}-bits" + "-interlaced" * interlaced
        cases.shows(name, file, coloured(stored))

FOUR = pattern(1, white=3)
SHEER = (0, 100, 200)
cases.shows(
    "palette-with-transparency",
    make.png(FOUR, 2, make.PALETTE, before=[palette(4), make.chunk(b"tRNS", bytes(SHEER))]),
    FOUR.each(lambda pixel: (*PALETTE[pixel[0]], (*SHEER, 255)[pixel[0]])),
)
WORDS = pattern(1, "16")
KEY = WORDS.values[5]
cases.shows(
    "grey-16-bits-with-a-transparent-value",
    make.png(WORDS, 16, before=[make.chunk(b"tRNS", struct.pack(">H", KEY))]),
    WORDS.each(lambda pixel: (*pixel, 0 if pixel[0] == KEY else 65535)),
)
COLOURS = pattern(3)
KEYS = COLOURS.pixel(2, 3)
cases.shows(
    "colour-with-a-transparent-value",
    make.png(COLOURS, before=[make.chunk(b"tRNS", struct.pack(">3H", *KEYS))]),
    COLOURS.each(lambda pixel: (*pixel, 0 if pixel == KEYS else 255)),
)
DOT = Picture(1, 1, 3, "8", (1, 2, 3))
cases.shows("one-pixel-interlaced", make.png(DOT, interlaced=True), DOT)
GREY = pattern(1)
for kind in range(1, 5):
    cases.shows(f"row-filter-{kind}", make.png(GREY, kinds=lambda number, k=kind: k), GREY)

# What stands beside the pixels.

for orientation in range(1, 9):
    for order in "<>":
        if order == ">" and orientation != 6:
            continue
        side = make.chunk(b"eXIf", exif(orientation, order))
        name = f"orientation-{orientation}" + "-big-endian" * (order == ">")
        cases.shows(name, make.png(COLOURS, before=[side]), COLOURS.turned(orientation))

cases.shows(
    "profile",
    make.png(
        COLOURS, before=[make.chunk(b"iCCP", b"mine\0\0" + zlib.compress(icc(b"RGB ", 4000)))]
    ),
    COLOURS,
)
cases.shows(
    "text-and-resolution",
    make.png(
        GREY,
        before=[
            make.chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1)),
            make.chunk(b"gAMA", struct.pack(">I", 45455)),
            make.chunk(b"sBIT", b"\5"),
            make.chunk(b"tEXt", b"Title\0caf\xe9"),
            make.chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(b"long " * 40)),
            make.chunk(b"prIv", b"unknown, ancillary"),
        ],
        after=[make.chunk(b"tIME", b"\x07\xea\1\1\0\0\0")],
    ),
    GREY,
    warning="text|title|comment|chunk",
)
cases.shows("many-small-idat", lambda: _split(13), GREY)
cases.shows("empty-idat-among-them", lambda: _split(3, make.chunk(b"IDAT")), GREY)
cases.shows("bytes-after-the-end", make.png(GREY) + b"more" * 9, GREY)


def _split(pieces, extra=b""):
    start = make.header(GREY.width, GREY.height, 8, make.GREY)
    return make.assemble(start, extra, make.data(make.raw(GREY, 8), pieces))


# Damage.

WHOLE = make.png(COLOURS)
END = len(WHOLE)
IDAT = WHOLE.index(b"IDAT")
for end in (
    8,
    16,
    24,
    33,
    IDAT,
    IDAT + 4,
    IDAT + 20,
    (IDAT + END) // 2,
    END - 12,
    END - 4,
    END - 1,
):
    cases.refused(f"cut-at-{end}", WHOLE[:end], DAMAGED)


def changed(place, value):
    data = bytearray(WHOLE)
    data[place] = value
    return bytes(data)


def headed(*chunks, **how):
    """Make a file of a 13×9 grey header, its fields changed by name, and some chunks."""
    fields = {"width": GREY.width, "height": GREY.height, "bits": 8, "colour": make.GREY} | how
    return make.assemble(make.header(**fields), *chunks)


PIXELS = make.data(make.raw(GREY, 8))
for name, place in (
    ("header", 19),
    ("header-checksum", 30),
    ("pixels", IDAT + 30),
    ("pixels-checksum", END - 14),
    ("end-checksum", END - 1),
):
    cases.refused(f"wrong-checksum-{name}", changed(place, WHOLE[place] ^ 1), "checksum")
cases.refused(
    "wrong-checksum-palette",
    make.png(FOUR, 2, make.PALETTE, before=[make.chunk(b"PLTE", bytes(12), crc=7)]),
    "checksum",
)
HALF = make.data(make.raw(GREY, 8)[: 14 * 4])
cases.refused("half-the-rows-in-whole-chunks", headed(HALF), DAMAGED)
cases.refused("half-a-row-in-whole-chunks", headed(make.data(make.raw(GREY, 8)[:-7])), DAMAGED)
HALVES = make.raw(GREY, 8, interlaced=True)
cases.refused(
    "interlaced-last-pass-missing",
    headed(make.data(HALVES[: len(HALVES) // 2]), interlace=1),
    DAMAGED,
)
cases.refused(
    "stream-cut-in-whole-chunks",
    headed(make.chunk(b"IDAT", zlib.compress(make.raw(GREY, 8))[:-20])),
    DAMAGED,
)
cases.refused(
    "stream-garbled-in-whole-chunks",
    headed(make.chunk(b"IDAT", zlib.compress(make.raw(GREY, 8))[:9] + b"\xff" * 60)),
    DAMAGED,
)
cases.refused("stream-that-is-no-zlib", headed(make.chunk(b"IDAT", b"not compressed")), DAMAGED)
cases.refused("unknown-row-filter", headed(make.data(b"\x07" + make.raw(GREY, 8)[1:])), DAMAGED)
cases.refused("no-pixels", headed(), "no pixels|damaged")
cases.refused("no-header", make.assemble(PIXELS), DAMAGED)
cases.refused("no-end", WHOLE[:-12], DAMAGED)
cases.refused("a-chunk-longer-than-the-file", headed()[:33] + b"\xff\xff\xff\xf0IDAT1234", DAMAGED)
for name, fields in (
    ("no-width", {"width": 0}),
    ("no-height", {"height": 0}),
    ("width-above-2-31", {"width": 2**31 + 5}),
    ("bit-depth-3", {"bits": 3}),
    ("bit-depth-0", {"bits": 0}),
    ("colour-type-5", {"colour": 5}),
    ("palette-of-16-bits", {"bits": 16, "colour": make.PALETTE}),
    ("compression-method-1", {"compression": 1}),
    ("filter-method-1", {"filtering": 1}),
    ("interlace-method-2", {"interlace": 2}),
):
    cases.refused(name, headed(PIXELS, **fields), DAMAGED + "|limit|not read")
PALETTED = {"colour": make.PALETTE}
cases.refused("palette-missing", headed(PIXELS, **PALETTED), "palette")
cases.refused(
    "palette-of-no-whole-colours",
    headed(make.chunk(b"PLTE", b"12345"), PIXELS, **PALETTED),
    "palette",
)
cases.refused(
    "palette-too-long", headed(make.chunk(b"PLTE", bytes(771)), PIXELS, **PALETTED), "palette"
)
cases.refused("colour-not-in-the-palette", headed(palette(3), PIXELS, **PALETTED), "palette")
cases.refused("transparency-cut-off", headed(make.chunk(b"tRNS", b"\0"), PIXELS), DAMAGED)

# Bombs.

cases.refused("claims-100000-by-100000", headed(PIXELS, width=100_000, height=100_000), "limit")
cases.refused(
    "claims-30000-by-30000-of-16-bits",
    headed(PIXELS, width=30_000, height=30_000, bits=16, colour=make.COLOUR_ALPHA),
    "limit",
)
cases.refused(
    "claims-13000-by-13000",
    headed(PIXELS, width=13_000, height=13_000, colour=make.COLOUR),
    DAMAGED,
)
cases.refused(
    "claims-13000-by-13000-of-16-bits-interlaced",
    headed(PIXELS, width=13_000, height=13_000, bits=16, colour=make.COLOUR_ALPHA, interlace=1),
    DAMAGED + "|memory",
)
for name, key in (("profile", b"iCCP"), ("text", b"zTXt")):
    cases.shows(
        f"gigabyte-in-the-{name}",
        lambda key=key: make.png(GREY, before=[make.chunk(key, b"x\0\0" + zeros_deflated(1024))]),
        GREY,
        warning="profile|text|ignored|left out",
    )
cases.shows(
    "gigabyte-in-international-text",
    lambda: make.png(GREY, before=[make.chunk(b"iTXt", b"x\0\1\0\0\0" + zeros_deflated(1024))]),
    GREY,
    warning="text|ignored|left out",
)
cases.shows(
    "gigabyte-in-the-pixels",
    lambda: headed(make.chunk(b"IDAT", zeros_deflated(1024))),
    GREY.each(lambda pixel: (0,)),
    warning="after its pixels|more than",
)
