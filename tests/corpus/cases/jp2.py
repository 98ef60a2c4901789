"""JPEG 2000: colour spaces, palettes, subsampling, offsets, and boxes in any place."""

from corpus.case import Registry
from corpus.make import jp2 as make
from corpus.picture import Picture, pattern, stretched

cases = Registry("jp2")

DAMAGED = r"damaged|cut off"
COLOUR, GREY, FOUR = pattern(3), pattern(1), pattern(4)
SIZE = COLOUR.width, COLOUR.height
PLANES = make.planes_of(COLOUR)
STREAM = make.stream(PLANES)


def sycc(pixel):
    """Return the colours of luma and chroma as OpenJPEG has them."""
    luma, blue, red = pixel[0], pixel[1] - 128, pixel[2] - 128
    values = (
        luma + int(1.402 * red),
        luma - int(0.344 * blue + 0.714 * red),
        luma + int(1.772 * blue),
    )
    return [min(255, max(0, value)) for value in values]


def halved(picture, across, down):
    values = [
        picture.pixel(x, y)[0]
        for y in range(0, picture.height, down)
        for x in range(0, picture.width, across)
    ]
    width, height = -(-picture.width // across), -(-picture.height // down)
    return Picture(width, height, 1, "8", tuple(values))


def repeated(planes, factors):
    """Return the picture in which each value of a subsampled plane fills its place."""
    width, height = planes[0].width, planes[0].height
    values = tuple(
        plane.pixel(x // across, y // down)[0]
        for y in range(height)
        for x in range(width)
        for plane, (across, down) in zip(planes, factors, strict=True)
    )
    return Picture(width, height, len(planes), "8", values)


cases.shows("colour", make.jp2(STREAM, SIZE, 3, make.SRGB), COLOUR)
cases.shows("codestream-alone", STREAM, COLOUR)
cases.shows("grey", make.jp2(make.stream([GREY]), SIZE, 1, make.GREY), GREY)
cases.shows("alpha", make.jp2(make.stream(make.planes_of(FOUR)), SIZE, 4, make.SRGB), FOUR)
cases.shows("sycc", make.jp2(STREAM, SIZE, 3, make.SYCC), COLOUR.each(sycc))
for name, chroma in (("420", (2, 2)), ("422", (2, 1))):
    factors = [(1, 1), chroma, chroma]
    planes = [PLANES[0], halved(PLANES[1], *chroma), halved(PLANES[2], *chroma)]
    data = make.stream(planes, factors=factors)
    truth = repeated(planes, factors).each(sycc)
    cases.shows(f"sycc-{name}", make.jp2(data, SIZE, 3, make.SYCC), truth)
    cases.shows(f"subsampled-{name}-is-sycc", make.jp2(data, SIZE, 3, make.SRGB), truth)
EVEN = make.planes_of(COLOUR.crop(12, 8))
factors = [(1, 1), (4, 1), (4, 1)]
planes = [EVEN[0], halved(EVEN[1], 4, 1), halved(EVEN[2], 4, 1)]
data = make.jp2(make.stream(planes, factors=factors), (12, 8), 3, make.SYCC)
cases.shows("sycc-411-of-even-width", data, repeated(planes, factors).each(sycc))
planes = [PLANES[0], halved(PLANES[1], 4, 1), halved(PLANES[2], 4, 1)]
data = make.jp2(make.stream(planes, factors=factors), SIZE, 3, make.SYCC)
cases.refused("sycc-411-of-odd-width", data, "cannot be decoded: [a-z]")
cases.refused("cielab", make.jp2(STREAM, SIZE, 3, make.CIELAB), r"CIE L\*a\*b\*.*convert")
cases.refused("unknown-space", make.jp2(STREAM, SIZE, 3, 99), "colour space 99")
for left, top in ((3, 5), (1, 0)):
    data = make.stream(PLANES, offset=(left, top))
    cases.shows(f"offset-{left}-{top}", make.jp2(data, SIZE, 3, make.SRGB), COLOUR)
CMYK = make.jp2(make.stream(make.planes_of(FOUR)), SIZE, 4, make.CMYK)
cases.refused("cmyk", CMYK, "CMYK.*profile")
cases.shows(
    "cmyk-naive",
    CMYK,
    FOUR.each(lambda p: [(255 - ink) * (255 - p[3]) / 255 for ink in p[:3]]),
    options=("--cmyk", "naive"),
    warning="CMYK",
    tolerance=0.5,
)
WIDE = [(i * 53 % 256, i * 91 % 256, i * 17 % 256) for i in range(256)]
CLEAR = [(*colour, i * 7 % 256) for i, colour in enumerate(WIDE)]
for name, colours in (("palette", WIDE), ("palette-with-alpha", CLEAR)):
    data = make.jp2(make.stream([GREY]), SIZE, 1, make.SRGB, inner=make.palette(colours))
    cases.shows(name, data, GREY.each(lambda pixel, colours=colours: colours[pixel[0]]))
SHORT = make.jp2(make.stream([GREY]), SIZE, 1, make.SRGB, inner=make.palette(WIDE[:9]))
cases.refused("colour-not-in-the-palette", SHORT, "palette")
XML, FREE = make.box(b"xml ", b"<a/>"), make.box(b"free", bytes(9))
cases.shows(
    "boxes-behind", make.jp2(STREAM, SIZE, 3, make.SRGB, before=FREE, behind=XML + FREE), COLOUR
)
cases.refused(
    "cut-before-a-box", make.jp2(STREAM[:-2], SIZE, 3, make.SRGB, behind=XML), "end marker"
)
XMP = make.box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), b"<x:xmpmeta/>")
cases.shows("xmp", make.jp2(STREAM, SIZE, 3, make.SRGB, behind=XMP), COLOUR)
for bits in (1, 4):
    small = pattern(1, white=2**bits - 1)
    moved = small.each(lambda p, half=2 ** (bits - 1): [p[0] + 128 - half])  # levels are shifted
    data = make.stream([moved], bits=bits)
    cases.shows(f"{bits}-bits", make.jp2(data, SIZE, 1, make.GREY), stretched(small, 2**bits - 1))
