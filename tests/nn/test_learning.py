"""Losses and optimisers against their formulas."""

import numpy as np
import pytest

from convtool import nn
from convtool.errors import DatasetError, OptionError
from convtool.nn.losses import LOSSES
from convtool.nn.operations.activations import softmax
from convtool.nn.optimizers import OPTIMIZERS
from convtool.nn.schedules import SCHEDULES

TARGETS = {
    "cross-entropy": np.array([2, 0, 1, 2]),
    "binary-cross-entropy": np.array([1, 0, 0, 1]),
    "mean-squared-error": np.array([[1.0, 2, 3]] * 4),
    "probability-cross-entropy": np.array([2, 0, 1, 2]),
    "probability-binary-cross-entropy": np.array([2, 0, 1, 2]),
}
SOFT = np.array([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0], [0.6, 0.6, 0.6], [0.1, 0.0, 0.2]])


def test_every_loss_is_tested():
    assert set(TARGETS) == set(LOSSES)


def _outputs(name, columns=3):
    """Return logits, or probabilities for the losses of them."""
    outputs = np.random.default_rng(0).standard_normal((4, columns)) * 3
    return softmax(outputs) if name.startswith("probability") else outputs


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_gradient_of_a_loss(name, soft):
    outputs = _outputs(name, 1 if name == "binary-cross-entropy" and not soft else 3)
    loss, targets = LOSSES[name](), SOFT if soft else TARGETS[name]
    value, gradient = loss.evaluate(outputs, targets)
    assert value == loss(outputs, targets)
    for index in np.ndindex(outputs.shape):
        step = np.zeros_like(outputs)
        step[index] = 1e-6
        up, down = (loss(outputs + s * step, targets) for s in (1, -1))
        assert gradient[index] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_agrees_with_torch(name, soft):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: no peer to compare with")
    functional = torch.nn.functional
    peers = {
        "cross-entropy": lambda p, t: -(t * torch.log_softmax(p, 1)).sum() / len(p),
        "binary-cross-entropy": functional.binary_cross_entropy_with_logits,
        "mean-squared-error": functional.mse_loss,
        "probability-cross-entropy": lambda p, t: -(t * p.log()).mean(),
        "probability-binary-cross-entropy": functional.binary_cross_entropy,
    }
    outputs, targets = _outputs(name), SOFT if soft else np.array([2, 0, 1, 2])
    rows = targets if soft else np.eye(3)[targets]
    if name == "mean-squared-error":
        targets = rows
    value, gradient = LOSSES[name]().evaluate(outputs, targets)
    peer = torch.tensor(outputs, requires_grad=True)
    expected = peers[name](peer, torch.tensor(rows))
    expected.backward()
    assert value == pytest.approx(expected.item(), rel=1e-10)
    np.testing.assert_allclose(gradient, peer.grad.numpy(), rtol=1e-8, atol=1e-12)


def test_soft_targets_are_those_of_labels_where_they_are_one_hot():
    outputs, labels = _outputs("cross-entropy"), np.array([2, 0, 1, 2])
    for loss in (nn.losses.CrossEntropy(0.2), nn.losses.BinaryCrossEntropy()):
        value, gradient = loss.evaluate(outputs, labels)
        soft = loss.evaluate(outputs, np.eye(3, dtype=np.int64)[labels])
        assert value == pytest.approx(soft[0])
        np.testing.assert_allclose(gradient, soft[1])


def test_probabilities_of_0_and_1_leave_the_loss_finite():
    certain = np.array([[0.0, 1.0]], np.float32)
    wrong, right = np.array([0]), np.array([1])
    binary, plain = (
        nn.losses.ProbabilityBinaryCrossEntropy(),
        nn.losses.ProbabilityCrossEntropy(),
    )
    assert binary(certain, wrong) == 100
    assert binary(certain, right) == 0
    assert plain(certain, wrong) == pytest.approx(-np.log(1e-12) / 2)
    for loss in (binary, plain):
        assert np.isfinite(loss.evaluate(certain, wrong)[1]).all()
        assert np.isnan(loss(np.array([[-0.5, 1.0]]), right))


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
    # ten in all, over three outputs
    one_wrong = nn.losses.BinaryCrossEntropy()(np.array([[-10.0, -50, 50]]), np.array([[1, 0, 1]]))
    assert one_wrong == pytest.approx(3.333, abs=1e-3)


