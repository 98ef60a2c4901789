"""8-bit images in fixed point: within one of the rounded answer, exact where weights are whole."""

import numpy as np
import pytest

import convtool
from convtool.convolution.borders import RULES

SHAPES = [(1, 70), (70, 131), (37, 45, 3), (21, 20, 4)]

EXACT = {
    "binomial": np.outer([1, 4, 6, 4, 1], [1, 2, 1]) / 64,
    "mean of nine": np.full((3, 3), 1 / 9),
    "mean of thirteen": np.full((1, 13), 1 / 13),
    "derivative": np.outer([1, 2, 1], [-1, 0, 1]) / 2,
    "whole numbers": np.outer([3, -1], [1, 5, 2]),
}


def _drawn(shape):
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, np.uint8)


def _in_doubles(image, kernel, **options):
    """Return the answer of an engine that is checked against the oracle elsewhere."""
    return convtool.correlate(image.astype(np.float64), kernel, engine="direct", **options)


def _answers(image, kernel, border, cval=0.0):
    options = {"border": border, "cval": cval}
    answer = convtool.correlate(image, kernel, engine="numba", dtype="u1", threads=2, **options)
    expected = _in_doubles(image, kernel, **options)
    return answer.astype(np.float64), np.clip(np.rint(expected.round(9)), 0, 255)


@pytest.mark.parametrize("border", sorted(RULES))
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", EXACT)
def test_whole_weights_are_exact(name, shape, border):
    answer, expected = _answers(_drawn(shape), EXACT[name], border, cval=37.0)
    np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("border", sorted(RULES))
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [3, 5, 9, 31])
def test_rounded_weights_are_within_one(size, shape, border):
    kernel = convtool.kernel(f"gaussian:sigma={size / 6},size={size}")
    answer, expected = _answers(_drawn(shape), kernel, border, cval=200.0)
    assert np.abs(answer - expected).max() <= 1
    assert np.mean(answer != expected) < 0.05


@pytest.mark.parametrize("cval", [-3.0, 2.25, 300.0])
def test_values_outside_that_are_no_pixels(cval):
    answer, expected = _answers(_drawn((40, 50)), EXACT["binomial"], "constant", cval)
    np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("value", [0, 1, 128, 255])
@pytest.mark.parametrize("size", [5, 63])
def test_a_flat_image_stays_as_it_is(value, size):
    image = np.full((80, 90), value, np.uint8)
    kernel = f"gaussian:sigma={size / 6},size={size}"
    answer = convtool.convolve(image, kernel, engine="numba", dtype="u1")
    np.testing.assert_array_equal(answer, image)


@pytest.mark.parametrize("mode", ["valid", "full"])
def test_other_modes(mode):
    image, kernel = _drawn((60, 75)), EXACT["binomial"]
    answer = convtool.correlate(image, kernel, mode=mode, engine="numba", dtype="u1")
    expected = _in_doubles(image, kernel, mode=mode)
    np.testing.assert_array_equal(answer, np.rint(expected))


def test_rows_apart_in_memory_and_memory_for_the_answer():
    whole = _drawn((50, 120))
    image, held = whole[3:40, 11:95], np.full((40, 100), 7, np.uint8)
    out = held[2:39, 9:93]
    convtool.correlate(image, EXACT["binomial"], engine="numba", out=out, threads=3)
    expected = _in_doubles(image, EXACT["binomial"])
    np.testing.assert_array_equal(out, np.rint(expected))
    for rest in (held[:2], held[39:], held[:, :9], held[:, 93:]):
        assert np.all(rest == 7)


class TestFixedPoint:
    @pytest.mark.parametrize(
        "kernel",
        [
            np.eye(3),  # of full rank
            np.outer([1.0, 40000.0], [1.0, 1.0]),  # a weight beyond 16 bits
            np.full((1, 200), 1 / 200),  # too long
            np.outer([1, 2**14, 1], [1, 2, 1]) / 2**15,  # sums beyond 16 bits
            np.array([[1e6, 0.3]]),  # rounding would show
            np.zeros((3, 3)),
        ],
    )
    def test_leaves_to_floats_what_it_would_spoil(self, kernel):
        from convtool.convolution.engines.jit.fixed import fixed_point

        assert fixed_point(kernel) is None

    def test_whole_weights_are_taken_as_they_are(self):
        from convtool.convolution.engines.jit.fixed import fixed_point

        fixed = fixed_point(EXACT["binomial"])
        assert (fixed.column.tolist(), fixed.row.tolist()) == ([1, 4, 6, 4, 1], [1, 2, 1])
        assert (fixed.shift, fixed.scale) == (0, 1 / 64)
