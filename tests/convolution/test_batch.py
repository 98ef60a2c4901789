"""Batches of small pictures: each answer is that of its picture, whatever lies beside it."""

import numpy as np
import pytest
from scipy import ndimage

import convtool
from convtool.convolution.borders import RULES
from convtool.convolution.engines.jit.patches import _runs

KERNELS = {
    "1x1": np.array([[3.0]]),
    "3x3": np.arange(9.0).reshape(3, 3) - 3,
    "2x4": np.array([[1.0, -2.0, 3.0, 0.5], [4.0, 0.0, -1.0, 2.0]]),
    "7x7": np.cos(np.arange(49.0)).reshape(7, 7),
    "box": np.ones((7, 7)) / 49,
    "gaussian": convtool.kernel("gaussian:sigma=2,size=13"),
    "rank two": np.outer(np.arange(1.0, 12), np.ones(11)) + np.outer(np.ones(11), np.arange(11.0)),
    "wider than the picture": np.outer(np.hanning(23)[1:-1], np.hanning(31)[1:-1]),
}
SHAPES = [(37, 32, 32), (9, 5, 7), (11, 28, 28, 3), (5, 17, 40, 2), (50, 1, 19), (2, 16, 16)]
RULE_NAMES = tuple(RULES)


def expected(batch, kernel, border, cval=0.0):
    """Return SciPy's answers in float64."""
    shape = (1, *kernel.shape, *[1] * (batch.ndim - 3))
    return ndimage.convolve(batch.astype(np.float64), kernel.reshape(shape), mode=border, cval=cval)


