"""Radiance HDR and OpenEXR: floats in files of eight bits or sixteen."""

import struct
import zlib
from itertools import pairwise

from corpus.case import Registry
from corpus.picture import Picture

cases = Registry("hdr")

DAMAGED = r"damaged|cut off"


def rgbe(mantissas, exponent):
    """Return the values of a pixel: mantissa / 256 · 2^(exponent − 128)."""
    return tuple(value * 2.0 ** (exponent - 136) for value in mantissas)


WIDTH, HEIGHT = 10, 6
STORED = [
    [(x * 25 % 256, (x + y) * 40 % 256, 128 + y, 120 + (x + y) % 17) for x in range(WIDTH)]
    for y in range(HEIGHT)
]
TRUTH = Picture(
    WIDTH,
    HEIGHT,
    3,
    "float",
    tuple(v for row in STORED for *m, e in row for v in rgbe(m, e)),
)


def hdr(lines, size=(WIDTH, HEIGHT), mark=b"#?RADIANCE"):
    start = mark + b"\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % size[::-1]
    return start + b"".join(lines)


def flat(row):
    return b"".join(bytes(pixel) for pixel in row)


def packed(row):
    """Write the four planes of a row one after the other, as stretches of bytes that differ."""
    planes = b"".join(bytes([WIDTH]) + bytes(p[i] for p in row) for i in range(4))
    return struct.pack(">BBH", 2, 2, WIDTH) + planes


FLAT, PACKED = hdr(map(flat, STORED)), hdr(map(packed, STORED))
cases.shows("flat", FLAT, TRUTH, tolerance=1e-6)
cases.shows("packed", PACKED, TRUTH, tolerance=1e-6)
cases.shows(
    "padded-size", PACKED.replace(b"-Y 6 +X 10", b"-Y        6 +X       10"), TRUTH, tolerance=1e-6
)
cases.shows("exposure", PACKED.replace(b"\n\n", b"\nEXPOSURE=2.0\n\n", 1), TRUTH, tolerance=1e-6)
LONG = 700
FIRST, SECOND = (200, 100, 50, 130), (10, 20, 40, 125)


def mark(count):
    return bytes([1, 1, 1, count])


