"""Every filter gives SciPy's answers: equal, of whatever type they are."""

import inspect
import warnings

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from ndimage_cases import CALLS, OUTPUTS, pixels

import convtool.ndimage as ndi
from convtool.ndimage import compute


def both(name, image, *arguments, **options):
    """Return our answer and SciPy's; squares of random pixels overflow, roots are of negatives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return [
            getattr(module, name)(image, *arguments, **options) for module in (ndi, scipy.ndimage)
        ]


def assert_same(ours, theirs):
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs, strict=True)


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=150)
@given(data=st.data())
def test_answers_are_equal(name, data):
    rank = data.draw(st.integers(1, 4))
    image = pixels(data.draw, rank)
    output = data.draw(st.sampled_from(OUTPUTS))
    arguments, options = CALLS[name](data.draw, rank)
    assert_same(*both(name, image, *arguments, output=np.dtype(output), **options))
    assert ndi.explain().route == "compiled"
    assert ndi.explain().function == name


WORDS = {
    "correlate": ([[1, 2, 1], [0, 1.5, 2]],),
    "correlate1d": ([1, 2.5, 1],),
    "convolve": ([[1, 2, 1], [0, 1.5, 2]],),
    "convolve1d": ([1, 2.5, 1, 4],),
    "gaussian_filter": (1.5,),
    "gaussian_filter1d": (1.5,),
    "gaussian_gradient_magnitude": (1.5,),
    "gaussian_laplace": (1.5,),
    "laplace": (),
    "prewitt": (),
    "sobel": (),
    "uniform_filter": (),
    "uniform_filter1d": (4,),
}


def test_the_tables_name_the_same_filters():
    assert WORDS.keys() == CALLS.keys()


@pytest.mark.parametrize("shape", [(700, 1301), (90, 70, 130)])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("name", WORDS)
def test_large_arrays_in_several_blocks(name, dtype, shape):
    image = (np.random.default_rng(3).normal(size=shape) * 255).astype(dtype)
    arguments = WORDS[name]
    if arguments and len(shape) == 3 and isinstance(arguments[0], list) and "1d" not in name:
        arguments = (np.random.default_rng(4).normal(size=(3, 4, 2)),)
    assert_same(*both(name, image, *arguments))


@pytest.mark.parametrize("name", WORDS)
def test_values_beyond_the_answers_type(name):
    image = (np.random.default_rng(3).normal(size=(60, 70)) * 1e7).astype(np.float32)
    for output in ("uint8", "int8", "uint16", "int16", "uint32", "int32"):
        assert_same(*both(name, image, *WORDS[name], output=output))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", WORDS)
def test_values_that_are_not_finite_spread_as_far(name, dtype):
    image = np.random.default_rng(3).normal(size=(40, 50)).astype(dtype)
    image[5, 6], image[20, 30], image[30, 9] = np.nan, np.inf, -np.inf
    assert_same(*both(name, image, *WORDS[name]))
    assert ndi.explain().route == "compiled"


@pytest.mark.parametrize("size", [3, 7, 10])
@pytest.mark.parametrize("scale", [1e-310, 1e-290, 1e290, 1.0])
def test_means_of_tiny_and_huge_numbers_are_rounded_alike(size, scale):
    image = np.random.default_rng(3).normal(size=(40, 50)) * scale
    assert_same(*both("uniform_filter", image, size))


@pytest.mark.parametrize("size", [*range(1, 40), 255, 257, 300, 1000])
@pytest.mark.parametrize("axis", [0, 1])
def test_means_of_8_bits_of_any_size(size, axis):
    image = np.random.default_rng(size).integers(0, 256, (70, 90), np.uint8)
    image[20:40, 20:40] = 255
    assert_same(*both("uniform_filter1d", image, size, axis))


@pytest.mark.parametrize("size", [*range(1, 40), 127, 128, 129, 130, 255, 259, 300, 1000])
@pytest.mark.parametrize("axis", [0, 1])
def test_means_of_floats_of_any_size(size, axis):
    rng = np.random.default_rng(size)
    image = (rng.normal(size=(37, 300)) * 10.0 ** rng.integers(-30, 30, (37, 1))).astype("float32")
    assert_same(*both("uniform_filter1d", image, size, axis, output=np.float64))
    assert_same(*both("uniform_filter1d", image, size, axis, origin=(size - 1) // 2, mode="wrap"))


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("axes", [(0, 1), (1, 0)])
def test_both_axes_in_bands_of_few_rows(monkeypatch, axes, dtype, mode):
    monkeypatch.setattr(compute, "_BAND", 1)
    compute._for_axis.cache_clear()
    compute._for_both.cache_clear()
    image = (np.random.default_rng(3).normal(size=(233, 70)) * 90).astype(dtype)
    for origin in ((0, 0), (-2, 1), (2, -2)):
        options = {"mode": mode, "origin": origin, "cval": 3.0}
        assert_same(*both("uniform_filter", image, (5, 6), axes=axes, **options))
    assert_same(*both("gaussian_filter", image, (2.5, 1), axes=axes, mode=mode, cval=3.0))
    assert_same(*both("sobel", image, axis=axes[0], mode=mode, cval=3.0))
    assert_same(*both("laplace", image, mode=mode, cval=3.0))
    compute._for_axis.cache_clear()
    compute._for_both.cache_clear()


HAS_AXES = "axes" in inspect.signature(scipy.ndimage.correlate).parameters


@pytest.mark.skipif(not HAS_AXES, reason="this SciPy's correlate has no axes")
@pytest.mark.parametrize("name", ["correlate", "convolve"])
@pytest.mark.parametrize(
    ("axes", "route"),
    [
        *((axes, "compiled") for axes in ((0, 1), (1, 3), (-2, -1), (1, 2, 3), (3,), 2)),
        *((axes, "scipy") for axes in ((0, 2), (0, 1, 2))),
    ],
)
def test_weights_that_lie_on_some_axes(name, axes, route):
    image = np.random.default_rng(3).random((9, 11, 13, 17))
    rank = np.size(axes)
    kernel = np.random.default_rng(4).random((3, 4, 2)[:rank])
    origin = (-1, 0, 0)[:rank]
    assert_same(*both(name, image, kernel, axes=axes, origin=origin, mode="mirror"))
    assert ndi.explain().route == route


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("step", [1, -1, 2])
def test_images_and_answers_that_are_not_contiguous(order, step):
    image = np.asarray(np.random.default_rng(3).random((60, 70)), order=order)[::step, ::-step]
    ours, theirs = (np.zeros((70, 140))[: image.shape[0], ::2] for _ in range(2))
    ours, theirs = ours[:, : image.shape[1]], theirs[:, : image.shape[1]]
    assert ndi.gaussian_filter(image, 1.5, output=ours) is ours
    scipy.ndimage.gaussian_filter(image, 1.5, output=theirs)
    assert_same(ours, theirs)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize("name", sorted(WORDS))
def test_the_answer_may_take_the_images_place(name, mode):
    image = np.random.default_rng(3).random((60, 70))
    ours, theirs = image.copy(), image.copy()
    assert getattr(ndi, name)(ours, *WORDS[name], output=ours, mode=mode) is ours
    getattr(scipy.ndimage, name)(theirs, *WORDS[name], output=theirs, mode=mode)
    assert_same(ours, theirs)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("name", ["gaussian_filter", "sobel", "uniform_filter"])
def test_the_answer_may_take_the_place_of_a_large_image_by_another_view(name, dtype):
    image = (np.random.default_rng(3).random((900, 1301)) * 255).astype(dtype)
    wanted = getattr(scipy.ndimage, name)(image, *WORDS[name])
    getattr(ndi, name)(image, *WORDS[name], output=image[:])
    np.testing.assert_array_equal(image, wanted)


def test_running_sums_of_floats_go_down_whole_columns():
    image = np.random.default_rng(3).normal(size=(3000, 400)) * np.logspace(-9, 9, 400)
    for dtype in (np.float32, np.float64):
        assert_same(*both("uniform_filter", image.astype(dtype), 9))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int32"])
def test_gradient_magnitudes_of_integers(dtype):
    image = np.random.default_rng(3).integers(0, 100, (60, 70)).astype(dtype)
    for sigma in (0.3, 0.5, 1, 2):
        assert_same(*both("gaussian_gradient_magnitude", image, sigma))


@pytest.mark.parametrize("threads", ["1", "2", "5"])
@pytest.mark.parametrize("name", WORDS)
def test_any_number_of_threads_gives_the_same(name, threads, monkeypatch):
    monkeypatch.setenv("CONVTOOL_NUM_THREADS", threads)
    image = np.random.default_rng(3).random((300, 200)).astype(np.float32)
    assert_same(*both(name, image, *WORDS[name]))
