"""Every layer: its gradient in float64, its shapes, its agreement with PyTorch."""

import json

import numpy as np
import pytest

from convtool import nn
from convtool.errors import OptionError, ShapeError
from convtool.nn.layers import LAYERS, Layer
from convtool.nn.modelfile import describe

PICTURE, ROWS = (3, 4, 7, 6), (5, 4)

CASES: dict[str, tuple[Layer, tuple[int, ...]]] = {
    "Conv2D valid": (nn.Conv2D(4, 3, 3, rng=0, dtype="float64"), PICTURE),
    "Conv2D same, even": (nn.Conv2D(4, 3, (2, 4), padding="same", rng=1, dtype="float64"), PICTURE),
    "Conv2D strides": (
        nn.Conv2D(4, 6, (3, 2), (2, 3), (1, 2), rng=2, dtype="float64"),
        PICTURE,
    ),
    "Conv2D all": (
        nn.Conv2D(4, 6, (2, 3), (1, 2), (0, 1, 2, 3), (2, 1), 2, False, rng=3, dtype="float64"),
        PICTURE,
    ),
    "Conv2D depthwise": (nn.Conv2D(4, 8, 3, 2, "same", 1, 4, rng=4, dtype="float64"), PICTURE),
    "MaxPool2D": (nn.MaxPool2D(2), PICTURE),
    "MaxPool2D overlapping": (nn.MaxPool2D((3, 2), (2, 1), (1, 1), True), PICTURE),
    "MaxPool2D same": (nn.MaxPool2D((3, 2), 2, "same"), PICTURE),
    "MaxPool2D sides": (nn.MaxPool2D(3, 2, (0, 2, 1, 0), True), PICTURE),
    "MaxPool2D dilated": (nn.MaxPool2D((3, 2), (1, 2), 1, True, (2, 3)), PICTURE),
    "MaxPool2D larger than the input": (nn.MaxPool2D(8, ceil_mode=True), PICTURE),
    "AvgPool2D": (nn.AvgPool2D(2), PICTURE),
    "AvgPool2D same": (nn.AvgPool2D(2, 1, "same", False, False), PICTURE),
    "AvgPool2D sides": (nn.AvgPool2D(3, 2, (2, 0, 1, 1)), PICTURE),
    "AvgPool2D dilated": (nn.AvgPool2D(2, 1, (1, 0), True, False, (3, 2)), PICTURE),
    "AvgPool2D larger than the input": (nn.AvgPool2D((9, 2), ceil_mode=True), PICTURE),
    "AvgPool2D overlapping": (nn.AvgPool2D(3, 2, 1, True), PICTURE),
    "AvgPool2D excluding": (nn.AvgPool2D((3, 2), 2, 1, True, False), PICTURE),
    "GlobalAvgPool2D": (nn.GlobalAvgPool2D(), PICTURE),
    "GlobalMaxPool2D": (nn.GlobalMaxPool2D(), PICTURE),
    "Flatten": (nn.Flatten(), PICTURE),
    "Dense": (nn.Dense(4, 3, rng=5, dtype="float64"), ROWS),
    "BatchNorm": (nn.BatchNorm(4, dtype="float64"), PICTURE),
    "BatchNorm rows": (nn.BatchNorm(4, dtype="float64"), ROWS),
    "Dropout": (nn.Dropout(0.4), PICTURE),
    "GaussianDropout": (nn.GaussianDropout(0.4), PICTURE),
    "ReLU": (nn.ReLU(), PICTURE),
    "LeakyReLU": (nn.LeakyReLU(0.2), PICTURE),
    "Sigmoid": (nn.Sigmoid(), PICTURE),
    "Tanh": (nn.Tanh(), PICTURE),
    "Softmax": (nn.Softmax(), ROWS),
    "Identity": (nn.Identity(), PICTURE),
}


def _forward(layer: Layer, x: np.ndarray) -> np.ndarray:
    """One training pass that draws the same noise and keeps the same statistics each time."""
    kept = {name: array.copy() for name, array in layer.state.items()}
    y = layer.forward(x, training=True)
    for name, array in kept.items():
        layer.state[name][...] = array
    return y


def _numeric(layer: Layer, x: np.ndarray, weights: np.ndarray, array: np.ndarray) -> np.ndarray:
    result = np.empty_like(array)
    for index in np.ndindex(array.shape):
        value, step = array[index], 1e-6
        array[index] = value + step
        up = (_forward(layer, x) * weights).sum()
        array[index] = value - step
        down = (_forward(layer, x) * weights).sum()
        array[index] = value
        result[index] = (up - down) / (2 * step)
    return result


