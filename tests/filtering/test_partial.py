"""Filtering a part of a picture: what lies outside stays, what lies inside is as if all were."""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from convtool.convolution import pictures as convolution
from convtool.convolution.borders import BORDERS
from convtool.errors import OptionError, ShapeError
from convtool.filtering.mask import Mask
from convtool.filtering.memory import FilterOptions, filter_image
from convtool.filtering.plan import PictureKind, plan_filter
from convtool.images.image import Image, peak_of
from convtool.images.light import to_encoded, to_linear
from convtool.images.tone import LUMA, RANGES
from convtool.kernels.spec import parse

KERNELS = ["box", "gaussian:sigma=1", "sharpen-5", "sobel", "2x2:1,2,3,4", "1x6:1,0,0,2,0,-2"]
DTYPES = ["uint8", "uint16", "float32", "float64"]
WHOLE = Mask(np.full((12, 15), 255, np.uint8))


def run(pixels, *kernels, has_alpha=False, **options):
    options = {"engine": "direct"} | options
    return filter_image(Image(pixels, has_alpha), kernels, FilterOptions(**options))


def out(*arguments, **options):
    return run(*arguments, **options).image.pixels


def random_picture(rng, shape, dtype):
    top = peak_of(np.dtype(dtype))
    return (rng.random(shape) * (top + (top > 1))).astype(dtype)


@pytest.fixture
def picture(rng):
    return random_picture(rng, (12, 15, 3), "uint8")


@pytest.fixture
def transparent(rng):
    pixels = random_picture(rng, (12, 15, 4), "uint8")
    pixels[:5, :, 3] = 0
    pixels[8:, :, 3] = 255
    return pixels


def pictures():
    return st.builds(
        lambda seed, height, width, channels, dtype: random_picture(
            np.random.default_rng(seed),
            (height, width) if channels == 1 else (height, width, channels),
            dtype,
        ),
        st.integers(0, 2**32),
        st.integers(1, 12),
        st.integers(1, 12),
        st.integers(1, 4),
        st.sampled_from(DTYPES),
    )


@st.composite
def parts(draw):
    """Return a picture and options that choose a part of it."""
    pixels = draw(pictures())
    height, width = pixels.shape[:2]
    options = {"border": draw(st.sampled_from(list(BORDERS)))}
    if draw(st.booleans()):
        left, top = draw(st.integers(-3, width - 1)), draw(st.integers(-3, height - 1))
        options["region"] = (
            left,
            top,
            draw(st.integers(max(1, 1 - left), 14)),
            draw(st.integers(max(1, 1 - top), 14)),
        )
    if draw(st.booleans()):
        values = st.lists(
            st.sampled_from([0, 255]), min_size=height * width, max_size=height * width
        )
        options["mask"] = Mask(np.array(draw(values), np.uint8).reshape(height, width))
    names = {1: ["L"], 2: ["L", "A", "LA"], 3: ["R", "G,B"], 4: ["A", "R,B,A", "G", "L,A"]}
    options["channels"] = draw(
        st.sampled_from([None, *names.get((pixels.ndim > 2 and pixels.shape[2]) or 1)])
    )
    return pixels, options


def changed(shape, options):
    """Return which values may change, by the plainest of means."""
    height, width = shape[:2]
    y, x = np.mgrid[:height, :width]
    inside = np.ones((height, width), bool)
    if options.get("region"):
        left, top, across, down = options["region"]
        inside &= (x >= left) & (x < left + across) & (y >= top) & (y < top + down)
    if options.get("mask"):
        inside &= options["mask"].pixels > 0
    channels = shape[2] if len(shape) == 3 else 1
    names = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    chosen = (options["channels"] or names).replace(",", "")
    if "L" in chosen:
        chosen += "RGB"
    planes = [inside & (name in chosen) for name in names]
    return np.stack(planes, axis=-1).reshape(shape)


