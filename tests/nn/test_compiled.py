"""The compiled step against the readable layers: networks, losses, optimisers, threads."""

import numpy as np
import pytest

from convtool import nn
from convtool.errors import DatasetError, OptionError
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
NETWORKS |= {
    "strides": (
        "conv 7 3x2 stride 2x3 same, relu, conv 20 3x3 stride 2 pad 1, norm, tanh,"
        " conv 9 1x1 stride 2, relu, dense 6",
        (2, 17, 19),
    ),
    "dilation": (
        "conv 6 3x3 dilation 2x3, relu, conv 18 3x2 dilation 1x2 pad 2, norm, leaky,"
        " conv 5 2x3 stride 3x2 dilation 2x3 same, sigmoid",
        (3, 16, 18),
    ),
    "stride beyond the kernel": ("conv 5 2x2, relu, conv 6 2x1 stride 3x4 pad 1x0", (1, 13, 14)),
    "wide padding": ("conv 4 1x1, relu, conv 5 2x2 pad 3x4, tanh, pool 2", (1, 5, 6)),
    "groups": (
        "conv 24 3x3 groups 2, relu, conv 36 3x3 same groups 3, norm, tanh, pool 2,"
        " conv 40 2x3 stride 2 groups 4 dilation 1x2, sigmoid, dense 8",
        (4, 15, 14),
    ),
    "depthwise": (
        "conv 19 3x3 same, relu, conv 19 3x3 stride 2 pad 1 groups 19 nobias, norm, relu,"
        " conv 33 1x1, relu, conv 66 2x2 groups 33, relu, globalavg",
        (1, 12, 11),
    ),
    "pools": (
        "conv 6 3x3, relu, pool 3 stride 2 pad 1, conv 17 2x2, pool 3x2 stride 1 same, tanh,"
        " avgpool 3 stride 2 pad 1 ceil, norm, pool 2 stride 1 dilation 2x1 pad 1x0",
        (2, 17, 16),
    ),
    "pools of the input": (
        "avgpool 3 stride 2 pad 0x1x2x0, relu, pool 2 ceil, pool 5 ceil, dense 5",
        (3, 13, 11),
    ),
    "gaussian": (
        "conv 6 3x3, sigmoid, gaussian-dropout 0.3, pool 2, gaussian-dropout 0.2, dense 12,"
        " leaky 0.2, gaussian-dropout 0.5",
        (1, 9, 9),
    ),
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


@pytest.mark.parametrize("name", [n for n in ARCHITECTURES if n != "single"])
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
    fast, slow = (_network("odd sizes", engine) for engine in ("auto", "numpy"))
    if loss.startswith("probability"):
        for model in (fast, slow):
            model.layers.append(nn.Sigmoid())
    rng, rows = np.random.default_rng(2), loss == "mean-squared-error"
    rules = nn.optimizers.SGD(0.05), nn.optimizers.SGD(0.05)
    for x, labels in _batches(shape):
        for targets in (labels, rng.random((len(x), 5))):
            y = np.eye(5)[labels] if rows and targets.ndim == 1 else targets
            one, two = (
                model.train_step(x, y, LOSSES[loss](), rule)
                for model, rule in zip((fast, slow), rules, strict=True)
            )
            assert one == pytest.approx(two, rel=1e-4)
    assert fast._plan is not None
    _compare(fast, slow)
    outside = np.full((len(x), 5), -1.0)
    if not rows:
        with pytest.raises(DatasetError):
            fast.train_step(x, outside, LOSSES[loss](), rules[0])


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


def test_other_networks_take_the_readable_way():
    layers = [nn.Flatten(), nn.Dense(81, 5, rng=0), nn.Softmax()]
    model = nn.Sequential(layers, (1, 9, 9))
    first, *_, last = _train(model, (1, 9, 9), nn.losses.ProbabilityCrossEntropy())
    assert model._plan is None
    assert np.isfinite([first, last]).all()


def test_an_epsilon_of_zero_takes_the_readable_way():
    shape = NETWORKS["odd sizes"][1]
    model, slow = _network("odd sizes", "auto"), _network("odd sizes", "numpy")
    for each in (model, slow):
        _train(each, shape, optimizer=nn.optimizers.RMSProp(0.001, epsilon=1e-50))
    assert model._plan is None
    _compare(model, slow, 0, 0)


def test_weights_between_groups_stay_zero():
    model = _network("groups", "auto")
    _train(model, NETWORKS["groups"][1], optimizer=nn.optimizers.AdamW(0.01))
    model.parameters()
    for stage, place, number in zip(
        model._plan._buffers.stages, model._plan._buffers.places, range(9), strict=False
    ):
        if stage.conv is not None:
            packing = model._plan._buffers.packing(number)
            part = slice(place.weight, place.weight + packing.size)
            marks = model._plan._memory[place.marks : place.marks + packing.size]
            assert marks.sum() == stage.conv[1].params["weight"].size
            assert not model._plan._memory[part][marks == 0].any()


@pytest.mark.parametrize("engine", ["auto", "numpy"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_leaves_all_as_it_was(engine, bad):
    spec = "conv 4 3x3, norm, relu, dropout 0.3, dense 6, norm, gaussian-dropout 0.2"
    model = nn.Sequential(build_layers(spec, (1, 9, 9), 5, 0), (1, 9, 9), engine=engine)
    optimizer, loss = nn.optimizers.Adam(0.01), nn.losses.CrossEntropy()
    batches = list(_batches((1, 9, 9)))
    model.train_step(*batches[0], loss, optimizer)
    before = {n: a.copy() for n, a in (model.parameters() | model.states()).items()}
    slots = {s: {n: a.copy() for n, a in kept.items()} for s, kept in optimizer.state.items()}
    x = batches[1][0].copy()
    x[2, 0, 3, 3] = bad
    with np.errstate(invalid="ignore"):
        assert np.isnan(model.train_step(x, batches[1][1], loss, optimizer))
    for name, array in (model.parameters() | model.states()).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    for slot, kept in optimizer.state.items():
        for name, array in kept.items():
            np.testing.assert_array_equal(array, slots[slot][name])
    assert optimizer.steps == 1
    twin = nn.Sequential(build_layers(spec, (1, 9, 9), 5, 0), (1, 9, 9), engine=engine)
    other = nn.optimizers.Adam(0.01)
    for pictures, labels in batches[:2]:
        expected = twin.train_step(pictures, labels, loss, other)
    assert model.train_step(*batches[1], loss, optimizer) == expected
    _compare(model, twin, 0, 0)


@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_wrong_targets_leave_all_as_it_was(engine):
    spec = "conv 4 3x3, norm, relu, dropout 0.3"
    model = nn.Sequential(build_layers(spec, (1, 9, 9), 5, 0), (1, 9, 9), engine=engine)
    before = {n: a.copy() for n, a in (model.parameters() | model.states()).items()}
    x, y = next(_batches((1, 9, 9)))
    optimizer = nn.optimizers.SGD()
    with pytest.raises(DatasetError, match="labels from 0 to 9"):
        model.train_step(x, np.where(y > 2, 9, 0), nn.losses.CrossEntropy(), optimizer)
    with pytest.raises(OptionError, match="l2 -1"):
        model.train_step(x, y, nn.losses.CrossEntropy(), optimizer, l2=-1)
    for name, array in (model.parameters() | model.states()).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    assert optimizer.steps == 0
