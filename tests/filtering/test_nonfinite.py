"""NaN and infinity: kept, filled, refused."""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from convtool.errors import NonFiniteError, OptionError
from convtool.filtering import nonfinite
from convtool.filtering.memory import FilterOptions, filter_image
from convtool.images.image import Image
from convtool.kernels.spec import parse

SMOOTHING = ["box", "gaussian:sigma=1", "box:size=5,scale=3", "2x3:0,1,2,3,4,5", "motion"]
OTHERS = ["sharpen-5", "laplacian-4", "sobel", "emboss", "log:sigma=1"]


def run(pixels, *kernels, has_alpha=False, **options):
    return filter_image(Image(pixels, has_alpha), kernels, FilterOptions(**options))


@pytest.fixture
def holed(rng):
    pixels = rng.random((9, 11))
    pixels[0, 0] = np.nan
    pixels[4, 5:7] = np.inf
    pixels[8, 3] = -np.inf
    return pixels


def mean_of_known(values, weights, border):
    """Divide the sum of what is known in each window by the weights that saw it."""
    holes = ~np.isfinite(values)
    sums = reference.convolve(np.where(holes, 0, values), weights, border=border)
    seen = reference.convolve((~holes).astype(float), weights, border=border)
    return sums / seen * weights.sum()


class TestFill:
    @pytest.mark.parametrize("border", ["reflect", "nearest", "wrap"])
    @pytest.mark.parametrize("kernel", SMOOTHING)
    def test_smoothing_takes_the_mean_of_what_is_known(self, holed, kernel, border):
        result = run(holed, kernel, nan="fill", border=border)
        expected = mean_of_known(holed, parse(kernel).weights, border)
        np.testing.assert_allclose(result.image.pixels, expected, rtol=1e-11)
        assert result.warnings == ()

    def test_a_constant_border_is_known(self):
        row = np.array([[np.nan, 5.0, 5.0]])
        result = run(row, "1x3:1,1,1", nan="fill", border="constant", cval=2.0).image.pixels
        np.testing.assert_allclose(result, [[3 * (2 + 5) / 2, 15, 12]])

    @given(st.integers(0, 2**32), st.sampled_from(SMOOTHING))
    def test_a_flat_picture_stays_flat(self, seed, kernel):
        rng = np.random.default_rng(seed)
        pixels = np.full((8, 9), 0.7, np.float32)
        pixels[rng.random((8, 9)) < 0.2] = np.nan
        weights = parse(kernel).weights
        result = run(pixels, kernel, nan="fill").image.pixels
        known = result[np.isfinite(result)]
        np.testing.assert_allclose(known, 0.7 * weights.sum(), rtol=1e-5)

    @pytest.mark.parametrize("kernel", [*SMOOTHING, *OTHERS])
    def test_without_holes_nothing_is_different(self, rng, kernel):
        pixels = rng.random((9, 11, 3)).astype(np.float32)
        plain = run(pixels, kernel).image.pixels
        assert run(pixels, kernel, nan="fill").image.pixels.tobytes() == plain.tobytes()

    @pytest.mark.parametrize("kernel", [*SMOOTHING, *OTHERS])
    def test_far_from_holes_nothing_is_different(self, rng, kernel):
        pixels = rng.random((30, 31))
        plain = run(pixels, kernel, engine="direct").image.pixels
        pixels[2, 2] = np.nan
        filled = run(pixels, kernel, nan="fill", engine="direct").image.pixels
        np.testing.assert_array_equal(filled[16:, 16:], plain[16:, 16:])
        assert np.isfinite(filled).all()

    @pytest.mark.parametrize("kernel", OTHERS)
    def test_other_kernels_see_interpolated_values(self, holed, kernel):
        result = run(holed, kernel, nan="fill").image.pixels
        filled = nonfinite.replaced(holed)
        np.testing.assert_array_equal(result, run(filled, kernel).image.pixels)

    def test_large_holes_are_filled_from_afar(self):
        pixels = np.full((60, 80, 2), 3.0)
        pixels[:, 1:, 0] = np.nan
        pixels[:, :, 1] = np.nan
        filled = nonfinite.replaced(pixels)
        np.testing.assert_allclose(filled[:, :, 0], 3.0)
        assert np.isnan(filled[:, :, 1]).all()

    def test_chains_fill_at_each_step(self, holed):
        result = run(holed, "box", "laplacian-4", nan="fill").image.pixels
        smooth = mean_of_known(holed, parse("box").weights, "reflect")
        expected = reference.convolve(smooth, parse("laplacian-4").weights)
        np.testing.assert_allclose(result, expected, atol=1e-12)

    def test_where_nothing_is_known_it_stays_and_is_counted(self):
        pixels = np.ones((9, 9), np.float32)
        pixels[1:8, 1:8] = np.nan
        result = run(pixels, "box", nan="fill")
        assert np.count_nonzero(np.isnan(result.image.pixels)) == 25
        assert result.warnings == (
            "25 values stay NaN: the kernel reaches no pixel there that is a number; "
            "a larger kernel does",
        )
        eight = run(pixels, "box", nan="fill", depth="8")
        assert "25 values are not numbers (NaN) and became 0" in eight.warnings

    def test_with_alpha_colours_and_alpha_are_filled_first(self, rng):
        pixels = rng.random((6, 7, 4))
        pixels[2, 3, 0] = np.nan
        pixels[4, 4, 3] = np.inf
        result = run(pixels, "box", nan="fill", has_alpha=True).image.pixels
        filled = nonfinite.replaced(pixels)
        plain = run(filled, "box", has_alpha=True).image.pixels
        np.testing.assert_allclose(result, plain, rtol=1e-12)
        alone = run(pixels, "box", nan="fill", has_alpha=True, channels="A").image.pixels
        np.testing.assert_array_equal(alone[:, :, 3], plain[:, :, 3])
        np.testing.assert_array_equal(alone[:, :, :3], pixels[:, :, :3])

    def test_the_rest_keeps_its_holes(self, holed):
        from convtool.filtering.mask import Mask

        result = run(holed, "box", nan="fill", region=(4, 2, 7, 7)).image.pixels
        whole = run(holed, "box", nan="fill").image.pixels
        np.testing.assert_allclose(result[2:, 4:], whole[2:, 4:], rtol=1e-12)
        np.testing.assert_array_equal(result[:2], holed[:2])
        np.testing.assert_array_equal(result[:, :4], holed[:, :4])
        half = Mask(np.full(holed.shape, 0.5))
        mixed = run(holed, "box", nan="fill", mask=half).image.pixels
        expected = np.where(np.isfinite(holed), (holed + whole) / 2, whole)
        np.testing.assert_allclose(mixed, expected, rtol=1e-12)

    def test_light_and_grey(self, rng):
        pixels = rng.random((6, 7, 3))
        pixels[3, 3, 1] = np.nan
        for options in ({"linear": True}, {"gray": True}, {"channels": "L"}):
            assert np.isfinite(run(pixels, "box", nan="fill", **options).image.pixels[2, 2]).all()