class TestProperties:
    @given(parts(), st.lists(st.sampled_from(KERNELS), min_size=1, max_size=2), st.data())
    def test_the_rest_stays_bit_for_bit(self, part, kernels, data):
        pixels, options = part
        if options["channels"] == "A":
            kernels = ["box", *kernels]
        options["range"] = data.draw(st.sampled_from(RANGES))
        options["linear"] = data.draw(st.booleans())
        options["alpha"] = data.draw(st.sampled_from(["premultiply", "keep"]))
        if options["channels"] == "A":
            options["alpha"] = "premultiply"
        has_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
        before = pixels.copy()
        result = out(pixels, *kernels, has_alpha=has_alpha, **options | {"engine": "auto"})
        assert (result.shape, result.dtype) == (pixels.shape, pixels.dtype)
        np.testing.assert_array_equal(pixels, before)
        stays = ~changed(pixels.shape, options)
        assert result[stays].tobytes() == pixels[stays].tobytes()

    @given(parts(), st.lists(st.sampled_from(KERNELS), min_size=1, max_size=2))
    def test_inside_it_is_as_if_all_were_filtered(self, part, kernels):
        pixels, options = part
        has_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
        if options["channels"] == "A":
            kernels = ["box", *kernels]
        if "L" in (options["channels"] or "") and pixels.ndim == 3 and pixels.shape[2] == 4:
            options["channels"] = None
        result = out(pixels, *kernels, has_alpha=has_alpha, **options)
        whole = out(pixels, *kernels, has_alpha=has_alpha, border=options["border"])
        inside = changed(pixels.shape, options)
        if pixels.dtype.kind == "u":
            apart = np.abs(result[inside].astype(int) - whole[inside])
            assert apart.max(initial=0) <= has_alpha
        else:
            np.testing.assert_allclose(result[inside], whole[inside], rtol=1e-4, atol=1e-4)

    @given(pictures(), st.sampled_from(KERNELS), st.sampled_from(RANGES), st.booleans())
    def test_a_white_mask_and_the_whole_region_are_no_limits(self, pixels, kernel, fit, linear):
        has_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
        height, width = pixels.shape[:2]
        options = {"range": fit, "linear": linear, "engine": "auto", "has_alpha": has_alpha}
        whole = run(pixels, kernel, **options)
        for dtype in DTYPES:
            white = np.full((height, width), peak_of(np.dtype(dtype)), dtype)
            masked = run(pixels, kernel, mask=Mask(white), **options)
            assert masked.image.pixels.tobytes() == whole.image.pixels.tobytes()
            assert masked.clipped_share == whole.clipped_share
            assert masked.warnings == whole.warnings
        named = "RGBA"[:3] if pixels.ndim == 3 and pixels.shape[2] >= 3 else "L"
        if has_alpha:
            named += "A"
        limits = {"region": (0, 0, width, height), "channels": named}
        assert out(pixels, kernel, **limits, **options).tobytes() == whole.image.pixels.tobytes()

    @given(pictures(), st.integers(1, 254))
    def test_the_identity_changes_nothing_under_any_mask(self, pixels, grey):
        has_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
        mask = Mask(np.full(pixels.shape[:2], grey, np.uint8))
        for channels in (None, "L"):
            result = out(pixels, "identity", mask=mask, channels=channels, has_alpha=has_alpha)
            if pixels.dtype.kind == "u":
                np.testing.assert_array_equal(result, pixels)
            else:
                np.testing.assert_allclose(result, pixels, rtol=1e-6)


