"""The identity kernel changes no bit: depth × channels × layout × metadata × format, at random.

The files that go in are made by the corpus's makers, and TIFF that comes out is read by its reader.
"""

import struct
from random import Random

import pytest
from corpus import output
from corpus.make import exif as blocks
from corpus.make import png, tiff, webp
from corpus.picture import Picture
from hypothesis import given, settings
from hypothesis import strategies as st

from convtool.filtering.job import FilterJob
from convtool.filtering.picture import filter_file
from convtool.images.read import read
from convtool.kernels.spec import parse

TARGETS = {
    "8": ("png", "tif", "pam", "webp", "bmp"),
    "16": ("png", "tif", "pam"),
    "float": ("tif",),
}
"""Endings that hold every picture of a depth without loss …"""

WITHOUT_GREY = ("webp", "bmp")
"""… but for these, which hold it as equal colours; they are given colours only."""

HOLDS_METADATA = ("png", "tif", "webp")
KERNELS = ("identity", "identity:size=5", "1x1:1", "3x3:0,0,0,0,1,0,0,0,0")
SOURCES = {"png": ("8", "16"), "tiff": ("8", "16", "float"), "webp": ("8",)}


@st.composite
def pictures(draw, depths, least_channels=1):
    """Draw a picture of random numbers."""
    depth = draw(st.sampled_from(depths))
    channels = draw(st.integers(least_channels, 4))
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 20))
    rng = Random(draw(st.integers(0, 2**32)))
    count = width * height * channels
    if depth == "float":
        alpha = channels in (2, 4)
        values = [
            rng.random() if alpha and i % channels == channels - 1 else rng.uniform(-3, 1e6)
            for i in range(count)
        ]
        values = struct.unpack(f"{count}f", struct.pack(f"{count}f", *values))
    else:
        values = [rng.randrange(256 if depth == "8" else 65536) for _ in range(count)]
    return Picture(width, height, channels, depth, tuple(values))


def png_file(draw, picture, orientation, profile):
    before = [png.chunk(b"eXIf", blocks.exif(orientation))] if orientation else []
    if profile:
        before.append(png.chunk(b"iCCP", b"mine\0\0" + png.zlib.compress(profile)))
    kind = draw(st.integers(0, 4))
    return png.png(
        picture,
        int(picture.depth),
        before=before,
        interlaced=draw(st.booleans()),
        kinds=lambda number: (number + kind) % 5,
    )


def tiff_file(draw, picture, orientation, profile):
    order = draw(st.sampled_from("<>"))
    floats = picture.depth == "float"
    compression = draw(st.sampled_from(["stored", "lzw", "deflate"]))
    predictor = 2 if compression != "stored" and not floats and draw(st.booleans()) else 1
    tags = ({274: [orientation]} if orientation else {}) | ({34675: profile} if profile else {})
    page = tiff.page(
        picture,
        bits=draw(st.sampled_from([32, 64])) if floats else None,
        order=order,
        rows_per_strip=draw(st.integers(1, 20)),
        tile=draw(st.sampled_from([None, None, (16, 16), (32, 16)])),
        planar=picture.channels > 1 and draw(st.booleans()),
        compression=compression,
        predictor=predictor,
        floats=floats,
        tags=tags,
    )
    return tiff.tiff(page, order=order, big=draw(st.booleans()))


def webp_file(draw, picture, orientation, profile):
    chunks, flags = [webp.chunk(b"VP8L", webp.lossless(picture))], 0
    if profile:
        flags |= webp.ICC
        chunks.insert(0, webp.chunk(b"ICCP", profile))
    if orientation:
        flags |= webp.EXIF
        chunks.append(webp.chunk(b"EXIF", blocks.exif(orientation)))
    if picture.channels == 4:
        flags |= webp.ALPHA
    return webp.riff(webp.extended(flags, picture.width, picture.height), *chunks)


MAKERS = {"png": png_file, "tiff": tiff_file, "webp": webp_file}


def as_picture(image):
    depth = {"uint8": "8", "uint16": "16"}.get(image.pixels.dtype.name, "float")
    values = tuple(image.pixels.ravel().tolist())
    return Picture(image.width, image.height, image.channels, depth, values)


@pytest.mark.parametrize("source", SOURCES)
@given(data=st.data())
@settings(max_examples=80)
def test_the_very_same_pixels_come_out(tmp_path_factory, source, data):
    least = 3 if source == "webp" else 1
    truth = data.draw(pictures(SOURCES[source], least))
    orientation = data.draw(st.sampled_from([None, *range(1, 9)]))
    space = b"GRAY" if truth.channels < 3 else b"RGB "
    profile = data.draw(st.sampled_from([b"", blocks.icc(space, 600)]))
    endings = TARGETS[truth.depth]
    if truth.channels < 3:
        endings = [ending for ending in endings if ending not in WITHOUT_GREY]
    ending = data.draw(st.sampled_from(endings))
    kernel = data.draw(st.sampled_from(KERNELS if truth.channels in (1, 3) else KERNELS[:1]))
    folder = tmp_path_factory.getbasetemp()
    (folder / "in").write_bytes(MAKERS[source](data.draw, truth, orientation, profile))
    target = folder / f"out.{ending}"
    filter_file(folder / "in", target, FilterJob((parse(kernel),)))
    expected = truth.turned(orientation or 1)
    image = read(target)
    assert as_picture(image) == expected
    assert image.metadata.orientation == 1
    if ending == "tif":
        assert output.pages(target.read_bytes()) == [expected]
    if ending in HOLDS_METADATA:
        assert image.metadata.icc == profile
