"""Volumes by kernels of three dimensions: every engine against the oracle and SciPy."""

from itertools import product

import numpy as np
import pytest
import reference
from conftest import tolerance
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, signal

from convtool.convolution.borders import RULES
from convtool.convolution.engines import ENGINES
from convtool.convolution.engines.jit import volume as compiled
from convtool.convolution.geometry import MODES
from convtool.convolution.volume import lines_filtered, volume_filtered, volume_plan
from convtool.errors import EngineError, KernelError, OptionError, PixelTypeError, ShapeError
from convtool.kernels.volumes import volume_kernel

ABLE = ("numba", "direct", "separable", "fft", "scipy")
"""The engines that filter volumes; a test compares with the registry."""

DTYPES = ("float32", "float64", "uint8", "int8", "uint16", "int32", "bool", "float16")


def some(rng, shape, dtype):
    """Return voxels of a type, over all of its range."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return rng.normal(size=shape).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def separable(rng, shape):
    """Return a kernel of rank 1, some of whose weights may be zero."""
    lines = [rng.normal(size=taps) for taps in shape]
    return lines[0][:, None, None] * lines[1][:, None] * lines[2]


def check(answer, expected, volume, kernel):
    """Compare within the table of tolerances, NaN in its place."""
    assert answer.shape == expected.shape
    working = np.float64 if answer.dtype == np.float64 else np.float32
    allowed = tolerance(working, volume, kernel)
    np.testing.assert_allclose(answer, expected, rtol=0, atol=allowed)


def test_engines_that_filter_volumes_are_those_that_refuse_none():
    kernel = np.ones((3, 3, 3))
    for name in ENGINES:
        if name in ABLE:
            assert volume_plan((4, 4, 4), "uint8", kernel, True, engine=name).engine == name
        else:
            with pytest.raises(EngineError, match=f"engine '{name}' does not filter volumes; use"):
                volume_plan((4, 4, 4), "uint8", kernel, True, engine=name)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("engine", ABLE)
def test_every_border_along_every_axis(rng, engine, mode):
    volume = rng.normal(size=(4, 3, 5)).astype(np.float32)
    kernel = separable(rng, (3, 2, 3))
    for names in product(RULES, repeat=3):
        how = {"mode": mode, "borders": names, "cval": 0.7}
        answer = volume_filtered(volume, kernel, True, engine=engine, **how)
        expected = reference.correlate_volume(volume, kernel, flipped=True, **how)
        check(answer, expected, volume, kernel)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("engine", ABLE)
def test_every_type(rng, engine, dtype):
    volume, kernel = some(rng, (5, 6, 20), dtype), separable(rng, (2, 3, 3))
    for flipped in (False, True):
        answer = volume_filtered(volume, kernel, flipped, engine=engine)
        assert answer.dtype == (np.float64 if dtype == "float64" else np.float32)
        expected = reference.correlate_volume(volume, kernel, flipped=flipped)
        check(answer, expected, volume, kernel)


@st.composite
def problems(draw):
    """A volume, a kernel of any rank and options."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 12), st.integers(1, 70)))
    sizes = draw(st.tuples(*[st.integers(1, 7)] * 3))
    kernel = separable(rng, sizes) if draw(st.booleans()) else rng.normal(size=sizes)
    if draw(st.booleans()):
        kernel *= rng.random(sizes) < 0.6
    volume = some(rng, shape, draw(st.sampled_from(DTYPES)))
    layout = draw(st.sampled_from(["plain", "transposed", "reversed", "sliced", "swapped"]))
    if layout == "transposed":
        volume = np.ascontiguousarray(volume.T).T
    elif layout == "reversed":
        volume = np.ascontiguousarray(volume[::-1, ::-1, ::-1])[::-1, ::-1, ::-1]
    elif layout == "sliced":
        volume = np.repeat(volume, 2, axis=0)[::2]
    elif layout == "swapped":
        volume = volume.astype(volume.dtype.newbyteorder())
    fits = all(size >= taps for size, taps in zip(shape, sizes, strict=True))
    mode = draw(st.sampled_from(MODES if fits else ("same", "full")))
    origin = (0, 0, 0)
    flipped = draw(st.booleans())
    if mode == "same":
        ranges = [(-(taps // 2), (taps - 1) // 2) for taps in sizes]
        origin = tuple(draw(st.integers(low, high)) for low, high in ranges)
    options = {
        "mode": mode,
        "borders": draw(st.tuples(*[st.sampled_from(sorted(RULES))] * 3)),
        "cval": draw(st.sampled_from([0.0, 1.5])),
        "origin": origin,
    }
    return volume, kernel, options, flipped


@pytest.mark.parametrize("engine", ["auto", "numba", "direct", "fft"])
@given(problem=problems())
def test_engines_give_what_scipy_gives(engine, problem):
    volume, kernel, options, flipped = problem
    answer = volume_filtered(volume, kernel, flipped, engine=engine, **options)
    plain = np.asarray(volume, np.float64)
    padded = plain
    reach = [2 * taps for taps in kernel.shape]
    for axis, rule in enumerate(options["borders"]):
        rows = np.arange(-reach[axis], plain.shape[axis] + reach[axis])
        places = RULES[rule](rows, plain.shape[axis])
        padded = padded.take(places, axis=axis)
        if rule == "constant":
            outside = [slice(None)] * 3
            outside[axis] = places < 0
            padded[tuple(outside)] = options["cval"]
    call = ndimage.convolve if flipped else ndimage.correlate
    if options["mode"] == "same":
        made = call(padded, kernel, mode="constant", origin=options["origin"])
        cut = tuple(slice(r, r + n) for r, n in zip(reach, plain.shape, strict=True))
    else:
        weights = kernel if flipped else kernel[::-1, ::-1, ::-1]
        made = signal.convolve(padded, weights, mode="valid", method="direct")
        first = [
            r - k + 1 if options["mode"] == "full" else r
            for r, k in zip(reach, kernel.shape, strict=True)
        ]
        cut = tuple(slice(a, a + n) for a, n in zip(first, answer.shape, strict=True))
    check(answer, made[cut], volume, kernel)


@pytest.mark.parametrize("engine", ["auto", *ABLE])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_inf_spread_only_as_far_as_weights_reach(rng, engine, value):
    kernels = {
        "dense": rng.normal(size=(3, 4, 3)) * (rng.random((3, 4, 3)) < 0.6),
        "sobel": np.array([1.0, 2, 1])[:, None, None] * np.array([[-1.0], [0], [1]]) * [1.0, 2, 1],
        "derivative": np.array([[[1.0]], [[0]], [[-1]]]) * np.ones((3, 1)) * [1.0, 0, 2, 0, 1],
    }
    for name, kernel in kernels.items():
        if engine == "separable" and name == "dense":
            continue
        volume = rng.normal(size=(8, 9, 40)).astype(np.float32)
        volume[4, 4, 20] = value
        volume[0, 8, 3] = value
        answer = volume_filtered(volume, kernel, False, engine=engine)
        expected = reference.correlate_volume(volume, kernel)
        assert (np.isfinite(answer) == np.isfinite(expected)).all()
        finite = np.isfinite(expected)
        allowed = tolerance(np.float32, volume, kernel)
        np.testing.assert_allclose(answer[finite], expected[finite], rtol=0, atol=allowed)


def test_transforms_leave_nan_in_its_place_in_large_kernels(rng):
    kernel = rng.normal(size=(7, 9, 8))
    kernel[3, 4, 4] = 0
    volume = rng.normal(size=(20, 21, 22)).astype(np.float32)
    volume[10, 10, 10] = np.nan
    answer = volume_filtered(volume, kernel, False, engine="fft")
    zeros = np.isnan(volume).astype(float)
    reached = ndimage.correlate(zeros, (kernel != 0).astype(float)) > 0.5
    np.testing.assert_array_equal(np.isnan(answer), reached)
    expected = ndimage.correlate(np.nan_to_num(volume).astype(float), kernel)
    allowed = tolerance(np.float32, volume, kernel)
    np.testing.assert_allclose(answer[~reached], expected[~reached], rtol=0, atol=allowed)


@pytest.mark.parametrize("cval", [np.nan, np.inf])
def test_a_border_that_is_not_finite_stays_outside(rng, cval):
    kernel = np.zeros((3, 3, 3))
    kernel[1, 1, 1:] = 1.0, 2.0
    volume = some(rng, (4, 5, 20), "uint8")
    answer = volume_filtered(volume, kernel, False, borders=("constant",) * 3, cval=cval)
    assert np.isfinite(answer[:, :, :-1]).all()
    assert not np.isfinite(answer[:, :, -1]).any()


@pytest.mark.parametrize("shape", [(3, 40, 1500), (40, 3, 33), (2, 70, 20)])
@pytest.mark.parametrize("factored", [False, True])
def test_threads_and_bars_change_no_bit(rng, monkeypatch, shape, factored):
    kernel = separable(rng, (3, 5, 4)) if factored else rng.normal(size=(3, 5, 4))
    volume = rng.normal(size=shape).astype(np.float32)
    alone = volume_filtered(volume, kernel, True, engine="numba", threads=1)
    shared = volume_filtered(volume, kernel, True, engine="numba", threads=2)
    np.testing.assert_array_equal(alone, shared)
    check(alone, ndimage.convolve(volume.astype(np.float64), kernel), volume, kernel)
    for limit in ("RING_BYTES", "MOST_PRODUCTS"):
        monkeypatch.setattr(compiled, limit, 1)
        compiled.bars_of.cache_clear()
        small = volume_filtered(volume, kernel, True, engine="numba", threads=2)
        np.testing.assert_array_equal(alone, small)
    compiled.bars_of.cache_clear()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("engine", ABLE)
def test_answers_are_rounded_and_saturate_after_delta(rng, engine, dtype):
    volume, kernel = some(rng, (4, 5, 33), "uint8"), separable(rng, (3, 3, 3))
    expected = reference.correlate_volume(volume, kernel) + 20.25
    answer = volume_filtered(volume, kernel, False, engine=engine, dtype=dtype, delta=20.25)
    assert answer.dtype == dtype
    if np.dtype(dtype).kind == "f":
        check(answer, expected, volume, kernel)
        return
    limits = np.iinfo(dtype)
    clipped = np.clip(expected, limits.min, limits.max)
    assert np.abs(answer - clipped).max() <= 0.5 + 1e-3


def test_whole_numbers_stay_exact(rng):
    volume = some(rng, (6, 7, 40), "uint8")
    for kernel in (np.ones((5, 5, 5)), rng.integers(-4, 5, (3, 3, 3)).astype(float)):
        answer = volume_filtered(volume, kernel, True)
        expected = reference.correlate_volume(volume, kernel, flipped=True)
        np.testing.assert_array_equal(answer, expected)


def test_the_answer_may_take_the_place_of_the_volume(rng):
    volume = rng.normal(size=(6, 7, 40)).astype(np.float32)
    kernel = separable(rng, (3, 3, 3))
    expected = volume_filtered(volume.copy(), kernel, True)
    assert volume_filtered(volume, kernel, True, out=volume) is volume
    np.testing.assert_array_equal(volume, expected)
    apart = np.zeros((6, 7, 80), np.float32)[:, :, ::2]
    assert volume_filtered(expected, kernel, True, out=apart) is apart
    np.testing.assert_array_equal(apart, volume_filtered(expected, kernel, True))


def test_channels_are_filtered_each_on_its_own(rng):
    volume = rng.normal(size=(5, 6, 20, 3)).astype(np.float32)
    for kernel in (separable(rng, (3, 5, 3)), rng.normal(size=(2, 3, 4))):
        for engine in ("auto", "numba", "direct", "fft"):
            answer = volume_filtered(volume, kernel, True, engine=engine)
            for channel in range(3):
                one = volume_filtered(volume[..., channel], kernel, True, engine="direct")
                check(answer[..., channel], one, volume, kernel)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("answer", [None, "uint8"])
def test_kernels_of_few_parts_are_the_sum_of_them(rng, dtype, answer):
    kernel = volume_kernel("log:sigma=1.5,1,1.2")
    chosen = volume_plan((20, 21, 33), dtype, kernel, True, engine="numba")
    assert chosen.rank is not None
    assert chosen.rank > 1
    volume = some(rng, (20, 21, 33), dtype)
    made = volume_filtered(volume, kernel, True, engine="numba", dtype=answer, delta=3.0)
    expected = ndimage.convolve(volume.astype(np.float64), kernel) + 3
    if answer == "uint8":
        assert np.abs(made - np.clip(expected, 0, 255)).max() <= 0.5 + 1e-3
        made = volume_filtered(volume, kernel, True, engine="numba", dtype=answer)
        assert np.abs(made - np.clip(expected - 3, 0, 255)).max() <= 0.5 + 1e-3
        return
    check(made, expected, volume, kernel)


def test_parts_carry_no_nan(rng):
    kernel = volume_kernel("log:sigma=1.5")
    kernel[0] = 0
    kernel[:, 2] = 0
    assert volume_plan((64, 64, 64), "float32", kernel, True, engine="numba").rank is not None
    volume = rng.normal(size=(20, 21, 33)).astype(np.float32)
    volume[9, 9, 9] = np.nan
    made = volume_filtered(volume, kernel, False, engine="numba")
    reached = ndimage.correlate(np.isnan(volume).astype(float), (kernel != 0).astype(float)) > 0.5
    np.testing.assert_array_equal(np.isnan(made), reached)


def test_parts_that_cancel_are_not_taken_of_float64():
    kernel = volume_kernel("log:sigma=1.5")
    assert volume_plan((64, 64, 64), "float64", kernel, True, engine="numba").rank is None


def test_spikes_round_no_more_by_parts(rng):
    kernel = volume_kernel("log:sigma=1.5")
    volume = rng.normal(size=(30, 31, 32)).astype(np.float32)
    volume[15, 15, 15] = 1e6
    made = volume_filtered(volume, kernel, True, engine="numba")
    expected = ndimage.convolve(volume.astype(np.float64), kernel)
    products = ndimage.convolve(np.abs(volume).astype(np.float64), np.abs(kernel))
    assert (np.abs(made - expected) <= 1e-5 * products).all()


def test_plans_follow_the_kernel(rng):
    shape = (256, 256, 256)
    line = np.hanning(19)[1:-1]
    gaussian = line[:, None, None] * line[:, None] * line
    if volume_plan(shape, "float32", np.ones((3, 3, 3)), True).engine != "numba":
        pytest.skip("no compiled library was built, so that 'auto' does without it")
    assert volume_plan(shape, "float32", gaussian, True).chosen == ("numba", 1)
    assert volume_plan(shape, "float32", rng.normal(size=(3, 3, 3)), True).chosen == ("numba", None)
    assert volume_plan(shape, "float32", rng.normal(size=(41, 41, 41)), True).engine == "fft"
    single = np.zeros((3, 3, 3))
    single[1, 1, 1] = 1
    assert volume_plan(shape, "float32", single, True).engine == "direct"


@pytest.mark.parametrize(
    "shape", [(30,), (5, 40), (4, 5, 6), (3, 4, 5, 6), (40, 5, 1), (2, 600, 3)]
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_lines_along_any_axis(rng, shape, dtype):
    array = some(rng, shape, dtype)
    plain = array.astype(np.float64)
    for axis, taps in product(range(-1, len(shape)), (1, 2, 5)):
        line = rng.normal(size=taps)
        for border in RULES:
            for origin in {-(taps // 2), 0}:
                how = {"axis": axis, "mode": border, "cval": 2.0, "origin": origin}
                answer = lines_filtered(
                    array, line, axis, flipped=False, border=border, cval=2.0, origin=origin
                )
                check(answer, ndimage.correlate1d(plain, line, **how), array, line)
                answer = lines_filtered(
                    array, line, axis, flipped=True, border=border, cval=2.0, origin=origin
                )
                check(answer, ndimage.convolve1d(plain, line, **how), array, line)


def test_lines_of_arrays_that_lie_otherwise(rng):
    array = rng.normal(size=(6, 7, 8, 9))
    line = rng.normal(size=3)
    for view in (array.T, array[::2, :, ::-1], array[..., ::3]):
        out = np.empty(view.shape)
        for axis in range(4):
            expected = ndimage.correlate1d(view, line, axis=axis)
            assert lines_filtered(view, line, axis, flipped=False, out=out) is out
            np.testing.assert_allclose(out, expected, atol=1e-13)
            target = np.empty((*view.shape[:3], 2 * view.shape[3]))[..., ::2]
            lines_filtered(view, line, axis, flipped=False, out=target)
            np.testing.assert_array_equal(target, out)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"pixels": np.zeros((3, 3))}, ShapeError, r"has shape \(D, H, W\)"),
        ({"pixels": np.zeros((3, 0, 3))}, ShapeError, "is empty"),
        ({"pixels": np.zeros((3, 3, 3), complex)}, PixelTypeError, "complex128"),
        ({"kernel": np.ones((3, 3))}, KernelError, r"has shape \(KD, KH, KW\)"),
        ({"kernel": np.full((1, 1, 1), np.nan)}, KernelError, "not finite"),
        ({"mode": "valid", "kernel": np.ones((5, 1, 1))}, ShapeError, "kernel's depth is 5"),
        ({"mode": "some"}, OptionError, "mode"),
        ({"borders": ("reflect", "mirror")}, OptionError, "must name three"),
        ({"borders": ("zero",) * 3}, OptionError, "border"),
        ({"origin": (2, 0, 0)}, OptionError, "origin 2 lies outside a kernel of 3 weights; use -1"),
        ({"origin": (1, 0, 0), "mode": "full"}, OptionError, "leave it out"),
        ({"engine": "best"}, OptionError, "engine"),
        ({"out": np.zeros((3, 3, 4))}, ShapeError, r"out has shape \(3, 3, 4\)"),
        ({"out": np.zeros((3, 3, 3), int), "dtype": "float32"}, OptionError, "out has type int64"),
        ({"out": [1]}, OptionError, "out must be an array, not list"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(change, error, words):
    given = {"pixels": np.zeros((3, 3, 3)), "kernel": np.ones((3, 3, 3))} | change
    with pytest.raises(error, match=words):
        volume_filtered(given.pop("pixels"), given.pop("kernel"), True, **given)


def test_a_kernel_that_is_not_of_rank_1_has_no_lines(rng):
    with pytest.raises(EngineError, match="rank 1 only"):
        volume_filtered(np.zeros((3, 3, 3)), rng.normal(size=(2, 2, 2)), True, engine="separable")


@pytest.mark.parametrize(
    ("array", "taps", "axis", "error", "words"),
    [
        (np.zeros((2, 3)), [1], 2, ShapeError, "has 2 axes; there is no axis 2"),
        (np.zeros((2, 0)), [1], 0, ShapeError, "is empty"),
        (np.zeros((2, 3)), [[1]], 0, KernelError, r"not of shape \(1, 1\)"),
        ([1, 2], [1], 0, PixelTypeError, "one of NumPy's"),
    ],
)
def test_lines_that_cannot_be_are_refused(array, taps, axis, error, words):
    with pytest.raises(error, match=words):
        lines_filtered(array, taps, axis, flipped=False)
