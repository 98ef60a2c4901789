"""JPEG: grey, colour, CMYK, orientation, damage, and claims of a few hundred bytes."""

import struct
from dataclasses import replace

from corpus.case import Registry
from corpus.make import jpeg as make
from corpus.make.exif import exif, icc
from corpus.picture import Picture, pattern, stretched

cases = Registry("jpeg")

DAMAGED = r"damaged|cut off"
ACROSS, DOWN = 4, 3
LEVELS = [(16 + 37 * i) % 240 for i in range(ACROSS * DOWN)]
BLUES = [(128 + 17 * i) % 60 + 100 for i in range(ACROSS * DOWN)]
REDS = [(128 + 23 * i) % 50 + 105 for i in range(ACROSS * DOWN)]


def blown_up(pixels, across=ACROSS, side=8):
    """Make the picture in which each of the pixels fills a square."""
    down = len(pixels) // across
    values = [
        value
        for y in range(down * side)
        for x in range(across * side)
        for value in pixels[y // side * across + x // side]
    ]
    return Picture(across * side, down * side, len(pixels[0]), "8", tuple(values))


GREY = blown_up([(level,) for level in LEVELS])
NEUTRAL = blown_up([(level,) * 3 for level in LEVELS])
COLOURS = blown_up([make.colour_of(*c) for c in zip(LEVELS, BLUES, REDS, strict=True)])
MIDDLE = [128] * len(LEVELS)


def grey(*extra, **how):
    return make.baseline(ACROSS, DOWN, [LEVELS], extra=(make.jfif(), *extra), **how)


def colour(*extra, **how):
    return make.baseline(ACROSS, DOWN, [LEVELS, BLUES, REDS], extra=extra, **how)


cases.shows("grey", grey(), GREY)
cases.shows("colour", colour(make.jfif()), COLOURS, tolerance=1)
cases.shows("colour-without-jfif", colour(), COLOURS, tolerance=1)
cases.shows("grey-extended-sequential", grey(marker=make.SOF1), GREY)
cases.shows("grey-of-a-size-that-fills-no-block", grey(size=(27, 18)), GREY.crop(27, 18))
cases.shows("grey-with-restarts", grey(restart=3), GREY)
cases.shows("grey-progressive", make.progressive(ACROSS, DOWN, [LEVELS]), GREY)
cases.shows(
    "colour-progressive",
    make.progressive(ACROSS, DOWN, [LEVELS, BLUES, REDS]),
    COLOURS,
    tolerance=1,
)
FINE = [(40 + 29 * i) % 200 for i in range(4 * len(LEVELS))]
cases.shows(
    "chroma-at-half-size-neutral",
    make.subsampled(ACROSS, DOWN, [FINE, MIDDLE, MIDDLE]),
    blown_up([(level,) * 3 for level in FINE], across=2 * ACROSS),
)
cases.shows(
    "stored-as-rgb",
    make.baseline(ACROSS, DOWN, [LEVELS, BLUES, REDS], extra=[make.adobe(0)]),
    blown_up(list(zip(LEVELS, BLUES, REDS, strict=True))),
)
cases.shows(
    "stored-as-rgb-by-its-names",
    make.baseline(ACROSS, DOWN, [LEVELS, BLUES, REDS], names=b"RGB"),
    blown_up(list(zip(LEVELS, BLUES, REDS, strict=True))),
)

# CMYK: refused unless a way out is named, and never black.

INKS = [LEVELS, BLUES, REDS, MIDDLE]
for name, extra in (
    ("cmyk-without-adobe", []),
    ("cmyk-adobe", [make.adobe(0)]),
    ("ycck-adobe", [make.adobe(2)]),
):
    cases.refused(name, make.baseline(ACROSS, DOWN, INKS, extra=extra), "CMYK.*profile")
cases.refused("two-components", make.baseline(ACROSS, DOWN, INKS[:2]), "2 channels|2 components")

# What stands beside the pixels.


def with_exif(block):
    return make.segment(0xE1, b"Exif\0\0" + block)


for orientation in range(1, 9):
    turned = GREY.turned(orientation)
    cases.shows(f"orientation-{orientation}", grey(with_exif(exif(orientation))), turned)
cases.shows("orientation-6-big-endian", grey(with_exif(exif(6, ">"))), GREY.turned(6))
cases.shows("orientation-9", grey(with_exif(exif(9))), GREY, warning="EXIF|orientation")
for name, block in (
    ("empty", b""),
    ("cut-off", exif(6)[:11]),
    ("no-tiff", b"nonsense that is long enough"),
    ("far-directory", b"II*\0\xff\xff\xff\xff"),
    ("many-entries", b"II*\0\x08\0\0\0\xff\xff" + bytes(40)),
    ("endless-directories", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"),
):
    cases.shows(f"exif-{name}", grey(with_exif(block)), GREY, warning="EXIF")


def profile_parts(profile, pieces, order=None):
    size = -(-len(profile) // pieces)
    parts = [
        make.segment(
            0xE2,
            b"ICC_PROFILE\0" + bytes([i + 1, pieces]) + profile[i * size : (i + 1) * size],
        )
        for i in range(pieces)
    ]
    return [parts[i] for i in (order or range(pieces))]


PROFILE = icc(b"GRAY", 3000)
cases.shows("profile", grey(*profile_parts(PROFILE, 1)), GREY)
cases.shows(
    "profile-in-three-parts-out-of-order", grey(*profile_parts(PROFILE, 3, [2, 0, 1])), GREY
)
cases.shows(
    "profile-with-a-part-missing", grey(*profile_parts(PROFILE, 3, [0, 2])), GREY, warning="profile"
)
cases.shows("profile-that-is-none", grey(*profile_parts(b"no profile", 1)), GREY, warning="profile")
cases.shows(
    "comment",
    grey(make.segment(0xFE, b"caf\xe9 \0 \xff\xd9 and more")),
    GREY,
    warning="comment|text",
)
cases.shows("fill-bytes-before-markers", grey().replace(b"\xff\xc0", b"\xff\xff\xff\xc0"), GREY)
cases.shows("bytes-after-the-end", grey() + b"more" * 99, GREY)
cases.shows("a-preview-after-the-end", grey() + colour(), GREY, warning="pages|pictures")

PHOTOSHOP = (
    b"8BIM" + struct.pack(">HHI", 0x0404, 0, 9) + b"\x1c\x02\x05\0\4name\0"
    + b"8BIM" + struct.pack(">HHI", 1036, 0, 5) + b"small\0"
)  # fmt: skip
for name, content, marker, warning in (
    ("iptc", b"Photoshop 3.0\0" + PHOTOSHOP, 0xED, "IPTC and Photoshop blocks"),
    ("thermal-data", b"FLIR\0\1\0\0" + bytes(90), 0xE1, "thermal data"),
    ("a-segment-of-a-maker", b"Maker\0" + bytes(90), 0xE5, "segments are left out: Maker"),
    ("several-pictures", b"MPF\0II*\0\x08\0\0\0\1\0\1\xb0\4\0\1\0\0\0\3\0\0\0" + bytes(4),
     0xE2, "holds 3 pictures; only the first"),
):  # fmt: skip
    cases.shows(name, grey(make.segment(marker, content)), GREY, warning=warning)
for name, content, marker in (
    ("quantiser-of-a-program", b"Ducky\0\1\0\4\0\0\0\x50\0\0", 0xEC),
    ("small-copy", b"JFXX\0\x13" + bytes(30), 0xE0),
):
    cases.shows(name, grey(make.segment(marker, content)), GREY)
cases.shows("a-video-behind", grey() + b"\0\0\0\x18ftypmp42" + bytes(50), GREY, warning="video")

# 12 bits and lossless.

DEEP = [2048 + (67 * i) % 200 for i in range(ACROSS * DOWN)]
cases.shows(
    "12-bits",
    make.baseline(ACROSS, DOWN, [DEEP], marker=make.SOF1, bits=12),
    stretched(replace(blown_up([(level,) for level in DEEP]), depth="16"), 4095),
)
for bits in (8, 12):
    near = pattern(1, "8" if bits == 8 else "16", white=2**bits // 4)
    plain = near.each(lambda pixel, bits=bits: [pixel[0] + 2**bits // 3])
    cases.shows(
        f"lossless-{bits}-bits",
        make.lossless(plain.width, plain.height, [plain.values], bits=bits),
        stretched(plain, 2**bits - 1),
    )
COLOUR = pattern(3)
cases.shows(
    "lossless-colour",
    make.lossless(
        COLOUR.width, COLOUR.height, [COLOUR.values[n::3] for n in range(3)], extra=[make.adobe(0)]
    ),
    COLOUR,
)
LOSSLESS = make.lossless(COLOUR.width, COLOUR.height, [pattern(1).values])
cases.refused("lossless-cut-and-ended", LOSSLESS[:-40] + make.EOI, DAMAGED)
cases.refused("lossless-cut", LOSSLESS[:-2], DAMAGED)

# Damage.

WHOLE = colour(make.jfif())
SCAN = WHOLE.index(b"\xff\xda")
END = len(WHOLE)
for end in (
    3,
    4,
    12,
    20,
    60,
    100,
    SCAN,
    SCAN + 6,
    SCAN + 14,
    (SCAN + END) // 2,
    END - 3,
    END - 2,
    END - 1,
):
    cases.refused(f"cut-at-{end}", WHOLE[:end], DAMAGED)
for part in (1, 2, 3):
    end = SCAN + 14 + (END - SCAN - 14) * part // 4
    cases.refused(f"cut-at-{part}-quarters-and-ended", WHOLE[:end] + make.EOI, DAMAGED)
PROGRESSIVE = make.progressive(ACROSS, DOWN, [LEVELS, BLUES, REDS])
PSCAN = PROGRESSIVE.index(b"\xff\xda")
cases.refused("progressive-cut", PROGRESSIVE[: PSCAN + 24], DAMAGED)
cases.refused("progressive-cut-and-ended", PROGRESSIVE[: PSCAN + 24] + make.EOI, DAMAGED)
cases.refused("only-markers", make.SOI + make.EOI, DAMAGED)
cases.refused("no-frame", make.SOI + make.huffman() + make.scan_header([1]) + make.EOI, DAMAGED)
cases.refused("no-quantisation-table", grey().replace(make.quantisation(), b""), DAMAGED)
cases.refused(
    "two-frames",
    grey().replace(make.huffman(), make.frame(8, 8, [(1, 1, 1)]) + make.huffman()),
    DAMAGED,
)
cases.refused("garbage-for-pixels", WHOLE[: SCAN + 14] + b"\x55\xaa" * 60 + make.EOI, DAMAGED)
cases.refused("a-segment-longer-than-the-file", make.SOI + b"\xff\xe0\xff\xff" + WHOLE[4:], DAMAGED)
cases.refused("a-segment-of-length-0", make.SOI + b"\xff\xe0\0\0" + WHOLE[2:SCAN], DAMAGED)


def claims(width, height, components=3, marker=make.SOF0, bits=8):
    names = [(n, 1, 1) for n in range(1, components + 1)]
    parts = [make.SOI, make.quantisation(), make.frame(width, height, names, marker, bits)]
    parts += [make.huffman(), make.scan_header(range(1, components + 1)), b"\x12" * 600, make.EOI]
    return b"".join(parts)


cases.refused("no-width", claims(0, 9), DAMAGED)
cases.refused("no-height", claims(9, 0), DAMAGED + "|not read")
cases.refused("no-components", claims(9, 9, 0), DAMAGED)
cases.refused("five-components", claims(9, 9, 5), DAMAGED)
cases.refused("sampling-of-0", grey().replace(b"\1\x11\0", b"\1\0\0"), DAMAGED)
cases.refused("sampling-of-15", grey().replace(b"\1\x11\0", b"\1\xff\0"), DAMAGED)
cases.refused("17-bits", claims(16, 16, 1, make.SOF1, 17), "17-bit JPEG.*convert")
cases.refused("lossless-arithmetic", claims(16, 16, 1, 0xCB), "not read; convert")
cases.refused("arithmetic-cut", claims(16, 16, 1, make.SOF9)[:-2], DAMAGED + "|arithmetic")

# Bombs.

cases.refused(
    "claims-30000-by-30000-in-882-bytes", claims(30_000, 30_000).ljust(882, b"\0"), "limit"
)
cases.refused("claims-65500-by-65500", claims(65_500, 65_500), "limit")
cases.refused("claims-13000-by-13000", claims(13_000, 13_000), DAMAGED)
cases.refused("claims-13000-by-13000-progressive", claims(13_000, 13_000, 3, make.SOF2), DAMAGED)


def scan_bomb():
    """Make thousands of scans of a large picture, each of which changes nothing."""
    across = down = 350
    level = [128] * (across * down)
    table = b"\x10" + bytes([1, *[0] * 15]) + bytes([0xE0])
    whole_run = make.segment(0xC4, table)
    start = make.progressive(across, down, [level]).partition(make.scan_header([1], 1, 63))[0]
    runs = make.Bits()
    left = across * down
    while left > 0:
        runs.add(0, 1)
        runs.add(min(left, 2**15 - 1) - 2**14, 14)
        left -= 2**15 - 1
    scan = make.scan_header([1], 1, 63) + runs.bytes()
    return start + whole_run + scan * 4000 + make.EOI


cases.refused("thousands-of-scans", scan_bomb, "scans|time")
