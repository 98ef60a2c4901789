"""Flat areas: 0 under weights that sum to 0, in every engine that may be chosen."""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

import convtool
from convtool.convolution import flat
from convtool.convolution.engines import ENGINES
from convtool.convolution.flat import Level, Places, fill, level_for
from convtool.convolution.source import Source

OWN = [name for name, entry in ENGINES.items() if entry.own]
WHOLE = (1, 255, 65535)
OTHERS = (0.1, 200.7, 1e-20, 1e20)
SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)


def _zero_sum(rng, size, most):
    weights = rng.integers(-most, most + 1, (size, size)).astype(np.float64)
    weights[size // 2, size // 2] -= weights.sum()
    return weights


def _kernels():
    rng = np.random.default_rng(11)
    for name in convtool.presets():
        weights = convtool.kernel(name)
        singles = weights if weights.ndim == 3 else [weights]
        yield from ((f"{name} {n}", single) for n, single in enumerate(singles))
    for size in (3, 5, 7, 9, 15, 31, 63):
        yield f"log {size}", convtool.kernel(f"log:sigma={max(0.5, size / 9)},size={size}")
        yield f"dog {size}", convtool.kernel(f"dog:sigma={max(0.5, size / 14)},size={size}")
        yield f"few {size}", _zero_sum(rng, size, 3)
        yield f"whole {size}", _zero_sum(rng, size, 100)
        yield f"thirds {size}", _zero_sum(rng, size, 3) / 3


KERNELS = {name: weights for name, weights in _kernels() if abs(weights.sum()) < 1e-9}


def test_the_kernels_are_those_that_sum_to_zero():
    assert {"laplacian-8 0", "sobel 1", "log 0", "dog 63", "whole 31"} <= KERNELS.keys()


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE], ids=str)
@pytest.mark.parametrize("name", KERNELS)
def test_flat_pictures_become_zero(name, dtype):
    weights = KERNELS[name]
    whole = np.array_equal(weights, np.rint(weights))
    for value in WHOLE + OTHERS if weights.size < 500 else (255, 0.1, 1e20):
        image = np.full((40, 75), value, dtype)
        for engine in (*OWN, "auto"):
            if engine in ("fft", "numba-fft") and weights.size < 25:
                continue  # they are not chosen
            answer = convtool.correlate(image, weights, engine=engine)
            if whole and value in WHOLE:
                assert not answer.any(), (engine, value)
            most = 1e-7 * value * np.abs(weights).sum()
            assert np.abs(answer).max() <= most, (engine, value)


@pytest.mark.parametrize("engine", [*OWN, "auto"])
@pytest.mark.parametrize("name", ["whole 9", "log 15", "whole 63"])
@pytest.mark.parametrize("value", [3.0, 0.1])
def test_flat_areas_beside_others_become_zero(rng, engine, name, value):
    weights = KERNELS[name]
    image = rng.uniform(-1e4, 1e4, (200, 210)).astype(np.float32)
    image[30:150, 20:170] = value
    answer = convtool.correlate(image, weights, engine=engine)
    half = len(weights) // 2
    inside = answer[30 + half : 150 - half, 20 + half : 170 - half]
    assert np.abs(inside).max() <= 1e-7 * value * np.abs(weights).sum()
    if name.startswith("whole") and value == 3:
        assert not inside.any()


def test_small_kernels_of_whole_numbers_are_exact():
    level = np.full((64, 64), 255, np.float32)
    assert not convtool.correlate(level, "laplacian-8").any()
    ones = np.ones((3, 5), np.float32)
    np.testing.assert_array_equal(convtool.correlate(ones, "cross"), np.full((3, 5), 5))
    expected = reference.correlate(ones, convtool.kernel("cross"), border="constant")
    answer = convtool.correlate(ones, "cross", border="constant")
    np.testing.assert_array_equal(answer, expected)
    for engine in OWN[:2]:
        assert not convtool.correlate(level, "laplacian-8", engine=engine).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32], ids=lambda d: d.__name__)
