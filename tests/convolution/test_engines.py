"""The contract of every registered engine: the oracle's answer, for any shape and option."""

import numpy as np
import pytest
import reference
from conftest import tolerance
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, signal

import convtool
from convtool.convolution.borders import RULES
from convtool.convolution.engines import ENGINES
from convtool.convolution.geometry import MODES

NAMES = convtool.engines()
DTYPES = ["float32", "float64", "uint8", "int8", "uint16", "int16", "int32", "bool", "float16"]


@st.composite
def problems(draw):
    """An image, a kernel and options, from 1×1 to 40×40 and 1×1 to 9×9."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    big = draw(st.booleans())
    side = st.integers(1, 40 if big else 9)
    height, width = draw(side), draw(side)
    taps = st.integers(1, 3 if big and height * width > 400 else 9)
    kernel = rng.normal(size=(draw(taps), draw(taps)))
    if draw(st.booleans()):
        kernel *= rng.random(kernel.shape) < 0.5
    channels = draw(st.sampled_from([None, 1, 2, 3, 4, 5] if height * width < 400 else [None]))
    shape = (height, width) if channels is None else (height, width, channels)
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    if dtype.kind == "f":
        image = rng.normal(size=shape).astype(dtype)
    elif dtype.kind == "b":
        image = rng.random(shape) < 0.5
    else:
        limits = np.iinfo(dtype)
        image = rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    layout = draw(st.sampled_from(["plain", "transposed", "reversed", "sliced", "read-only"]))
    if layout == "transposed":
        image = np.ascontiguousarray(np.swapaxes(image, 0, 1)).swapaxes(0, 1)
    elif layout == "reversed":
        image = np.ascontiguousarray(image[::-1, ::-1])[::-1, ::-1]
    elif layout == "sliced":
        image = np.repeat(image, 2, axis=1)[:, ::2]
    elif layout == "read-only":
        image.flags.writeable = False
    options = {
        "mode": draw(st.sampled_from(MODES)),
        "border": draw(st.sampled_from(sorted(RULES))),
        "cval": draw(st.sampled_from([0.0, 1.5])),
        "stride": (draw(st.integers(1, 4)), draw(st.integers(1, 4))),
    }
    if options["mode"] != "full" and draw(st.booleans()):
        options["padding"] = (draw(st.integers(0, 4)), draw(st.integers(0, 4)))
    room = [
        size + 2 * pad - taps
        for size, taps, pad in zip(
            shape, kernel.shape, options.get("padding", (0, 0)), strict=False
        )
    ]
    if ("padding" in options or options["mode"] == "valid") and min(room) < 0:
        options.pop("padding", None)
        options["mode"] = "same"
    return image, kernel, options, draw(st.booleans())


@pytest.mark.parametrize("engine", ["auto", *NAMES])
@given(problem=problems())
def test_every_engine_gives_the_oracles_answer(engine, problem):
    image, kernel, options, flipped = problem
    call = convtool.convolve if flipped else convtool.correlate
    answer = call(image, kernel, engine=engine, axes=(0, 1), **options)
    expected = reference.correlate(image, kernel, flipped=flipped, **options)
    wanted = np.float64 if image.dtype == np.float64 else np.float32
    assert answer.dtype == wanted
    assert answer.shape == expected.shape
    atol = tolerance(np.float32 if wanted == np.float32 else wanted, image, kernel)
    np.testing.assert_allclose(answer, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("engine", NAMES)
@pytest.mark.parametrize("border", sorted(RULES))
@pytest.mark.parametrize("kernel_shape", [(3, 3), (2, 4), (5, 1), (1, 6), (9, 9)])
def test_same_is_scipy_ndimage(engine, border, kernel_shape, rng):
    image, kernel = rng.normal(size=(6, 7)), rng.normal(size=kernel_shape)
    for ours, theirs in (
        (convtool.convolve, ndimage.convolve),
        (convtool.correlate, ndimage.correlate),
    ):
        answer = ours(image, kernel, border=border, cval=0.25, engine=engine)
        expected = theirs(image, kernel, mode=border, cval=0.25)
        np.testing.assert_allclose(answer, expected, atol=1e-12)


@pytest.mark.parametrize("engine", NAMES)
@pytest.mark.parametrize("mode", ["valid", "full"])
@pytest.mark.parametrize("kernel_shape", [(3, 3), (2, 4), (6, 7)])
def test_valid_and_full_are_scipy_signal(engine, mode, kernel_shape, rng):
    image, kernel = rng.normal(size=(6, 7)), rng.normal(size=kernel_shape)
    answer = convtool.convolve(image, kernel, mode=mode, engine=engine)
    np.testing.assert_allclose(answer, signal.convolve2d(image, kernel, mode), atol=1e-12)
    answer = convtool.correlate(image, kernel, mode=mode, engine=engine)
    np.testing.assert_allclose(answer, signal.correlate2d(image, kernel, mode), atol=1e-12)


@pytest.mark.parametrize("engine", NAMES)
@pytest.mark.parametrize("shape", [(300, 700), (90, 400, 3), (700, 130, 2)])
@pytest.mark.parametrize("taps", [(3, 3), (8, 15), (31, 31)])
def test_images_of_many_tiles(engine, shape, taps, rng):
    image = rng.random(shape, dtype=np.float32)
    kernel = rng.normal(size=taps)
    planes = image.reshape(shape[0], shape[1], -1).astype(np.float64)
    expected = np.stack(
        [
            signal.fftconvolve(
                np.pad(planes[:, :, c], [(k - 1, k - 1) for k in taps], mode="symmetric"),
                kernel,
                "valid",
            )
            for c in range(planes.shape[2])
        ],
        axis=2,
    ).reshape(tuple(n + k - 1 for n, k in zip(shape, taps, strict=False)) + shape[2:])
    answer = convtool.convolve(image, kernel, mode="full", border="reflect", engine=engine)
    np.testing.assert_allclose(answer, expected, rtol=0, atol=tolerance("float32", image, kernel))


@pytest.mark.parametrize("engine", NAMES)
class TestArithmetic:
    """What any convolution obeys."""

    def test_is_linear(self, engine, rng):
        a, b = rng.normal(size=(2, 12, 9))
        kernel = rng.normal(size=(4, 3))
        both = convtool.convolve(2 * a - 3 * b, kernel, engine=engine)
        each = 2 * convtool.convolve(a, kernel, engine=engine) - 3 * convtool.convolve(
            b, kernel, engine=engine
        )
        np.testing.assert_allclose(both, each, atol=1e-11)

    def test_shifts_with_the_image(self, engine, rng):
        image, kernel = rng.normal(size=(12, 9)), rng.normal(size=(4, 3))
        moved = convtool.convolve(
            np.roll(image, (2, -3), (0, 1)), kernel, border="wrap", engine=engine
        )
        still = convtool.convolve(image, kernel, border="wrap", engine=engine)
        np.testing.assert_allclose(moved, np.roll(still, (2, -3), (0, 1)), atol=1e-12)

    def test_identity_changes_nothing(self, engine, rng):
        image = rng.integers(0, 256, (12, 9, 3), np.uint8)
        answer = convtool.convolve(image, "identity", dtype=np.uint8, engine=engine)
        np.testing.assert_array_equal(answer, image)

    def test_correlation_is_convolution_with_the_kernel_flipped(self, engine, rng):
        image, kernel = rng.normal(size=(12, 9)), rng.normal(size=(5, 3))
        np.testing.assert_allclose(
            convtool.correlate(image, kernel, engine=engine),
            convtool.convolve(image, kernel[::-1, ::-1], engine=engine),
            atol=1e-12,
        )

    def test_threads_do_not_change_a_bit(self, engine, rng):
        image = rng.random((500, 300, 3), dtype=np.float32)
        for kernel in (rng.normal(size=(7, 7)), rng.normal(size=(1, 21)), np.ones((5, 5))):
            one = convtool.convolve(image, kernel, engine=engine, threads=1)
            three = convtool.convolve(image, kernel, engine=engine, threads=3)
            np.testing.assert_array_equal(one, three)

    def test_zero_kernel_gives_zero(self, engine):
        assert not convtool.convolve(np.ones((4, 4)), np.zeros((3, 3)), engine=engine).any()


LOCAL = ["auto", *(name for name, entry in ENGINES.items() if entry.local)]


@pytest.mark.parametrize("engine", LOCAL)
@pytest.mark.parametrize(
    "kernel",
    [
        "box:size=5",
        "cross",
        "laplacian-4",
        "disk:radius=7",
        "gaussian:sigma=6",
        "motion:length=9,angle=30",
    ],
)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_inf_spread_as_far_as_the_kernel_reaches(engine, kernel, bad, rng):
    weights = convtool.kernel(kernel)
    image = rng.random((90, 80), dtype=np.float32)
    clean = convtool.convolve(image, weights, engine=engine)
    image[41, 37] = bad
    answer = convtool.convolve(image, weights, engine=engine)
    impulse = np.zeros(image.shape)
    impulse[41, 37] = 1
    reached = ndimage.convolve(impulse, (weights != 0).astype(float)) > 0.5
    assert not np.isfinite(answer[reached]).any()
    np.testing.assert_allclose(answer[~reached], clean[~reached], atol=2e-5)


def test_an_image_of_nothing_but_nan_stays_nan():
    answer = convtool.convolve(np.full((64, 64), np.nan), np.ones((31, 31)))
    assert np.isnan(answer).all()
