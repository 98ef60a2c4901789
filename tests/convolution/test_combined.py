"""Groups of kernels: the magnitude of a pair and the maximum of all, by every engine."""

import numpy as np
import pytest
from scipy import ndimage

import convtool
from convtool.convolution import api, in_place
from convtool.convolution.engines import ENGINES
from convtool.convolution.geometry import geometry
from convtool.convolution.windows import Windows
from convtool.errors import KernelError

KIRSCH = tuple(convtool.kernel("kirsch"))
ROBERTS = tuple(convtool.kernel("roberts"))


def largest(image, kernels):
    planes = np.moveaxis(np.atleast_3d(image).astype(float), 2, 0)
    answers = [
        np.stack([ndimage.convolve(plane, kernel) for plane in planes], axis=-1)
        for kernel in kernels
    ]
    return np.maximum.reduce(answers).reshape(image.shape)


@pytest.fixture(params=["uint8", "float32", "float64"])
def image(request, rng):
    return (255 * rng.random((150, 90, 3))).astype(request.param)


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
def test_the_maximum_of_eight_is_that_of_scipys_answers(engine, stride, image):
    answer = api.filtered(image, KIRSCH, True, engine=engine, stride=stride, combination="maximum")
    expected = largest(image, KIRSCH)[:: stride[0], :: stride[1]]
    tolerance = 1e-10 if image.dtype == np.float64 else 2e-3
    np.testing.assert_allclose(answer, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
def test_negative_kernels_give_the_largest_and_not_the_longest(engine, rng):
    image = rng.random((40, 30))
    kernels = (np.full((3, 3), -1.0), np.full((3, 3), -2.0))
    answer = api.filtered(image, kernels, False, engine=engine, combination="maximum")
    expected = -9 * ndimage.uniform_filter(image, 3)
    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_and_memory_change_no_bit(engine, image, monkeypatch):
    monkeypatch.setattr(in_place, "PIECE_BYTES", 1)
    how = {"engine": engine, "combination": "maximum", "dtype": image.dtype}
    one = api.filtered(image, KIRSCH, True, threads=1, **how)
    two = api.filtered(image, KIRSCH, True, threads=2, **how)
    np.testing.assert_array_equal(one, two)
    answer = api.filtered(image, KIRSCH, True, threads=2, overwrite=True, **how)
    assert answer is image
    np.testing.assert_array_equal(answer, one)


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_at_a_time_are_those_of_the_whole(engine, rng):
    image = rng.random((300, 40), dtype=np.float32)
    layout = geometry(image.shape, (3, 3), flipped=True)
    windows = Windows(
        image.shape, image.dtype, KIRSCH, True, layout, engine=engine, combination="maximum"
    )
    whole = api.filtered(image, KIRSCH, True, engine=engine, combination="maximum")
    first = 0
    while first < len(image):
        rows = windows.covering((first, min(first + 50, len(image))))
        held = windows.reach(rows)
        pixels = np.concatenate([image[start:stop] for start, stop in held])
        np.testing.assert_array_equal(windows.compute(rows, pixels, held), whole[slice(*rows)])
        first = rows[1]


@pytest.mark.parametrize("engine", [name for name, entry in ENGINES.items() if entry.local])
def test_nan_spreads_as_far_as_the_kernels_reach(engine):
    image = np.zeros((20, 20), np.float32)
    image[10, 10] = np.nan
    answer = api.filtered(image, KIRSCH, True, engine=engine, combination="maximum")
    expected = np.zeros((20, 20), bool)
    expected[9:12, 9:12] = True
    spread = np.isnan(answer)
    assert not (spread & ~expected).any()
    assert spread.sum() >= 8


def test_a_group_is_priced_as_its_kernels():
    one = api.planned((500, 600), "float32", KIRSCH[:1], False).costs
    all_of_them = api.planned((500, 600), "float32", KIRSCH, False).costs
    assert all_of_them["direct"] > 4 * one["direct"]


def test_a_pair_of_even_size_is_convolved_as_scipy_convolves(rng):
    image = rng.random((30, 20))
    expected = np.hypot(*(ndimage.convolve(image, kernel) for kernel in ROBERTS))
    np.testing.assert_allclose(convtool.gradient_magnitude(image, "roberts"), expected, atol=1e-15)
    theirs = np.hypot(image[:-1, :-1] - image[1:, 1:], image[:-1, 1:] - image[1:, :-1])
    np.testing.assert_allclose(expected[:-1, :-1], theirs, atol=1e-15)


def test_a_direction_needs_derivatives_of_rows_and_columns():
    image = np.zeros((4, 4))
    with pytest.raises(KernelError, match="derivatives along the diagonals"):
        convtool.gradient_direction(image, "roberts")
    with pytest.raises(KernelError, match="a gradient needs a pair of kernels"):
        convtool.gradient_direction(image, "kirsch")
    with pytest.raises(KernelError, match=r"not \(8, 3, 3\)"):
        convtool.gradient_magnitude(image, "kirsch")
    with pytest.raises(KernelError, match="group of 8 kernels"):
        convtool.convolve(image, "kirsch")


@pytest.mark.parametrize("name", ["farid", "frei-chen", "sobel:size=5"])
def test_directions_of_all_true_pairs_agree_on_a_ramp(name):
    rows, columns = np.mgrid[:30, :30]
    angle = convtool.gradient_direction(2.0 * rows - 3.0 * columns, name)[10:20, 10:20]
    np.testing.assert_allclose(angle, np.arctan2(2, -3), rtol=1e-12)
