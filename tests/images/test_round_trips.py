"""Every format, depth and number of channels: what is written is what is read, bit for bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convtool.filtering.memory import filter_image
from convtool.images.formats import FORMATS
from convtool.images.image import DEPTHS, PIXEL_TYPES, Image
from convtool.images.read import open_document, read
from convtool.images.write import write

TYPES = {
    depth: [name for name, kind in PIXEL_TYPES.items() if kind.depth == depth]
    for depth in DEPTHS.values()
}
STORED_AS_COLOUR = {("webp", 1): 3, ("webp", 2): 4, ("bmp", 2): 4}
"""Formats without grey: how many equal channels a picture comes back with."""

NOT_EXACT = {"jpeg", "gif", "hdr"}
"""Formats that lose by their nature, or hold few colours: they have tests of their own."""

NOT_SMALL = {("jp2", "uint16", 3), ("jp2", "uint16", 4)}
MULTIPLIED = {("exr", "float32", 2), ("exr", "float32", 4)}
"""Kinds that no small picture can have, and those that alpha is multiplied into."""

CASES = [
    (entry.name, dtype, channels)
    for entry in FORMATS.values()
    for depth in entry.depths
    for dtype in TYPES[depth]
    for channels in entry.channels
    if entry.name not in NOT_EXACT
    and not entry.is_foreign
    and entry.can_hold(channels, dtype)
    and (entry.name, dtype, channels) not in NOT_SMALL | MULTIPLIED
]


def picture(rng, dtype, channels, size=(23, 37)):
    shape = size if channels == 1 else (*size, channels)
    if dtype.startswith("float"):
        return rng.normal(0.5, 2, shape).astype(dtype)
    kind = PIXEL_TYPES[dtype]
    values = rng.integers(int(kind.low), int(kind.peak), shape, endpoint=True)
    return values.astype(kind.array)


def image_of(pixels, dtype, channels):
    return Image(pixels, channels in (2, 4), bits=PIXEL_TYPES[dtype].bits)


def as_read(name, pixels, channels):
    wanted = STORED_AS_COLOUR.get((name, channels), channels)
    if wanted == channels:
        return pixels
    if channels == 1:
        return np.dstack([pixels] * 3)
    return pixels[:, :, [0, 0, 0, 1]]


def test_there_is_something_to_walk():
    assert len(CASES) > 30


@pytest.mark.parametrize(("name", "dtype", "channels"), CASES)
def test_pixels_come_back_bit_for_bit(tmp_path, rng, name, dtype, channels):
    pixels = picture(rng, dtype, channels)
    path = tmp_path / f"picture{FORMATS[name].extensions[0]}"
    write(path, image_of(pixels, dtype, channels))
    image = read(path)
    expected = as_read(name, pixels, channels)
    assert image.type.name == dtype
    np.testing.assert_array_equal(image.pixels, expected)
    assert image.has_alpha == (channels in (2, 4))
    assert image.notes == ()
    opened = open_document(path)
    header = opened.headers[0]
    assert opened.format.name == image.format
    assert (header.shape, header.dtype) == (expected.shape, dtype)


@pytest.mark.parametrize(("name", "dtype", "channels"), CASES)
def test_the_identity_kernel_changes_no_bit(tmp_path, rng, name, dtype, channels):
    pixels = picture(rng, dtype, channels)
    path = tmp_path / f"picture{FORMATS[name].extensions[0]}"
    write(path, image_of(pixels, dtype, channels))
    image = read(path)
    result = filter_image(image, ["identity"])
    write(path, result.image)
    np.testing.assert_array_equal(read(path).pixels, image.pixels)
    assert result.clipped_share == 0


@pytest.mark.parametrize("channels", FORMATS["jpeg"].channels)
def test_jpeg_stays_close(tmp_path, channels):
    ramp = np.add.outer(np.arange(64), np.arange(80)).astype(np.uint8)
    pixels = ramp if channels == 1 else np.dstack([ramp, ramp[::-1], 255 - ramp])
    write(tmp_path / "a.jpg", pixels)
    image = read(tmp_path / "a.jpg")
    assert image.pixels.shape == pixels.shape
    assert np.abs(image.pixels.astype(int) - pixels).max() <= 6


def test_quality_is_heard(tmp_path, rng):
    pixels = picture(rng, "uint8", 3, (64, 64))
    sizes = []
    for quality in (10, 50, 95):
        write(tmp_path / "a.jpg", pixels, quality=quality)
        sizes.append((tmp_path / "a.jpg").stat().st_size)
    assert sizes == sorted(sizes)
    write(tmp_path / "b.webp", pixels)
    write(tmp_path / "c.webp", pixels, quality=50)
    assert (tmp_path / "c.webp").stat().st_size < (tmp_path / "b.webp").stat().st_size / 2


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_wide_pictures_of_many_strips(tmp_path, rng, dtype):
    pixels = picture(rng, dtype, 3, (300, 400))
    write(tmp_path / "a.tif", pixels)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, pixels)


@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    case=st.sampled_from(CASES),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_size(tmp_path_factory, height, width, case, seed):
    name, dtype, channels = case
    pixels = picture(np.random.default_rng(seed), dtype, channels, (height, width))
    path = tmp_path_factory.getbasetemp() / f"any{FORMATS[name].extensions[0]}"
    write(path, pixels)
    np.testing.assert_array_equal(read(path).pixels, as_read(name, pixels, channels))


def test_views_are_written_as_they_look(tmp_path, rng):
    pixels = picture(rng, "uint16", 3, (40, 40))[::-2, 3::3]
    assert not pixels.flags.c_contiguous
    for ending in (".png", ".tif", ".ppm"):
        write(tmp_path / f"a{ending}", pixels)
        np.testing.assert_array_equal(read(tmp_path / f"a{ending}").pixels, pixels)


def test_bool_is_black_and_white(tmp_path):
    write(tmp_path / "a.png", np.array([[True, False]]))
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, [[255, 0]])
