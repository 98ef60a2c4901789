"""The compiled step against the readable layers: networks, losses, optimisers, threads."""

import numpy as np
import pytest

from convtool import nn
from convtool.errors import DatasetError
from convtool.nn.architectures import ARCHITECTURES, build_layers
from convtool.nn.compiled.rules import LOSS_OPERATIONS, RULES
from convtool.nn.compiled.stages import stages_of
from convtool.nn.losses import LOSSES
from convtool.nn.optimizers import OPTIMIZERS

RTOL, ATOL = 2e-4, 2e-5

NETWORKS = {
    "odd sizes": (
        "conv 5 3x2, relu, pool 2, conv 19 2x3 same, tanh, pool 2x3, dense 7",
        (3, 15, 13),
    ),
    "norm everywhere": (
        "conv 20 3x3 nobias, norm, leaky 0.1, pool 2, conv 18 3x3 same nobias, norm, sigmoid,"
        " globalavg, dense 9 nobias, norm, relu",
        (1, 11, 12),
    ),
    "pool first": ("avgpool 2, norm, relu, conv 17 1x1, globalmax, dense 3, tanh", (2, 9, 8)),
    "sigmoid padding": ("conv 3 3x3 same, sigmoid, conv 70 3x3 same, relu, pool 2", (1, 8, 8)),
    "dropout": (
        "conv 6 3x3, relu, dropout 0.3, pool 2, dropout 0.2, dense 12, dropout 0.5",
        (1, 9, 9),
    ),
    "wide": ("dense 300, relu, dense 150, relu", (1, 30, 30)),
}
NETWORKS |= {name: (name, (1, 28, 28)) for name in ("mnist", "digits")}


def _network(name, engine, threads=2, outputs=5, dtype="float32"):
    spec, shape = NETWORKS[name]
    layers = build_layers(spec, shape, outputs, 0)
    for layer in layers:
        for arrays in (layer._params, layer._state):
            for key, array in arrays.items():
                if array.dtype == np.float32:
                    arrays[key] = array.astype(dtype)
    return nn.Sequential(layers, shape, engine=engine, threads=threads)


def _batches(shape, count=3, size=13, classes=5):
    rng = np.random.default_rng(3)
    for _ in range(count):
        yield rng.standard_normal((size, *shape)).astype("float32"), rng.integers(0, classes, size)


def _train(model, shape, loss=None, optimizer=None, l2=1e-3, classes=5):
    loss = loss or nn.losses.CrossEntropy(0.1)
    optimizer = optimizer or nn.optimizers.SGD(0.05)
    exact = model.layers[0].params.get("weight", np.empty(0, "float32")).dtype == np.float64
    return [
        model.train_step(x.astype("float64") if exact else x, y, loss, optimizer, l2=l2)
        for x, y in _batches(shape, classes=classes)
    ]


def _compare(fast, slow, rtol=RTOL, atol=ATOL):
    for name, expected in (slow.parameters() | slow.states()).items():
        actual = (fast.parameters() | fast.states())[name]
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol, err_msg=name)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_is_that_of_the_readable_layers(name):
    shape = NETWORKS[name][1]
    fast, slow = _network(name, "auto"), _network(name, "numpy", dtype="float64")
    losses, expected = _train(fast, shape), _train(slow, shape)
    assert fast._plan is not None
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    np.testing.assert_allclose(fast.last_outputs, slow.last_outputs, rtol=1e-3, atol=1e-4)
    x = next(_batches(shape))[0]
    np.testing.assert_allclose(fast.outputs(x), slow.forward(x), rtol=1e-3, atol=1e-4)
    _compare(fast, slow)


@pytest.mark.parametrize("name", [n for n in ARCHITECTURES if n not in ("lenet", "single")])
def test_the_named_networks_are_covered(name):
    shape = (3, 32, 32) if name in ("cifar", "catdog") else (1, 28, 28)
    layers = build_layers(name, shape, 10, 0)
    model = nn.Sequential(layers, shape)
    assert stages_of(layers, model.shapes(shape), shape) is not None


