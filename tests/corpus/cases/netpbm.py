"""PBM, PGM, PPM, PAM and PFM: text and bytes, odd whites, and numbers that lie."""

import struct

from corpus.case import Registry
from corpus.picture import Picture, pattern, stretched

cases = Registry("netpbm")

DAMAGED = r"damaged|cut off"
GREY, COLOUR, WORDS = pattern(1), pattern(3), pattern(3, "16")


def raw(mark, picture, white=255):
    code = "B" if white < 256 else "H"
    body = struct.pack(f">{len(picture.values)}{code}", *picture.values)
    return b"%s\n%d %d\n%d\n" % (mark, picture.width, picture.height, white) + body


def plain(mark, picture, white=255):
    rows = ["  ".join(map(str, row)) for row in picture.rows()]
    start = f"{mark} # a comment\n{picture.width}\n# another\n {picture.height} {white}\n"
    return (start + "\n".join(rows) + "\n").encode()


def pam(picture, kind, white=255):
    code = "B" if white < 256 else "H"
    body = struct.pack(f">{len(picture.values)}{code}", *picture.values)
    text = (
        f"P7\n# made by hand\nWIDTH {picture.width}\nHEIGHT {picture.height}\n"
        f"DEPTH {picture.channels}\nMAXVAL {white}\nTUPLTYPE {kind}\nENDHDR\n"
    )
    return text.encode() + body


cases.shows("pgm", raw(b"P5", GREY), GREY)
cases.shows("ppm", raw(b"P6", COLOUR), COLOUR)
cases.shows("ppm-16-bits", raw(b"P6", WORDS, 65535), WORDS)
cases.shows("pgm-plain", plain("P2", GREY), GREY)
cases.shows("ppm-plain", plain("P3", COLOUR), COLOUR)
TEN = pattern(1, "16", white=1023)
cases.shows("pgm-10-bits", raw(b"P5", TEN, 1023), stretched(TEN, 1023))
BITS = pattern(1, white=1)
BLACK_IS_ONE = BITS.each(lambda pixel: [255 - 255 * pixel[0]])
TEXT = "P1\n13 9\n" + "".join(map(str, BITS.values))
cases.shows("pbm-plain", TEXT.encode(), BLACK_IS_ONE)
PACKED = b"".join(
    int("".join(map(str, row)).ljust(16, "0"), 2).to_bytes(2, "big") for row in BITS.rows()
)
cases.shows("pbm", b"P4 13 9\n" + PACKED, BLACK_IS_ONE)
for picture, kind in (
    (GREY, "GRAYSCALE"),
    (pattern(2), "GRAYSCALE_ALPHA"),
    (COLOUR, "RGB"),
    (pattern(4), "RGB_ALPHA"),
):
    cases.shows(f"pam-{kind.lower()}", pam(picture, kind), picture)
cases.shows("pam-16-bits", pam(pattern(4, "16"), "RGB_ALPHA", 65535), pattern(4, "16"))

REALS = pattern(3, "float")


def pfm(picture, order):
    """Make a PFM, whose rows come from the bottom up."""
    mark = b"PF" if picture.channels == 3 else b"Pf"
    values = [value for row in reversed(picture.rows()) for value in row]
    scale = b"-1.0" if order == "<" else b"1.0"
    start = b"%s\n%d %d\n%s\n" % (mark, picture.width, picture.height, scale)
    return start + struct.pack(f"{order}{len(values)}f", *values)


for order in "<>":
    name = "little" if order == "<" else "big"
    cases.shows(f"pfm-colour-{name}-endian", pfm(REALS, order), REALS)
    cases.shows(f"pfm-grey-{name}-endian", pfm(pattern(1, "float"), order), pattern(1, "float"))
ODD = Picture(4, 1, 1, "float", (float("inf"), float("-inf"), 2.0**-149, -0.0))
cases.shows("pfm-odd-values", pfm(ODD, "<"), ODD, warning="infinit|NaN")
for name, data in (
    ("pfm-cut", pfm(REALS, "<")[:-1]),
    ("pfm-no-scale", b"PF\n2 2\n\n" + bytes(48)),
    ("pfm-scale-0", b"PF\n2 2\n0\n" + bytes(48)),
    ("pfm-scale-is-text", b"PF\n2 2\nbig\n" + bytes(48)),
    ("cut-in-the-mark", b"P5"),
    ("cut-in-the-size", b"P5\n13 "),
    ("cut-before-white", b"P5\n13 9"),
    ("cut-before-pixels", b"P5\n13 9\n255"),
    ("cut-in-pixels", raw(b"P5", GREY)[:-1]),
    ("cut-in-16-bits", raw(b"P6", WORDS, 65535)[:-1]),
    ("plain-cut", plain("P3", COLOUR)[:-9]),
    ("plain-with-a-word", plain("P2", GREY).replace(b"  ", b" two ", 1)),
    ("plain-with-a-minus", plain("P2", GREY).replace(b"  ", b" -", 1)),
    ("plain-with-2-64", plain("P2", GREY).replace(b"  ", b" 18446744073709551616 ", 1)),
    ("value-above-white", raw(b"P5", GREY, 100)),
    ("white-0", b"P5\n2 1\n0\n\0\0"),
    ("white-65536", b"P5\n2 1\n65536\n" + bytes(8)),
    ("white-of-400-digits", b"P5\n2 1\n" + b"9" * 400 + b"\n" + bytes(8)),
    ("width-of-400-digits", b"P5\n" + b"9" * 400 + b" 1\n255\n" + bytes(8)),
    ("negative-width", b"P5\n-3 1\n255\n" + bytes(8)),
    ("no-width", b"P5\n0 1\n255\n"),
    ("endless-comment", b"P5\n#" + b"x" * 500_000),
    ("claims-13000-by-13000", b"P6\n13000 13000\n65535\n" + bytes(90)),
    ("plain-claims-13000-by-13000", b"P3\n13000 13000\n65535\n1 2 3"),
    ("pam-no-end", b"P7\nWIDTH 2\nHEIGHT 2\nDEPTH 1\nMAXVAL 255\n"),
    ("pam-of-9-channels", b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 9\nMAXVAL 255\nENDHDR\n" + bytes(9)),
    ("pam-without-size", b"P7\nDEPTH 1\nMAXVAL 255\nENDHDR\n" + bytes(9)),
    ("pam-width-twice", b"P7\nWIDTH 2\nWIDTH x\nHEIGHT 1\nDEPTH 1\nMAXVAL 9\nENDHDR\n" + bytes(9)),
):
    cases.refused(name, data, DAMAGED + "|not read|no format")
for mark in (b"P4", b"P5", b"P6"):
    name = f"claims-10-9-by-10-9-{mark.decode().lower()}"
    cases.refused(name, mark + b"\n999999999 999999999\n255\n" + bytes(90), "limit")
