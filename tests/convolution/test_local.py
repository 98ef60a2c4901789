"""No error comes from beyond the kernel's reach, however far apart an image's values lie."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convtool
from convtool.convolution import calibration
from convtool.convolution.borders import RULES
from convtool.convolution.engines.rounding import smallest_sums
from convtool.convolution.geometry import geometry
from convtool.convolution.planner import DEFAULT_RATES, Calibration, Rate
from convtool.convolution.windows import Windows

BOUND = {"float32": (1e-5, 1e-6), "float64": (1e-12, 1e-13)}
"""The largest error: relative to the sum of the products' magnitudes at a pixel, and to the image's
mean magnitude times the sum of the weights' magnitudes."""

WIDER = {"float32": np.float64, "float64": np.longdouble}

LOCAL = ["auto", "fft", "numba-fft", "direct"]


def exact(image, kernel, border, dtype=None):
    """Sum the products of each window in a wider type, weight by weight; those of 0 left out."""
    image = np.asarray(image, dtype or WIDER[image.dtype.name])
    below = [(size // 2, (size - 1) // 2) for size in kernel.shape]
    mode = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge"}.get(border, border)
    padded = np.pad(image, below + [(0, 0)] * (image.ndim - 2), mode=mode)
    total = np.zeros(image.shape, image.dtype)
    with np.errstate(all="ignore"):
        for y, x in np.argwhere(kernel):
            part = padded[y : y + image.shape[0], x : x + image.shape[1]]
            total += image.dtype.type(kernel[y, x]) * part
    return total


def check(image, kernel, border="reflect", **options):
    """Filter an image, and compare with the bound at every pixel."""
    near, far = BOUND[image.dtype.name]
    answer = convtool.correlate(image, kernel, border=border, **options)
    truth = exact(image, kernel, border)
    fits = np.abs(truth) < np.finfo(image.dtype).max
    held = exact(np.abs(image), np.abs(kernel), border, np.float64)
    allowed = near * held + far * np.abs(image.astype(truth.dtype)).mean() * np.abs(kernel).sum()
    error = np.abs(answer[fits] - truth[fits])
    assert not np.isnan(answer).any()
    assert (error <= allowed[fits]).all(), float((error / allowed[fits]).max())
    return answer


def single(rng, shape):
    image = np.full(shape, 10.0 ** rng.integers(-30, 5))
    image[tuple(rng.integers(0, shape))] = 10.0 ** rng.integers(0, 31) * rng.choice([-1, 1])
    return image


def block(rng, shape):
    image = rng.random(shape) * 10.0 ** rng.integers(-30, 5)
    top, left = rng.integers(0, shape[0] - 9), rng.integers(0, shape[1] - 9)
    image[top : top + 9, left : left + 7] = 10.0 ** rng.integers(0, 31)
    return image


def stars(rng, shape):
    image = np.zeros(shape)
    image[rng.integers(0, shape[0], 9), rng.integers(0, shape[1], 9)] = 6e4 * rng.random(
        (9, *shape[2:])
    )
    return image


def spread(rng, shape):
    return 10.0 ** rng.uniform(-30, 30, shape) * rng.choice([-1.0, 1.0], shape)


def half(rng, shape):
    image = rng.random(shape)
    image[:, : shape[1] // 2] *= rng.choice([0.0, 1e-20, 1e-6, 1e-3])
    return image


def plain(rng, shape):
    return rng.normal(size=shape) if rng.random() < 0.5 else rng.random(shape)


KERNELS = {
    "disk": lambda rng: convtool.kernel("disk:radius=9"),
    "motion": lambda rng: convtool.kernel("motion:length=21,angle=30"),
    "gaussian": lambda rng: convtool.kernel("gaussian:sigma=2"),
    "box": lambda rng: np.full((7, 11), 1 / 77),
    "log": lambda rng: convtool.kernel("log:sigma=2"),
    "any": lambda rng: rng.normal(size=(15, 12)),
    "positive": lambda rng: rng.random((11, 16)) / 88,
}


@pytest.mark.parametrize("engine", LOCAL)
@pytest.mark.parametrize("dtype", BOUND)
@settings(max_examples=15, deadline=None)
@given(
    make=st.sampled_from([single, block, stars, spread, half, plain]),
    kernel=st.sampled_from(sorted(KERNELS)),
    border=st.sampled_from(sorted(RULES)),
    channels=st.sampled_from([None, 3]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_bound_holds_at_every_pixel(engine, dtype, make, kernel, border, channels, seed):
    rng = np.random.default_rng(seed)
    shape = (90, 280) if channels is None else (70, 150, channels)
    check(make(rng, shape).astype(dtype), KERNELS[kernel](rng), border, engine=engine)


@pytest.mark.parametrize("engine", LOCAL)
@pytest.mark.parametrize("value", [1e10, -3.4028235e38])
def test_one_pixel_reaches_as_far_as_the_kernel(engine, value):
    image = np.ones((150, 400), np.float32)
    image[5, 5] = value
    kernel = convtool.kernel("disk:radius=20")
    answer = check(image, kernel, engine=engine)
    np.testing.assert_allclose(answer[30:], 1, rtol=1e-5)
    np.testing.assert_allclose(answer[:, 30:], 1, rtol=1e-5)


@pytest.mark.parametrize("engine", LOCAL)
@pytest.mark.parametrize("kernel", ["disk:radius=20", "gaussian:sigma=5", "box:size=31"])
def test_a_dark_sky_stays_dark(engine, kernel, rng):
    image = np.zeros((300, 330), np.float32)
    image[rng.integers(0, 300, 20), rng.integers(0, 330, 20)] = 60000 * rng.random(20)
    weights = convtool.kernel(kernel)
    answer = check(image, weights, engine=engine)
    assert answer.min() == 0
    assert (answer[exact(image, weights, "reflect") == 0] == 0).all()


@pytest.mark.parametrize("taps", [(5, 5), (1, 31), (31, 2), (3, 9), (40, 63)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", BOUND)
def test_a_box_forgets_what_left_its_window(taps, channels, dtype, rng):
    image = rng.random((130, 90, channels)).astype(dtype)
    image[40, 30] = 1e30
    kernel = np.full(taps, 1 / np.prod(taps))
    near, _ = BOUND[dtype]
    truth = exact(image, kernel, "reflect")
    for stride in (1, 2, 7):
        answer = convtool.correlate(image, kernel, engine="numba", stride=stride)
        kept = truth[::stride, ::stride]
        assert (np.abs(answer - kept) <= near * kept).all()


def test_a_box_of_a_wide_image_is_summed_in_parts(rng):
    image = rng.normal(size=(70, 5000)).astype(np.float32)
    check(image, np.full((9, 33), 1.0), engine="numba")


@pytest.mark.parametrize("engine", ["numba", "direct"])
@pytest.mark.parametrize("value", [0.1, 1 / 3, 255.3])
def test_sums_of_many_equal_products_drift_little(engine, value):
    image = np.full((70, 80), value, np.float32)
    for size in (15, 63) if engine == "direct" else (15,):
        kernel = np.full((size, size), 0.37)
        kernel[0, 0] = 0.38
        answer = convtool.correlate(image, kernel, engine=engine)
        np.testing.assert_allclose(answer, np.float64(image[0, 0]) * kernel.sum(), rtol=1e-5)


@pytest.mark.parametrize("options", [{}, {"stride": 3}, {"mode": "full"}, {"padding": 4}], ids=str)
def test_a_pair_of_kernels_is_as_local(options, rng):
    image = rng.random((100, 200)).astype(np.float32)
    image[50, 60] = 1e15
    pair = rng.normal(size=(2, 15, 15))
    answer = convtool.gradient_magnitude(image, pair, engine="numba-fft", **options)
    image = image.astype(np.float64)
    known = convtool.gradient_magnitude(image, pair, engine="direct", **options)
    np.testing.assert_allclose(answer, known, rtol=2e-4)


@pytest.mark.parametrize("shape", [(700, 300), (500, 140, 3)])
def test_rows_made_alone_have_the_same_bits(shape, rng):
    image = rng.random(shape).astype(np.float32)
    image[100, 100], image[400, 50] = 1e12, np.nan
    kernel = convtool.kernel("disk:radius=9")
    layout = geometry(shape[:2], kernel.shape)
    windows = Windows(shape, image.dtype, (kernel,), True, layout, engine="numba-fft")
    whole = convtool.convolve(image, kernel, engine="numba-fft")
    for first in range(0, shape[0], 130):
        rows = windows.covering((first, min(first + 130, shape[0])))
        held = windows.reach(rows)
        pixels = np.concatenate([image[a:b] for a, b in held])
        answer = windows.compute(rows, pixels, held)
        np.testing.assert_array_equal(answer, whole[rows[0] : rows[1]])


def test_nan_spoils_no_pixel_that_transforms_made(rng):
    image, kernel = rng.random((300, 300)), rng.normal(size=(15, 15))
    clean = convtool.correlate(image, kernel, engine="numba-fft")
    image[150, 150] = np.nan
    answer = convtool.correlate(image, kernel, engine="numba-fft")
    assert np.isnan(answer).sum() == 225
    np.testing.assert_allclose(answer[:140], clean[:140], rtol=0, atol=1e-12)


def test_factors_that_cancel_are_not_taken_for_floats():
    free = Calibration(
        {name: Rate(1.0, 0, 0) for name in DEFAULT_RATES}
        | {"numba-factored": Rate(0, 0, 0), "separable": Rate(0, 0, 0)}
    )
    disk = convtool.kernel("disk:radius=9")
    with calibration.held(free):
        assert convtool.plan((300, 300), "float32", disk).rank is None
        assert convtool.plan((300, 300), "uint8", disk).rank > 1


def test_weights_are_summed_smallest_first():
    kernels = np.array([[[3.0, -1.0]], [[0.5, 5.0]]])
    assert smallest_sums(tuple(kernels)).tolist() == [0, 1, 5.5]


def test_a_stride_that_keeps_no_pixel_of_a_part_writes_nothing(rng):
    image = rng.random((200, 333, 3))
    kernel = rng.random((5, 5))
    known = convtool.correlate(image, kernel, engine="direct")[::7, ::7]
    for _ in range(50):
        answer = convtool.correlate(image, kernel, engine="numba", stride=7)
        np.testing.assert_allclose(answer, known, rtol=1e-13)


def test_nan_of_float32_in_float64_sums(rng):
    image = rng.random((300, 200), np.float32)
    image[100, 100] = np.nan
    for kernel in (np.ones((7, 7)), convtool.kernel("disk:radius=3")):
        answer = convtool.correlate(image, kernel, dtype=np.float64, engine="numba")
        assert np.isnan(answer).sum() == np.count_nonzero(kernel)
