"""What a network sees, and which pixels decide."""

import numpy as np
import pytest

from convtool import nn
from convtool.nn.inspection.attribution import (
    activations,
    occlusion_map,
    patch_size,
    saliency_map,
)


def model(last=()):
    layers = [
        nn.Conv2D(2, 3, 3, padding="same", rng=0, dtype="float64"),
        nn.BatchNorm(3, dtype="float64"),
        nn.Tanh(),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Dense(3 * 5 * 6, 3, rng=1, dtype="float64"),
        *last,
    ]
    return nn.Sequential(layers, (2, 5, 6), engine="numpy")


def test_activations_are_those_of_each_layer(rng):
    network = model()
    x = rng.standard_normal((2, 5, 6))
    found = activations(network, x)
    assert [values.shape for values in found] == network.shapes((2, 5, 6))
    np.testing.assert_allclose(found[-1], network.forward(x[None])[0])
    np.testing.assert_allclose(found[2], np.tanh(found[1]))


@pytest.mark.parametrize("chosen", range(3))
def test_saliency_is_the_gradient_by_differences(chosen, rng):
    network = model()
    x = rng.standard_normal((2, 5, 6))
    found = saliency_map(network, x, chosen)
    expected = np.zeros((2, 5, 6))
    for place in np.ndindex(2, 5, 6):
        step = np.zeros((2, 5, 6))
        step[place] = 1e-6
        up, down = (network.forward((x + s)[None])[0, chosen] for s in (step, -step))
        expected[place] = (up - down) / 2e-6
    np.testing.assert_allclose(found, np.abs(expected).max(axis=0), atol=1e-7)
    assert not network.layers[0].needs_input_gradient


def test_saliency_of_one_output_is_the_same_for_both_classes(rng):
    network = nn.Sequential(
        [nn.Flatten(), nn.Dense(8, 1, rng=0)], (2, 2, 2), task="binary", engine="numpy"
    )
    x = rng.standard_normal((2, 2, 2)).astype("float32")
    weights = np.abs(network.layers[1].params["weight"]).reshape(2, 2, 2).max(axis=0)
    for chosen in (0, 1):
        np.testing.assert_allclose(saliency_map(network, x, chosen), weights, rtol=1e-6)


def test_occlusion_is_the_mean_fall_over_the_patches(rng):
    network = model()
    x = rng.standard_normal((2, 5, 6))
    found = occlusion_map(network, x, 1, 2)
    whole = network.predict_proba(x[None])[0, 1]
    total, counts = np.zeros((5, 6)), np.zeros((5, 6))
    for row in range(4):
        for column in range(5):
            hidden = x.copy()
            hidden[:, row : row + 2, column : column + 2] = 0
            fall = whole - network.predict_proba(hidden[None])[0, 1]
            total[row : row + 2, column : column + 2] += fall
            counts[row : row + 2, column : column + 2] += 1
    np.testing.assert_allclose(found, total / counts, atol=1e-12)


def test_a_pixel_that_is_not_looked_at_does_not_count():
    network = nn.Sequential([nn.Flatten(), nn.Dense(16, 2, rng=0)], (1, 4, 4), engine="numpy")
    weight = network.layers[1].params["weight"]
    weight[...] = 0
    weight[5, 1] = 3
    found = occlusion_map(network, np.ones((1, 4, 4), "float32"), 1, 1)
    assert np.flatnonzero(found).tolist() == [5]
    assert found[1, 1] > 0
    assert np.flatnonzero(saliency_map(network, np.ones((1, 4, 4), "float32"), 1)).tolist() == [5]


def test_large_pictures_are_hidden_at_fewer_places(monkeypatch):
    network = nn.Sequential([nn.GlobalAvgPool2D(), nn.Dense(1, 2, rng=0)], (1, 160, 120))
    judged = []
    real = network.predict_proba
    monkeypatch.setattr(network, "predict_proba", lambda x: judged.append(len(x)) or real(x))
    found = occlusion_map(network, np.ones((1, 160, 120), "float32"), 0, 15)
    assert np.isfinite(found).all()
    assert sum(judged) < 3000
    assert np.ptp(found) < 1e-6


def test_patches_grow_with_the_picture_and_are_cut_to_it():
    assert [patch_size(8, 8), patch_size(28, 30), patch_size(64, 96)] == [2, 3, 8]
    network = nn.Sequential([nn.Flatten(), nn.Dense(2, 2, rng=0)], (1, 1, 2), engine="numpy")
    assert occlusion_map(network, np.ones((1, 1, 2), "float32"), 0, 2).shape == (1, 2)
