"""Filtering pictures: chains, alpha, grey, direction, the fast path, warnings."""

from dataclasses import fields

import numpy as np
import pytest
import reference

from convtool.errors import OptionError, ShapeError
from convtool.filtering.alpha_rules import RULES
from convtool.filtering.memory import FilterOptions, filter_image
from convtool.filtering.plan import PictureKind, plan_filter
from convtool.images.image import Image
from convtool.kernels.spec import parse

WORKED = np.array([[94, 50, 221], [98, 109, 50], [49, 213, 91]], np.uint8)
WORKED_KERNEL = "3x3:2,2,1,1,0,-2,-2,2,2"


def run(pixels, *kernels, has_alpha=False, **options):
    return filter_image(Image(pixels, has_alpha), kernels, FilterOptions(**options))


@pytest.fixture
def picture(rng):
    return rng.integers(0, 256, (12, 15, 3)).astype(np.uint8)


@pytest.fixture
def transparent(rng):
    pixels = rng.integers(0, 256, (12, 15, 4)).astype(np.uint8)
    pixels[:5, :, 3] = 0
    pixels[8:, :, 3] = 255
    return pixels


class TestValues:
    def test_worked_example(self):
        convolved = run(WORKED, WORKED_KERNEL, mode="valid", depth="float").image.pixels
        correlated = run(WORKED, WORKED_KERNEL, mode="valid", depth="float", correlate=True)
        assert round(float(convolved[0, 0]) * 255, 3) == 357
        assert round(float(correlated.image.pixels[0, 0]) * 255, 3) == 1017
        clipped = run(WORKED, WORKED_KERNEL, mode="valid")
        assert clipped.image.pixels.tolist() == [[255]]
        assert clipped.clipped_share == 1
        assert "100.0% of the values" in clipped.warnings[0]

    def test_a_chain_does_not_pass_through_8_bits(self):
        ramp = np.tile(np.arange(0, 250, 10, dtype=np.uint8), (5, 1))
        once = run(ramp, "1x1:0.01", "1x1:100").image.pixels
        np.testing.assert_array_equal(once, ramp)
        negative = run(ramp, "1x1:-1", "1x1:-1").image.pixels
        np.testing.assert_array_equal(negative, ramp)

    def test_bias_is_added_once_at_the_end(self):
        grey = np.full((4, 4), 100, np.uint8)
        assert run(grey, "1x1:2", "1x1:0.5", bias=7).image.pixels[0, 0] == 107
        assert run(grey.astype(np.uint16), "1x1:1", bias=700).image.pixels[0, 0] == 800
        assert run(grey, "laplacian-4", bias=-5, range="abs").image.pixels[0, 0] == 5

    def test_stride_belongs_to_the_last_kernel(self, picture):
        chain = run(picture, "box", "gaussian", stride=(2, 3)).image.pixels
        dense = run(picture, "box", "gaussian").image.pixels
        np.testing.assert_array_equal(chain, dense[::2, ::3])

    def test_modes_and_padding_apply_to_each_kernel(self, picture):
        assert run(picture, "box", "box", mode="valid").image.pixels.shape == (8, 11, 3)
        assert run(picture, "box", "box", mode="full").image.pixels.shape == (16, 19, 3)
        assert run(picture, "box", "box", padding=(1, 2)).image.pixels.shape == (12, 19, 3)

    def test_gray_is_filtered_unrounded(self, picture):
        luma = picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
        result = run(picture, "sharpen-5", gray=True).image.pixels
        expected = reference.convolve(luma, parse("sharpen-5").weights)
        np.testing.assert_array_equal(result, np.clip(np.rint(expected), 0, 255))

    def test_gray_changes_nothing_in_grey(self):
        np.testing.assert_array_equal(
            run(WORKED, "box", gray=True).image.pixels, run(WORKED, "box").image.pixels
        )

    def test_a_gradient_is_its_magnitude(self):
        ramp = np.tile(np.arange(0, 100, 10, dtype=np.uint8), (5, 1))
        result = run(ramp, "sobel").image.pixels
        assert set(result[:, 1:-1].ravel().tolist()) == {80}


