"""8-bit images by kernels of 3×3 and 5×5: within one of the rounded answer, or exact."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convtool
from convtool.convolution.borders import RULES
from convtool.convolution.engines.jit.fixed import WORST
from convtool.convolution.engines.jit.small import as_int16
from convtool.convolution.engines.jit.uint8 import constants

pytestmark = pytest.mark.skipif(
    not constants()[1], reason="the processor has no instruction that rounds products of int16"
)
SHAPES = [(1, 70), (70, 131), (37, 45, 3), (21, 20, 4), (5, 16)]
EXACT = {
    "identity": np.eye(3)[1][:, None] * np.eye(3)[1],
    "laplacian": np.array([[1, 1, 1], [1, -8, 1], [1, 1, 1.0]]),
    "emboss": np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2.0]]),
    "binomial": np.outer([1, 2, 1], [1, 2, 1]) / 16,
    "five": np.arange(-12, 13).reshape(5, 5) / 64,
}


def _drawn(shape):
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, np.uint8)


def _answers(image, kernel, **options):
    """Return the answer in int16, and that of an engine that is checked against the oracle."""
    answer = convtool.correlate(image, kernel, engine="numba", dtype="u1", threads=2, **options)
    exact = convtool.correlate(image.astype(np.float64), kernel, engine="direct", **options)
    return answer.astype(np.float64), np.clip(exact, 0, 255)


@pytest.mark.parametrize("border", sorted(RULES))
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", EXACT)
def test_whole_weights_are_exact_and_halves_go_to_even(name, shape, border):
    assert as_int16(EXACT[name][None]) is not None
    answer, exact = _answers(_drawn(shape), EXACT[name], border=border, cval=37.0)
    np.testing.assert_array_equal(answer, np.rint(exact))


@pytest.mark.parametrize("mode", ["same", "valid", "full"])
@pytest.mark.parametrize("shape", [(70, 131), (37, 45, 3)])
@pytest.mark.parametrize("side", [3, 5])
@given(seed=st.integers(0, 2**32 - 1), gain=st.sampled_from([0.2, 1.0, 1.5]))
def test_any_weights_are_within_one_of_the_rounded_answer(side, shape, mode, seed, gain):
    kernel = np.random.default_rng(seed).normal(size=(side, side))
    kernel *= gain / np.abs(kernel).sum()
    assert as_int16(kernel[None]) is not None
    answer, exact = _answers(_drawn(shape), kernel, mode=mode)
    assert np.abs(answer - exact).max() < 0.5 + WORST + 1e-9
    assert np.mean(answer != np.rint(exact)) < 0.2


@given(
    parts=st.lists(st.integers(-300, 300), min_size=9, max_size=9),
    bits=st.integers(0, 9),
    value=st.sampled_from([0, 1, 127, 254, 255]),
)
def test_whole_weights_over_any_power_of_two_are_exact(parts, bits, value):
    kernel = np.ldexp(np.array(parts, np.float64), -bits).reshape(3, 3)
    image = np.where(np.arange(40 * 18).reshape(18, 40) % 3, value, 255 - value).astype(np.uint8)
    answer, exact = _answers(image, kernel)
    np.testing.assert_array_equal(answer, np.rint(exact))


@pytest.mark.parametrize("border", ["reflect", "wrap", "constant"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("pair", ["sobel", "prewitt", "scharr", "any"])
def test_the_length_of_two_sums_is_within_one(pair, shape, border):
    rng = np.random.default_rng(3)
    drawn = rng.normal(size=(2, 3, 3))
    drawn /= np.abs(drawn).sum(axis=(1, 2), keepdims=True)
    kernels = drawn if pair == "any" else convtool.kernel(pair)
    assert as_int16(kernels) is not None
    image = _drawn(shape)
    answer = convtool.gradient_magnitude(
        image, kernels, border=border, engine="numba", dtype=np.uint8
    )
    down, across = (
        convtool.correlate(image.astype(np.float64), kernel, border=border, engine="direct")
        for kernel in kernels
    )
    exact = np.clip(np.hypot(down, across), 0, 255)
    if pair == "any":
        assert np.abs(answer - exact).max() < 0.5 + 2**0.5 * WORST
    else:
        np.testing.assert_array_equal(answer, np.rint(exact))


@pytest.mark.parametrize("rows", range(1, 12))
def test_any_number_of_rows_and_of_threads(rows):
    image = _drawn((rows, 50, 3))
    one, many = (
        convtool.convolve(
            image, EXACT["emboss"], axes=(0, 1), engine="numba", dtype="u1", threads=threads
        )
        for threads in (1, 3)
    )
    expected = convtool.convolve(image, EXACT["emboss"], axes=(0, 1), engine="direct", dtype="u1")
    np.testing.assert_array_equal(one, expected)
    np.testing.assert_array_equal(many, expected)


def test_rows_apart_in_memory_and_memory_for_the_answer():
    whole = _drawn((50, 120))
    image, held = whole[3:40, 11:95], np.full((40, 100), 7, np.uint8)
    out = held[2:39, 9:93]
    convtool.correlate(image, EXACT["laplacian"], engine="numba", out=out, threads=3)
    expected = convtool.correlate(image, EXACT["laplacian"], engine="direct", dtype="u1")
    np.testing.assert_array_equal(out, expected)
    for rest in (held[:2], held[39:], held[:, :9], held[:, 93:]):
        assert np.all(rest == 7)


class TestAsWords:
    @pytest.mark.parametrize(
        "kernel",
        [
            np.full((3, 3), 1e6),  # weights that no lift holds
            np.full((3, 3), 20.0),  # sums beyond 16 bits
            np.outer([1, 2**9, 1], [1, 2, 1]) / 2**11,  # exact, but of too small a fraction
            np.array([[0.1, 2.7, 0.3]] * 3),  # rounding would show
        ],
    )
    def test_leaves_to_floats_what_it_would_spoil(self, kernel):
        assert as_int16(kernel[None]) is None

    def test_takes_the_largest_fraction_that_fits(self):
        int16s = as_int16(EXACT["binomial"][None])
        assert (int16s.lift, int16s.fraction) == (7, 7)
        assert (int16s.weights * 2.0**-15).tolist() == [EXACT["binomial"].tolist()]
        int16s = as_int16(EXACT["laplacian"][None])
        assert (int16s.lift, int16s.fraction) == (7, 4)
        assert (int16s.weights * 2.0**-12).tolist() == [EXACT["laplacian"].tolist()]
