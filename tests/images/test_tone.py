"""Depth, range and grey, by worked values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convtool.errors import OptionError, PixelTypeError
from convtool.images.image import PIXEL_TYPES, Image
from convtool.images.tone import OUTPUT_DEPTHS, RANGES, finish, output_type, to_gray, to_working

U8, U16, F32, F64 = map(np.dtype, ("uint8", "uint16", "float32", "float64"))


def tone(values, source=U8, **options):
    return finish(np.array([values], np.float32), source=source, **options)


class TestDepth:
    def test_full_range_goes_to_full_range(self):
        every = np.arange(256, dtype=np.float32)
        np.testing.assert_array_equal(tone(every, depth="16").pixels[0], np.arange(256) * 257)
        np.testing.assert_array_equal(tone(every, depth="float").pixels[0], every / np.float32(255))
        back = tone(np.arange(256) * 257.0, U16, depth="8").pixels[0]
        np.testing.assert_array_equal(back, np.arange(256))
        assert tone([0, 0.5, 1], F32, depth="16").pixels.tolist() == [[0, 32768, 65535]]

    @pytest.mark.parametrize("source", PIXEL_TYPES)
    @pytest.mark.parametrize("depth", OUTPUT_DEPTHS)
    def test_white_stays_white_and_black_black(self, source, depth):
        kind = PIXEL_TYPES[source]
        answer = finish(np.array([[0, kind.peak]]), source=kind, depth=depth).pixels
        assert answer.dtype == output_type(depth, kind).dtype
        assert answer.tolist() == [[0, output_type(depth, kind).peak]]

    @pytest.mark.parametrize("kind", PIXEL_TYPES.values(), ids=PIXEL_TYPES)
    def test_values_beyond_a_type_saturate_and_are_counted(self, kind):
        if not kind.is_integer:
            pytest.skip("floats hold everything")
        toned = finish(np.array([[kind.low - 2, kind.low, kind.peak, kind.peak + 9]]), source=kind)
        assert toned.pixels.tolist() == [[kind.low, kind.low, kind.peak, kind.peak]]
        assert toned.clipped == 2

    def test_floats_keep_their_width(self):
        assert output_type("float", F64).dtype == F64
        assert output_type("keep", F64).dtype == F64
        assert output_type("float", U16).dtype == F32

    def test_halves_go_to_even(self):
        assert tone([0.5, 1.5, 2.5, 254.5, 255.49]).pixels.tolist() == [[0, 2, 2, 254, 255]]

    @given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=40))
    def test_integers_round_and_saturate(self, values):
        toned = tone(values)
        exact = np.array(values, np.float32)
        expected = np.clip(np.round(exact.astype(float)), 0, 255)
        np.testing.assert_array_equal(toned.pixels[0], expected)
        outside = (np.round(exact) < 0) | (np.round(exact) > 255)
        assert toned.clipped == np.count_nonzero(outside)


class TestRange:
    VALUES = (-300.0, -1.0, 0.0, 100.0, 255.0, 256.0)

    def test_clip(self):
        toned = tone(self.VALUES)
        assert toned.pixels.tolist() == [[0, 0, 0, 100, 255, 255]]
        assert (toned.clipped, toned.nans) == (3, 0)

    def test_abs(self):
        toned = tone(self.VALUES, range="abs")
        assert toned.pixels.tolist() == [[255, 1, 0, 100, 255, 255]]
        assert toned.clipped == 2

    def test_offset_adds_half_the_peak(self):
        assert tone([-127.5, -10, 0, 127.5], range="offset").pixels.tolist() == [[0, 118, 128, 255]]
        assert tone([-0.5, 0], F32, range="offset").pixels.tolist() == [[0, 0.5]]

    def test_stretch_takes_all_of_the_range(self):
        toned = tone([-300, -45, 210], range="stretch")
        assert toned.pixels.tolist() == [[0, 128, 255]]
        assert toned.clipped == 0
        assert tone([-1, 3], U8, range="stretch", depth="16").pixels.tolist() == [[0, 65535]]

    def test_stretch_of_a_constant_is_black(self):
        assert tone([7, 7], range="stretch").pixels.tolist() == [[0, 0]]

    def test_stretch_leaves_out_what_is_not_finite(self):
        toned = tone([np.nan, 0, 10, np.inf, -np.inf], range="stretch")
        assert toned.pixels.tolist() == [[0, 0, 255, 255, 0]]
        assert (toned.clipped, toned.nans) == (2, 1)
        assert tone([np.nan, np.inf], range="stretch").nans == 2

    def test_floats_hold_everything(self):
        toned = tone(self.VALUES, depth="float")
        np.testing.assert_allclose(toned.pixels[0] * 255, self.VALUES, rtol=1e-6)
        assert toned.clipped == 0
        kept = tone([np.nan, np.inf, -2], F32)
        np.testing.assert_array_equal(kept.pixels[0], [np.nan, np.inf, -2])
        assert (kept.clipped, kept.nans) == (0, 0)

    def test_not_a_number_becomes_black_and_is_counted(self):
        toned = tone([np.nan, 5, np.nan])
        assert toned.pixels.tolist() == [[0, 5, 0]]
        assert (toned.clipped, toned.nans) == (0, 2)

    def test_unknown_words_are_named(self):
        with pytest.raises(OptionError, match="range 'wrap' is not known; one of clip, abs"):
            tone([0], range="wrap")
        with pytest.raises(OptionError, match="depth '12' is not known; one of keep, 8, 16"):
            tone([0], depth="12")


@pytest.mark.parametrize("name", RANGES)
def test_every_range_and_thread_count_gives_the_same(name, rng):
    values = rng.normal(100, 200, (700, 300, 3)).astype(np.float32)
    untouched = values.copy()
    one = finish(values, source=U8, range=name, threads=1)
    three = finish(values, source=U8, range=name, threads=3)
    np.testing.assert_array_equal(one.pixels, three.pixels)
    assert one.clipped == three.clipped
    np.testing.assert_array_equal(values, untouched)


class TestGray:
    def test_weights(self):
        pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
        np.testing.assert_allclose(
            to_gray(pixels)[0], [0.299 * 255, 0.587 * 255, 0.114 * 255, 255], rtol=1e-6
        )

    def test_grey_stays_grey_once_rounded(self):
        pixels = np.repeat(np.arange(65536, dtype=np.uint16)[:, None, None], 3, axis=2)
        np.testing.assert_array_equal(np.rint(to_gray(pixels)), pixels[:, :, 0])

    def test_types(self):
        assert to_gray(np.ones((1, 1, 3))).dtype == F64
        assert to_gray(np.ones((1, 1, 3), np.uint16)).dtype == F32
        assert to_working(np.ones((1, 1), np.float64)).dtype == F64


def test_pictures_know_their_depth():
    types = ("uint8", "int16", "float16", "float64")
    pictures = [Image(np.ones((1, 1), t)) for t in types]
    assert [picture.peak for picture in pictures] == [255, 32767, 1, 1]
    assert [picture.depth for picture in pictures] == ["8", "int16", "float16", "float"]
    twelve = Image(np.ones((1, 1), np.uint16), bits=12)
    assert (twelve.peak, twelve.depth) == (4095, "12")
    with pytest.raises(PixelTypeError, match="int64"):
        Image(np.ones((1, 1), np.int64)).peak  # noqa: B018
