"""Bias, activation, pooling and gradients of a layer, and the convolution theorem."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convtool.convolution.borders import RULES
from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.explain import activation, backward, layer, pooling, theorem, walk

KERNEL = [[1.0, -2, 0.5], [3, 0, 1], [-1, 2, 2]]


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "leaky", "leaky:0.3"])
def test_derivatives_of_activations(name):
    function = activation(name)
    z = np.array([[-3.0, -0.5, 0.25, 2]])
    step = 1e-6
    expected = (function(z + step) - function(z - step)) / (2 * step)
    np.testing.assert_allclose(function.derivative(z), expected, rtol=1e-6)


def test_values_of_activations():
    z = np.array([[-800.0, 0, 800]])
    assert activation("sigmoid")(z).tolist() == [[0, 0.5, 1]]
    assert activation("tanh")(z).tolist() == [[-1, 0, 1]]
    assert activation("relu")(z).tolist() == [[0, 0, 800]]
    assert activation("leaky")(z).tolist() == [[-8, 0, 800]]


@given(
    shape=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    size=st.integers(1, 4),
    stride=st.integers(1, 4),
    kind=st.sampled_from(["max", "average"]),
)
def test_every_pooling_window_begins_inside_and_all_is_covered(shape, size, stride, kind):
    values = np.arange(float(np.prod(shape))).reshape(shape)
    pool = pooling(f"{kind}:{size},stride={stride}")
    answer = pool(values)
    for axis in (0, 1):
        starts = range(0, shape[axis], stride)
        # As PyTorch with ceil_mode: a window follows as long as the one before left pixels over.
        expected = [i for i in starts if i == 0 or i + size - stride < shape[axis]]
        assert answer.shape[axis] == len(expected)
    for step in pool.steps(values):
        window = values[step.top : step.top + size, step.left : step.left + size]
        assert window.size
        assert step.value == (window.max() if kind == "max" else window.mean())
    gradient = np.arange(1.0, answer.size + 1).reshape(answer.shape)
    assert pool.backward(values, gradient).sum() == pytest.approx(gradient.sum())


@given(
    border=st.sampled_from(list(RULES)),
    how=st.sampled_from(["same", "valid", "full", 0, (2, 1)]),
    stride=st.tuples(st.integers(1, 2), st.integers(1, 3)),
    correlate=st.booleans(),
    following=st.sampled_from(
        [(None, None), ("tanh", None), ("leaky:0.2", "average:2"), (None, "max:2")]
    ),
    seed=st.integers(0, 999),
)
def test_gradients_are_those_of_differences(border, how, stride, correlate, following, seed):
    rng = np.random.default_rng(seed)
    images, kernels = rng.normal(size=(2, 4, 5)), rng.normal(size=(2, 3, 2))
    options = {"mode": how} if isinstance(how, str) else {"padding": how}
    options |= {"border": border, "cval": 0.5, "stride": stride, "correlate": correlate}
    options |= {"activate": following[0], "pool": following[1]}

    def computed(images, kernels, bias):
        return layer(list(images), list(kernels), bias=bias, **options)

    made = computed(images, kernels, 0.3)
    gradient = rng.normal(size=made.pooled.shape)
    back = backward(made, gradient)
    step = 1e-6

    def slope(images_step, kernels_step, bias_step):
        ends = [
            (computed(images + s * images_step, kernels + s * kernels_step, 0.3 + s * bias_step))
            for s in (step, -step)
        ]
        return float(((ends[0].pooled - ends[1].pooled) * gradient).sum() / (2 * step))

    towards, weights = rng.normal(size=images.shape), rng.normal(size=kernels.shape)
    expected = sum((back.image(i) * towards[i]).sum() for i in range(2))
    assert slope(towards, 0, 0) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    expected = sum((back.kernel(i) * weights[i]).sum() for i in range(2))
    assert slope(0, weights, 0) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert slope(0, 0, 1) == pytest.approx(back.bias, rel=1e-4, abs=1e-5)
    for i in range(2):
        assert back.padded_image(i).shape == made.walks[i].padded.shape


def test_gradient_is_checked():
    made = layer([np.ones((3, 3))], [KERNEL])
    with pytest.raises(ShapeError, match="the gradient is 1×2, the output 3×3"):
        backward(made, [[1, 2]])
    with pytest.raises(PixelTypeError, match="real, finite"):
        backward(made, np.full((3, 3), np.nan))
    pair = layer([np.ones((3, 3))], [KERNEL, KERNEL], combination="magnitude")
    with pytest.raises(OptionError, match="group of kernels"):
        backward(pair, np.ones((3, 3)))


@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    taps=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    correlate=st.booleans(),
    seed=st.integers(0, 999),
)
def test_theorem(shape, taps, correlate, seed):
    rng = np.random.default_rng(seed)
    image, kernel = rng.normal(size=shape), rng.normal(size=taps)
    around = theorem(walk(image, kernel, border="wrap", correlate=correlate))
    np.testing.assert_allclose(around.circular, around.linear, atol=1e-12)
    whole = theorem(walk(image, kernel, mode="full", correlate=correlate))
    np.testing.assert_allclose(whole.difference, 0, atol=1e-12)
    assert around.kernel.sum() == pytest.approx(kernel.sum())