class TestRegion:
    @pytest.mark.parametrize("border", BORDERS)
    @pytest.mark.parametrize("kernels", [["box:size=9"], ["box", "1x6:1,2,3,4,5,6", "4x1:3,1,1,1"]])
    @pytest.mark.parametrize(
        "region", [(0, 0, 1, 1), (14, 11, 1, 1), (6, 5, 2, 3), (0, 3, 15, 2), (13, 0, 2, 12)]
    )
    def test_windows_see_the_real_neighbours(self, picture, border, kernels, region):
        left, top, width, height = region
        box = (slice(top, top + height), slice(left, left + width))
        options = {"border": border, "cval": 40.0, "depth": "float"}
        result = out(picture, *kernels, region=region, **options)
        whole = out(picture, *kernels, **options)
        np.testing.assert_array_equal(result[box], whole[box])

    @pytest.mark.parametrize("correlate", [False, True])
    @pytest.mark.parametrize("border", BORDERS)
    def test_a_kernel_larger_than_the_picture(self, rng, border, correlate):
        pixels = rng.random((4, 5))
        weights = "x".join(map(str, (14, 13))) + ":" + ",".join(map(str, range(14 * 13)))
        options = {"border": border, "correlate": correlate}
        whole = out(pixels, weights, **options)
        for x in range(5):
            result = out(pixels, weights, region=(x, 3, 1, 1), **options)
            np.testing.assert_allclose(result[3, x], whole[3, x], rtol=1e-12)

    def test_only_what_is_needed_is_computed(self, monkeypatch):
        seen = []
        filtered = convolution.filtered
        monkeypatch.setattr(
            convolution,
            "filtered",
            lambda image, *a, **k: seen.append(image.shape) or filtered(image, *a, **k),
        )
        big = np.zeros((300, 400, 3), np.uint8)
        out(big, "box:size=5", "gaussian", region=(100, 90, 20, 10))
        assert seen == [(16, 26, 3), (16, 26, 3)]
        out(big, "box", region=(390, 0, 40, 10), channels="R,B")
        assert seen[2:] == [(11, 11, 2)]
        mask = np.zeros((300, 400), np.uint8)
        mask[50:60, 20:24] = 9
        out(big, "box", mask=Mask(mask))
        assert seen[3:] == [(12, 6, 3)]

    def test_partly_outside_it_is_cut_with_a_warning(self, picture):
        result = run(picture, "box", region=(-5, 8, 10, 90))
        np.testing.assert_array_equal(result.image.pixels, out(picture, "box", region=(0, 8, 5, 4)))
        assert result.warnings == (
            "the region -5,8,10,90 reaches out of the picture of 15×12; 0,8,5,4 was filtered",
        )

    @pytest.mark.parametrize("region", [(15, 0, 3, 3), (0, 12, 3, 3), (-3, 0, 3, 3), (0, -9, 3, 9)])
    def test_outside_it_is_refused(self, picture, region):
        with pytest.raises(ShapeError, match="lies outside the picture of 15×12"):
            run(picture, "box", region=region)

    @pytest.mark.parametrize("region", [(0, 0, 0, 4), (0, 0, 4, -1), (1, 2, 3), (0.5, 0, 2, 2)])
    def test_impossible_regions(self, picture, region):
        with pytest.raises(OptionError, match="X,Y,WIDTH,HEIGHT are whole numbers"):
            run(picture, "box", region=region)

    def test_stretch_measures_the_region(self):
        pixels = np.zeros((9, 9), np.uint8)
        pixels[:, :4] = [0, 50, 100, 150]
        pixels[8, 8] = 255
        result = out(pixels, "identity", range="stretch", region=(0, 0, 4, 9))
        assert result[0, :4].tolist() == [0, 85, 170, 255]
        assert result[8, 8] == 255

    def test_the_share_that_was_clipped_is_that_of_the_region(self, picture):
        assert run(picture, "1x1:9", region=(0, 0, 2, 2)).clipped_share > 0.5
        dark = picture // 9
        dark[10:] = 255
        assert run(dark, "1x1:9", region=(0, 0, 4, 4)).clipped_share == 0

    @pytest.mark.parametrize("depth", ["8", "16", "float"])
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_another_depth_converts_the_rest_as_the_identity_does(self, rng, dtype, depth):
        pixels = random_picture(rng, (8, 9, 4), dtype)
        result = out(pixels, "box", region=(2, 2, 3, 3), depth=depth, has_alpha=True)
        plain = out(pixels, "identity", depth=depth, has_alpha=True)
        stays = ~changed(pixels.shape, {"region": (2, 2, 3, 3), "channels": None})
        np.testing.assert_array_equal(result[stays], plain[stays])
        assert result.dtype == plain.dtype