def test_every_optimizer_and_loss_is_covered():
    assert set(RULES) == set(OPTIMIZERS.values())
    assert set(LOSS_OPERATIONS) == set(LOSSES.values())


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_optimizers(rule):
    shape = NETWORKS["odd sizes"][1]
    fast, slow = _network("odd sizes", "auto"), _network("odd sizes", "numpy")
    one, two = OPTIMIZERS[rule](0.002), OPTIMIZERS[rule](0.002)
    _train(fast, shape, optimizer=one)
    _train(slow, shape, optimizer=two)
    _compare(fast, slow, rtol=1e-3, atol=2e-4)
    assert one.steps == two.steps == 3
    for slot, kept in two.state.items():
        assert one.state[slot].keys() == kept.keys()
        for name, array in kept.items():
            np.testing.assert_allclose(one.state[slot][name], array, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_losses(loss):
    shape = NETWORKS["odd sizes"][1]
    outputs = 5 if loss == "cross-entropy" else 1
    fast = _network("odd sizes", "auto", outputs=outputs)
    slow = _network("odd sizes", "numpy", outputs=outputs)
    found, expected = (_train(m, shape, LOSSES[loss](), classes=2) for m in (fast, slow))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    _compare(fast, slow)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_only_the_rounding(threads):
    shape = NETWORKS["norm everywhere"][1]
    one = _network("norm everywhere", "auto", threads)
    two = _network("norm everywhere", "auto", 2)
    np.testing.assert_allclose(_train(one, shape), _train(two, shape), rtol=1e-4)
    _compare(one, two)


def test_the_same_start_gives_the_same_bits():
    runs = []
    for _ in range(2):
        model = _network("dropout", "auto")
        losses = _train(model, NETWORKS["dropout"][1], optimizer=nn.optimizers.Adam(0.01))
        runs.append((losses, model.parameters()))
    assert runs[0][0] == runs[1][0]
    for name, array in runs[0][1].items():
        assert array.tobytes() == runs[1][1][name].tobytes()


def test_batches_of_other_sizes():
    fast, slow = _network("norm everywhere", "auto"), _network("norm everywhere", "numpy")
    rng = np.random.default_rng(5)
    one, two = nn.optimizers.Momentum(0.01), nn.optimizers.Momentum(0.01)
    for size in (9, 2, 20, 5):
        x = rng.standard_normal((size, 1, 11, 12)).astype("float32")
        y = rng.integers(0, 5, size)
        loss = nn.losses.CrossEntropy()
        assert fast.train_step(x, y, loss, one) == pytest.approx(
            slow.train_step(x, y, loss, two), rel=1e-4
        )
    _compare(fast, slow, rtol=2e-3, atol=2e-4)


def test_parameters_may_be_changed_between_steps():
    fast, slow = _network("mnist", "auto"), _network("mnist", "numpy")
    for model in (fast, slow):
        optimizer = nn.optimizers.Adam()
        for x, y in _batches((1, 28, 28)):
            model.train_step(x, y, nn.losses.CrossEntropy(), optimizer)
            model.layers[0].params["weight"][...] *= 0.5
            model.layers[0].params["bias"][2] = 0.25
    _compare(fast, slow, rtol=1e-3, atol=1e-4)


def test_frozen_weights_stay():
    model = _network("mnist", "auto")
    model.layers[0].frozen = {"weight"}
    before = {name: array.copy() for name, array in model.parameters().items()}
    _train(model, (1, 28, 28), l2=0.01)
    changed = {n for n, a in model.parameters().items() if not np.array_equal(a, before[n])}
    assert changed == set(before) - {"0.weight"}


def test_a_loss_that_is_not_finite_changes_nothing():
    model = _network("mnist", "auto")
    before = {name: array.copy() for name, array in model.parameters().items()}
    x, y = next(_batches((1, 28, 28)))
    x[0, 0, 3, 3] = np.nan
    optimizer = nn.optimizers.Adam()
    assert np.isnan(model.train_step(x, y, nn.losses.CrossEntropy(), optimizer))
    assert optimizer.steps == 0
    for name, array in model.parameters().items():
        np.testing.assert_array_equal(array, before[name])


def test_labels_are_checked():
    model = _network("mnist", "auto")
    x, y = next(_batches((1, 28, 28)))
    with pytest.raises(DatasetError, match="labels from 0 to 5"):
        model.train_step(x, np.where(y == 0, 5, 0), nn.losses.CrossEntropy(), nn.optimizers.SGD())


@pytest.mark.parametrize(
    "spec",
    ["conv 4 3x3 stride 2, relu", "conv 4 3x3, pool 3 stride 2", "conv 2 3x3, gaussian-dropout"],
)
def test_other_networks_take_the_readable_way(spec):
    layers = build_layers(spec, (1, 9, 9), 5, 0)
    model = nn.Sequential(layers, (1, 9, 9))
    first, *_, last = _train(model, (1, 9, 9))
    assert model._plan is None
    assert np.isfinite([first, last]).all()
