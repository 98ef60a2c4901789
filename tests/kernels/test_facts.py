"""What is said of a kernel is true of it."""

import numpy as np
import pytest
from scipy import ndimage

from convtool.kernels.facts import facts, group_notes
from convtool.kernels.presets import PRESETS
from convtool.kernels.spec import kernel

SINGLES = [name for name in PRESETS if not PRESETS[name].parts]


@pytest.mark.parametrize("spec", [*SINGLES, "box:size=2x3", "1x4:1,2,3,4", "2x2:1,0,0,-1"])
def test_facts_hold(spec, rng):
    weights = kernel(spec)
    known = facts(weights)
    assert known.shape == weights.shape
    assert known.sum == pytest.approx(weights.sum(), abs=1e-14)
    assert known.symmetric == np.allclose(weights, weights[::-1, ::-1], atol=1e-15)
    assert known.antisymmetric == np.allclose(weights, -weights[::-1, ::-1], atol=1e-15)
    size = 2 * max(weights.shape) + 1
    impulse = np.zeros((size, size))
    impulse[size // 2, size // 2] = 1
    answer = ndimage.convolve(impulse, weights, mode="constant")
    assert answer[size // 2, size // 2] == weights[known.anchor]
    image = (ndimage.correlate(rng.random((9, 9)), weights) > 0).astype(float)
    low, high = known.output
    assert ndimage.convolve(image, weights).min() >= low - 1e-12
    assert ndimage.convolve(image, weights).max() <= high + 1e-12


def test_output_is_reached():
    assert facts(kernel("emboss")).output == (-4.0, 5.0)
    assert facts(kernel("laplacian-8")).output == (-8.0, 8.0)
    assert facts(kernel("box")).output == pytest.approx((0, 1))


@pytest.mark.parametrize(
    ("spec", "notes"),
    [
        ("gaussian", []),
        ("box:size=5", []),
        ("log", ["sum is 0", "the output is from -0."]),
        ("sobel-vertical", ["gives the negative", "sum is 0", "from -4 to 4"]),
        ("emboss", ["gives another picture", "from -4 to 5"]),
        ("cross", ["sum is 5: it brightens", "from 0 to 5"]),
        ("box:scale=0.5", ["sum is 0.5: it darkens"]),
        ("box:scale=-1", ["sum is -1: flat areas become negative", "from -1 to 0"]),
        ("box:size=2x3", ["even: the anchor is row 1, column 1 (from 0)"]),
        ("box:size=2", ["half a pixel up and left, correlation down and right"]),
    ],
)
def test_notes_name_what_one_trips_over(spec, notes):
    said = facts(kernel(spec)).notes
    assert len(said) >= len(notes)
    assert not said or notes
    for note in notes:
        assert any(note in one for one in said), said


def test_even_kernels_move_the_picture_as_the_note_says():
    ramp = np.arange(8.0)[np.newaxis] + np.zeros((8, 1))
    for spec, moved in (("box:size=1x2", 0.5), ("box:size=2x1", 0)):
        convolved = ndimage.convolve(ramp, kernel(spec))
        np.testing.assert_allclose(convolved[2:-2, 2:-2], ramp[2:-2, 2:-2] + moved)
        correlated = ndimage.correlate(ramp, kernel(spec))
        np.testing.assert_allclose(correlated[2:-2, 2:-2], ramp[2:-2, 2:-2] - moved)


def test_zero_sum_is_exactly_zero_in_spite_of_rounding():
    assert facts(np.array([[0.1, 0.2, -0.3]])).sum == 0


def test_group_notes_bound_the_magnitude_and_the_maximum():
    assert "at most 5.6569 for" in group_notes(kernel("sobel"), "magnitude")[1]
    assert len(group_notes(kernel("sobel:normalize=abs"), "magnitude")) == 1
    assert group_notes(kernel("kirsch"), "maximum")[0].startswith("a group of 8")
    assert "at most 15 for" in group_notes(kernel("kirsch"), "maximum")[1]
