"""GIF: palettes, transparency, frames with durations, and damage."""

from corpus.case import Registry
from corpus.make import gif as make
from corpus.picture import Picture, pattern

cases = Registry("gif")

DAMAGED = r"damaged|cut off"
PALETTE = [(10, 20, 30), (250, 120, 3), (0, 255, 7), (99, 98, 97)]
OTHER = [(1, 2, 3), (4, 5, 6), (7, 8, 9), (200, 201, 202)]
WIDE = [(i * 53 % 256, i * 91 % 256, i * 17 % 256) for i in range(256)]
INDICES = pattern(1, white=3)
SIZE = INDICES.width, INDICES.height


def coloured(picture, palette=PALETTE):
    return picture.each(lambda pixel: palette[pixel[0]])


def filled(index, width, height):
    return Picture(width, height, 1, "8", (index,) * (width * height))


START = make.screen(*SIZE, PALETTE)
TRUTH = coloured(INDICES)

cases.shows("89a", make.gif(START, make.frame(INDICES)), TRUTH)
cases.shows("87a", make.gif(make.screen(*SIZE, PALETTE, b"87a"), make.frame(INDICES)), TRUTH)
cases.shows("interlaced", make.gif(START, make.frame(INDICES, interlaced=True)), TRUTH)
cases.shows(
    "palette-of-the-frame",
    make.gif(START, make.frame(INDICES, palette=OTHER)),
    coloured(INDICES, OTHER),
)
DEEP = pattern(1, width=90, height=80, white=255)
cases.shows(
    "256-colours-and-a-full-table",
    make.gif(make.screen(90, 80, WIDE), make.frame(DEEP, bits=8)),
    coloured(DEEP, WIDE),
)
WITH_BLACK = [PALETTE[0], (0, 0, 0), *PALETTE[2:]]
cases.shows(
    "transparent",
    make.gif(make.screen(*SIZE, WITH_BLACK), make.control(transparent=1), make.frame(INDICES)),
    INDICES.each(lambda pixel: (*WITH_BLACK[pixel[0]], 0 if pixel[0] == 1 else 255)),
)
cases.refused("no-trailer", make.gif(START, make.frame(INDICES))[:-1], DAMAGED)
cases.shows("bytes-after-the-end", make.gif(START, make.frame(INDICES)) + b"more", TRUTH)
cases.shows(
    "comment",
    make.gif(START, make.comment(b"hello"), make.frame(INDICES)),
    TRUTH,
    warning="texts",
)

# Frames.

SMALL = filled(2, 4, 3)
FIRST = make.frame(INDICES)
SECOND = make.frame(SMALL, at=(5, 2))


def with_patch(picture, patch):
    """Return a copy of the picture with the patch laid on it at (5, 2)."""
    values = list(picture.values)
    for y in range(patch.height):
        for x in range(patch.width):
            start = ((y + 2) * picture.width + x + 5) * picture.channels
            values[start : start + picture.channels] = patch.pixel(x, y)
    return Picture(picture.width, picture.height, picture.channels, "8", tuple(values))


PATCHED = with_patch(TRUTH, coloured(SMALL))
MOVING = make.gif(
    START, make.loop(3), make.control(duration=7), FIRST, make.control(duration=9), SECOND
)
FRAMES = "2 frames.*--page"
cases.refused("two-frames-into-pages", MOVING, FRAMES, code=2)
cases.shows("two-frames-first", MOVING, TRUTH, options=("--page", "1"))
cases.shows("two-frames-second", MOVING, PATCHED, options=("--page", "2"))
THREE = make.gif(
    START, make.control(duration=1), FIRST, make.control(disposal=3), SECOND,
    make.control(), make.frame(filled(3, 1, 1)),
)  # fmt: skip
BACK = Picture(*SIZE, 3, "8", (*PALETTE[3], *TRUTH.values[3:]))
for number, truth in enumerate((TRUTH, PATCHED, BACK), 1):
    name = f"back-to-the-first-frame-{number}"
    cases.shows(name, THREE, truth, options=("--page", str(number)))

