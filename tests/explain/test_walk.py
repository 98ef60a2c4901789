"""A walk's windows, sums, sizes and matrix are those of the convolution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import correlate as reference_correlate

import convtool
from convtool.convolution.borders import RULES
from convtool.errors import ConvtoolError, OptionError, PixelTypeError, ShapeError
from convtool.explain import walk
from convtool.explain.polynomial import polynomial_text, product_walk

IMAGE = [[94, 50, 221], [98, 109, 50], [49, 213, 91]]
KERNEL = [[2, 2, 1], [1, 0, -2], [-2, 2, 2]]


@given(
    shape=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    taps=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    border=st.sampled_from(list(RULES)),
    how=st.sampled_from(["same", "valid", "full", (0, 0), (2, 1), (1, 5)]),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    correlate=st.booleans(),
    seed=st.integers(0, 999),
)
def test_every_step_is_that_of_the_oracle(shape, taps, border, how, stride, correlate, seed):
    rng = np.random.default_rng(seed)
    image, kernel = rng.integers(0, 256, shape), rng.integers(-5, 6, taps)
    mode = {"mode": how} if isinstance(how, str) else {"padding": how}
    options = {"border": border, "cval": 7.0, "stride": stride} | mode
    try:
        shown = walk(image, kernel, correlate=correlate, **options)
    except ShapeError:
        with pytest.raises(ShapeError):
            convtool.convolve(image, kernel, **options)
        return
    expected = reference_correlate(image, kernel, flipped=not correlate, **options)
    np.testing.assert_array_equal(shown.output, expected)
    assert shown.shape == expected.shape
    for step in shown.steps():
        assert step.sum == expected[step.row, step.column]
        np.testing.assert_array_equal(step.window * shown.laid, step.products)
        high, wide = taps
        seen = shown.padded[step.top : step.top + high, step.left : step.left + wide]
        np.testing.assert_array_equal(step.window, seen)
    for formula, size in zip(shown.formulas, expected.shape, strict=True):
        added = formula.size + formula.before + formula.after - formula.taps
        assert added // formula.stride + 1 == formula.result == size
    product = shown.matrix @ image.ravel() + shown.constant.ravel()
    np.testing.assert_allclose(product, expected.ravel(), atol=1e-9)


def test_known_numbers():
    assert walk(IMAGE, KERNEL, mode="valid").output.tolist() == [[357.0]]
    assert walk(IMAGE, KERNEL, mode="valid", correlate=True).output.tolist() == [[1017.0]]
    assert walk(IMAGE, KERNEL).step(1, 1).products.tolist() == [
        [188, 100, -442],
        [-196, 0, 50],
        [49, 426, 182],
    ]


def test_padded_image_has_the_image_in_it():
    shown = walk(IMAGE, KERNEL, padding=(2, 1), border="wrap")
    assert shown.added == ((2, 2), (1, 1))
    assert shown.padded[2:5, 1:4].tolist() == IMAGE
    assert shown.padded[:2, 1:4].tolist() == IMAGE[1:]


def test_even_kernels_are_added_to_unevenly():
    shown = walk(IMAGE, [[1, 2], [3, 4]])
    assert shown.added == ((0, 1), (0, 1))
    assert shown.formulas[0].text == "floor((3 + 0 + 1 − 2) / 1) + 1 = 3"
    assert walk(IMAGE, [[1, 2], [3, 4]], correlate=True).added == ((1, 0), (1, 0))


def test_signal_is_an_image_of_one_row():
    assert walk([1, 2, 4], [1, -1], mode="valid").output.tolist() == [[1, 2]]


@given(
    first=st.lists(st.integers(-9, 9), min_size=1, max_size=6),
    second=st.lists(st.integers(-9, 9), min_size=1, max_size=6),
)
def test_polynomials_multiply(first, second):
    product = product_walk(first, second).output[0]
    np.testing.assert_array_equal(product, np.convolve(first, second))


@pytest.mark.parametrize(
    ("coefficients", "text"),
    [
        ([0, 0], "0"),
        ([1, 1, 1], "1 + x + x²"),
        ([0, -1], "−x"),
        ([-2.5, 0, 3], "−2.5 + 3x²"),
        ([*([0] * 12), 2], "2x¹²"),
    ],
)
def test_polynomials_are_written_as_usual(coefficients, text):
    assert polynomial_text(coefficients) == text


@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        ([[1, float("nan")]], PixelTypeError, "finite"),
        ([["a"]], PixelTypeError, "real"),
        (np.ones((2, 2, 3)), ShapeError, "one channel"),
        (np.ones((0, 2)), ShapeError, "one channel"),
    ],
)
def test_what_is_no_image_is_said(image, error, words):
    with pytest.raises(error, match=words):
        walk(image, [[1]])


@pytest.mark.parametrize("place", [(3, 0), (0, 3), (-1, 0)])
def test_place_outside_is_said(place):
    with pytest.raises(OptionError, match="rows are 0 to 2"):
        walk(IMAGE, KERNEL).step(*place)


def test_options_are_those_of_convolve():
    for options in ({"mode": "odd"}, {"border": "odd"}, {"stride": 0}, {"padding": -1}):
        with pytest.raises(ConvtoolError):
            walk(IMAGE, KERNEL, **options)
