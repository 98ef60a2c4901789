"""Dask arrays of any dimensions: the answer of the whole array, whatever its blocks."""

import dask
import dask.array
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convtool
from convtool import distributed
from convtool.convolution.borders import BORDERS
from convtool.distributed import padded
from convtool.errors import ConvtoolError, OptionError, ShapeError

FUNCTIONS = ("convolve", "correlate")


def in_blocks(image, chunks):
    return dask.array.from_array(image, chunks=chunks)


def computed(lazy):
    with dask.config.set(scheduler="synchronous"):
        return lazy.compute()


@st.composite
def cases(draw):
    ndim = draw(st.integers(1, 4))
    dims = draw(st.integers(1, min(ndim, 3)))
    shape = draw(st.tuples(*[st.integers(1, 12 if ndim < 4 else 6)] * ndim))
    sides = draw(st.tuples(*[st.integers(1, 5)] * dims))
    border = st.sampled_from(list(BORDERS))
    options = {
        "axes": tuple(draw(st.permutations(range(ndim)))[:dims]),
        "border": draw(st.one_of(border, st.tuples(*[border] * dims))),
        "cval": draw(st.sampled_from([0.0, 7.0, -0.5])),
        "delta": draw(st.sampled_from([0.0, 1.5])),
        "dtype": draw(st.sampled_from([None, None, "float64", "int16"])),
    }
    kind = draw(st.sampled_from(["same", "valid", "full", "padding"]))
    if dims == 3 and kind == "padding":
        kind = "same"
    if kind == "padding":
        options["padding"] = draw(st.tuples(*[st.integers(0, 6)] * dims))
    else:
        options["mode"] = kind
    if kind == "same":
        origins = [st.integers(-((taps - 1) // 2), (taps - 1) // 2) for taps in sides]
        options["origin"] = draw(st.tuples(*origins))
    if dims < 3:
        options["stride"] = draw(st.tuples(*[st.integers(1, 3)] * dims))
    chunks = tuple(draw(st.integers(1, size)) for size in shape)
    dtype = draw(st.sampled_from(["bool", "uint8", "int32", "float32", "float64", "complex64"]))
    return shape, sides, dtype, chunks, options, draw(st.integers(0, 2**32 - 1))


@given(cases(), st.sampled_from(FUNCTIONS))
def test_any_array_in_any_blocks(case, name):
    shape, sides, dtype, chunks, options, seed = case
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 2 if dtype == "bool" else 90, shape).astype(dtype)
    kernel = rng.integers(-4, 5, sides).astype(float)
    try:
        expected = getattr(convtool, name)(image, kernel, **options)
    except ConvtoolError:
        with pytest.raises(ConvtoolError):  # of two faults either may be named
            getattr(distributed, name)(in_blocks(image, chunks), kernel, **options)
        return
    lazy = getattr(convtool, name)(in_blocks(image, chunks), kernel, **options)
    assert isinstance(lazy, dask.array.Array)
    answer = computed(lazy)
    assert answer.shape == lazy.shape == expected.shape
    assert answer.dtype == lazy.dtype == expected.dtype
    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-2)


@pytest.mark.parametrize("axis", range(3))
def test_kernels_longer_than_the_array(rng, axis):
    image, taps = rng.random((5, 6, 7)), rng.random(31)
    for border in BORDERS:
        answer = computed(convtool.convolve(in_blocks(image, 2), taps, axis=axis, border=border))
        expected = convtool.convolve(image, taps, axis=axis, border=border)
        np.testing.assert_allclose(answer, expected, rtol=1e-12, err_msg=border)


def test_nothing_is_computed_and_blocks_stay(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("computed")

    monkeypatch.setattr(padded, "_computed", refuse)
    chunks = ((3, 2), (100, 60), (50, 50, 30))
    image = dask.array.map_blocks(lambda block: refuse(), dtype=np.uint8, chunks=chunks)
    lazy = convtool.convolve(image, np.ones((9, 7)), axes=(1, 2))
    assert lazy.chunks == image.chunks
    assert lazy.dtype == np.float32


def test_blocks_shorter_than_the_halo_are_joined():
    image = dask.array.ones((4, 100, 100), chunks=(2, 3, 50))
    lazy = convtool.convolve(image, np.ones((21, 21)), axes=(1, 2))
    assert lazy.chunks[0] == (2, 2)
    assert min(lazy.chunks[1]) >= 20
    assert lazy.chunks[2] == (50, 50)
    np.testing.assert_allclose(computed(lazy), 441, rtol=1e-12)


def test_a_value_that_the_type_does_not_hold(rng):
    image = rng.integers(0, 255, (9, 4, 9)).astype(np.uint8)
    for cval in (0.25, -3, 300):
        options = {"axes": (0, 2), "border": "constant", "cval": cval}
        answer = computed(convtool.convolve(in_blocks(image, 4), np.ones((3, 3)), **options))
        expected = convtool.convolve(image, np.ones((3, 3)), **options)
        np.testing.assert_allclose(answer, expected, rtol=1e-6)


def test_nan_spreads_no_further_than_the_kernel(rng):
    image = rng.random((2, 40, 40))
    image[1, 20, 20] = np.nan
    answer = computed(
        convtool.convolve(in_blocks(image, (1, 13, 13)), np.ones((5, 3)), axes=(1, 2))
    )
    assert np.isnan(answer).sum() == 15
    assert not np.isnan(answer[0]).any()


def test_one_name_for_one_work():
    image = dask.array.ones((4, 10, 10), chunks=5)
    names = [
        convtool.convolve(image, "box", axes=(1, 2), **options).name
        for options in ({}, {}, {"border": "wrap"}, {"delta": 1}, {"dtype": "uint8"})
    ]
    assert names[0] == names[1]
    assert len(set(names)) == 4


REFUSED = {
    "out": ({"axes": (1, 2), "out": np.empty((4, 6, 6))}, OptionError, "leave it out"),
    "axes": ({}, ShapeError, "which axis"),
    "border": ({"axes": (1, 2), "border": "no"}, OptionError, "'no'"),
    "borders": ({"axes": (1, 2), "border": ["wrap"]}, OptionError, "names 1"),
    "engine": ({"axes": (1, 2), "engine": "no"}, OptionError, "not known"),
    "dtype": ({"axes": (1, 2), "dtype": complex}, OptionError, "dtype"),
    "size": ({"axes": (1, 2), "mode": "valid", "kernel": "box:size=9"}, ShapeError, "no output"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_at_once(case):
    options, error, words = REFUSED[case]
    with pytest.raises(error, match=words):
        convtool.convolve(dask.array.ones((4, 6, 6), chunks=3), **{"kernel": "box", **options})


def test_threads_and_processes_of_a_cluster(client, rng):
    image = rng.random((6, 50, 70))
    lazy = convtool.convolve(in_blocks(image, (2, 20, 30)), "gaussian:sigma=2", axes=(1, 2))
    picture = convtool.convolve(in_blocks(image[0], (20, 30)), "gaussian:sigma=2")
    expected = convtool.convolve(image, "gaussian:sigma=2", axes=(1, 2))
    with dask.config.set(scheduler="threads"):
        np.testing.assert_allclose(lazy.compute(), expected, rtol=1e-12)
        np.testing.assert_allclose(picture.compute(), expected[0], rtol=1e-12)
    np.testing.assert_allclose(client.compute(lazy).result(), expected, rtol=1e-12)
    np.testing.assert_allclose(client.compute(picture).result(), expected[0], rtol=1e-12)
