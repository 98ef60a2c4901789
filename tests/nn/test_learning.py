"""Losses and optimisers against their formulas."""

import numpy as np
import pytest

from convtool import nn
from convtool.errors import DatasetError, OptionError
from convtool.nn.losses import LOSSES
from convtool.nn.optimizers import OPTIMIZERS
from convtool.nn.schedules import SCHEDULES

TARGETS = {
    "cross-entropy": np.array([2, 0, 1, 2]),
    "binary-cross-entropy": np.array([1, 0, 0, 1]),
    "mean-squared-error": np.array([[1.0, 2, 3]] * 4),
}


def test_every_loss_is_tested():
    assert set(TARGETS) == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_of_a_loss(name):
    columns = 1 if name == "binary-cross-entropy" else 3
    outputs = np.random.default_rng(0).standard_normal((4, columns)) * 3
    loss = LOSSES[name]()
    value, gradient = loss.evaluate(outputs, TARGETS[name])
    assert value == loss(outputs, TARGETS[name])
    for index in np.ndindex(outputs.shape):
        step = np.zeros_like(outputs)
        step[index] = 1e-6
        up, down = (loss(outputs + s * step, TARGETS[name]) for s in (1, -1))
        assert gradient[index] == pytest.approx((up - down) / 2e-6, abs=1e-8)


def test_losses_by_hand():
    logits = np.log([[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]])
    assert nn.losses.CrossEntropy()(logits, np.array([2, 1])) == pytest.approx(
        -(np.log(0.5) + np.log(0.2)) / 2
    )
    smooth = nn.losses.CrossEntropy(0.3)(logits, np.array([2, 1]))
    spread = -np.log([0.2, 0.3, 0.5, 0.7, 0.2, 0.1]).sum() / 3 / 2
    assert smooth == pytest.approx(-0.7 * (np.log(0.5) + np.log(0.2)) / 2 + 0.3 * spread)
    assert nn.losses.BinaryCrossEntropy()(np.array([[0.0], [1000.0]]), np.array([1, 1])) == (
        pytest.approx(np.log(2) / 2)
    )
    assert nn.losses.MeanSquaredError()(np.array([[1.0, 2.0]]), np.array([[3.0, 2.0]])) == 2.0


@pytest.mark.parametrize(
    ("loss", "outputs", "targets"),
    [
        (nn.losses.CrossEntropy(), np.zeros((2, 3)), np.array([0, 3])),
        (nn.losses.CrossEntropy(), np.zeros((2, 3)), np.array([0.0, 1.0])),
        (nn.losses.CrossEntropy(), np.zeros((2, 3)), np.array([0])),
        (nn.losses.BinaryCrossEntropy(), np.zeros((2, 1)), np.array([0, 2])),
    ],
)
def test_labels_are_checked(loss, outputs, targets):
    with pytest.raises(DatasetError):
        loss(outputs, targets)


def _two_steps(rule):
    params = {"weight": np.array([1.0, -2.0])}
    for gradient in ([0.5, 1.0], [0.25, -2.0]):
        rule.step(params, {"weight": np.array(gradient)}, frozenset({"weight"}))
    return params["weight"]


EXPECTED = {
    "sgd": (nn.optimizers.SGD(0.1), [0.925, -1.9]),
    "momentum": (nn.optimizers.Momentum(0.1, 0.9), [1 - 0.05 - 0.07, -2 - 0.1 + 0.11]),
    "adagrad": (
        nn.optimizers.AdaGrad(0.1, 0.0),
        [0.9 - 0.025 / np.sqrt(0.3125), -2.1 + 0.2 / np.sqrt(5)],
    ),
    "adagrad-momentum": (
        nn.optimizers.AdaGradMomentum(0.1, 0.5, 0.0),
        [0.85 - 0.025 / np.sqrt(0.3125), -2.15 + 0.2 / np.sqrt(5)],
    ),
    "rmsprop": (
        nn.optimizers.RMSProp(0.1, 0.5, 0.0),
        [
            1 - 0.1 / np.sqrt(0.5) - 0.025 / np.sqrt(0.0625 + 0.03125),
            -2 - 0.1 / np.sqrt(0.5) + 0.2 / np.sqrt(0.25 + 2),
        ],
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_two_steps_by_hand(name):
    rule, expected = EXPECTED[name]
    np.testing.assert_allclose(_two_steps(rule), expected)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_adam_by_its_paper(decay):
    m = v = np.zeros(2)
    expected = np.array([1.0, -2.0])
    for t, gradient in enumerate(np.array([[0.5, 1.0], [0.25, -2.0]]), 1):
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        step = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        expected = expected - 0.1 * step - 0.1 * decay * expected
    found = _two_steps(nn.optimizers.AdamW(0.1, weight_decay=decay))
    np.testing.assert_allclose(found, expected)
    if not decay:
        np.testing.assert_allclose(_two_steps(nn.optimizers.Adam(0.1)), expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_optimizer_goes_downhill_and_agrees_with_torch(name):
    target = np.array([0.3, -0.7, 2.0])
    params = {"bias": np.zeros(3)}
    rule = OPTIMIZERS[name](0.05)
    for _ in range(300):
        rule.step(params, {"bias": params["bias"] - target})
    assert np.abs(params["bias"] - target).max() < np.abs(target).max()
    assert rule.steps == 300
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: no peer to compare with")
    peers = {
        "sgd": lambda p: torch.optim.SGD(p, 0.05),
        "momentum": lambda p: torch.optim.SGD(p, 0.05, momentum=0.9),
        "adagrad": lambda p: torch.optim.Adagrad(p, 0.05, eps=1e-8),
        "rmsprop": lambda p: torch.optim.RMSprop(p, 0.05, alpha=0.99),
        "adam": lambda p: torch.optim.Adam(p, 0.05),
        "adamw": lambda p: torch.optim.AdamW(p, 0.05, weight_decay=0.0),
    }
    if name not in peers:
        return
    peer = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = peers[name]([peer])
    for _ in range(300):
        optimizer.zero_grad()
        (0.5 * ((peer - torch.tensor(target)) ** 2).sum()).backward()
        optimizer.step()
    np.testing.assert_allclose(params["bias"], peer.detach().numpy(), rtol=1e-8)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_learning_rate_is_positive(rate):
    with pytest.raises(OptionError, match="learning rate"):
        nn.optimizers.SGD(rate)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_stay_between_0_and_1(name):
    values = [SCHEDULES[name](i / 100) for i in range(100)]
    assert 0 <= min(values) <= max(values) <= 1
    assert max(values) == 1
