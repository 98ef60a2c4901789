"""Deconvolution against dense systems, scikit-image, and pictures that must come back."""

import numpy as np
import pytest
import reference

import convtool
from convtool.convolution.borders import RULES
from convtool.deconvolution import METHODS, Options, restore
from convtool.deconvolution.blur import Blur
from convtool.errors import ConvtoolError, KernelError, NonFiniteError, OptionError

KERNELS = {
    "gaussian": "gaussian",
    "even": "box:size=2x4",
    "one-sided": [[3, 1, 0], [1, 1, 0], [0, 0, 0]],
    "larger than the picture": np.outer(*2 * [np.hanning(17)[1:-1]]),
}


@pytest.fixture
def picture(rng):
    return rng.uniform(0.2, 1, (9, 7))


@pytest.mark.parametrize("border", RULES)
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("correlate", [False, True])
def test_transposed_blur_is_the_transposed_matrix(border, name, correlate, picture):
    weights = np.asarray(
        convtool.kernel(KERNELS[name]) if name in ("gaussian", "even") else KERNELS[name], float
    )
    if name == "larger than the picture":
        picture = picture[:6, :5]
    blur = Blur(weights, picture.shape, border, 0.0, not correlate)
    matrix = reference.blur_matrix(picture.shape, weights, border, not correlate)
    expected = (matrix.T @ picture.ravel()).reshape(picture.shape)
    np.testing.assert_allclose(blur.transposed(picture), expected, atol=1e-12 * weights.sum())


@pytest.mark.parametrize("border", RULES)
@pytest.mark.parametrize("name", list(KERNELS)[:3])
@pytest.mark.parametrize("correlate", [False, True])
def test_both_methods_are_those_of_dense_systems(border, name, correlate, picture):
    kernel = KERNELS[name]
    weights = convtool.kernel(kernel) if isinstance(kernel, str) else np.asarray(kernel, float)
    how = {"border": border, "cval": 0.4}
    blurred = reference.correlate(picture, weights, flipped=not correlate, **how)
    how_slow = how | {"flipped": not correlate}
    made = convtool.deconvolve(blurred, kernel, balance=0.01, correlate=correlate, **how)
    expected = reference.wiener(blurred, weights, 0.01, **how_slow)
    np.testing.assert_allclose(made, expected, atol=1e-4)
    lucy = {"method": "richardson-lucy", "iterations": 4}
    made = convtool.deconvolve(blurred, kernel, correlate=correlate, **how, **lucy)
    expected = reference.richardson_lucy(blurred, weights, 4, **how_slow)
    np.testing.assert_allclose(made, expected, rtol=1e-9)


class TestScikitImage:
    @pytest.fixture
    def restoration(self):
        return pytest.importorskip(
            "skimage.restoration", reason="scikit-image is not installed: no oracle for these"
        )

    @pytest.mark.parametrize("spec", ["gaussian:sigma=1", "box:size=4x3", "3x3:4,2,0,1,0,0,0,0,0"])
    @pytest.mark.parametrize("balance", [1e-4, 0.1])
    def test_wiener(self, restoration, spec, balance, rng):
        image, weights = rng.random((32, 27)), convtool.kernel(spec)
        made = convtool.deconvolve(image, weights, balance=balance, border="wrap")
        expected = restoration.wiener(image, weights, balance, clip=False)
        np.testing.assert_allclose(made, expected, atol=1e-9)

    @pytest.mark.parametrize("spec", ["gaussian:sigma=1", "box:size=5x3"])
    def test_richardson_lucy(self, restoration, spec, rng):
        weights = convtool.kernel(spec)
        image = np.pad(rng.random((16, 14)), 12)
        blurred = convtool.convolve(image, weights, border="zero")
        how = {"method": "richardson-lucy", "iterations": 12, "border": "zero"}
        made = convtool.deconvolve(blurred, weights, **how)
        expected = restoration.richardson_lucy(blurred, weights, num_iter=12, clip=False)
        np.testing.assert_allclose(made, expected, atol=1e-8)


@pytest.fixture(scope="module")
def house():
    return convtool.read("sample_images/photograph.jpg").pixels[120:220, 240:360]