def test_every_kind_of_layer_is_checked():
    assert {type(layer).__name__ for layer, _ in CASES.values()} == set(LAYERS)


@pytest.mark.parametrize("name", CASES)
def test_gradient(name):
    layer, shape = CASES[name]
    rng = np.random.default_rng(7)
    x = rng.standard_normal(shape)
    y = _forward(layer, x)
    assert y.shape == (shape[0], *layer.output_shape(shape[1:]))
    assert y.dtype == np.float64
    weights = rng.standard_normal(y.shape)
    dx = layer.backward(weights)
    grads = {key: array.copy() for key, array in layer.grads.items()}
    np.testing.assert_allclose(dx, _numeric(layer, x, weights, x), rtol=1e-6, atol=1e-7)
    assert grads.keys() == layer.params.keys()
    for key, array in layer.params.items():
        expected = _numeric(layer, x, weights, array)
        np.testing.assert_allclose(grads[key], expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_a_layer_can_be_built_anew_from_its_config(name):
    layer, _ = CASES[name]
    arguments = {k: tuple(v) if isinstance(v, list) else v for k, v in layer.config().items()}
    twin = type(layer)(**arguments)
    assert twin.config() == layer.config()
    assert {k: a.shape for k, a in twin.params.items()} == {
        k: a.shape for k, a in layer.params.items()
    }


def test_noise_is_off_in_inference_and_keeps_the_mean_in_training():
    x = np.ones((50, 400))
    for layer in (nn.Dropout(0.3), nn.GaussianDropout(0.3)):
        assert layer.forward(x) is x
        first, second = layer.forward(x, training=True), layer.forward(x, training=True)
        assert abs(first.mean() - 1) < 0.02
        assert not np.array_equal(first, second)
    zeros = nn.Dropout(0.3).forward(x, training=True) == 0
    assert abs(zeros.mean() - 0.3) < 0.01


def test_max_pooling_sends_the_gradient_to_the_first_maximum_only():
    layer = nn.MaxPool2D(2)
    layer.forward(np.ones((1, 1, 2, 2)))
    assert layer.backward(np.full((1, 1, 1, 1), 5.0)).tolist() == [[[[5.0, 0.0], [0.0, 0.0]]]]


def test_batch_norm_trains_on_the_batch_and_infers_on_running_statistics():
    layer = nn.BatchNorm(2, dtype="float64")
    x = np.random.default_rng(0).normal(3, 2, (40, 2, 5, 5))
    y = layer.forward(x, training=True)
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(layer.state["mean"], 0.1 * x.mean(axis=(0, 2, 3)))
    unbiased = x.var(axis=(0, 2, 3), ddof=1)
    np.testing.assert_allclose(layer.state["variance"], 0.9 + 0.1 * unbiased)
    still = layer.forward(x)
    assert abs(still.mean() - y.mean()) > 1
    gradient = layer.backward(np.ones_like(x))
    expected = 1 / np.sqrt(layer.state["variance"] + layer.epsilon)
    np.testing.assert_allclose(gradient[0, :, 0, 0], expected)


def test_parameter_counts():
    assert nn.Conv2D(1, 32, 3).count() == (320, 0)
    assert nn.Conv2D(32, 64, 3).count() == (18496, 0)
    assert nn.Conv2D(64, 128, 3).count() == (73856, 0)
    assert nn.Dense(18432, 64).count() == (1179712, 0)
    assert nn.BatchNorm(64).count() == (128, 128)
    assert nn.Conv2D(3, 10, 5).count() == (760, 0)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: nn.Conv2D(4, 6, 3, groups=3), "3 groups"),
        (lambda: nn.Conv2D(4, 6, 0), "kernel_size 0"),
        (lambda: nn.Conv2D(4, 6, 3, padding="valid").sides(8, 8), "padding 'valid'"),
        (lambda: nn.Conv2D(4, 6, 9).output_shape((4, 8, 8)), "window of 9"),
        (lambda: nn.Conv2D(4, 6, 3).output_shape((3, 8, 8)), "4 channels"),
        (lambda: nn.Dense(4, 6).output_shape((3, 8, 8)), "flatten"),
        (lambda: nn.Dropout(1.0), "rate 1.0"),
        (lambda: nn.MaxPool2D(2, padding=2), "half the window"),
        (lambda: nn.AvgPool2D(2, padding=(0, 0, 2, 0)), "less than the window"),
        (lambda: nn.MaxPool2D(2, padding="valid"), "padding 'valid'"),
        (lambda: nn.MaxPool2D(2, dilation=0), "dilation 0"),
        (lambda: nn.MaxPool2D(9, 2, ceil_mode=True).output_shape((1, 1, 1)), "window of 9"),
        (lambda: nn.MaxPool2D(2, 1, 1, False, 2).output_shape((1, 1, 1)), "nothing but padding"),
        (lambda: nn.Conv2D(4, 0, 2), "out_channels 0"),
        (lambda: nn.Conv2D(0, 4, 2), "in_channels 0"),
        (lambda: nn.Conv2D(4, 2.0, 2), "out_channels 2.0"),
        (lambda: nn.Conv2D(4, True, 2), "out_channels True"),
        (lambda: nn.Conv2D(4, 2, 2, groups=0), "groups 0"),
        (lambda: nn.Conv2D(4, 2, 2, stride=(1, 0)), "stride"),
        (lambda: nn.Conv2D(4, 2, 2, dilation=-1), "dilation -1"),
        (lambda: nn.Conv2D(4, 2, (2, 2, 2)), "kernel_size"),
        (lambda: nn.Conv2D(4, 2, 2, padding=-1), "padding -1"),
        (lambda: nn.Conv2D(4, 2, 2, padding=(0, -1, 0, 0)), "padding"),
        (lambda: nn.Conv2D(4, 2, 2, padding="valid"), "padding 'valid'"),
        (lambda: nn.Conv2D(4, 2, 2, initializer="uniform"), "initializer 'uniform'"),
        (lambda: nn.Conv2D(4, 2, 2, rng=-1), "rng -1"),
        (lambda: nn.Conv2D(4, 2, 2, dtype="int8"), "dtype 'int8'"),
        (lambda: nn.Dense(3, 0), "out_features 0"),
        (lambda: nn.Dense(-3, 2), "in_features -3"),
        (lambda: nn.Dense(3, 2, dtype="half-precise"), "dtype 'half-precise'"),
        (lambda: nn.BatchNorm(0), "features 0"),
        (lambda: nn.BatchNorm(3, momentum=-1), "momentum -1"),
        (lambda: nn.BatchNorm(3, momentum=1.5), "momentum 1.5"),
        (lambda: nn.BatchNorm(3, epsilon=-1), "epsilon -1"),
        (lambda: nn.BatchNorm(3, dtype="uint8"), "dtype 'uint8'"),
        (lambda: nn.Dropout("half"), "rate 'half'"),
        (lambda: nn.GaussianDropout(-0.1), "rate -0.1"),
        (lambda: nn.Dropout(0.5, seed=-1), "seed -1"),
        (lambda: nn.LeakyReLU(float("nan")), "slope nan"),
        (lambda: nn.Sequential([nn.Flatten()], (0, 2, 2)), "input_shape 0"),
        (lambda: nn.Sequential([nn.Flatten()], (2, 2)), "input_shape"),
    ],
)
def test_what_cannot_be_is_said_where_it_is_given(make, says):
    with pytest.raises((ShapeError, OptionError), match=says) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_last_window_may_hang_over_an_input_that_is_smaller():
    found = nn.MaxPool2D(2, ceil_mode=True).forward(np.arange(7.0).reshape(1, 1, 7, 1))
    assert found[0, 0].tolist() == [[1], [3], [5], [6]]
    mean = nn.AvgPool2D(2, ceil_mode=True).forward(np.arange(7.0).reshape(1, 1, 7, 1))
    assert mean[0, 0].tolist() == [[0.5], [2.5], [4.5], [6]]