@pytest.mark.parametrize("border", RULE_NAMES)
@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
class TestIsScipys:
    """For kernels that are done weight by weight, by factors, by sums and in integers."""

    def test_float32(self, shape, kernel, border, rng):
        batch = rng.random(shape, np.float32)
        answer = convtool.convolve(batch, kernel, axes=(1, 2), border=border, cval=0.7)
        right = expected(batch, kernel, border, 0.7)
        assert answer.dtype == np.float32
        np.testing.assert_allclose(answer, right, rtol=1e-5, atol=1e-5 * np.abs(kernel).sum())

    def test_float64(self, shape, kernel, border, rng):
        batch = rng.random(shape)
        answer = convtool.convolve(batch, kernel, axes=(1, 2), border=border, cval=0.7)
        right = expected(batch, kernel, border, 0.7)
        np.testing.assert_allclose(answer, right, rtol=1e-12, atol=1e-12 * np.abs(kernel).sum())

    @pytest.mark.parametrize("cval", [7, 0.5, -3])
    def test_uint8(self, shape, kernel, border, cval, rng):
        """Also with values beyond the edge that the type does not hold."""
        batch = rng.integers(0, 256, shape, dtype=np.uint8)
        right = expected(batch, kernel, border, cval)
        how = {"axes": (1, 2), "border": border, "cval": cval}
        answer = convtool.convolve(batch, kernel, **how)
        np.testing.assert_allclose(answer, right, rtol=1e-5, atol=3e-3 * np.abs(kernel).sum())
        answer = convtool.convolve(batch, kernel, dtype=np.uint8, **how)
        assert np.abs(answer - np.clip(right, 0, 255)).max() <= 1


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
@pytest.mark.parametrize(
    "options",
    [
        {"mode": "full"},
        {"mode": "valid"},
        {"stride": 2},
        {"stride": (1, 3), "padding": 40},
        {"stride": (3, 1), "padding": 40, "border": "constant", "cval": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("image", "answer"),
    [("f4", "f4"), ("u1", "f4"), ("u1", "u1"), ("f4", "u2"), ("i2", "f8"), ("f4", "f8")],
)
def test_each_answer_is_its_pictures(kernel, options, image, answer, rng):
    batch = (rng.random((23, 33, 37)) * 120).astype(image)
    alone = [convtool.convolve(each, kernel, dtype=answer, **options) for each in batch]
    together = convtool.convolve(batch, kernel, axes=(1, 2), dtype=answer, **options)
    most = 1 if together.dtype.kind == "u" else 1e-3 * np.abs(kernel).sum()
    np.testing.assert_allclose(together.astype(float), np.stack(alone), rtol=0, atol=most)


@pytest.mark.parametrize("kernel", ["3x3", "gaussian", "2x4", "box"])
@pytest.mark.parametrize("types", [("f4", "f4"), ("u1", "f4"), ("u1", "u1")], ids="-".join)
def test_any_number_of_threads_gives_the_same(kernel, types, rng):
    batch = (rng.random((203, 32, 32)) * 255).astype(types[0])
    one, two = (
        convtool.convolve(batch, KERNELS[kernel], axes=(1, 2), dtype=types[1], threads=threads)
        for threads in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("kernel", ["3x3", "gaussian", "7x7", "box"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_stay_in_their_picture(kernel, value, rng):
    batch = rng.random((23, 32, 32), np.float32)
    clean = convtool.convolve(batch, KERNELS[kernel], axes=(1, 2))
    batch[9, 31, 0] = value
    answer = convtool.convolve(batch, KERNELS[kernel], axes=(1, 2))
    others = np.arange(23) != 9
    assert np.isfinite(answer[others]).all()
    np.testing.assert_allclose(answer[others], clean[others], rtol=1e-5, atol=1e-5)
    alone = convtool.convolve(batch[9], KERNELS[kernel])
    np.testing.assert_array_equal(np.isfinite(answer[9]), np.isfinite(alone))


@pytest.mark.parametrize("kernel", ["3x3", "gaussian"])
@pytest.mark.parametrize("types", [("f4", "f4"), ("u1", "f4"), ("u1", "u1")], ids="-".join)
@pytest.mark.parametrize(
    "view",
    [
        lambda whole: whole[::2],
        lambda whole: whole[::-1],
        lambda whole: whole[:, ::-1],
        lambda whole: whole[:, 3:35, 5:41],
        lambda whole: whole[:, :, ::2],
    ],
    ids=["every second", "last first", "rows turned", "a part", "every second column"],
)
def test_memory_of_any_order(kernel, types, view, rng):
    whole = (rng.random((46, 40, 44)) * 255).astype(types[0])
    batch, weights = view(whole), KERNELS[kernel]
    out = view(np.zeros(whole.shape, types[1]))
    convtool.convolve(batch, weights, axes=(1, 2), dtype=types[1], out=out)
    straight = convtool.convolve(np.ascontiguousarray(batch), weights, axes=(1, 2), dtype=types[1])
    np.testing.assert_array_equal(out, straight)


def test_nothing_else_is_written(rng):
    """Of an array that holds the answers among others."""
    batch, weights = rng.random((21, 30, 30), np.float32), KERNELS["gaussian"]
    whole = np.full((23, 34, 40), 5, np.float32)
    convtool.convolve(batch, weights, axes=(1, 2), out=whole[1:-1, 2:-2, 3:-7])
    np.testing.assert_array_equal(
        whole[1:-1, 2:-2, 3:-7], convtool.convolve(batch, weights, axes=(1, 2))
    )
    whole[1:-1, 2:-2, 3:-7] = 5
    assert np.all(whole == 5)


@pytest.mark.parametrize(
    ("targets", "sources", "runs"),
    [
        ([], [], []),
        ([0], [4], [(4, 0, 1, 0)]),
        ([0, 1, 2], [4, 5, 6], [(4, 0, 3, 0)]),
        ([0, 1, 2], [6, 5, 4], [(4, 0, 3, 1)]),
        ([0, 1, 9], [3, 3, 8], [(3, 0, 1, 0), (3, 1, 1, 0), (8, 9, 1, 0)]),
    ],
)
def test_runs_of_a_border(targets, sources, runs):
    assert _runs(targets, sources) == runs