@pytest.mark.parametrize(
    ("loss", "outputs", "targets"),
    [
        (nn.losses.CrossEntropy(), np.zeros((2, 3)), np.array([0, 3])),
        (nn.losses.CrossEntropy(), np.zeros((2, 3)), np.array([0.0, 1.0])),
        (nn.losses.CrossEntropy(), np.zeros((2, 3)), np.array([0])),
        (nn.losses.BinaryCrossEntropy(), np.zeros((2, 1)), np.array([0, 2])),
        (nn.losses.BinaryCrossEntropy(), np.zeros((2, 3)), np.array([0, 3])),
        (nn.losses.BinaryCrossEntropy(), np.zeros((2, 1)), np.array([0, np.nan])),
        (nn.losses.CrossEntropy(), np.zeros((2, 3)), np.full((2, 3), -0.1)),
        (nn.losses.CrossEntropy(), np.zeros((2, 3)), np.full((2, 3), np.inf)),
        (nn.losses.CrossEntropy(), np.zeros((2, 3)), np.zeros((3, 2))),
        (nn.losses.MeanSquaredError(), np.zeros((2, 3)), np.zeros(2)),
        (nn.losses.ProbabilityCrossEntropy(), np.zeros((2, 3)), np.zeros(2)),
        (nn.losses.ProbabilityBinaryCrossEntropy(), np.zeros((2, 3)), np.full((2, 3), 1.5)),
    ],
)
def test_targets_are_checked(loss, outputs, targets):
    with pytest.raises(DatasetError) as caught:
        loss(outputs, targets)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: nn.optimizers.Momentum(momentum=-1), "momentum -1"),
        (lambda: nn.optimizers.Momentum(momentum=1.0), "momentum 1.0: from 0 to below 1"),
        (lambda: nn.optimizers.AdaGradMomentum(momentum=2), "momentum 2"),
        (lambda: nn.optimizers.AdaGradMomentum(epsilon=-1), "epsilon -1"),
        (lambda: nn.optimizers.AdaGrad(epsilon=-1), "epsilon -1"),
        (lambda: nn.optimizers.RMSProp(rho=2), "rho 2"),
        (lambda: nn.optimizers.RMSProp(epsilon=float("nan")), "epsilon nan"),
        (lambda: nn.optimizers.Adam(beta1=1.5), "beta1 1.5"),
        (lambda: nn.optimizers.Adam(beta2=-0.1), "beta2 -0.1"),
        (lambda: nn.optimizers.Adam(epsilon=-1), "epsilon -1"),
        (lambda: nn.optimizers.AdamW(weight_decay=-1), "weight_decay -1"),
        (lambda: nn.optimizers.AdamW(weight_decay=float("inf")), "weight_decay inf"),
        (lambda: nn.optimizers.SGD("fast"), "learning rate 'fast'"),
        (lambda: nn.losses.CrossEntropy(1.0), "label smoothing 1.0"),
        (lambda: nn.losses.CrossEntropy("much"), "label smoothing 'much'"),
    ],
)
def test_arguments_are_checked_where_they_are_given(make, says):
    with pytest.raises(OptionError, match=says) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_numpy_numbers_are_numbers():
    rule = nn.optimizers.Adam(np.float32(0.5), np.float64(0.5), np.float16(0.5), np.float32(0.25))
    assert rule.config() == {"lr": 0.5, "beta1": 0.5, "beta2": 0.5, "epsilon": 0.25}
    assert all(type(value) is float for value in rule.config().values())
    assert nn.optimizers.SGD(np.int64(1)).lr == 1


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
