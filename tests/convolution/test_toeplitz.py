"""The matrix of a convolution: its structure, and that it agrees with every engine."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg, signal

import convtool
from convtool.convolution.borders import RULES
from convtool.convolution.geometry import MODES
from convtool.errors import KernelError, OptionError, ShapeError


def test_of_a_signal_is_scipys_toeplitz():
    kernel = [3.0, -1, 2]
    matrix = convtool.toeplitz([kernel], (1, 5)).toarray()
    expected = linalg.toeplitz([*kernel, 0, 0, 0, 0], [kernel[0], 0, 0, 0, 0])
    np.testing.assert_array_equal(matrix, expected)


def test_is_doubly_block_toeplitz(rng):
    kernel = rng.normal(size=(3, 2))
    height, width = 4, 5
    blocks = convtool.toeplitz(kernel, (height, width)).toarray()
    blocks = blocks.reshape(height + 2, width + 1, height, width)
    for y, x in np.ndindex(height + 2, height):
        offset = y - x
        line = kernel[offset] if 0 <= offset < 3 else np.zeros(2)
        expected = linalg.toeplitz([*line, *[0] * (width - 1)], [line[0], *[0] * (width - 1)])
        np.testing.assert_array_equal(blocks[y, :, x], expected)


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    taps=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    mode=st.sampled_from(MODES),
    border=st.sampled_from(sorted(RULES)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_times_an_image_is_its_convolution(seed, size, taps, mode, border, stride):
    rng = np.random.default_rng(seed)
    image, kernel = rng.normal(size=size), rng.normal(size=taps)
    if mode == "valid" and min(n - k for n, k in zip(size, taps, strict=True)) < 0:
        return
    options = {"mode": mode, "border": border, "stride": stride}
    matrix = convtool.toeplitz(kernel, size, **options)
    answer = convtool.convolve(image, kernel, **options)
    assert matrix.shape == (answer.size, image.size)
    np.testing.assert_allclose((matrix @ image.ravel()).reshape(answer.shape), answer, atol=1e-12)


@pytest.mark.parametrize("engine", convtool.engines())
def test_with_padding_agrees_with_every_engine(engine, rng):
    image, kernel = rng.normal(size=(6, 7)), rng.normal(size=(3, 4))
    matrix = convtool.toeplitz(kernel, image.shape, mode="valid", padding=(2, 1))
    answer = convtool.convolve(image, kernel, padding=(2, 1), border="zero", engine=engine)
    np.testing.assert_allclose((matrix @ image.ravel()).reshape(answer.shape), answer, atol=1e-12)


def test_transposed_is_the_correlation(rng):
    image, kernel = rng.normal(size=(6, 7)), rng.normal(size=(3, 4))
    matrix = convtool.toeplitz(kernel, image.shape)
    spread = matrix.T @ rng.normal(size=matrix.shape[0])
    assert spread.shape == (image.size,)
    full = convtool.convolve(image, kernel, mode="full")
    back = (matrix.T @ full.ravel()).reshape(image.shape)
    np.testing.assert_allclose(back, signal.correlate2d(full, kernel, "valid"), atol=1e-11)


def test_holds_no_zeros():
    matrix = convtool.toeplitz("cross", (5, 5), mode="valid")
    assert matrix.nnz == 9 * 5
    assert set(matrix.data) == {1.0}


@pytest.mark.parametrize("shape", [5, (3,), (1, 2, 3), "55"])
def test_shape_that_is_none(shape):
    with pytest.raises(ShapeError, match=r"shape must be \(H, W\) of an image, not"):
        convtool.toeplitz("box", shape)


def test_refuses_what_convolve_refuses():
    with pytest.raises(OptionError, match="each side of shape must be at least 1"):
        convtool.toeplitz("box", (0, 3))
    with pytest.raises(OptionError, match="mode 'half' is not known"):
        convtool.toeplitz("box", (3, 3), mode="half")
    with pytest.raises(KernelError, match="did you mean box"):
        convtool.toeplitz("bx", (3, 3))
    with pytest.raises(ShapeError, match="no output is left"):
        convtool.toeplitz("box", (2, 3), mode="valid")