class TestMask:
    @pytest.mark.parametrize("kernel", ["box", "sharpen-5"])
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_grey_mixes(self, rng, dtype, kernel):
        pixels = random_picture(rng, (10, 11), dtype)
        grey = rng.integers(0, 65536, (10, 11)).astype(np.uint16)
        share = grey / 65535
        answer = reference.convolve(pixels, parse(kernel).weights)
        peak = peak_of(pixels.dtype)
        if pixels.dtype.kind == "u":
            answer = np.clip(answer, 0, peak)
        expected = pixels + share * (answer - pixels.astype(np.float64))
        result = out(pixels, kernel, mask=Mask(grey))
        off = 1.01 if pixels.dtype.kind == "u" else 1e-5
        np.testing.assert_allclose(result, expected, rtol=0, atol=off)

    def test_all_of_16_bits_count(self):
        pixels = np.zeros((1, 4))
        pixels[0, 1] = 65535.0
        mask = np.array([[0, 1, 2, 65535]], np.uint16)
        result = out(pixels, "1x1:0", mask=Mask(mask))
        assert result.tolist() == [[0, 65534, 0, 0]]
        coarse = out(np.full((1, 2), 1000, np.uint16), "1x1:0", mask=Mask(mask[:, 1:3]))
        assert coarse.tolist() == [[1000, 1000]]
        fine = out(np.full((1, 1), 60000, np.uint16), "1x1:0", mask=Mask(mask[:, 1:2] * 300))
        assert fine.tolist() == [[59725]]

    def test_light_is_mixed_where_light_is_filtered(self):
        pixels = np.full((1, 1), 200, np.uint8)
        mask = Mask(np.full((1, 1), 0.25, np.float32))
        result = out(pixels, "1x1:0", mask=mask, linear=True)
        light = to_linear(np.array([200 / 255]), 1.0) * 0.75
        assert result[0, 0] == round(float(to_encoded(light, 1.0)[0]) * 255)
        assert out(pixels, "1x1:0", mask=mask)[0, 0] == 150

    def test_transparent_pixels_bleed_no_colour_into_a_mixture(self):
        pixels = np.zeros((5, 9, 4), np.uint8)
        pixels[:, :4] = [200, 10, 30, 255]
        pixels[:, 4:] = [0, 255, 0, 0]
        mask = Mask(np.full((5, 9), 128, np.uint8))
        result = out(pixels, "gaussian:sigma=1", mask=mask, has_alpha=True)
        visible = result[result[:, :, 3] > 0]
        assert len(visible) > 25
        assert np.abs(visible[:, :3].astype(int) - [200, 10, 30]).max() <= 1
        full = out(pixels, "gaussian:sigma=1", has_alpha=True)
        mean = (full[:, :, 3].astype(float) + pixels[:, :, 3]) / 2
        np.testing.assert_allclose(result[:, :, 3], mean, atol=1.5)

    def test_a_black_mask_changes_nothing_and_says_so(self, picture):
        for region in (None, (2, 2, 4, 4)):
            result = run(
                picture, "sobel", "box", mask=Mask(WHOLE.pixels * 0, "m.png"), region=region
            )
            np.testing.assert_array_equal(result.image.pixels, picture)
            assert result.warnings == (
                "m.png: the mask is black wherever it applies; nothing was filtered",
            )
            assert [step.seconds for step in result.steps] == [0, 0]

    def test_another_size_is_refused(self, picture):
        with pytest.raises(
            ShapeError, match=r"m\.png: the mask is 12×15 pixels, the picture 15×12"
        ):
            run(picture, "box", mask=Mask(WHOLE.pixels.T, "m.png"))

    def test_stretch_measures_what_is_inside(self):
        pixels = np.array([[10, 20, 30, 255]], np.uint8)
        mask = np.array([[255, 255, 255, 0]], np.uint8)
        result = out(pixels, "identity", range="stretch", mask=Mask(mask))
        assert result.tolist() == [[0, 128, 255, 255]]


