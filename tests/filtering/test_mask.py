"""Masks: from files, and what is none."""

import numpy as np
import pytest

from convtool.errors import ImageReadError, OptionError, PixelTypeError, ShapeError
from convtool.filtering.mask import Mask, load_mask
from convtool.images.image import Image, Metadata
from convtool.images.options import ReadOptions
from convtool.images.write import write

RAMP = np.arange(6, dtype=np.uint16).reshape(2, 3) * 13107


@pytest.mark.parametrize(
    ("ending", "pixels"),
    [
        (".png", RAMP),
        (".png", (RAMP >> 8).astype(np.uint8)),
        (".tif", RAMP / np.float32(65535)),
        (".pfm", RAMP / np.float32(65535)),
    ],
    ids=["16", "8", "float", "pfm"],
)
def test_a_file_keeps_its_depth(tmp_path, ending, pixels):
    write(tmp_path / f"mask{ending}", pixels)
    mask = load_mask(tmp_path / f"mask{ending}")
    assert mask.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(mask.pixels, pixels)
    assert mask.name == str(tmp_path / f"mask{ending}")
    np.testing.assert_allclose(
        mask.weights((slice(0, 2), slice(1, 3))), RAMP[:, 1:] / 65535, atol=0.004
    )


def test_grey_in_colours_and_opaque_alpha_are_taken(tmp_path):
    grey = np.repeat((RAMP >> 8).astype(np.uint8)[..., None], 4, axis=2)
    grey[..., 3] = 255
    write(tmp_path / "mask.png", grey)
    np.testing.assert_array_equal(load_mask(tmp_path / "mask.png").pixels, grey[..., 0])


def test_it_is_turned_as_pictures_are(tmp_path):
    exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    write(tmp_path / "mask.png", Image(RAMP, metadata=Metadata(exif=exif)))
    assert load_mask(tmp_path / "mask.png").pixels.shape == (3, 2)
    kept = load_mask(tmp_path / "mask.png", ReadOptions(orientation="keep", page=1))
    assert kept.pixels.shape == (2, 3)


def test_what_is_no_mask(tmp_path):
    colour = np.zeros((2, 3, 3), np.uint8)
    colour[1, 1, 2] = 9
    write(tmp_path / "colour.png", colour)
    with pytest.raises(ImageReadError, match=r"colour\.png: a mask is grey, this is in colour"):
        load_mask(tmp_path / "colour.png")
    write(tmp_path / "clear.png", np.full((2, 3, 2), 254, np.uint8))
    with pytest.raises(ImageReadError, match=r"clear\.png: a mask has no transparency"):
        load_mask(tmp_path / "clear.png")
    with pytest.raises(OptionError, match="not from standard input"):
        load_mask("-")
    with pytest.raises(ImageReadError, match="there is no such file"):
        load_mask(tmp_path / "none.png")


def test_several_pages_are_none(tmp_path):
    from convtool.images.image import Document
    from convtool.images.write import write_document

    page = Image(RAMP)
    write_document(tmp_path / "pages.tif", Document((page, page)))
    with pytest.raises(ImageReadError, match=r"pages\.tif: has 2 pages; a mask is one picture"):
        load_mask(tmp_path / "pages.tif")


@pytest.mark.parametrize("wrong", [-0.01, 1.01, np.nan, np.inf])
def test_floats_lie_between_0_and_1(wrong):
    pixels = np.full((2, 2), 0.5)
    pixels[1, 0] = wrong
    with pytest.raises(OptionError, match="m: a mask of floats has values from 0 to 1"):
        Mask(pixels, "m")


def test_shapes_and_types():
    for shape in [(2, 3, 1), (0, 3), (4,)]:
        with pytest.raises(ShapeError, match=r"a mask is grey, of shape \(H, W\)"):
            Mask(np.zeros(shape, np.uint8))
    with pytest.raises(PixelTypeError):
        Mask(np.zeros((2, 3), np.int32))
