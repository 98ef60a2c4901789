"""ONNX files that PyTorch writes become the networks that they were."""

import warnings

import numpy as np
import pytest

from convtool.nn.onnx.importing import from_onnx

torch = pytest.importorskip("torch", reason="torch is not installed: its files are not read")
nn = torch.nn

NETWORKS = {
    "classifier": (
        nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False, groups=2),
            nn.LeakyReLU(0.1),
            nn.AvgPool2d(2, ceil_mode=True),
            nn.Flatten(),
            nn.Linear(400, 20),
            nn.Tanh(),
            nn.Dropout(0.3),
            nn.Linear(20, 4),
            nn.Softmax(1),
        ),
        (3, 36, 36),
        "multiclass",
    ),
    "pooled": (
        nn.Sequential(
            nn.Conv2d(1, 8, 5, dilation=2),
            nn.Sigmoid(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 1),
            nn.Sigmoid(),
        ),
        (1, 20, 28),
        "binary",
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_network(name, tmp_path):
    network, shape, task = NETWORKS[name]
    network.eval()
    torch.manual_seed(0)
    x = torch.randn(5, *shape)
    path = tmp_path / "model.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = {"x": {0: "N"}}
        torch.onnx.export(
            network, (x,), str(path), dynamo=False, input_names=["x"], dynamic_axes=axes
        )
    model = from_onnx(path)
    assert model.task == task
    own = model.predict_proba(x.numpy())[:, 1 if task == "binary" else 0 :]
    np.testing.assert_allclose(own, network(x).detach().numpy(), atol=1e-5)
