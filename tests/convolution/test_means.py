"""Means of 8-bit images by running sums of integers: exact, whatever their size."""

import numpy as np
import pytest

import convtool
from convtool.convolution.borders import RULES
from convtool.convolution.engines import Job
from convtool.convolution.engines.jit import means
from convtool.convolution.geometry import geometry

SHAPES = [(1, 1), (7, 5), (70, 131), (20, 33, 2), (37, 45, 3), (21, 20, 4)]

SIZES = [(5, 5), (9, 3), (3, 17), (25, 7), (31, 31)]
"""Odd: the mean of whole numbers never lies halfway between two."""


def _drawn(shape):
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, np.uint8)


def _exact(image, size, **options):
    """Return the rounded mean, from sums in float64, which hold them exactly."""
    sums = convtool.correlate(image.astype(np.float64), np.ones(size), engine="direct", **options)
    return np.rint(sums / (size[0] * size[1]))


def _mean(image, size, **options):
    kernel = np.full(size, 1 / (size[0] * size[1]))
    return convtool.correlate(image, kernel, engine="numba", dtype="u1", **options)


@pytest.mark.parametrize("border", sorted(RULES))
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", SIZES)
def test_are_exact(size, shape, border):
    image, options = _drawn(shape), {"border": border, "cval": 37.0}
    expected = _exact(image, size, **options)
    np.testing.assert_array_equal(_mean(image, size, **options), expected)


@pytest.mark.parametrize("size", [(8, 8), (2, 16), (4, 32)])
def test_over_a_power_of_two_halves_go_to_the_even_number(size):
    image = _drawn((90, 80))
    np.testing.assert_array_equal(_mean(image, size), _exact(image, size))


@pytest.mark.parametrize("mode", ["valid", "full"])
def test_other_modes(mode):
    image = _drawn((60, 75, 3))
    expected = _exact(image, (9, 9), mode=mode)
    np.testing.assert_array_equal(_mean(image, (9, 9), mode=mode), expected)


def test_threads_and_rows_apart_in_memory():
    whole = _drawn((300, 200))
    image, held = whole[3:290, 11:195], np.full((290, 200), 7, np.uint8)
    out = held[2:289, 9:193]
    expected = _exact(image, (15, 15))
    for threads in (1, 2, 5):
        out[:] = 0
        _mean(image, (15, 15), out=out, threads=threads)
        np.testing.assert_array_equal(out, expected)
    for rest in (held[:2], held[289:], held[:, :9], held[:, 193:]):
        assert np.all(rest == 7)


def test_what_is_brighter_than_white_is_white():
    image = np.array([[0, 1, 2, 3, 100, 200]] * 8, np.uint8)
    answer = convtool.correlate(image, np.ones((5, 5)), engine="numba", dtype="u1")
    sums = convtool.correlate(image.astype(np.float64), np.ones((5, 5)), engine="direct")
    np.testing.assert_array_equal(answer, np.minimum(sums, 255))


def _takes(size, value=None):
    kernel = np.full(size, 1 / (size[0] * size[1]) if value is None else value)
    layout = geometry((400, 500), size, mode="same", padding=None, stride=1)
    return means.mean_strips(Job((kernel,), np.dtype(np.float32), layout, 1, None, 1)) is not None


def test_take_what_integers_hold():
    assert _takes((257, 255))
    assert not _takes((258, 1))  # the sum of 258 uint8 pixels overflows uint16
    assert not _takes((257, 257))  # sums that float32 rounds
    assert not _takes((31, 31), 10.0)
    assert not _takes((31, 31), -1.0)


@pytest.mark.parametrize("size", [(259, 3), (101, 101), (257, 255)])
def test_the_largest_and_those_that_are_too_large(size):
    image = _drawn((60, 50))
    np.testing.assert_array_equal(_mean(image, size), _exact(image, size))
