"""The numbers of the courses about losses, pooling and refused arguments, in real processes."""

import json
import subprocess
import sys

import pytest


def run(code):
    """Return what a process prints that runs some lines after the usual imports."""
    lines = f"import json\nimport numpy as np\nfrom convtool import nn\n{code}"
    return subprocess.run(
        [sys.executable, "-c", lines], capture_output=True, text=True, timeout=120, check=False
    )


def value(code):
    """Return the JSON value of an expression."""
    done = run(f"print(json.dumps({code}))")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_cross_entropy_of_probabilities_against_soft_targets():
    found = value(
        "nn.losses.ProbabilityCrossEntropy().evaluate("
        "np.array([[4.0, 5, 6]]), np.array([[1.0, 2, 3]]))[1].round(4).tolist()"
    )
    assert found == [[-0.0833, -0.1333, -0.1667]]


def test_binary_cross_entropy_of_a_softmax_over_its_classes():
    softmax = "nn.Softmax().forward(np.array([[1.0, 2, 3]]))"
    for third in ("np.array([2])", "np.array([[0, 0, 1]])"):
        loss = f"nn.losses.ProbabilityBinaryCrossEntropy()({softmax}, {third})"
        assert value(loss) == pytest.approx(0.2609, abs=5e-5)


def test_binary_cross_entropy_is_a_mean_over_outputs():
    logits, labels = "np.array([[-10.0, -50, 50]])", "np.array([[1, 0, 1]])"
    found = value(f"nn.losses.BinaryCrossEntropy()({logits}, {labels})")
    assert found == pytest.approx(3.333, abs=1e-3)


def test_a_pool_larger_than_the_input_hangs_over_the_edge():
    found = value(
        "nn.MaxPool2D(2, ceil_mode=True).forward(np.arange(7.0).reshape(1, 1, 7, 1))[0, 0].tolist()"
    )
    assert found == [[1], [3], [5], [6]]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("nn.optimizers.Momentum(momentum=-1)", "momentum -1"),
        ("nn.optimizers.Adam(beta1=1.5)", "beta1 1.5"),
        ("nn.optimizers.RMSProp(rho=2)", "rho 2"),
        ("nn.optimizers.AdamW(weight_decay=-1)", "weight_decay -1"),
        ("nn.Conv2D(4, 0, 2)", "out_channels 0"),
        ("nn.Dense(3, 0)", "out_features 0"),
        ("nn.BatchNorm(3, epsilon=-1)", "epsilon -1"),
    ],
)
def test_arguments_are_refused_in_one_line(code, says):
    done = run(f"try:\n    {code}\nexcept ValueError as error:\n    print(error)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert says in done.stdout