class TestLargePictures:
    """Pictures that are painted in several strips."""

    @pytest.mark.parametrize("fit", ["clip", "stretch"])
    @pytest.mark.parametrize("channels", [None, "L", "R,B"])
    def test_strips_make_no_difference(self, rng, fit, channels):
        pixels = random_picture(rng, (700, 600, 3), "uint8")
        grey = np.zeros((700, 600), np.uint8)
        grey[100:650, 50:] = rng.integers(0, 256, (550, 550))
        grey[300:420] = 0
        options = {"mask": Mask(grey), "range": fit, "channels": channels}
        results = [run(pixels, "sharpen-5", threads=n, **options) for n in (1, 3)]
        assert results[0].image.pixels.tobytes() == results[1].image.pixels.tobytes()
        assert results[0].clipped_share == results[1].clipped_share
        binary = run(pixels, "sharpen-5", **options | {"mask": Mask((grey > 0) * np.uint8(255))})
        assert results[0].clipped_share == binary.clipped_share
        answer = binary.image.pixels
        share = grey[..., np.newaxis] / 255
        expected = pixels + share * (answer.astype(float) - pixels)
        assert np.abs(results[0].image.pixels - expected).max() <= 1.01


class TestChannels:
    def test_luminance_changes_and_colour_differences_stay(self, rng):
        pixels = rng.random((10, 11, 3)) * 0.5 + 0.25
        result = out(pixels, "box", channels="L")
        luma = pixels @ LUMA
        expected = reference.convolve(luma, parse("box").weights)
        np.testing.assert_allclose(result @ LUMA, expected, atol=1e-12)
        for channel in range(3):
            np.testing.assert_allclose(
                result[:, :, channel] - expected, pixels[:, :, channel] - luma, atol=1e-12
            )

    def test_luminance_of_light(self, rng):
        pixels = rng.random((6, 7, 3)) * 0.5 + 0.25
        result = out(pixels, "box", channels="L", linear=True)
        luma = to_linear(pixels, 1.0) @ LUMA
        after = reference.convolve(luma, parse("box").weights)
        change = to_encoded(after, 1.0) - to_encoded(luma, 1.0)
        np.testing.assert_allclose(result, pixels + change[..., None], atol=1e-12)

    def test_the_range_is_that_of_the_luminance(self, rng):
        pixels = rng.random((8, 9, 3))
        luma = pixels @ LUMA
        edges = reference.convolve(luma, parse("laplacian-4").weights)
        for fit, expected in (
            ("abs", np.abs(edges)),
            ("offset", edges + 0.5),
            ("stretch", (edges - edges.min()) / np.ptp(edges)),
        ):
            result = out(pixels, "laplacian-4", channels="L", range=fit)
            np.testing.assert_allclose(result @ LUMA, expected, atol=1e-12)

    def test_of_grey_it_is_all_but_alpha(self, transparent):
        grey = transparent[:, :, [0, 3]]
        result = out(grey, "box", channels="L", has_alpha=True)
        np.testing.assert_array_equal(result[:, :, 1], grey[:, :, 1])
        np.testing.assert_array_equal(result[:, :, 0], out(grey, "box", has_alpha=True)[:, :, 0])

    def test_alpha_alone(self, transparent):
        result = out(transparent, "box", channels="A", has_alpha=True)
        np.testing.assert_array_equal(result[:, :, :3], transparent[:, :, :3])
        np.testing.assert_array_equal(
            result[:, :, 3], out(transparent, "box", has_alpha=True)[:, :, 3]
        )

    def test_grey_edges_go_to_all_colours_of_a_region(self, picture):
        result = out(picture, "sobel", gray=True, region=(3, 2, 6, 5))
        edges = out(picture, "sobel", gray=True)
        for channel in range(3):
            np.testing.assert_array_equal(result[2:7, 3:9, channel], edges[2:7, 3:9])
        angles = out(picture, "sobel", direction=True, region=(3, 2, 6, 5))
        np.testing.assert_array_equal(
            angles[2:7, 3:9, 1], out(picture, "sobel", direction=True)[2:7, 3:9]
        )

    @pytest.mark.parametrize(
        ("shape", "channels", "words"),
        [
            ((4, 5), "R", "the picture is grey; name L"),
            ((4, 5, 2), "G,A", "the picture is grey"),
            ((4, 5, 3), "R,A", "the picture has no alpha"),
            ((4, 5, 3), "R,X", "name some of R, G, B and A"),
            ((4, 5, 3), "R,R", "name some of"),
            ((4, 5, 3), "", "name some of"),
            ((4, 5, 3), "L,R", "L is the luminance of all colours"),
        ],
    )
    def test_channels_that_are_not_there(self, shape, channels, words):
        pixels = np.zeros(shape, np.uint8)
        with pytest.raises(OptionError, match=words):
            run(pixels, "box", channels=channels, has_alpha=len(shape) == 3 and shape[2] % 2 == 0)


