"""Kernels of three dimensions from text: every preset, literals, files, and refusals."""

import numpy as np
import pytest
from scipy import ndimage

from convtool.errors import KernelError
from convtool.kernels.volumes import AXES, VOLUMES, volume_kernel

SPECS = {
    "identity": "identity",
    "box": "box:size=3,5,7",
    "gaussian": "gaussian:sigma=1,2,0.5",
    "sobel": "sobel:axis=z",
    "prewitt": "prewitt:axis=y",
    "scharr": "scharr:axis=x",
    "laplacian": "laplacian",
    "log": "log:sigma=1,2,1.5",
}
"""A text for each preset."""


def response(kernel):
    """Return what a kernel makes of a single voxel: the kernel itself, where it is convolved."""
    impulse = np.zeros([2 * taps + 1 for taps in kernel.shape])
    impulse[kernel.shape] = 1
    return impulse


def test_every_preset_has_a_text_here():
    assert list(SPECS) == list(VOLUMES)


@pytest.mark.parametrize("spec", SPECS.values())
def test_presets_are_finite_and_take_the_shared_options(spec):
    weights = volume_kernel(spec)
    assert weights.ndim == 3
    assert weights.dtype == np.float64
    assert np.isfinite(weights).all()
    joint = "," if ":" in spec else ":"
    np.testing.assert_array_equal(volume_kernel(f"{spec}{joint}scale=1/4"), weights / 4)
    normalised = volume_kernel(f"{spec}{joint}normalize=abs")
    assert np.abs(normalised).sum() == pytest.approx(1)


def test_a_gaussian_is_scipys():
    kernel = volume_kernel("gaussian:sigma=1,2,0.5")
    impulse = response(kernel)
    expected = ndimage.gaussian_filter(impulse, (1, 2, 0.5))
    np.testing.assert_allclose(ndimage.convolve(impulse, kernel), expected, atol=1e-15)
    kernel = volume_kernel("gaussian:1.5,order=1,0,2")
    impulse = response(kernel)
    expected = ndimage.gaussian_filter(impulse, 1.5, order=(1, 0, 2))
    np.testing.assert_allclose(ndimage.convolve(impulse, kernel), expected, atol=1e-15)


def test_without_sigma_it_is_binomial():
    line = np.array([1.0, 2, 1]) / 4
    expected = line[:, None, None] * line[:, None] * line
    np.testing.assert_array_equal(volume_kernel("gaussian"), expected)


@pytest.mark.parametrize(("axis", "name"), list(enumerate(AXES)))
def test_derivatives_correlated_are_scipys(axis, name):
    volume = np.random.default_rng(1).normal(size=(6, 7, 8))
    for preset, function in (("sobel", ndimage.sobel), ("prewitt", ndimage.prewitt)):
        made = ndimage.correlate(volume, volume_kernel(f"{preset}:axis={name}"))
        np.testing.assert_allclose(made, function(volume, axis=axis), atol=1e-12)


def test_the_laplacian_is_scipys_negated():
    volume = np.random.default_rng(2).normal(size=(6, 7, 8))
    made = ndimage.correlate(volume, volume_kernel("laplacian"))
    np.testing.assert_allclose(made, -ndimage.laplace(volume), atol=1e-12)
    kernel = volume_kernel("log:sigma=1.5")
    impulse = response(kernel)
    expected = ndimage.gaussian_laplace(impulse, 1.5)
    np.testing.assert_allclose(ndimage.convolve(impulse, kernel), expected, atol=1e-15)


def test_box_and_identity():
    np.testing.assert_array_equal(volume_kernel("box:size=1x2x3"), np.full((1, 2, 3), 1 / 6))
    np.testing.assert_array_equal(volume_kernel("box:5"), np.full((5, 5, 5), 1 / 125))
    assert np.argwhere(volume_kernel("identity:size=1,3,5")).tolist() == [[0, 1, 2]]


def test_literals_and_files(tmp_path):
    literal = volume_kernel("2x1x3:1,2,3 4,5,6,scale=2")
    np.testing.assert_array_equal(literal, [[[2, 4, 6]], [[8, 10, 12]]])
    path = tmp_path / "kernel.npy"
    np.save(path, np.arange(8.0).reshape(2, 2, 2))
    read = volume_kernel(f"{path}:normalize=sum")
    np.testing.assert_allclose(read, np.arange(8).reshape(2, 2, 2) / 28)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("nothing", "no preset 'nothing' of three dimensions; those are identity, box"),
        ("sobel", "needs the axis to differentiate along: axis=z, axis=y or axis=x"),
        ("sobel:axis=w", "axis: 'w' is none of z, y, x"),
        ("gaussian:sigma=1,2", "sigma: '1,2' is not one value or three"),
        ("gaussian:sigma=0", "out of range"),
        ("gaussian:sigma=200", "a kernel of 1601x1601x1601, more than"),
        ("gaussian:size=2", "is even"),
        ("gaussian:order=1", "a derivative needs sigma"),
        ("box:size=0", "whole, 1 to 4095"),
        ("box:sigma=1", "unknown parameter 'sigma'; box takes size"),
        ("box:size=3,size=5", "given twice"),
        ("laplacian:3", "'3' is not name=value"),
        ("2x2x2:1,2", "takes 8 numbers, not 2"),
        ("3x3:1,2,3,4,5,6,7,8,9", "a literal is 3x1x1"),
        ("box:normalize=most", "normalize"),
    ],
)
def test_a_text_that_is_no_kernel_is_refused_in_a_sentence(spec, words):
    with pytest.raises(KernelError, match=f"^kernel '{spec[:20]}".replace("(", r"\(")) as caught:
        volume_kernel(spec)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "array", [np.ones((2, 2)), np.ones((1, 1, 1), complex), np.full((1, 1, 1), np.nan)]
)
def test_a_file_that_holds_no_kernel_is_refused(tmp_path, monkeypatch, array):
    monkeypatch.chdir(tmp_path)
    np.save("bad.npy", array)
    with pytest.raises(KernelError, match=r"^kernel 'bad\.npy': "):
        volume_kernel("bad.npy")
