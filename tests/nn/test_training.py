"""The training loop: it learns, stops, goes on, and says what is wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest

from convtool import nn
from convtool.errors import DatasetError, ModelError, ModelFileError, OptionError, TrainingError
from convtool.nn.architectures import ARCHITECTURES, build_layers
from convtool.nn.assemble import assemble, filter_bank
from convtool.nn.augment import Augmentation, parse_augmentation
from convtool.nn.datasets import Dataset
from convtool.nn.jit.warp import warp
from convtool.nn.metrics import score_predictions
from convtool.nn.rangetest import find_rate
from convtool.nn.recipe import Recipe
from convtool.nn.training import Trainer, evaluate

ARCH = "conv 8 3x3 same nobias, norm, relu, pool 2, dropout 0.1, dense 16, relu"
RECIPE = Recipe(epochs=4, batch_size=16, lr=0.01, augment="shift=1,rotate=5,flip=0.5")


def _data(count=200, classes=3, size=8):
    """Bars at a height that tells the class, in noise."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % classes
    images = rng.integers(0, 60, (count, size, size)).astype("uint8")
    for image, label in zip(images, labels, strict=True):
        image[1 + 2 * label] += 180
    return Dataset(images, labels, tuple("abcdef"[:classes]))


def _trainer(recipe=RECIPE, data=None):
    data = data or _data()
    return Trainer(assemble(data, ARCH, recipe.seed, threads=2), data, recipe)


def test_it_learns_and_remembers():
    trainer = _trainer(replace(RECIPE, augment="none"))
    seen = []
    assert trainer.run(seen.append)
    assert len(trainer.history) == 4
    assert trainer.history[-1].loss < 0.5 * trainer.history[0].loss
    assert trainer.history[-1].validation_accuracy > 0.95
    assert len(seen) == 4 * trainer.batches
    assert (seen[-1].epoch, seen[-1].batch) == (4, trainer.batches)
    assert evaluate(trainer.model, _data()).accuracy > 0.95


@pytest.mark.parametrize("stop_at", [3, 11, 20])
def test_going_on_is_bit_for_bit_as_if_never_stopped(tmp_path, stop_at):
    whole = _trainer()
    whole.run()
    first, count = _trainer(), []
    assert not first.run(count.append, lambda: len(count) == stop_at)
    first.save_checkpoint(tmp_path / "c")
    second = _trainer()
    second.load_checkpoint(tmp_path / "c")
    assert second.run()
    for name, array in (whole.model.parameters() | whole.model.states()).items():
        twin = (second.model.parameters() | second.model.states())[name]
        assert array.tobytes() == twin.tobytes(), name
    assert second.history == whole.history


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    trainer, count = _trainer(), []
    trainer.run(count.append, lambda: bool(count))
    trainer.save_checkpoint(tmp_path / "c")
    with pytest.raises(ModelFileError, match="another training"):
        _trainer(replace(RECIPE, seed=1)).load_checkpoint(tmp_path / "c")
    with pytest.raises(ModelFileError, match="cannot be read"):
        _trainer().load_checkpoint(tmp_path / "none")
    nn.save(trainer.model, tmp_path / "model")
    with pytest.raises(ModelFileError, match="no checkpoint"):
        _trainer().load_checkpoint(tmp_path / "model")


def test_each_epoch_has_its_own_shuffle():
    trainer = _trainer()
    orders = []
    for epoch in (0, 1):
        trainer._state.epoch = epoch
        trainer._begin_epoch()
        orders.append(trainer._order)
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(len(trainer.train)))
    assert orders[0].tolist() != orders[1].tolist()


def test_stopping_early_keeps_the_best_weights():
    trainer = _trainer(replace(RECIPE, epochs=60, early_stop=2, augment="none", lr=0.02))
    trainer.run()
    assert len(trainer.history) < 60
    best = max(e.validation_accuracy for e in trainer.history)
    assert evaluate(trainer.model, trainer.validation).accuracy == best


def test_a_loss_that_is_not_finite_stops_with_advice():
    trainer = _trainer(replace(RECIPE, optimizer="sgd", lr=1e30, schedule="constant"))
    with pytest.raises(TrainingError, match=r"epoch 1, batch \d+ of \d+: try a smaller"):
        trainer.run()
    for array in trainer.model.parameters().values():
        assert np.isfinite(array).all()


def test_what_cannot_be_trained_is_said_before():
    one = Dataset(np.zeros((40, 8, 8), "uint8"), np.zeros(40, "int64"), ("a", "b", "c"))
    with pytest.raises(DatasetError, match="one class"):
        _trainer(data=one)


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"optimizer": "newton"},
        {"validation": 1.0},
        {"lr": -1.0},
        {"augment": "spin=3"},
        {"augment": "shift=x"},
        {"early_stop": 3, "validation": 0.0},
    ],
)
def test_a_recipe_is_checked(change):
    with pytest.raises(OptionError):
        replace(RECIPE, **change)


def test_two_classes_get_one_sigmoid():
    data = _data(classes=2)
    model = assemble(data, "single", 0)
    trainer = Trainer(model, data, replace(RECIPE, augment="none", epochs=8))
    trainer.run()
    assert model.task == "binary"
    assert model.shapes((1, 8, 8))[-1] == (1,)
    assert evaluate(model, data).accuracy > 0.9