@pytest.mark.parametrize("border", RULES)
@pytest.mark.parametrize("spec", ["box:size=5", "motion:length=7,angle=30"])
def test_a_blurred_picture_comes_back(border, spec, house):
    sharp = house.astype(float)
    blurred = np.rint(convtool.convolve(sharp, spec, border=border)).astype(np.uint8)
    before = convtool.psnr(blurred.astype(float), sharp, 255)
    for method in METHODS:
        found = restore(blurred, spec, Options(border=border, method=method))
        assert convtool.psnr(found.values, sharp, 255) > before + 2.5
        assert found.noise == pytest.approx(12**-0.5)
        assert 0 <= found.zeros < found.lost < 1


def test_noise_sets_what_is_left_unexplained(house, rng):
    sharp = house[:, :, 0].astype(float)
    noisy = convtool.convolve(sharp, "gaussian:sigma=1.5") + 4 * rng.standard_normal(sharp.shape)
    found = restore(noisy, "gaussian:sigma=1.5", Options(noise=4))
    assert found.residual == pytest.approx(4, rel=0.01)
    assert convtool.psnr(found.values, sharp, 255) > convtool.psnr(noisy, sharp, 255) + 1
    quiet = restore(noisy, "gaussian:sigma=1.5", Options(noise=1))
    assert quiet.balance < found.balance
    assert quiet.lost < found.lost


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_types(dtype, house):
    peak = {"uint8": 255, "uint16": 65535}.get(dtype, 1)
    sharp = (house / 255 * peak).astype(dtype)
    blurred = convtool.convolve(sharp, "gaussian", dtype=dtype)
    made = convtool.deconvolve(blurred, "gaussian")
    assert made.dtype == (np.float64 if dtype == "float64" else np.float32)
    assert made.shape == sharp.shape
    level = convtool.psnr(made, sharp.astype(made.dtype), peak)
    assert level > {"uint8": 38, "uint16": 50, "float32": 54, "float64": 60}[dtype]


def test_zeros_of_a_box_are_counted():
    found = restore(np.ones((12, 12), np.uint8), "box", Options(border="wrap"))
    rows = 2 / 12  # 1/3 of a cycle and its negative
    assert found.zeros == pytest.approx(1 - (1 - rows) ** 2)


@pytest.mark.parametrize(
    ("options", "kernel", "error", "says"),
    [
        ({"method": "blind"}, "box", OptionError, "'blind' is not known; one of wiener"),
        ({"noise": -1}, "box", OptionError, "standard deviation, 0 or more"),
        ({"noise": np.nan}, "box", OptionError, "standard deviation"),
        ({"balance": 0}, "box", OptionError, "above 0"),
        ({"balance": 1, "noise": 1}, "box", OptionError, "leave the noise out"),
        ({"balance": 1, "method": "richardson-lucy"}, "box", OptionError, "Wiener's own"),
        ({"iterations": 3}, "box", OptionError, "iterations are of method richardson-lucy"),
        ({"iterations": 0, "method": "richardson-lucy"}, "box", OptionError, "above 0"),
        ({"border": "torus"}, "box", OptionError, "border 'torus'"),
        ({}, [[0, 0]], KernelError, "zeros leaves nothing"),
        ({"method": "richardson-lucy"}, "laplacian-4", KernelError, "negative weights and sums to"),
        ({"method": "richardson-lucy"}, "sharpen-5", KernelError, "use method wiener"),
        ({}, "sobel", KernelError, "pair"),
    ],
)
def test_what_cannot_be_is_refused(options, kernel, error, says):
    with pytest.raises(error, match=says) as raised:
        convtool.deconvolve(np.ones((5, 5)), kernel, **options)
    assert isinstance(raised.value, ConvtoolError)


def test_holes_are_refused():
    with pytest.raises(NonFiniteError, match="fill them first"):
        convtool.deconvolve(np.array([[1.0, np.nan]]), "box")


def test_a_kernel_that_sums_to_zero_gives_what_it_left(rng):
    sharp = rng.random((16, 16))
    edges = convtool.convolve(sharp, "laplacian-4", border="wrap")
    made = convtool.deconvolve(edges, "laplacian-4", border="wrap")
    np.testing.assert_allclose(made, sharp - sharp.mean(), atol=1e-6)


def test_flat_and_black_pictures_stay():
    for level in (0, 200):
        flat = np.full((8, 9), level, np.uint8)
        for method in METHODS:
            np.testing.assert_allclose(
                convtool.deconvolve(flat, "box", method=method), level, atol=1e-3
            )