def test_numpy_integers_are_integers():
    two, three = np.int64(2), np.uint8(3)
    conv = nn.Conv2D(two, np.int32(4), three, (two, 1), (0, two), two, two, rng=np.int64(0))
    pool = nn.MaxPool2D(three, two, np.int16(1), dilation=np.int8(1))
    layers = [conv, pool, nn.Flatten(), nn.Dropout(np.float32(0.25), np.int64(7))]
    model = nn.Sequential(layers, (two, np.int64(20), np.int64(20)))
    plain = [
        nn.Conv2D(2, 4, 3, (2, 1), (0, 2), 2, 2, rng=0),
        nn.MaxPool2D(3, 2, 1),
        nn.Flatten(),
        nn.Dropout(0.25, 7),
    ]
    expected = describe(nn.Sequential(plain, (2, 20, 20)))
    assert json.loads(json.dumps(describe(model))) == json.loads(json.dumps(expected))
    assert nn.Dense(two, three, rng=0).config() == nn.Dense(2, 3, rng=0).config()
    assert nn.BatchNorm(two, np.float64(0.1)).config() == nn.BatchNorm(2, 0.1).config()


def _window_sums(torch, x, windows):
    """Sum each window by a depthwise convolution with ones."""
    below = [n - m for n, m in zip(windows.framed, x.shape[2:], strict=True)]
    ones = torch.ones((x.shape[1], 1, *windows.kernel), dtype=x.dtype)
    return torch.nn.functional.conv2d(
        torch.nn.functional.pad(x, (0, below[1], 0, below[0])),
        ones,
        None,
        windows.stride,
        0,
        windows.dilation,
        x.shape[1],
    )[:, :, : windows.counts[0], : windows.counts[1]]