# Frames that reach over the screen: it grows for the first, and later ones are cut.

cases.shows(
    "first-frame-over-the-screen",
    make.gif(make.screen(8, 5, PALETTE), FIRST),
    TRUTH,
    warning="reaches over the screen of 8×5",
)
OVER = make.gif(START, FIRST, make.frame(filled(2, 13, 9), at=(11, 7)))
CUT = [
    PALETTE[2] if x >= 11 and y >= 7 else TRUTH.pixel(x, y)
    for y in range(SIZE[1])
    for x in range(SIZE[0])
]
cases.shows(
    "second-frame-over-the-screen",
    OVER,
    Picture(*SIZE, 3, "8", tuple(value for pixel in CUT for value in pixel)),
    options=("--page", "2"),
    warning="frames reach over the picture and were cut",
)
OUTSIDE = make.gif(START, FIRST, make.frame(SMALL, at=(60, 70)))
cases.shows(
    "second-frame-beyond-the-screen", OUTSIDE, TRUTH, options=("--page", "2"), warning="were cut"
)
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + b"text " * 99 + b"</x:xmpmeta>"
PACKET = b"\x21\xff\x0bXMP DataXMP" + XMP + bytes([1, *range(255, -1, -1), 0])
cases.shows("xmp", make.gif(START, PACKET, FIRST), TRUTH)

# Damage.

WHOLE = make.gif(START, make.frame(INDICES))
END = len(WHOLE)
for end in (3, 6, 10, 13, 20, 25, 30, 36, 37, (36 + END) // 2, END - 4):
    cases.refused(f"cut-at-{end}", WHOLE[:end], DAMAGED + "|format")
for end in (len(MOVING) - 5, len(MOVING) - 20):
    cases.refused(f"second-frame-cut-at-{end}", MOVING[:end], DAMAGED)
cases.refused("no-frame", make.gif(START), DAMAGED + "|no picture|no frame")
cases.refused("no-palette", make.gif(make.screen(*SIZE), make.frame(INDICES)), DAMAGED + "|palette")
cases.refused(
    "no-width", make.gif(make.screen(0, 9, PALETTE), make.frame(INDICES, size=(0, 9))), DAMAGED
)
for bits in (0, 13, 255):
    file = make.gif(START, make.frame(INDICES)[:10] + bytes([bits]) + make.frame(INDICES)[11:])
    cases.refused(f"codes-of-{bits}-bits", file, DAMAGED)
cases.refused(
    "code-before-its-entry",
    make.gif(START, make.frame(INDICES, contents=b"\xfc\xff\xff\xff")),
    DAMAGED,
)
cases.refused(
    "half-the-pixels",
    make.gif(START, make.frame(INDICES, contents=make.lzw(INDICES.values[:60], 2))),
    DAMAGED,
)
cases.refused("no-codes", make.gif(START, make.frame(INDICES, contents=b"")), DAMAGED)
cases.refused("unknown-block", make.gif(START, b"\x99\x99\x99", make.frame(INDICES)), DAMAGED)
cases.refused(
    "colour-not-in-the-palette",
    make.gif(make.screen(*SIZE, PALETTE[:2]), make.frame(INDICES)),
    DAMAGED + "|palette",
)
cases.refused(
    "claims-65535-by-65535",
    make.gif(make.screen(65535, 65535, PALETTE), make.frame(SMALL)),
    "limit",
)
cases.refused(
    "claims-13000-by-13000",
    make.gif(make.screen(13000, 13000, PALETTE), make.frame(SMALL, size=(13000, 13000))),
    DAMAGED,
)
cases.refused(
    "200000-frames-of-a-megapixel",
    lambda: make.gif(
        make.screen(1000, 1000, PALETTE), make.frame(filled(1, 1, 1), bits=2) * 200_000
    ),
    "frames|pages|limit|memory|time",
)