class TestDirection:
    @pytest.mark.parametrize(
        ("turn", "share"),
        [(0, 0.0), (1, 0.75), (2, 0.5), (3, 0.25)],
        ids=["right", "up", "left", "down"],
    )
    def test_quarters(self, turn, share):
        ramp = np.rot90(np.tile(np.arange(0, 90, 10, dtype=np.uint8), (9, 1)), turn)
        angle = run(ramp, "sobel", direction=True, depth="float").image.pixels[4, 4]
        assert float(angle) == pytest.approx(share)
        assert run(ramp, "sobel", direction=True).image.pixels[4, 4] == round(share * 255 + 0.01)

    def test_colour_gives_one_plane_and_alpha_stays(self, transparent):
        assert run(transparent[:, :, :3], "scharr", direction=True).image.pixels.shape == (12, 15)
        result = run(transparent, "scharr", direction=True, has_alpha=True).image
        assert result.pixels.shape == (12, 15, 2)
        np.testing.assert_array_equal(result.pixels[:, :, 1], transparent[:, :, 3])

    def test_it_needs_a_gradient(self):
        with pytest.raises(OptionError, match="not 'box'; use sobel, prewitt or scharr"):
            run(WORKED, "box", direction=True)
        with pytest.raises(OptionError, match="direction"):
            run(WORKED, "sobel", "box", direction=True)


class TestAlpha:
    def test_transparent_pixels_bleed_no_colour(self):
        pixels = np.zeros((9, 9, 4), np.uint8)
        pixels[:, :4] = [200, 10, 30, 255]
        pixels[:, 4:] = [0, 255, 0, 0]
        result = run(pixels, "gaussian:sigma=1", has_alpha=True).image.pixels
        visible = result[result[:, :, 3] > 0]
        assert np.abs(visible[:, :3].astype(int) - [200, 10, 30]).max() <= 1
        assert 0 < result[0, 4, 3] < 255
        assert result[0, 8].tolist() == [0, 0, 0, 0]

    def test_keep_leaves_alpha_alone(self, transparent):
        kept = run(transparent, "gaussian", has_alpha=True, alpha="keep").image.pixels
        np.testing.assert_array_equal(kept[:, :, 3], transparent[:, :, 3])
        plain = run(transparent[:, :, :3], "gaussian").image.pixels
        np.testing.assert_array_equal(kept[:, :, :3], plain)

    @pytest.mark.parametrize("kernel", ["box", "sharpen-5", "sobel", "laplacian-8", "emboss"])
    @pytest.mark.parametrize(
        "options", [{}, {"mode": "full"}, {"border": "constant", "cval": 50.0}, {"mode": "valid"}],
        ids=str,
    )  # fmt: skip
    def test_an_opaque_picture_is_filtered_as_one_without_alpha(self, picture, kernel, options):
        opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
        result = run(opaque, kernel, has_alpha=True, **options).image.pixels
        plain = run(picture, kernel, **options).image.pixels
        np.testing.assert_array_equal(result[:, :, :3], plain)
        assert (result[:, :, 3] == 255).all()

    def test_opaque_parts_are_exact_beside_transparent_ones(self, transparent):
        result = run(transparent, "box", has_alpha=True).image.pixels
        plain = run(transparent[:, :, :3], "box").image.pixels
        np.testing.assert_array_equal(result[9:, :, :3], plain[9:])

    @pytest.mark.parametrize("kernel", ["box", "gaussian:sigma=1", "sharpen-5", "2x2:1,2,3,4"])
    def test_the_formula(self, transparent, kernel):
        weights = parse(kernel).weights
        alpha = transparent[:, :, 3] / 255
        expected_alpha = np.clip(reference.convolve(alpha, weights) / weights.sum(), 0, 1)
        result = run(transparent, kernel, has_alpha=True, depth="float").image.pixels
        np.testing.assert_allclose(result[:, :, 3], expected_alpha, atol=1e-5)
        seen = expected_alpha > 0.01
        for c in range(3):
            weighted = reference.convolve(transparent[:, :, c] / 255 * alpha, weights)
            np.testing.assert_allclose(
                result[:, :, c][seen], weighted[seen] / expected_alpha[seen], atol=1e-3
            )

    @pytest.mark.parametrize("kernel", ["sobel", "laplacian-4", "first-order"])
    @pytest.mark.parametrize("mode", ["same", "valid"])
    @pytest.mark.parametrize("stride", [1, 2])
    def test_derivatives_leave_alpha_as_it_was(self, transparent, kernel, mode, stride):
        result = run(transparent, kernel, has_alpha=True, mode=mode, stride=stride).image.pixels
        alpha = transparent[:, :, 3]
        expected = alpha[1:-1, 1:-1] if mode == "valid" else alpha
        np.testing.assert_array_equal(result[:, :, 3], expected[::stride, ::stride])

    def test_even_derivatives_take_the_pixel_at_the_anchor(self, transparent):
        for correlate, first in ((False, 0), (True, 1)):
            result = run(
                transparent, "2x2:1,-1,1,-1", has_alpha=True, mode="valid", correlate=correlate
            ).image.pixels
            expected = transparent[first : first + 11, first : first + 14, 3]
            np.testing.assert_array_equal(result[:, :, 3], expected)

    def test_chains_go_on_premultiplied(self, transparent):
        both = run(transparent, "box", "gaussian", has_alpha=True, depth="float").image.pixels
        first, second = parse("box").weights, parse("gaussian").weights
        joint = reference.convolve(first, second, mode="full", border="constant")
        text = "5x5:" + ",".join(map(str, joint.ravel()))
        once = run(transparent, text, has_alpha=True, depth="float").image.pixels
        inner = (slice(3, -3), slice(3, -3))
        np.testing.assert_allclose(both[inner], once[inner], atol=2e-4)

    @pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
    def test_the_identity_keeps_hidden_colours(self, rng, dtype):
        top = 1 if dtype.startswith("float") else np.iinfo(dtype).max
        pixels = (rng.random((6, 7, 4)) * top).astype(dtype)
        pixels[:3, :, 3] = 0
        result = run(pixels, "identity", has_alpha=True).image.pixels
        np.testing.assert_array_equal(result, pixels)

    def test_grey_with_alpha(self, transparent):
        result = run(transparent[:, :, [0, 3]], "box", has_alpha=True).image
        assert result.has_alpha
        colour = run(transparent[:, :, [0, 0, 0, 3]], "box", has_alpha=True).image
        np.testing.assert_array_equal(result.pixels, colour.pixels[:, :, [0, 3]])

    def test_alpha_follows_the_depth(self, transparent):
        result = run(transparent, "identity", has_alpha=True, depth="16").image.pixels
        np.testing.assert_array_equal(result, transparent.astype(int) * 257)

    def test_unknown_rule(self):
        with pytest.raises(OptionError, match=f"one of {', '.join(RULES)}"):
            run(WORKED, "box", alpha="drop")