class TestOptions:
    @pytest.mark.parametrize(
        "limit",
        [{"region": (0, 0, 3, 3)}, {"mask": WHOLE}, {"channels": "R"}],
        ids=lambda v: next(iter(v)),
    )
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"mode": "valid"}, "mode valid changes the picture's size"),
            ({"mode": "full"}, "mode full changes"),
            ({"padding": 1}, "padding changes"),
            ({"stride": 2}, "a stride changes"),
            ({"stride": (1, 2)}, "a stride changes"),
        ],
    )
    def test_other_sizes_are_refused(self, picture, limit, options, words):
        with pytest.raises(OptionError, match=f"{words}.*{next(iter(limit))} leaves pixels"):
            run(picture, "box", **limit, **options)

    def test_a_stride_of_one_is_none(self, picture):
        run(picture, "box", stride=(1, 1), region=(0, 0, 3, 3))

    @pytest.mark.parametrize(
        ("kernel", "options", "words"),
        [
            ("sobel", {"gray": True, "channels": "R"}, "gray makes one channel of all"),
            ("sobel", {"direction": True, "channels": "R"}, "direction makes one channel"),
            ("box", {"channels": "A", "alpha": "keep"}, "alpha keep leaves it alone"),
            ("laplacian-4", {"channels": "A"}, "'laplacian-4' leaves alpha alone"),
        ],
    )
    def test_what_cannot_be_combined(self, transparent, kernel, options, words):
        with pytest.raises(OptionError, match=words):
            run(transparent, kernel, has_alpha=True, **options)

    @pytest.mark.parametrize("channels", [None, "L", "A", "G"])
    def test_the_plan_is_what_happens(self, transparent, channels):
        options = FilterOptions(region=(3, 2, 4, 20), channels=channels, mask=WHOLE, depth="16")
        specs = [parse("box"), parse("gaussian")]
        plan = plan_filter(PictureKind(transparent.shape, transparent.dtype, True), specs, options)
        result = filter_image(Image(transparent, True), specs, options).image.pixels
        assert (plan.shape, plan.dtype) == (result.shape, result.dtype)
        assert plan.part.region == (3, 2, 4, 10)
        assert plan.part.mask == "mask"
        assert plan.part.channels == channels
        assert plan.part.read == (12, 8)
        assert plan.part.planes == (3 if channels is None else 1)
        assert [step.shape for step in plan.steps] == [(12, 8, plan.part.planes)] * 2
