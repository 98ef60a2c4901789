"""Mean-square error, PSNR and SSIM against their definitions and known values."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convtool
from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.images.image import Image
from convtool.svd.difference import channel_names, differences, magnitude, over_pages
from convtool.svd.metrics import mse, peak_for, psnr, ssim


def ssim_by_definition(a, b, peak):
    """Return Wang's SSIM, window by window, in plain loops."""
    offsets = np.arange(11) - 5
    line = np.exp(-(offsets**2) / 4.5)
    window = np.outer(line, line) / line.sum() ** 2
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    found = []
    for top in range(a.shape[0] - 10):
        for left in range(a.shape[1] - 10):
            x, y = a[top : top + 11, left : left + 11], b[top : top + 11, left : left + 11]
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            both = (window * (x - mx) * (y - my)).sum()
            above = (2 * mx * my + c1) * (2 * both + c2)
            found.append(above / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    return np.mean(found)


@given(seed=st.integers(0, 30), noise=st.floats(0, 80))
def test_ssim_is_wangs(seed, noise):
    rng = np.random.default_rng(seed)
    a = rng.random((14, 17)) * 255
    b = a + noise * rng.standard_normal(a.shape)
    assert ssim(a, b, 255) == pytest.approx(ssim_by_definition(a, b, 255), abs=1e-9)


def test_ssim_of_channels_is_their_mean(rng):
    a, b = rng.random((2, 16, 16, 3))
    each = [ssim(a[:, :, c], b[:, :, c]) for c in range(3)]
    assert ssim(a, b) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (2, 3), (10, 10)])
def test_ssim_of_small_pictures_takes_a_smaller_window(shape, rng):
    a = rng.random(shape)
    assert ssim(a, a) == pytest.approx(1)
    assert ssim(a, 1 - a) < 1


def test_psnr_is_that_of_the_definition():
    a = np.array([[0, 128, 255]], np.uint8)
    b = np.array([[3, 128, 250]], np.uint8)
    assert convtool.mse(a, b) == pytest.approx(34 / 3)
    assert convtool.psnr(a, b) == pytest.approx(20 * math.log10(255 / math.sqrt(34 / 3)))
    assert convtool.psnr(a, b, 1.0) == pytest.approx(-10 * math.log10(34 / 3))
    assert convtool.psnr(a, a) == math.inf
    assert psnr(a.astype(np.uint16), b.astype(np.uint16)) == pytest.approx(
        psnr(a, b) + 20 * math.log10(257)
    )


def test_differences_of_unsigned_numbers_do_not_wrap():
    assert mse(np.array([[0]], np.uint8), np.array([[255]], np.uint8)) == 255**2
    assert mse(np.array([[True]]), np.array([[False]])) == 1


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ShapeError, match=r"\(2, 2\) and \(2, 3\)"):
        mse(np.ones((2, 2)), np.ones((2, 3)))
    with pytest.raises(ShapeError, match="not empty"):
        mse(np.ones((0, 2)), np.ones((0, 2)))
    with pytest.raises(PixelTypeError, match="complex"):
        mse(np.ones((2, 2), complex), np.ones((2, 2)))
    with pytest.raises(PixelTypeError, match="int64"):
        psnr(np.ones((2, 2), np.int64), np.ones((2, 2), np.int64))


def test_differences_are_given_by_channel(rng):
    a = rng.integers(0, 200, (20, 30, 3)).astype(np.uint8)
    b = a.copy()
    b[4, 7, 1] += 50
    whole, red, green, blue = differences(Image(a), Image(b))
    assert [whole.channel, red.channel, green.channel] == ["all", "red", "green"]
    assert (whole.largest, whole.where) == (50, (4, 7))
    assert (green.largest, green.where) == (50, (4, 7))
    assert whole.mse == pytest.approx(2500 / 1800)
    assert green.mse == pytest.approx(2500 / 600)
    assert red.psnr == blue.psnr == math.inf
    assert red.ssim == pytest.approx(1)
    assert magnitude(Image(a), Image(b), 255).sum() == 50


