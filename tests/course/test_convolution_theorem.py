"""The convolution theorem: what ``explain --spectrum`` shows is what numpy.fft gives."""

import json

import numpy as np
import pytest
from scipy import ndimage, signal

from convtool.cli import run

IMAGE = np.array([[1, 2, 3, 0], [4, 5, 6, 1], [7, 8, 9, 2]], float)
KERNEL = np.array([[1, 0, -1], [2, 1, 0], [0, -1, 3]], float)
ARGUMENTS = ["--image", "1,2,3,0;4,5,6,1;7,8,9,2", "-k", "3x3:1,0,-1,2,1,0,0,-1,3", "--spectrum"]


def complex_of(parts):
    return np.array(parts["real"]) + 1j * np.array(parts["imaginary"])


@pytest.mark.parametrize("options", [[], ["--correlate"]])
def test_spectra_their_product_and_both_answers(options, capsys):
    assert run(["explain", *ARGUMENTS, *options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    shown = told["spectrum"]
    spectra = {name: complex_of(shown[name]) for name in ("image", "kernel", "product")}
    np.testing.assert_allclose(spectra["image"], np.fft.fft2(IMAGE), atol=1e-12)
    np.testing.assert_allclose(spectra["product"], spectra["image"] * spectra["kernel"], atol=1e-12)
    function = ndimage.correlate if options else ndimage.convolve
    circular = function(IMAGE, KERNEL, mode="wrap")
    np.testing.assert_allclose(np.fft.ifft2(spectra["product"]), circular, atol=1e-12)
    np.testing.assert_allclose(shown["circular"], circular, atol=1e-12)
    linear = function(IMAGE, KERNEL, mode="constant")
    np.testing.assert_array_equal(shown["linear"], linear)
    np.testing.assert_array_equal(told["output"], linear)


def test_room_for_the_whole_answer_makes_both_alike(capsys):
    assert run(["explain", *ARGUMENTS, "--mode", "full", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["spectrum"]
    full = signal.convolve2d(IMAGE, KERNEL)
    np.testing.assert_allclose(shown["circular"], full, atol=1e-12)
    np.testing.assert_array_equal(shown["linear"], full)
    assert run(["explain", *ARGUMENTS, "--mode", "full"]) == 0
    assert capsys.readouterr().out.endswith("Both results are equal.\n")


def test_numbers_on_the_terminal(capsys):
    assert run(["explain", "--image", "1,2,3;4,5,6;7,8,9", "-k", "gaussian", "--spectrum"]) == 0
    out = capsys.readouterr().out
    for line in (
        "              45   −4.5 + 2.598i   −4.5 − 2.598i",
        "  0.25   0.0625   0.0625",
        "               45   −1.125 + 0.6495i   −1.125 − 0.6495i",
        "   4  4.25   4.5          1.3125  2.25  2.0625    2.6875    2  2.4375",
    ):
        assert line in out.splitlines()
    assert "They differ in 8 of 9 pixels, by up to 2.6875" in out
