"""Compiled transforms: tilings, tiles that meet, pairs of kernels, and sums that stay exact."""

import numpy as np
import pytest
from conftest import tolerance
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import convtool
from convtool.convolution import calibration, tiles
from convtool.convolution.dtypes import sums_are_exact
from convtool.convolution.engines.overlap import LENGTHS, tiling
from convtool.convolution.planner import DEFAULT_RATES, Calibration, Rate
from convtool.errors import EngineError


def expected(image, kernel):
    weights = kernel.reshape(kernel.shape + (1,) * (image.ndim - 2))
    return ndimage.correlate(image.astype(np.float64), weights, mode="reflect")


@given(
    kernel=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    size=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
)
def test_a_tiling_fits_its_transforms(kernel, size):
    found = tiling(kernel, size)
    if max(kernel) > LENGTHS[-1]:
        assert found is None
        return
    assert all(length in LENGTHS for length in found.lengths)
    for length, taps, made in zip(found.lengths, kernel, found.tile, strict=True):
        assert made == length - taps + 1 >= 1
    assert found.effort > 0


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(300, 260), (150, 140, 3), (33, 500)])
@pytest.mark.parametrize("taps", [(9, 9), (31, 2), (2, 40), (63, 63)])
def test_tiles_meet_without_a_seam(rng, dtype, shape, taps):
    image = (rng.random(shape) * 255).astype(dtype)
    kernel = rng.normal(size=taps)
    truth = expected(image, kernel)
    for stride in (1, 3):
        answer = convtool.correlate(image, kernel, engine="numba-fft", stride=stride)
        kept = truth[::stride, ::stride]
        assert answer.shape == kept.shape
        atol = tolerance(answer.dtype, image, kernel)
        np.testing.assert_allclose(answer, kept, rtol=0, atol=atol)


@pytest.mark.parametrize("length", LENGTHS)
def test_the_largest_kernel_of_each_length(rng, length):
    image, kernel = rng.random((40, length + 9)), rng.normal(size=(3, length))
    answer = convtool.correlate(image, kernel, engine="numba-fft")
    np.testing.assert_allclose(answer, expected(image, kernel), rtol=0, atol=1e-11)


def test_a_longer_kernel_is_refused_with_a_way_out():
    with pytest.raises(EngineError, match="'numba-fft' takes no kernel of 1×257; try 'fft'"):
        convtool.correlate(np.ones((4, 4)), np.ones((1, 257)), engine="numba-fft")


def test_a_pair_gives_the_length_of_both_answers(rng):
    image = rng.random((90, 170, 3), dtype=np.float32)
    pair = rng.normal(size=(2, 15, 15))
    down, right = (expected(image, kernel[::-1, ::-1]) for kernel in pair)
    answer = convtool.gradient_magnitude(image, pair[:, ::-1, ::-1], engine="numba-fft")
    twice = convtool.gradient_magnitude(image, pair[:, ::-1, ::-1], engine="direct")
    atol = 2 * tolerance(answer.dtype, image, pair[0])
    np.testing.assert_allclose(answer, twice, rtol=0, atol=atol)
    assert np.hypot(down, right).shape == answer.shape


def test_threads_and_what_was_made_before_change_no_bit(rng):
    image, kernel = rng.random((400, 300), dtype=np.float32), rng.normal(size=(21, 21))
    first = convtool.correlate(image, kernel, engine="numba-fft", threads=1)
    convtool.correlate(image * 1e6, kernel, engine="numba-fft", threads=3)
    np.testing.assert_array_equal(
        first, convtool.correlate(image, kernel, engine="numba-fft", threads=3)
    )


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_8_bits_are_exact_for_whole_weights_over_a_power_of_two(data):
    seed = data.draw(st.integers(0, 2**32 - 1))
    taps = data.draw(st.sampled_from([(3, 3), (9, 9), (15, 15), (31, 31), (4, 27)]))
    bits = data.draw(st.integers(0, 12))
    rng = np.random.default_rng(seed)
    whole = rng.integers(-3, 9, taps)
    image = rng.integers(0, 256, (70, 80), np.uint8)
    sums = ndimage.correlate(image.astype(np.int64), whole, mode="reflect")
    kernel = whole / 2.0**bits
    assert sums_are_exact(image.dtype, np.dtype(np.float32), kernel)
    answer = convtool.correlate(image, kernel, dtype=np.uint8)
    np.testing.assert_array_equal(answer, np.clip(np.rint(sums / 2.0**bits), 0, 255))


@pytest.mark.parametrize("taps", [15, 31, 63])
def test_8_bits_are_within_one_of_what_is_exactly_rounded(rng, taps):
    image, kernel = rng.integers(0, 256, (200, 210), np.uint8), rng.random((taps, taps))
    kernel /= kernel.sum()
    answer = convtool.correlate(image, kernel, dtype=np.uint8, engine="numba-fft")
    exact = np.rint(expected(image, kernel))
    assert np.abs(answer.astype(int) - exact).max() <= 1
    assert np.mean(answer != exact) < 1e-3


class TestWhatIsNotFinite:
    """Transforms spread it over a tile, which shows; the answer is made again by another engine."""

    TRANSFORMS_WIN = Calibration(
        {name: Rate(1.0, 0, 0) for name in DEFAULT_RATES} | {"numba-fft": Rate(0, 0, 0)}
    )

    @pytest.fixture(autouse=True)
    def _transforms_win(self):
        with calibration.held(self.TRANSFORMS_WIN):
            yield

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("shape", [(300, 260), (150, 140, 3), (33, 500)])
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"stride": 3},
            {"border": "constant"},
            {"dtype": np.uint8},
            {"mode": "valid"},
            {"dtype": np.float64},
        ],
        ids=str,
    )
    def test_a_pixel_anywhere(self, rng, bad, shape, options):
        kernel = rng.normal(size=(7, 9))
        assert convtool.plan(shape, "float32", kernel).engine == "numba-fft"
        for place in [(0, 0), (shape[0] - 1, shape[1] - 1), *rng.integers(0, shape[:2], (6, 2))]:
            image = rng.random(shape, np.float32)
            image[place[0], place[1], ...] = bad
            answer = convtool.correlate(image, kernel, **options)
            known = convtool.correlate(image, kernel, engine="direct", **options)
            np.testing.assert_array_equal(np.isfinite(answer), np.isfinite(known))
            near = np.isfinite(known)
            assert np.abs(answer[near].astype(float) - known[near]).max(initial=0) <= 1 + 1e-5

    def test_a_value_beyond_the_edge(self, rng):
        image, kernel = rng.random((90, 90), np.float32), rng.normal(size=(7, 7))
        answer = convtool.correlate(image, kernel, border="constant", cval=np.inf)
        assert np.isfinite(answer[3:-3, 3:-3]).all()
        assert not np.isfinite(answer[:3]).any()

    def test_into_memory_of_any_layout(self, rng):
        image, kernel = rng.random((90, 70, 3), np.float32), rng.normal(size=(7, 7))
        image[44, 33] = np.nan
        into = np.empty((3, 90, 70), np.float32).transpose(1, 2, 0)
        convtool.correlate(image, kernel, out=into)
        known = convtool.correlate(image, kernel, engine="direct")
        np.testing.assert_array_equal(np.isnan(into), np.isnan(known))

    def test_a_finite_image_is_filtered_once(self, rng, monkeypatch):
        calls, run = [], tiles.run
        monkeypatch.setattr(tiles, "run", lambda *more: calls.append(1) or run(*more))
        convtool.correlate(rng.random((90, 90), np.float32), rng.normal(size=(7, 7)))
        assert len(calls) == 1
