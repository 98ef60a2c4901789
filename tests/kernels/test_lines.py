"""The lines of a separable kernel, and what it does to noise."""

import numpy as np
import pytest

from convtool.kernels.facts import facts
from convtool.kernels.lines import lines_of, noise_gain
from convtool.kernels.presets import PRESETS
from convtool.kernels.spec import kernel

SINGLES = [name for name in PRESETS if not PRESETS[name].parts]


@pytest.mark.parametrize("spec", [*SINGLES, "box:size=5x2", "gaussian:2", "box:scale=-1/3"])
def test_lines_multiply_to_the_kernel_and_only_separable_kernels_have_them(spec):
    weights = kernel(spec)
    known = facts(weights)
    assert (known.factors is not None) == (np.linalg.matrix_rank(weights) <= 1)
    if known.factors is not None:
        product = np.outer(known.factors.column, known.factors.row)
        np.testing.assert_allclose(product, weights, rtol=0, atol=2e-16 * np.abs(weights).max())


@pytest.mark.parametrize(
    ("spec", "column", "row"),
    [
        ("sobel-vertical", (1, 2, 1), (-1, 0, 1)),
        ("sobel-horizontal", (-1, 0, 1), (1, 2, 1)),
        ("gaussian:scale=16", (1, 2, 1), (1, 2, 1)),
        ("sobel-vertical:scale=1/8", (1 / 4, 1 / 2, 1 / 4), (-1 / 2, 0, 1 / 2)),
        ("sobel-horizontal:scale=1/8", (-1 / 2, 0, 1 / 2), (1 / 4, 1 / 2, 1 / 4)),
        ("box", (1 / 3,) * 3, (1 / 3,) * 3),
        ("box:size=2x5", (1 / 2,) * 2, (1 / 5,) * 5),
        ("box:scale=-1", (1 / 3,) * 3, (-1 / 3,) * 3),
        ("2x2:0,0,0,0", (0, 0), (0, 0)),
    ],
)
def test_lines_are_those_of_the_textbook(spec, column, row):
    found = lines_of(kernel(spec))
    assert found.column == pytest.approx(column, abs=0, rel=1e-15)
    assert found.row == pytest.approx(row, abs=0, rel=1e-15)


@pytest.mark.parametrize(
    ("spec", "gain"),
    [("box", 1 / 9), ("gaussian", 9 / 64), ("sobel-vertical", 12), ("box:5", 1 / 25)],
)
def test_noise_gain_is_the_variance_of_filtered_white_noise(spec, gain, rng):
    import convtool

    weights = kernel(spec)
    assert noise_gain(weights) == pytest.approx(gain, rel=1e-15)
    noise = rng.standard_normal((400, 400))
    assert convtool.convolve(noise, weights, mode="valid").var() == pytest.approx(gain, rel=0.03)


def test_noise_gain_beyond_float64_is_infinite():
    assert noise_gain(np.array([[1e200]])) == np.inf
