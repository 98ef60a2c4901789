"""Pixels of every type, as a screen shows them."""

import numpy as np
import pytest

from convtool.images.formats import format_for
from convtool.images.image import Image
from convtool.images.options import ReadOptions
from convtool.view.screen import Box, factor_for, part_png, reduced_png, white_of


def decoded(png):
    codec = format_for("a.png").load()
    return codec.decode(png, codec.inspect(png), ReadOptions()).pixels


def test_bytes_are_shown_as_they_are(rng):
    pixels = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    assert np.array_equal(decoded(reduced_png(Image(pixels), 255, 30)), pixels)


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32, np.float64])
def test_other_types_are_scaled_to_white(dtype, rng):
    top = 1.0 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    pixels = (rng.random((1500, 4)) * top).astype(dtype)
    shown = decoded(reduced_png(Image(pixels), top, 2000))
    assert np.array_equal(shown, np.rint(pixels.astype(float) * 255 / top))


def test_values_that_are_not_numbers_are_black_or_white():
    pixels = np.array([[np.nan, np.inf, -np.inf, 2.0, -1.0]], np.float32)
    assert decoded(reduced_png(Image(pixels), 1.0, 9)).tolist() == [[0, 255, 0, 255, 0]]


def test_a_reduced_pixel_is_the_mean_of_its_square(rng):
    pixels = rng.integers(0, 256, (31, 47)).astype(np.uint8)
    shown = decoded(reduced_png(Image(pixels), 255, 12))
    assert factor_for(Image(pixels), 12) == 4
    means = pixels[:28, :44].reshape(7, 4, 11, 4).mean(axis=(1, 3))
    assert shown.shape == (7, 11)
    assert np.abs(shown - means).max() <= 0.5


def test_transparent_pixels_do_not_colour_their_neighbours():
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[:, 0] = 200, 100, 50, 255
    assert decoded(reduced_png(Image(pixels, True), 255, 1)).tolist() == [[[200, 100, 50, 128]]]


def test_of_bands_the_first_is_shown():
    pixels = np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 3, 5)
    shown = decoded(part_png(Image(pixels), 255, Box(1, 0, 2, 2)))
    assert np.array_equal(shown, pixels[:, 1:, 0])


def test_a_part_ends_where_the_picture_does():
    pixels = np.arange(20, dtype=np.uint8).reshape(4, 5)
    assert decoded(part_png(Image(pixels), 255, Box(3, 2, 9, 9))).tolist() == [[13, 14], [18, 19]]


@pytest.mark.parametrize(("largest", "white"), [(0.5, 1.0), (250.0, 250.0)])
def test_white_of_floats_is_their_largest_value(largest, white):
    assert white_of(Image(np.array([[largest, np.inf, np.nan]], np.float32))) == white