def test_nan_on_both_sides_is_equal_and_on_one_is_not():
    a = Image(np.array([[0.5, np.nan]]))
    b = Image(np.array([[0.5, 0.25]]))
    (same,) = differences(a, a)
    assert (same.largest, same.psnr) == (0, math.inf)
    (other,) = differences(a, b)
    assert other.largest == math.inf
    assert other.where == (0, 1)
    assert other.psnr == -math.inf


def test_pictures_of_different_kinds_are_refused():
    gray = Image(np.zeros((4, 6), np.uint8))
    with pytest.raises(ShapeError, match="6×4 and 4×6"):
        differences(gray, Image(np.zeros((6, 4), np.uint8)))
    with pytest.raises(ShapeError, match="1 and 3 channels"):
        differences(gray, Image(np.zeros((4, 6, 3), np.uint8)))
    with pytest.raises(OptionError, match="depth 8 and 16"):
        differences(gray, Image(np.zeros((4, 6), np.uint16)))


@pytest.mark.parametrize(
    ("arrays", "given", "value"),
    [
        ([np.zeros((2, 2), np.uint8)], None, 255),
        ([np.zeros((2, 2), np.int16)], None, 32767),
        ([np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint16)], None, 65535),
        ([np.array([[0.0, 1.0]]), np.array([[0.5, 0.7]], np.float16)], None, 1),
        ([np.array([[0.0, 0.5]]), np.array([[0.0, 200.0]])], None, 255),
        ([np.array([[0.0, 127.0]])], None, 127),
        ([np.array([[-1.0, 1.0]])], None, 2),
        ([np.array([[np.nan, np.inf, 3.0, 8.0]])], None, 5),
        ([np.array([[np.nan, np.nan]])], None, 1),
        ([np.array([[-7.0, -7.0]])], None, 7),
        ([np.zeros((2, 2), np.uint8)], 12.5, 12.5),
    ],
)
def test_the_peak_is_that_of_type_or_values(arrays, given, value):
    assert peak_for(list(map(Image, arrays)), given).value == value


def test_psnr_of_floats_takes_the_same_default():
    a = np.linspace(0, 250, 3000).reshape(50, 60)
    assert psnr(a, a + 2) == pytest.approx(42.11, abs=0.005)
    assert ssim(a, a + 2) == pytest.approx(ssim(a, a + 2, 255))


def test_differences_of_pages_are_summed_up():
    pages = [Image(np.full((2, size, 3), 10, np.uint8)) for size in (2, 6)]
    others = [Image(pages[0].pixels + np.uint8(4)), pages[1]]
    found = [
        (a, differences(a, b, page=number))
        for number, (a, b) in enumerate(zip(pages, others, strict=True), 1)
    ]
    whole, red, *_ = over_pages(found, 255)
    assert (whole.channel, red.channel) == ("all", "red")
    assert whole.mse == red.mse == 4
    assert (whole.largest, whole.page) == (4, 1)
    assert whole.psnr == pytest.approx(20 * math.log10(255 / 2))


def test_bands_have_numbers_and_alpha_its_name():
    assert channel_names(Image(np.zeros((1, 1, 4), np.uint8))) == tuple(
        f"band {number}" for number in (1, 2, 3, 4)
    )
    assert channel_names(Image(np.zeros((1, 1, 4), np.uint8), has_alpha=True))[-1] == "alpha"


@pytest.mark.parametrize("peak", [0.0, -1.0, np.nan, np.inf])
def test_a_peak_is_a_finite_number_above_0(peak):
    image = Image(np.array([[0, 255]], np.uint8))
    with pytest.raises(OptionError, match=r"peak .*: give a finite number above 0"):
        peak_for([image], peak)
    for measure in (psnr, ssim):
        with pytest.raises(OptionError, match=r"peak .*: give a finite number above 0"):
            measure(image.pixels, image.pixels, peak)