class TestFastPath:
    @pytest.mark.parametrize("dtype", ["uint8", "uint16"])
    @pytest.mark.parametrize("kernel", ["box:size=5", "gaussian:sigma=1.3", "identity", "motion"])
    def test_it_gives_what_the_long_way_gives(self, rng, dtype, kernel):
        pixels = rng.integers(0, np.iinfo(dtype).max + 1, (20, 21, 3)).astype(dtype)
        short = run(pixels, kernel).image.pixels
        long = run(pixels, kernel, "identity").image.pixels
        assert short.dtype == long.dtype == dtype
        assert np.abs(short.astype(int) - long.astype(int)).max() <= 1
        assert np.mean(short != long) < 0.01


class TestOverwrite:
    @pytest.mark.parametrize(
        ("kernels", "options"),
        [
            (["gaussian:size=3"], {}),
            (["sobel"], {}),
            (["sharpen-5"], {"range": "abs"}),
            (["gaussian:size=3", "laplacian-8"], {"range": "offset"}),
            (["gaussian:size=3"], {"stride": 2}),
            (["gaussian:size=3"], {"gray": True}),
            (["gaussian:size=3"], {"depth": "16"}),
            (["gaussian:size=3"], {"linear": True}),
            (["sobel"], {"direction": True}),
            (["gaussian:size=3"], {"nan": "fill"}),
            (["gaussian:size=3"], {"region": (2, 2, 9, 8)}),
        ],
    )
    @pytest.mark.parametrize("channels", [1, 3, 4])
    @pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
    def test_changes_nothing_but_the_place(self, rng, kernels, options, channels, dtype):
        pixels = (rng.random((90, 70, channels)) * 200).astype(dtype).squeeze()
        picture = Image(pixels, has_alpha=channels == 4)
        expected = filter_image(picture, kernels, FilterOptions(**options))
        filtered = filter_image(picture, kernels, FilterOptions(**options), overwrite=True)
        np.testing.assert_array_equal(filtered.image.pixels, expected.image.pixels)
        assert filtered.clipped_share == expected.clipped_share

    @pytest.mark.parametrize("kernel", ["gaussian:size=3", "sobel"])
    @pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
    def test_takes_the_picture_s_memory_where_it_fits(self, rng, kernel, dtype):
        pixels = (rng.random((90, 70, 3)) * 200).astype(dtype)
        filtered = filter_image(Image(pixels), [kernel], overwrite=True)
        assert np.shares_memory(filtered.image.pixels, pixels)


