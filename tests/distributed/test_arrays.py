"""Lazy convolution of Dask arrays: the answer of the whole image, whatever its blocks."""

import dask
import dask.array
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convtool
from convtool.convolution.borders import BORDERS, RULES
from convtool.convolution.engines import ENGINES
from convtool.convolution.geometry import MODES
from convtool.distributed import convolve, correlate, planes
from convtool.errors import (
    KernelError,
    OptionError,
    PixelTypeError,
    ShapeError,
)

FUNCTIONS = {convolve: convtool.convolve, correlate: convtool.correlate}
POSITION_DOES_NOT_MATTER = ("direct", "separable", "scipy", "numba")


def in_blocks(image, chunks):
    return dask.array.from_array(image, chunks=chunks)


def computed(lazy):
    with dask.config.set(scheduler="synchronous"):
        return lazy.compute()


def divided(draw, size):
    """Return a size as a sum of positive ones."""
    cuts = draw(st.lists(st.integers(1, size - 1), max_size=6)) if size > 1 else []
    return tuple(int(n) for n in np.diff(sorted({0, size, *cuts})))


@st.composite
def cases(draw):
    shape = draw(st.tuples(st.integers(1, 20), st.integers(1, 20)))
    channels = draw(st.sampled_from([None, 1, 2, 3, 4]))
    if channels is not None:
        shape = (*shape, channels)
    options = {
        "channel_axis": channels and -1,
        "border": draw(st.sampled_from(list(BORDERS))),
        "cval": draw(st.sampled_from([0.0, 7.0, -3.5])),
        "stride": draw(st.tuples(st.integers(1, 4), st.integers(1, 4))),
        "engine": draw(st.sampled_from(["auto", "direct", "fft", "numba"])),
        "dtype": draw(st.sampled_from([None, "uint8", "float64"])),
    }
    if draw(st.booleans()):
        options["padding"] = draw(st.tuples(st.integers(0, 30), st.integers(0, 30)))
    else:
        options["mode"] = draw(st.sampled_from(MODES))
    kernel_shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    dtype = draw(st.sampled_from(["uint8", "uint16", "float32", "float64"]))
    chunks = tuple(divided(draw, size) for size in shape)
    seed = draw(st.integers(0, 2**32 - 1))
    return shape, kernel_shape, dtype, chunks, options, seed


@given(cases(), st.sampled_from(list(FUNCTIONS)))
def test_any_image_in_any_blocks(case, function):
    shape, kernel_shape, dtype, chunks, options, seed = case
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 200, shape).astype(dtype)
    kernel = rng.integers(-4, 5, kernel_shape).astype(float)
    try:
        expected = FUNCTIONS[function](image, kernel, **options)
    except ShapeError as error:
        with pytest.raises(ShapeError, match=str(error)[:20]):
            function(in_blocks(image, chunks), kernel, **options)
        return
    lazy = function(in_blocks(image, chunks), kernel, **options)
    answer = computed(lazy)
    assert answer.shape == lazy.shape == expected.shape
    assert answer.dtype == lazy.dtype == expected.dtype
    assert lazy.chunks == tuple(map(tuple, dask.array.from_array(answer, lazy.chunks).chunks))
    # Sums of whole numbers are exact but in FFTs.
    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-2)


