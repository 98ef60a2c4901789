"""An answer in the image's own memory: bit for bit that in memory of its own."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convtool
from convtool.convolution import api, in_place
from convtool.convolution.borders import RULES
from convtool.convolution.engines import ENGINES
from convtool.convolution.geometry import MODES, geometry

SOBEL = tuple(convtool.kernel("sobel"))
GAUSSIAN = (convtool.kernel("gaussian:sigma=2,size=9"),)
BOX = (np.full((9, 9), 1 / 81),)


@pytest.fixture(autouse=True, scope="module")
def small_pieces():
    """Cut small images into pieces, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_place, "PIECE_BYTES", 1)
        yield


def image_of(rng, shape, dtype):
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def both(image, kernels, flipped=True, **options):
    """Return the answer in memory of its own, and that in the image's."""
    options["dtype"] = image.dtype
    expected = api.filtered(image, kernels, flipped, **options)
    answer = api.filtered(image, kernels, flipped, overwrite=True, **options)
    assert answer is image
    return expected, answer


@pytest.mark.parametrize("border", sorted(RULES))
@pytest.mark.parametrize("engine", ["auto", *ENGINES])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("size", [1, 2, 15, 75])
def test_every_engine_border_and_size(engine, border, dtype, size, rng):
    image = image_of(rng, (700, 40, 3), dtype)
    kernel = rng.normal(size=(size, min(size, 5)))
    expected, answer = both(image, (kernel,), border=border, cval=3.0, engine=engine, threads=2)
    np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("kernels", [SOBEL, GAUSSIAN, BOX], ids=["sobel", "gaussian", "box"])
@pytest.mark.parametrize("engine", ["auto", *ENGINES])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_presets(engine, dtype, kernels, rng):
    image = image_of(rng, (600, 50), dtype)
    expected, answer = both(image, kernels, flipped=False, engine=engine, threads=2)
    np.testing.assert_array_equal(answer, expected)


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(1, 400), st.integers(1, 40)),
    channels=st.sampled_from([(), (1,), (4,)]),
    dtype=st.sampled_from(["uint8", "int16", "float32", "float64"]),
    kernel=st.tuples(st.integers(1, 60), st.integers(1, 9)),
    border=st.sampled_from(sorted(RULES)),
    flipped=st.booleans(),
    threads=st.integers(1, 3),
)
def test_any_image_and_kernel(seed, size, channels, dtype, kernel, border, flipped, threads):
    rng = np.random.default_rng(seed)
    image = image_of(rng, size + channels, dtype)
    weights = (rng.normal(size=kernel),)
    expected, answer = both(image, weights, flipped, border=border, threads=threads)
    np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("engine", ["auto", "numba-fft", "opencv"])
def test_what_is_not_finite_stays_where_it_is(engine, rng):
    image = image_of(rng, (500, 60), "float32")
    image[[70, 300], [9, 40]] = np.nan, np.inf
    expected, answer = both(image, (rng.normal(size=(13, 13)),), engine=engine)
    np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("cut", [np.s_[:, ::2], np.s_[::-1], np.s_[:, 3:20], np.s_[:, :, ::-1]])
def test_of_pixels_that_lie_apart(cut, rng):
    canvas = image_of(rng, (300, 40, 3), "float32")
    before, image = canvas.copy(), canvas[cut]
    expected = api.filtered(image.copy(), GAUSSIAN, True)
    assert convtool.convolve(image, GAUSSIAN[0], out=image) is image
    np.testing.assert_array_equal(image, expected)
    canvas[cut] = before[cut]
    np.testing.assert_array_equal(canvas, before)


def test_through_another_view_that_may_be_written(rng):
    image = image_of(rng, (200, 30), "float32")
    expected = convtool.convolve(image, GAUSSIAN[0])
    read_only = image.view()
    read_only.flags.writeable = False
    assert convtool.convolve(read_only, GAUSSIAN[0], out=image) is image
    np.testing.assert_array_equal(image, expected)


def test_of_a_kernel_in_the_same_memory(rng):
    image = image_of(rng, (200, 30), "float64")
    kernel = image[5:8, 5:8]
    expected = convtool.convolve(image, kernel.copy())
    convtool.convolve(image, kernel, out=image)
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize(
    "options", [{"mode": "full"}, {"mode": "valid"}, {"stride": 2}, {"padding": 0}, {"dtype": "f8"}]
)
def test_is_not_where_it_does_not_fit(options, rng):
    image = image_of(rng, (60, 30), "float32")
    before = image.copy()
    answer = api.filtered(image, GAUSSIAN, True, overwrite=True, **options)
    assert not np.shares_memory(answer, image)
    np.testing.assert_array_equal(image, before)


def test_is_not_of_pixels_that_lie_apart(rng):
    image = image_of(rng, (60, 30), "float32")[:, ::-1]
    answer = api.filtered(image, GAUSSIAN, True, overwrite=True)
    assert not np.shares_memory(answer, image)
    assert answer.flags.c_contiguous


def test_is_not_of_a_read_only_image(rng):
    image = image_of(rng, (60, 30), "float32")
    image.flags.writeable = False
    assert not np.shares_memory(api.filtered(image, GAUSSIAN, True, overwrite=True), image)


@pytest.mark.parametrize("mode", MODES)
def test_fits_where_no_pixel_moves(mode):
    one, three = (geometry((9, 9), (size, size), mode=mode) for size in (1, 3))
    uint8 = np.dtype(np.uint8)
    assert in_place.fits((9, 9), uint8, uint8, one)
    assert in_place.fits((9, 9), uint8, uint8, three) == (mode == "same")


@pytest.mark.parametrize("engine", ["opencv", "numba"])
def test_takes_little_memory(engine, rng, monkeypatch):
    monkeypatch.setattr(in_place, "PIECE_BYTES", 1 << 21)
    image = image_of(rng, (4000, 1500, 3), "uint8")
    how = {"engine": engine, "threads": 2, "dtype": "uint8"}
    api.filtered(image, GAUSSIAN, True, overwrite=True, **how)
    peaks = []
    for _ in range(3):  # threads that other tests have left may allocate at the same time
        tracemalloc.start()
        api.filtered(image, GAUSSIAN, True, overwrite=True, **how)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert min(peaks) < image.nbytes / 4