def test_a_learning_rate_is_found():
    data = _data()
    recipe = find_rate(assemble(data, ARCH, 0), data, RECIPE)
    assert 1e-4 < recipe.lr < 3


def test_augmentation_moves_pictures():
    assert not parse_augmentation("none")
    images = np.arange(24, dtype="uint8").reshape(1, 4, 6, 1)
    still = np.array([[1.0, 0, 0, 1, 0, 0]])
    out = np.empty((1, 1, 4, 6), "float32")
    warp(images, np.array([0]), still, 1.0, 0.0, out)
    np.testing.assert_array_equal(out[0, 0], images[0, ..., 0])
    warp(images, np.array([0]), np.array([[1.0, 0, 0, 1, 1, 0]]), 2.0, 1.0, out)
    np.testing.assert_array_equal(out[0, 0, :3], 2 * images[0, 1:, :, 0] + 1.0)
    np.testing.assert_array_equal(out[0, 0, 3], 1.0)
    mirrored = Augmentation(flip=1.0).maps(1, np.random.default_rng(0))
    warp(images, np.array([0]), mirrored, 1.0, 0.0, out)
    np.testing.assert_array_equal(out[0, 0], images[0, :, ::-1, 0])
    shifts = Augmentation(shift=2).maps(500, np.random.default_rng(0))[:, 4:]
    assert set(np.unique(shifts)) == {-2.0, -1.0, 0.0, 1.0, 2.0}


def test_fixed_filters_answer_as_filtering_does():
    bank = filter_bank([np.arange(9.0).reshape(3, 3), np.ones((2, 1, 3))])
    assert bank.shape == (3, 3, 3)
    assert bank[0, 0, 0] == 8
    assert bank[1].tolist() == [[0, 0, 0], [1, 1, 1], [0, 0, 0]]
    model = assemble(_data(), "conv 3 5x5 stride 2 pad 1, relu", 0, bank=bank)
    layer = model.layers[0]
    assert layer.frozen == {"weight", "bias"}
    assert (layer.out_channels, layer.stride, layer.padding) == (3, (2, 2), 1)
    assert layer.params["weight"][:, :, 1:4, 1:4].tolist() == bank[:, None].tolist()
    assert layer.params["weight"].sum() == bank.sum()
    assert not layer.params["bias"].any()
    with pytest.raises(OptionError, match="3 kernels for the 8 filters of 'conv 8 3x3"):
        assemble(_data(), ARCH, 0, bank=bank)
    with pytest.raises(OptionError, match="no convolution"):
        assemble(_data(), "dense 3", 0, bank=bank)


def test_dropout_rates_can_be_replaced():
    model = assemble(_data(), ARCH, 0, dropout=0.45)
    assert [layer.rate for layer in model.layers if isinstance(layer, nn.Dropout)] == [0.45]
    with pytest.raises(OptionError, match="no dropout layer"):
        assemble(_data(), "dense 3", 0, dropout=0.45)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_named_networks(name):
    layers = build_layers(name, (3, 32, 32), 10, 0)
    model = nn.Sequential(layers, (3, 32, 32))
    assert model.shapes((3, 32, 32))[-1] == (10,)


@pytest.mark.parametrize(
    ("spec", "error", "says"),
    [
        ("conv 4 9x9", ModelError, r"layer 1 \(conv 4 9x9\) on input \(1, 8, 8\)"),
        ("pool 2, pool 2, pool 2, pool 2", ModelError, r"layer 4 \(pool 2\) on input \(1, 1, 1\)"),
        ("flatten, conv 4 3x3", ModelError, "needs a picture"),
        ("conv 4, relu,, dense 3", OptionError, "a layer is missing"),
        ("blur 3", OptionError, "unknown layer 'blur'"),
        ("conv x 3x3", OptionError, "a number is missing"),
        ("conv 4 3x3 sam", OptionError, "'sam' is not known here"),
        ("conv 4 3by3", OptionError, "not a size"),
    ],
)
def test_specifications_are_checked(spec, error, says):
    with pytest.raises(error, match=says):
        build_layers(spec, (1, 8, 8), 10, 0)


def test_judging():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.99, 0.01]])
    scores = score_predictions(probabilities, np.array([0, 1, 1, 1]))
    assert scores.confusion.tolist() == [[1, 0], [2, 1]]
    assert scores.accuracy == 0.5
    np.testing.assert_allclose(scores.precision, [1 / 3, 1])
    np.testing.assert_allclose(scores.recall, [1, 1 / 3])
    assert scores.worst.tolist() == [3, 1]
    assert scores.loss == pytest.approx(-np.log([0.9, 0.4, 0.8, 0.01]).mean())


def test_a_recipe_of_numpy_numbers_is_json():
    recipe = Recipe(epochs=np.int64(2), batch_size=np.int32(8), l2=np.float32(0.5))
    read = json.loads(json.dumps(recipe.config()))
    assert (read["epochs"], read["batch_size"], read["l2"]) == (2, 8, 0.5)