class TestKeep:
    @pytest.mark.parametrize("engine", ["auto", "direct"])
    def test_they_spread_as_far_as_the_kernel_reaches(self, rng, engine):
        pixels = rng.random((20, 21)).astype(np.float32)
        pixels[8, 9] = np.nan
        result = run(pixels, "box:size=5", engine=engine).image.pixels
        bad = np.zeros((20, 21), bool)
        bad[6:11, 7:12] = True
        np.testing.assert_array_equal(np.isnan(result), bad)


class TestRefuse:
    def test_how_many_and_where_the_first_is(self, holed):
        with pytest.raises(
            NonFiniteError,
            match=r"4 values are NaN or infinite, the first \(nan\) at x 0, y 0; use `nan='fill'",
        ):
            run(holed, "box", nan="refuse")
        colour = np.zeros((4, 5, 3), np.float32)
        colour[2, 3, 2] = -np.inf
        with pytest.raises(NonFiniteError, match=r"1 value is .*\(-inf\) at x 3, y 2, channel B"):
            run(colour, "box", nan="refuse")

    def test_what_is_not_read_does_not_matter(self, holed):
        run(holed, "box", nan="refuse", region=(7, 6, 3, 2))
        with pytest.raises(NonFiniteError, match=r"1 value is .* at x 6, y 4"):
            run(holed, "box", nan="refuse", region=(7, 5, 3, 2))
        with pytest.raises(NonFiniteError, match=r"1 value is .* at x 0, y 0"):
            run(holed, "box", nan="refuse", region=(10, 8, 1, 1), border="wrap")

    def test_numbers_pass(self, rng):
        pixels = rng.random((5, 6))
        plain = run(pixels, "box").image.pixels
        np.testing.assert_array_equal(run(pixels, "box", nan="refuse").image.pixels, plain)
        run((pixels * 255).astype(np.uint8), "box", nan="refuse")

    def test_an_unknown_rule(self):
        with pytest.raises(OptionError, match="nan 'drop' is not known; one of keep, fill, refuse"):
            run(np.ones((3, 3)), "box", nan="drop")