@pytest.mark.parametrize("name", ["log 31", "whole 31", "thirds 15"])
def test_flat_areas_of_integer_pictures(rng, dtype, name):
    weights = KERNELS[name]
    image = rng.integers(0, 200, (120, 110)).astype(dtype)
    image[:60] = 200
    flat_rows = convtool.correlate(image, weights)[: 60 - len(weights) // 2]
    assert np.abs(flat_rows).max() <= 1e-7 * 200 * np.abs(weights).sum()
    if name == "whole 31":
        assert not flat_rows.any()


def test_a_pair_of_large_kernels_is_zero_on_flat_areas(rng):
    pair = np.stack([KERNELS["whole 15"], KERNELS["log 15"]])
    image = rng.random((90, 80)).astype(np.float32)
    image[10:60, 10:70] = -7
    magnitude = convtool.gradient_magnitude(image, pair)
    inside = magnitude[17:53, 17:63]
    assert (inside >= 0).all()
    assert inside.max() <= 1e-7 * 7 * np.abs(pair[1]).sum()


@pytest.mark.parametrize("engine", OWN)
def test_nan_and_inf_are_not_covered(engine):
    image = np.full((40, 40), np.inf, np.float32)
    image[:, 20:] = np.nan
    assert np.isnan(convtool.correlate(image, KERNELS["whole 9"], engine=engine)).all()


def test_an_image_filtered_in_place_gives_the_same_bits(rng):
    image = rng.integers(0, 3, (3000, 300)).astype(np.float32)
    image[500:2500, 100:250] = 0.1
    expected = convtool.correlate(image, KERNELS["log 15"], threads=1)
    np.testing.assert_array_equal(convtool.correlate(image, KERNELS["log 15"], out=image), expected)
    assert np.abs(expected[600:2400, 120:230]).max() <= 1e-9


def _flat_windows(image, kernel_shape, options):
    """Return which windows hold one value, by the oracle: none differs from its first."""
    all_same = True
    for place in np.ndindex(kernel_shape):
        pair = np.zeros(kernel_shape)
        pair[place] = -1
        pair[0, 0] += 1
        all_same = all_same & (reference.correlate(image, pair, **options) == 0)
    return all_same


@given(
    size=st.tuples(st.integers(1, 14), st.integers(1, 14)),
    taps=st.tuples(st.integers(1, 5), st.integers(2, 5)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    border=st.sampled_from(["reflect", "mirror", "nearest", "wrap", "constant"]),
    channels=st.sampled_from([None, 1, 2]),
    dtype=st.sampled_from([np.uint8, np.float32, np.float64, np.float16]),
    seed=st.integers(0, 2**16),
)
def test_exactly_the_flat_windows_are_filled(size, taps, stride, border, channels, dtype, seed):
    rng = np.random.default_rng(seed)
    shape = size if channels is None else (*size, channels)
    image = np.zeros(shape, dtype)
    for _ in range(4):
        y, x = rng.integers(0, size[0]), rng.integers(0, size[1])
        image[y : y + rng.integers(1, 12), x : x + rng.integers(1, 12)] = rng.integers(0, 4)
    options = {"border": border, "cval": 2.0, "stride": stride}
    expected = _flat_windows(image, taps, options)
    planes = image.reshape(image.shape + (1,) * (3 - image.ndim))
    out = np.full((*expected.shape[:2], planes.shape[2]), -1, np.float64)
    rows, columns = (
        Places(-(k // 2), s, k, n) for k, s, n in zip(taps, stride, expected.shape[:2], strict=True)
    )
    source = Source(planes, border, 2.0, DOUBLE if dtype == np.float64 else SINGLE)
    fill(source, Level(0.5, False, 1.0), rows, columns, out)
    np.testing.assert_array_equal(out.reshape(expected.shape) >= 0, expected)
    corner = np.zeros(taps)
    corner[0, 0] = 0.5
    values = reference.correlate(image, corner, **options)
    np.testing.assert_array_equal(out.reshape(expected.shape)[expected], values[expected])


def test_whole_answers_hide_what_rounding_leaves(monkeypatch):
    monkeypatch.setattr(flat, "_cells", lambda *_: pytest.fail("looked for"))
    image = np.full((90, 90), 200, np.uint8)
    assert not convtool.correlate(image, KERNELS["log 15"], engine="numba", dtype=np.uint8).any()


def test_which_kernels_need_help():
    difference = np.outer(np.arange(-4.0, 5), np.ones(9))
    assert level_for((difference,), SINGLE, True) == Level(0, False, np.abs(difference).sum())
    assert level_for((difference, difference.T), SINGLE, True).pair
    assert level_for((np.ones((9, 9)),), SINGLE, False) is None
    assert level_for((np.zeros((9, 9)),), SINGLE, False) is None
    assert level_for((difference[:, :3],), SINGLE, True) is None
    assert level_for((1000 * difference[:, :3],), SINGLE, True) is not None
    assert level_for((1000 * difference[:, :3],), DOUBLE, True) is None