def _torch_twin(torch, layer):
    functional = torch.nn.functional
    params = {name: torch.tensor(a, requires_grad=True) for name, a in layer.params.items()}
    match type(layer).__name__:
        case "Conv2D":

            def forward(x):
                top, left, bottom, right = layer.sides(*x.shape[2:])
                return functional.conv2d(
                    functional.pad(x, (left, right, top, bottom)),
                    params["weight"],
                    params.get("bias"),
                    layer.stride,
                    0,
                    layer.dilation,
                    layer.groups,
                )
        case "MaxPool2D":

            def forward(x):
                top, left, bottom, right = layer.windows(*x.shape[2:]).padding
                padded = functional.pad(x, (left, right, top, bottom), value=-torch.inf)
                arguments = (layer.kernel_size, layer.stride, 0, layer.dilation)
                return functional.max_pool2d(padded, *arguments, ceil_mode=layer.ceil_mode)
        case "AvgPool2D":

            def forward(x):
                windows, ones = layer.windows(*x.shape[2:]), torch.ones_like(x)
                if layer.padding == windows.padding[:2] and layer.dilation == (1, 1):
                    include = layer.count_include_pad
                    arguments = (layer.kernel_size, layer.stride, layer.padding)
                    return functional.avg_pool2d(x, *arguments, layer.ceil_mode, include)
                top, left, bottom, right = windows.padding
                sides = (left, right, top, bottom)
                ones = functional.pad(ones, sides, value=float(layer.count_include_pad))
                sums = [_window_sums(torch, a, windows) for a in (functional.pad(x, sides), ones)]
                return sums[0] / sums[1]
        case "BatchNorm":

            def forward(x):
                zeros = torch.zeros(4, dtype=torch.float64)
                arguments = (params["gamma"], params["beta"], True, 0.1, layer.epsilon)
                return functional.batch_norm(x, zeros, zeros + 1, *arguments)
        case "Dense":

            def forward(x):
                return x @ params["weight"] + params["bias"]
        case "LeakyReLU":

            def forward(x):
                return functional.leaky_relu(x, layer.slope)
        case name:
            forward = {
                "GlobalAvgPool2D": lambda x: x.mean(dim=(2, 3)),
                "GlobalMaxPool2D": lambda x: x.amax(dim=(2, 3)),
                "Flatten": lambda x: x.flatten(1),
                "ReLU": functional.relu,
                "Sigmoid": torch.sigmoid,
                "Tanh": torch.tanh,
                "Softmax": lambda x: torch.softmax(x, 1),
                "Identity": lambda x: x,
            }[name]
    return forward, params


@pytest.mark.parametrize("name", [n for n in CASES if "Dropout" not in n])
def test_agrees_with_torch(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: no peer to compare with")
    layer, shape = CASES[name]
    rng = np.random.default_rng(11)
    x = rng.standard_normal(shape)
    y = _forward(layer, x)
    weights = rng.standard_normal(y.shape)
    dx = layer.backward(weights)
    forward, params = _torch_twin(torch, layer)
    x_peer = torch.tensor(x, requires_grad=True)
    peer = forward(x_peer)
    (peer * torch.tensor(weights)).sum().backward()
    np.testing.assert_allclose(y, peer.detach().numpy(), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(dx, x_peer.grad.numpy(), rtol=1e-9, atol=1e-10)
    for key, parameter in params.items():
        np.testing.assert_allclose(layer.grads[key], parameter.grad.numpy(), rtol=1e-9, atol=1e-10)
