"""The preset kernels: their matrices, and what holds for all of them."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from convtool.errors import KernelError
from convtool.kernels.factor import factor, is_separable, rank
from convtool.kernels.presets import PRESETS, presets
from convtool.kernels.spec import kernel, parse

PLAIN = {
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "first-order": [[1, 0, -1], [0, 0, 0], [-1, 0, 1]],
    "prewitt-horizontal": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
    "prewitt-vertical": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
    "sobel-horizontal": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "sobel-vertical": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "scharr-horizontal": [[-3, -10, -3], [0, 0, 0], [3, 10, 3]],
    "scharr-vertical": [[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]],
    "line-horizontal": [[-1, -1, -1], [2, 2, 2], [-1, -1, -1]],
    "line-vertical": [[-1, 2, -1], [-1, 2, -1], [-1, 2, -1]],
    "line-falling": [[2, -1, -1], [-1, 2, -1], [-1, -1, 2]],
    "line-rising": [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]],
    "laplacian-4": [[0, -1, 0], [-1, 4, -1], [0, -1, 0]],
    "laplacian-8": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "laplacian-4-mask": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "laplacian-8-mask": [[1, 1, 1], [1, -8, 1], [1, 1, 1]],
    "sharpen-5": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "sharpen-9": [[-1, -1, -1], [-1, 9, -1], [-1, -1, -1]],
    "cross": [[0, 1, 0], [1, 1, 1], [0, 1, 0]],
    "roberts-falling": [[1, 0], [0, -1]],
    "roberts-rising": [[0, 1], [-1, 0]],
    "laplacian-15": [
        [0, 0, -1, 0, 0],
        [0, -1, -2, -1, 0],
        [-1, -2, 16, -2, -1],
        [0, -1, -2, -1, 0],
        [0, 0, -1, 0, 0],
    ],
    "laplacian-19": [
        [0, -1, -1, -2, -2, -2, -1, -1, 0],
        [-1, -2, -4, -5, -5, -5, -4, -2, -1],
        [-1, -4, -5, -3, 0, -3, -5, -4, -1],
        [-2, -5, -3, 12, 24, 12, -3, -5, -2],
        [-2, -5, 0, 24, 40, 24, 0, -5, -2],
        [-2, -5, -3, 12, 24, 12, -3, -5, -2],
        [-1, -4, -5, -3, 0, -3, -5, -4, -1],
        [-1, -2, -4, -5, -5, -5, -4, -2, -1],
        [0, -1, -1, -2, -2, -2, -1, -1, 0],
    ],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
}
BINOMIAL_5 = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])
PARAMETRIC = (
    "box:size=4x7",
    "gaussian:sigma=1.5",
    "gaussian:size=7x3",
    "unsharp:amount=2,sigma=1.5",
    "motion:length=7,angle=30",
    "disk:radius=2.3",
    "gabor:angle=40,phase=90",
    "log:sigma=2",
    "dog:sigma=2,ratio=3",
    "gaussian:sigma=4,1,dy=1",
    "gaussian:sigma=2,dx=2",
    "sobel:size=7",
    "sobel:size=5,dx=2",
    "laplacian-sobel:size=5",
    "kirsch:angle=45",
)


@pytest.mark.parametrize("name", PLAIN)
def test_matrix_is_the_one_of_its_source(name):
    np.testing.assert_array_equal(kernel(name), PLAIN[name])


def test_gaussian_without_sigma_is_binomial():
    np.testing.assert_array_equal(kernel("gaussian") * 16, [[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    np.testing.assert_array_equal(kernel("gaussian:size=5") * 256, BINOMIAL_5)
    assert kernel("gaussian:size=7x3").shape == (7, 3)


def test_gaussian_with_sigma_is_sampled_and_normalised():
    weights = kernel("gaussian:sigma=1,size=3")
    assert weights[1, 1] == pytest.approx(0.20418, abs=5e-6)
    assert weights[0, 1] == pytest.approx(0.12384, abs=5e-6)
    assert weights[0, 0] == pytest.approx(0.07511, abs=5e-6)


@pytest.mark.parametrize("sigma", [0.3, 0.625, 1, 1.7, 3])
def test_gaussian_is_the_impulse_response_of_scipy(sigma):
    weights = kernel(f"gaussian:sigma={sigma}")
    impulse = np.zeros(weights.shape)
    impulse[weights.shape[0] // 2, weights.shape[1] // 2] = 1
    assert weights.shape[0] == 2 * int(4 * sigma + 0.5) + 1
    np.testing.assert_allclose(
        weights, ndimage.gaussian_filter(impulse, sigma, mode="constant"), atol=1e-16
    )


def test_box_is_the_mean_of_any_size():
    np.testing.assert_array_equal(kernel("box"), np.full((3, 3), 1 / 9))
    np.testing.assert_array_equal(kernel("box:size=2x4"), np.full((2, 4), 1 / 8))


def test_unsharp_is_the_matrix_of_its_source():
    expected = -BINOMIAL_5.astype(float)
    expected[2, 2] = 476
    np.testing.assert_array_equal(kernel("unsharp") * 256, expected)
    np.testing.assert_array_equal(
        kernel("unsharp:amount=0.5") - kernel("identity:size=5"),
        (kernel("unsharp") - kernel("identity:size=5")) / 2,
    )


def test_log_is_scipys_and_sums_to_zero():
    weights = kernel("log:sigma=2")
    impulse = np.zeros(weights.shape)
    impulse[weights.shape[0] // 2, weights.shape[1] // 2] = 1
    np.testing.assert_allclose(
        weights, ndimage.gaussian_laplace(impulse, 2, mode="constant"), atol=1e-4
    )
    assert weights[8, 8] < 0
    for spec in ("log", "log:sigma=0.5", "log:sigma=2,size=3"):
        assert abs(kernel(spec).sum()) < 1e-15


def test_dog_is_narrow_minus_wide():
    np.testing.assert_array_equal(
        kernel("dog:sigma=1,ratio=2,size=9"),
        kernel("gaussian:sigma=1,size=9") - kernel("gaussian:sigma=2,size=9"),
    )


@pytest.mark.parametrize(("angle", "phase", "aspect"), [(0, 0, 0.5), (30, 90, 1), (120, 45, 2)])
def test_gabor_is_opencvs_turned_as_convolution_turns_it(angle, phase, aspect):
    spec = f"gabor:wavelength=5,sigma=2,angle={angle},phase={phase},aspect={aspect}"
    theirs = cv2.getGaborKernel(
        (0, 0), 2, np.radians(angle), 5, aspect, np.radians(phase), cv2.CV_64F
    )
    np.testing.assert_allclose(kernel(spec), theirs[::-1, ::-1], atol=1e-12)


def test_motion_lies_along_its_angle():
    np.testing.assert_allclose(kernel("motion:length=5"), np.full((1, 5), 0.2), atol=1e-15)
    np.testing.assert_allclose(kernel("motion:length=5,angle=90"), np.full((5, 1), 0.2))
    np.testing.assert_array_equal(kernel("motion:length=1"), [[1]])
    rising = kernel("motion:length=7,angle=45")
    assert np.trace(rising[:, ::-1]) > 4 * np.trace(rising) > 0
    np.testing.assert_array_equal(rising, rising[::-1, ::-1])


@pytest.mark.parametrize("radius", [0.4, 0.5, 0.9, 1.5, 2, 4.7])
def test_disk_weighs_pixels_by_the_area_that_it_covers(radius):
    weights = kernel(f"disk:radius={radius}")
    reach = weights.shape[0] // 2
    fine = (np.arange(200 * (2 * reach + 1)) + 0.5) / 200 - reach - 0.5
    inside = np.hypot(fine[:, np.newaxis], fine) <= radius
    counted = inside.reshape(2 * reach + 1, 200, 2 * reach + 1, 200).mean(axis=(1, 3))
    np.testing.assert_allclose(weights, counted / counted.sum(), atol=2e-3 / radius**2)
    np.testing.assert_array_equal(weights, weights.T)
    np.testing.assert_array_equal(weights, weights[::-1])


def test_vertical_is_the_transpose_of_horizontal_and_both_make_the_pair():
    for name in ("sobel", "prewitt", "scharr", "frei-chen", "farid"):
        horizontal, vertical = kernel(name)
        np.testing.assert_array_equal(vertical, horizontal.T)
        for half, weights in zip(PRESETS[name].parts, (horizontal, vertical), strict=True):
            np.testing.assert_array_equal(kernel(half), weights)
        assert parse(name).is_gradient


def test_presets_names_them_all():
    assert set(PLAIN) < set(presets())
    assert {"box", "gaussian", "log", "dog", "unsharp", "motion", "disk", "gabor"} < set(presets())
    assert {"sobel", "prewitt", "scharr", "roberts", "frei-chen", "farid"} < set(presets())
    assert {"kirsch", "compass", "laplacian-sobel"} < set(presets())


@pytest.mark.parametrize("spec", [*PRESETS, *PARAMETRIC])
def test_every_preset_is_sound(spec):
    parsed = parse(spec)
    weights = parsed.weights
    assert weights.dtype == np.float64
    assert weights.flags.c_contiguous
    assert weights.flags.writeable
    assert np.isfinite(weights).all()
    assert not np.signbit(weights[weights == 0]).any()
    assert weights.ndim == (3 if parsed.is_group else 2)
    if spec in PRESETS:
        assert parsed.combination == PRESETS[spec].combination
        assert (len(weights) if parsed.is_group else 0) == len(PRESETS[spec].parts)
    np.testing.assert_array_equal(kernel(spec), weights)
    for single in weights if parsed.is_group else [weights]:
        factors = factor(single)
        assert len(factors.columns) == rank(single) == np.linalg.matrix_rank(single)
        np.testing.assert_allclose(factors.matrix(), single, rtol=0, atol=4e-15 * abs(single).max())


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_says_what_it_is(name):
    preset = PRESETS[name]
    assert preset.summary
    assert preset.source
    assert "\n" not in preset.summary + preset.source
    for parameter in preset.parameters:
        assert parameter.meaning
        assert parameter.name not in {"scale", "normalize"}
        assert str(parameter.low) in parameter.range or f"{parameter.low:g}" in parameter.range


NUMBERS = ("number", "numbers", "whole number", "odd number")


@pytest.mark.parametrize("name", [name for name in PRESETS if PRESETS[name].parameters])
def test_every_parameter_takes_its_default_and_refuses_what_is_out_of_range(name):
    for parameter in PRESETS[name].parameters:
        if parameter.kind in NUMBERS:
            if parameter.default is not None:
                np.testing.assert_array_equal(
                    kernel(f"{name}:{parameter.name}={parameter.default}"), kernel(name)
                )
            for bad in (parameter.low - 1, parameter.high + 1):
                with pytest.raises(KernelError, match="out of range"):
                    kernel(f"{name}:{parameter.name}={bad}")
        else:
            assert kernel(f"{name}:{parameter.name}=5x3").shape == (5, 3)


@pytest.mark.parametrize("name", [name for name in PRESETS if PRESETS[name].parameters])
def test_the_first_parameter_may_stand_alone(name):
    first = PRESETS[name].parameters[0]
    value = {"angle": 90}.get(first.name, 5)
    np.testing.assert_array_equal(kernel(f"{name}:{value}"), kernel(f"{name}:{first.name}={value}"))
    np.testing.assert_array_equal(
        kernel(f"{name}: {value}, scale=2"), kernel(f"{name}:{first.name}={value},scale=2")
    )


@pytest.mark.parametrize("name", [name for name in PRESETS if PRESETS[name].parts])
def test_every_group_is_made_of_its_parts(name):
    np.testing.assert_array_equal(
        kernel(name), np.stack([kernel(part) for part in PRESETS[name].parts])
    )


def test_smoothing_and_gradients_separate():
    for name in ("box", "gaussian", "gaussian:sigma=2", "sobel-vertical", "scharr-horizontal"):
        assert is_separable(kernel(name))
    for name in ("laplacian-4", "emboss", "disk", "cross"):
        assert not is_separable(kernel(name))
