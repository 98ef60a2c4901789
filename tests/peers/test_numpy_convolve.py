"""Signals against ``np.convolve`` and ``np.correlate``: where they agree and where not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import convtool
from convtool import errors

NUMBERS = st.floats(-1e6, 1e6)


def lines(longest, smallest=1):
    shapes = st.integers(smallest, longest)
    return arrays.arrays(np.float64, shapes, elements=NUMBERS)


def assert_close(answer, expected, line, kernel, tolerance=1e-12):
    scale = np.convolve(np.abs(line), np.abs(kernel)).max(initial=0) + 1e-300
    assert answer.shape == expected.shape
    np.testing.assert_allclose(answer, expected, rtol=tolerance, atol=tolerance * scale)


@given(lines(40), lines(9))
def test_full(line, kernel):
    answer = convtool.convolve(line, kernel, mode="full")
    assert_close(answer, np.convolve(line, kernel, "full"), line, kernel)
    answer = convtool.correlate(line, kernel, mode="full")
    assert_close(answer, np.correlate(line, kernel, "full"), line, kernel)


@given(lines(40, 9), lines(9))
def test_valid(line, kernel):
    answer = convtool.convolve(line, kernel, mode="valid")
    assert_close(answer, np.convolve(line, kernel, "valid"), line, kernel)
    answer = convtool.correlate(line, kernel, mode="valid")
    assert_close(answer, np.correlate(line, kernel, "valid"), line, kernel)


@given(lines(40, 9), lines(9))
def test_same_with_zeros_beyond_the_edge(line, kernel):
    """Kernels of even length are centred one sample earlier by NumPy."""
    origin = 0 if len(kernel) % 2 else -1
    answer = convtool.convolve(line, kernel, border="constant", origin=origin)
    assert_close(answer, np.convolve(line, kernel, "same"), line, kernel)


def test_where_they_differ():
    short, long = [1.0, 2.0], [1.0, 1.0, 1.0]
    assert len(np.convolve(short, long, "same")) == 3
    assert len(convtool.convolve(short, long)) == 2
    assert len(np.convolve(short, long, "valid")) == 2
    with pytest.raises(errors.ShapeError, match="no output is left"):
        convtool.convolve(short, long, mode="valid")
    assert np.convolve([1, 2], [3]).dtype == np.int64
    assert convtool.convolve([1, 2], [3]).dtype == np.float32


@given(lines(30), st.sampled_from(["uint8", "int16", "float32", "bool", "int64"]))
def test_types(line, dtype):
    values = (np.abs(line) % 100).astype(dtype)
    answer = convtool.convolve(values, [1, -2, 3], mode="full")
    doubles = values.astype(float)
    assert_close(answer, np.convolve(doubles, [1, -2, 3]), doubles, [9], 1e-6)