OLD = hdr(
    [flat([FIRST, SECOND]), mark((LONG - 1) % 256), mark((LONG - 1) // 256), flat([FIRST])],
    (LONG + 2, 1),
)
cases.shows(
    "old-runs",
    OLD,
    Picture(
        LONG + 2,
        1,
        3,
        "float",
        rgbe(FIRST[:3], 130) + rgbe(SECOND[:3], 125) * LONG + rgbe(FIRST[:3], 130),
    ),
)
cases.shows(
    "narrow",
    hdr([flat([FIRST, (9, 9, 9, 0)])], (2, 1)),
    Picture(2, 1, 3, "float", (*rgbe(FIRST[:3], 130), 0.0, 0.0, 0.0)),
)
for name, data in (
    ("old-run-of-nothing", hdr([mark(9), flat([FIRST])], (10, 1))),
    ("old-runs-cut", OLD[:-4]),
    ("old-run-beyond-the-end", hdr([flat([FIRST]), mark(200), flat([FIRST])], (40, 1))),
    ("old-runs-of-many-marks", hdr([flat([FIRST]), mark(0) * 9, flat([FIRST])], (40, 1))),
    ("cut-in-the-header", PACKED[:30]),
    ("cut-in-the-pixels", PACKED[: len(PACKED) // 2]),
    ("cut-at-the-end", PACKED[:-1]),
    ("flat-cut-at-the-end", FLAT[:-1]),
    ("no-width", hdr([], (0, 6))),
    ("runs-beyond-the-row", hdr([struct.pack(">BBHBB", 2, 2, WIDTH, 255, 7) * 60])),
    ("claims-13000-by-13000", hdr(map(packed, STORED), (13_000, 13_000))),
):
    cases.refused(name, data, DAMAGED)
cases.refused("claims-100000-by-100000", hdr([], (100_000, 100_000)), "limit")

exr_cases = Registry("exr")

HALVES = Picture(
    WIDTH, HEIGHT, 3, "float", tuple(n % 61 / 8 - 2 for n in range(WIDTH * HEIGHT * 3))
)


def attribute(name, kind, contents):
    return name + b"\0" + kind + b"\0" + struct.pack("<I", len(contents)) + contents


def channel(name, kind):
    return name + b"\0" + struct.pack("<IBBBBII", kind, 0, 0, 0, 0, 1, 1)


def exr(picture, *, kind=1, compression=0, size=None, names=(b"B", b"G", b"R"), order=None):
    """Make a file of one part, lines from the top; kind 1 is half, 2 is float."""
    width, height = size or (picture.width, picture.height)
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    head = struct.pack("<II", 20000630, 2)
    head += attribute(b"channels", b"chlist", b"".join(channel(n, kind) for n in names) + b"\0")
    head += attribute(b"compression", b"compression", bytes([compression]))
    head += attribute(b"dataWindow", b"box2i", window) + attribute(
        b"displayWindow", b"box2i", window
    )
    head += attribute(b"lineOrder", b"lineOrder", b"\0")
    head += attribute(b"pixelAspectRatio", b"float", struct.pack("<f", 1))
    head += attribute(b"screenWindowCenter", b"v2f", bytes(8))
    head += attribute(b"screenWindowWidth", b"float", struct.pack("<f", 1)) + b"\0"
    lines, code = [], "e" if kind == 1 else "f"
    for y, row in enumerate(picture.rows()):
        planes = [row[i :: picture.channels] for i in order or reversed(range(picture.channels))]
        body = b"".join(struct.pack(f"<{len(plane)}{code}", *plane) for plane in planes)
        if compression:
            body = _zipped(body)
        lines.append(struct.pack("<iI", y, len(body)) + body)
    offsets, place = [], len(head) + 8 * len(lines)
    for line in lines:
        offsets.append(place)
        place += len(line)
    return head + struct.pack(f"<{len(offsets)}Q", *offsets) + b"".join(lines)


def _zipped(body):
    """Compress a line as ZIPS does: even and odd bytes apart, differences, deflate."""
    apart = body[::2] + body[1::2]
    steps = [apart[0], *((b - a + 128) % 256 for a, b in pairwise(apart))]
    squeezed = zlib.compress(bytes(steps))
    return squeezed if len(squeezed) < len(body) else body


GREY = Picture(WIDTH, HEIGHT, 1, "float", HALVES.values[: WIDTH * HEIGHT])
exr_cases.shows("half", exr(HALVES), HALVES)
exr_cases.shows("float", exr(HALVES, kind=2), HALVES)
exr_cases.shows("half-zipped", exr(HALVES, compression=2), HALVES)
exr_cases.shows("grey", exr(GREY, names=(b"Y",)), GREY)
REST = tuple((n * 7 + 3) % 64 / 8 for n in range(WIDTH * HEIGHT * 4))
OVER = Picture(WIDTH, HEIGHT, 4, "float", REST).each(
    lambda pixel: (*pixel[:3], 0.25 if pixel[3] else 0)
)
exr_cases.shows(
    "colour-where-alpha-is-0",
    exr(OVER, names=(b"A", b"B", b"G", b"R")),
    OVER.each(lambda pixel: (*(v / (pixel[3] or 1) for v in pixel[:3]), pixel[3])),
    warning="alpha was multiplied",
)
exr_cases.shows(
    "more-channels",
    exr(OVER, names=(b"B", b"G", b"R", b"Z"), order=(2, 1, 0, 3)),
    OVER.each(lambda pixel: pixel[:3]),
    warning="channels are left out: Z",
)


def tiled(picture, side):
    """Make a file of tiles of halves, stored as they are."""
    width, height = picture.width, picture.height
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    head = struct.pack("<II", 20000630, 2 | 0x200)
    names = b"".join(channel(n, 1) for n in (b"B", b"G", b"R"))
    head += attribute(b"channels", b"chlist", names + b"\0")
    head += attribute(b"compression", b"compression", b"\0")
    head += attribute(b"dataWindow", b"box2i", window)
    head += attribute(b"displayWindow", b"box2i", window)
    head += attribute(b"lineOrder", b"lineOrder", b"\0")
    head += attribute(b"pixelAspectRatio", b"float", struct.pack("<f", 1))
    head += attribute(b"screenWindowCenter", b"v2f", bytes(8))
    head += attribute(b"screenWindowWidth", b"float", struct.pack("<f", 1))
    head += attribute(b"tiles", b"tiledesc", struct.pack("<IIB", side, side, 0)) + b"\0"
    tiles = []
    for top in range(0, height, side):
        for left in range(0, width, side):
            columns = range(left, min(left + side, width))
            rows = range(top, min(top + side, height))
            body = b"".join(
                struct.pack("<e", picture.pixel(x, y)[plane])
                for y in rows
                for plane in (2, 1, 0)
                for x in columns
            )
            place = struct.pack("<4iI", left // side, top // side, 0, 0, len(body))
            tiles.append(place + body)
    start = len(head) + 8 * len(tiles)
    offsets = [start + sum(map(len, tiles[:n])) for n in range(len(tiles))]
    return head + struct.pack(f"<{len(tiles)}Q", *offsets) + b"".join(tiles)


exr_cases.shows("tiles", tiled(HALVES, 4), HALVES)
exr_cases.refused("tiles-cut", tiled(HALVES, 4)[:-5], DAMAGED)
WHOLE = exr(HALVES)
for end in (4, 8, 40, 200, len(WHOLE) - 300, len(WHOLE) - 1):
    exr_cases.refused(f"cut-at-{end}", WHOLE[:end], DAMAGED)
exr_cases.refused("claims-100000-by-100000", exr(HALVES, size=(100_000, 100_000)), "limit")
exr_cases.refused("claims-13000-by-13000", exr(HALVES, size=(13_000, 13_000)), DAMAGED)
exr_cases.refused("no-channels", exr(HALVES, names=()), DAMAGED + "|channels|not read")
exr_cases.refused("line-of-garbage", exr(HALVES, compression=2)[:-40] + b"\x55" * 40, DAMAGED)