class TestReport:
    def test_few_clipped_values_give_no_warning(self):
        pixels = np.full((40, 40), 100, np.uint8)
        pixels[20, 20] = 255
        result = run(pixels, "sharpen-5")
        assert 0 < result.clipped_share < 0.01
        assert result.warnings == ()

    def test_not_a_number(self):
        pixels = np.full((5, 5), 0.5, np.float32)
        pixels[2, 2] = np.nan
        result = run(pixels, "box", depth="8")
        assert result.warnings == ("9 values are not numbers (NaN) and became 0",)
        kept = run(pixels, "box")
        assert np.count_nonzero(np.isnan(kept.image.pixels)) == 9
        assert kept.warnings == ()

    def test_what_the_reader_noticed_is_passed_on(self):
        image = Image(WORKED, notes=("a page was left out",))
        for kernel in ("box", "sobel:scale=0.01"):
            assert filter_image(image, [kernel]).warnings == ("a page was left out",)

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"mode": "valid"},
            {"stride": 3},
            {"depth": "float"},
            {"gray": True},
            {"mode": "full", "stride": (2, 1)},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("channels", [1, 2, 3, 4])
    def test_the_plan_is_what_happens(self, rng, options, channels):
        shape = (11, 14) if channels == 1 else (11, 14, channels)
        pixels = rng.integers(0, 256, shape).astype(np.uint8)
        has_alpha = channels in (2, 4)
        specs = [parse("box"), parse("sobel")]
        kind = PictureKind(shape, pixels.dtype, has_alpha)
        plan = plan_filter(kind, specs, FilterOptions(**options))
        result = filter_image(Image(pixels, has_alpha), specs, FilterOptions(**options)).image
        assert (plan.shape, plan.dtype) == (result.pixels.shape, result.pixels.dtype)
        assert plan.channels == result.channels
        assert [step.kernel for step in plan.steps] == ["box", "sobel"]
        assert all(step.plan.engine in step.plan.costs for step in plan.steps)

    @pytest.mark.parametrize("engine", ["direct", "opencv"])
    def test_an_engine_that_is_asked_for_is_taken(self, picture, engine):
        assert [s.plan.engine for s in run(picture, "box", engine=engine).steps] == [engine]

    def test_impossible_sizes_and_values(self, picture):
        with pytest.raises(ShapeError, match="no output is left"):
            run(picture, "box:size=99", mode="valid")
        with pytest.raises(OptionError, match="no kernel"):
            run(picture)
        for name in ("bias", "cval"):
            with pytest.raises(OptionError, match=f"{name} must be a finite number"):
                run(picture, "box", **{name: float("nan")})

    def test_the_input_is_not_changed(self, picture):
        before = picture.copy()
        run(picture, "sobel", bias=3)
        np.testing.assert_array_equal(picture, before)


def test_the_command_can_set_every_option():
    from convtool.cli.filter import command

    names = {parameter.name for parameter in command.params} | {"range"}
    assert {field.name for field in fields(FilterOptions)} <= names
