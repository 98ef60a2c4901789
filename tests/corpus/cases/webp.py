"""WebP: lossless pictures, their containers, frames, and thirty bytes that mean gigabytes."""

import struct

from corpus.case import Registry
from corpus.make import webp as make
from corpus.make.exif import exif, icc
from corpus.picture import Picture, pattern

cases = Registry("webp")

DAMAGED = r"damaged|cut off"
COLOUR, ALPHA = pattern(3), pattern(4)
SIZE = COLOUR.width, COLOUR.height
PIXELS = make.chunk(b"VP8L", make.lossless(COLOUR))

cases.shows("colour", make.webp(COLOUR), COLOUR)
cases.shows("alpha", make.webp(ALPHA), ALPHA)
cases.shows("extended", make.riff(make.extended(0, *SIZE), PIXELS), COLOUR)
for orientation in range(2, 9):
    side = make.chunk(b"EXIF", exif(orientation))
    file = make.riff(make.extended(make.EXIF, *SIZE), PIXELS, side)
    cases.shows(f"orientation-{orientation}", file, COLOUR.turned(orientation))
cases.shows(
    "profile-and-xmp",
    make.riff(
        make.extended(make.ICC | make.XMP, *SIZE),
        make.chunk(b"ICCP", icc(b"RGB ", 800)),
        PIXELS,
        make.chunk(b"XMP ", b"<x:xmpmeta/>"),
    ),
    COLOUR,
)
cases.shows(
    "unknown-chunk", make.riff(make.extended(0, *SIZE), make.chunk(b"What", b"123"), PIXELS), COLOUR
)
cases.shows("bytes-after-the-end", make.webp(COLOUR) + b"more", COLOUR)
GREEN = Picture(13, 9, 3, "8", (7, 200, 9) * 117)
cases.shows("one-colour-of-no-bits", make.webp(COLOUR, solid=(200, 7, 9, 255)), GREEN)
OTHER = pattern(3, width=4, height=6)
LAID = list(COLOUR.values)
for y in range(6):
    start = ((y + 2) * 13 + 4) * 3
    LAID[start : start + 12] = OTHER.rows()[y]
MOVING = make.riff(
    make.extended(make.ANIMATION, *SIZE),
    make.animation(3),
    make.frame(COLOUR, 70),
    make.frame(OTHER, 90, at=(4, 2)),
)
SECOND = Picture(*SIZE, 3, "8", tuple(LAID))
cases.refused("two-frames-into-pages", MOVING, "2 frames.*--page", code=2)
cases.shows("two-frames-first", MOVING, COLOUR, options=("--page", "1"))
cases.shows("two-frames-second", MOVING, SECOND, options=("--page", "2"))

WHOLE = make.webp(COLOUR)
for end in (8, 12, 16, 20, 25, 40, len(WHOLE) // 2, len(WHOLE) - 1):
    cases.refused(f"cut-at-{end}", WHOLE[:end], DAMAGED + "|format|no size")
for name, data in (
    ("claims-fewer-bytes", make.riff(PIXELS, size=60)),
    ("claims-more-bytes", make.riff(PIXELS, size=10**6)),
    ("claims-2-32-bytes", make.riff(PIXELS, size=2**32 - 2)),
    ("no-chunk", make.riff()),
    ("only-a-header", make.riff(make.extended(0, *SIZE))),
    ("chunk-longer-than-the-file", make.riff(b"VP8L" + struct.pack("<I", 2**31) + PIXELS[8:])),
    ("cut-in-a-whole-chunk", make.riff(make.chunk(b"VP8L", make.lossless(COLOUR)[:-40]))),
    ("wrong-mark", make.riff(make.chunk(b"VP8L", b"\x30" + make.lossless(COLOUR)[1:]))),
    ("another-size-than-it-says", make.riff(make.extended(0, 14, 9), PIXELS)),
    ("lossy-of-garbage", make.riff(make.chunk(b"VP8 ", b"\x55\xaa" * 40))),
    ("lossy-of-no-size", make.riff(make.chunk(b"VP8 ", b"\x10\0\0\x9d\1\x2a" + bytes(60)))),
    (
        "garbage-for-pixels",
        make.riff(make.chunk(b"VP8L", make.lossless(COLOUR)[:5] + b"\x99" * 60)),
    ),
    (
        "animation-without-frames",
        make.riff(make.extended(make.ANIMATION, *SIZE), make.animation(0)),
    ),
    (
        "second-frame-cut",
        make.riff(
            make.extended(make.ANIMATION, *SIZE),
            make.animation(0),
            make.frame(COLOUR, 9),
            make.chunk(b"ANMF", make.frame(OTHER, 9)[8:80]),
        ),
    ),
    (
        "frame-beyond-the-canvas",
        make.riff(
            make.extended(make.ANIMATION, *SIZE),
            make.animation(0),
            make.frame(COLOUR, 9, at=(8, 8)),
        ),
    ),
):
    cases.refused(name, data, DAMAGED + "|no size|no pixels|no frame|frames")
DOT = Picture(1, 1, 3, "8", (0, 1, 1))
cases.shows("28-bytes", make.webp(DOT, solid=(1, 0, 1, 1)), DOT)
SOLID = (1, 2, 3, 255)
cases.refused(
    "16384-by-16384-in-40-bytes", make.webp(COLOUR, size=(16384, 16384), solid=SOLID), "limit"
)
cases.refused(
    "169-megapixels-in-40-bytes",
    make.webp(COLOUR, size=(13000, 13000), solid=SOLID),
    "memory",
    options=("--max-memory", "256M"),
)
cases.refused(
    "canvas-of-2-24", make.riff(make.extended(0, 2**24, 2**24), PIXELS), "limit|" + DAMAGED
)