@pytest.mark.parametrize("border", RULES)
@pytest.mark.parametrize("kernel_shape", [(3, 3), (4, 6), (1, 2), (15, 9)])
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_within_tolerance_and_most_to_the_bit(
    rng, close, engine, kernel_shape, border
):
    image = rng.normal(size=(61, 83, 3)).astype(np.float32)
    kernel = rng.normal(size=kernel_shape)
    lazy = convolve(in_blocks(image, (17, 30, 2)), kernel, border=border, cval=0.25, engine=engine)
    answer = computed(lazy)
    expected = convtool.convolve(image, kernel, border=border, cval=0.25, engine=engine)
    close(answer, expected, image, kernel)
    if engine in POSITION_DOES_NOT_MATTER:
        np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("kernel", ["gaussian:sigma=2", "unsharp", "laplacian-8", "box:size=7"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_presets_of_every_pixel_type(rng, close, kernel, dtype):
    image = (rng.random((90, 70)) * 250).astype(dtype)
    answer = computed(convolve(in_blocks(image, 32), kernel, engine="numba"))
    expected = convtool.convolve(image, kernel, engine="numba")
    close(answer, expected, image, convtool.kernel(kernel))
    if kernel != "box:size=7":
        np.testing.assert_array_equal(answer, expected)


def test_nothing_is_computed_and_blocks_stay(monkeypatch):
    def refuse(*_):
        raise AssertionError("computed")

    monkeypatch.setattr(planes, "_computed", refuse)
    image = dask.array.map_blocks(
        lambda block: refuse(), dtype=np.uint8, chunks=((100, 60), (50, 50, 30), (3,))
    )
    lazy = convolve(image, np.ones((9, 7)))
    assert lazy.chunks == image.chunks
    assert lazy.dtype == np.float32


def test_blocks_shorter_than_the_halo_are_joined():
    image = dask.array.ones((100, 100), chunks=(3, 50))
    lazy = convolve(image, np.ones((21, 21)))
    assert min(lazy.chunks[0]) >= 20
    assert lazy.chunks[1] == (50, 50)
    np.testing.assert_allclose(computed(lazy), 441, rtol=1e-12)


def test_a_block_reads_its_halo_and_no_more():
    """A piece of a neighbour is as wide as the kernel reaches."""
    image = dask.array.zeros((40, 40), chunks=20)
    lazy = convolve(image, np.ones((5, 5)))
    keys = [key for key in dict(lazy.dask) if isinstance(key, tuple) and "piece" in key[0]]
    heights = {key[3] - key[2] for key in keys} | {key[6] - key[5] for key in keys}
    assert heights == {2, 20}


def test_nan_spreads_no_further_than_the_kernel_although_the_fft_was_planned(rng):
    image = rng.random((300, 300)).astype(np.float32)
    image[150, 150] = np.nan
    kernel = rng.random((61, 61))
    lazy = convolve(in_blocks(image, 100), kernel)
    answer = computed(lazy)
    assert np.isnan(answer).sum() == 61 * 61
    expected = convtool.convolve(image, kernel)
    np.testing.assert_allclose(answer, expected, rtol=1e-5)


def test_one_name_for_one_work():
    image = dask.array.ones((10, 10), chunks=5)
    assert convolve(image, "box").name == convolve(image, "box").name
    names = {
        convolve(image, "box").name,
        correlate(image, "box").name,
        convolve(image, "box", border="wrap").name,
        convolve(image, "box", stride=2).name,
        convolve(image, "gaussian").name,
        convolve(image, "box", dtype=np.uint8).name,
    }
    assert len(names) == 6


REFUSED = {
    "numpy": (lambda image: convolve(np.ones((3, 3)), "box"), PixelTypeError, "a Dask array"),
    "objects": (lambda image: convolve(image.astype(object), "box"), PixelTypeError, "object"),
    "unknown": (lambda image: convolve(image[image > 2], "box"), ShapeError, "is unknown"),
    "dimensions": (lambda image: convolve(image[None, None], "box"), ShapeError, "has shape"),
    "empty": (lambda image: convolve(image[:0], "box"), ShapeError, "empty"),
    "border": (lambda image: convolve(image, "box", border="no"), OptionError, "'no'"),
    "cval": (lambda image: convolve(image, "box", cval="x"), OptionError, "cval"),
    "mode": (lambda image: convolve(image, "box", mode="no"), OptionError, "'no'"),
    "stride": (lambda image: convolve(image, "box", stride=0), OptionError, "stride"),
    "dtype": (lambda image: convolve(image, "box", dtype=complex), OptionError, "dtype"),
    "engine": (lambda image: convolve(image, "box", engine="no"), OptionError, "not known"),
    "kernel": (lambda image: convolve(image, [[np.nan]]), KernelError, "finite"),
    "threads": (lambda image: convolve(image, "box", threads=0), OptionError, "threads"),
    "size": (lambda image: convolve(image, "box:size=9", mode="valid"), ShapeError, "no output"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_at_once(case):
    call, error, words = REFUSED[case]
    with pytest.raises(error, match=words):
        call(dask.array.ones((6, 6), chunks=3))
