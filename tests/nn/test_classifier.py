"""The classifier in scikit-learn's shape."""

import subprocess
import sys

import numpy as np
import pytest

from convtool import nn
from convtool.errors import DatasetError, OptionError, TrainingError
from convtool.nn import Classifier


def _small():
    return Classifier(arch="dense 16, relu", epochs=20, batch_size=16, lr=0.02)


@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks():
    checks = pytest.importorskip("sklearn.utils.estimator_checks", reason="no scikit-learn")
    results = checks.check_estimator(_small(), on_fail=None, on_skip=None)
    failed = {r["check_name"]: str(r["exception"]) for r in results if r["status"] == "failed"}
    assert failed == {}
    assert sum(r["status"] == "passed" for r in results) >= 45


def test_pictures_and_rows_are_the_same():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 6, 5))
    y = np.where(x[:, 2, 2] > 0, "yes", "no")
    options = {"arch": "conv 4 3x3, relu", "epochs": 3, "batch_size": 8}
    one = Classifier(**options).fit(x, y)
    two = Classifier(**options, image_shape=(6, 5)).fit(x.reshape(40, -1), y)
    np.testing.assert_array_equal(one.predict_proba(x), two.predict_proba(x.reshape(40, -1)))
    assert one.classes_.tolist() == ["no", "yes"]
    with pytest.raises(DatasetError, match="30 features"):
        one.predict(x.reshape(40, -1))


def _blobs(count=60):
    rng = np.random.default_rng(1)
    labels = np.arange(count) % 3
    return np.eye(3)[labels] * 3 + rng.standard_normal((count, 3)), labels


def test_the_order_of_the_pictures_does_not_matter():
    x, y = _blobs()
    order = np.random.default_rng(0).permutation(len(x))
    one, two = _small().fit(x, y), _small().fit(x[order], y[order])
    np.testing.assert_array_equal(one.predict_proba(x), two.predict_proba(x))


def test_sample_weights_that_are_no_whole_numbers_scale_the_loss():
    x, y = _blobs()
    weights = np.where(y == 0, 0.01, 1.5)
    weighted = _small().fit(x, y, sample_weight=weights).predict_proba(x)[:, 0].mean()
    assert weighted < 0.7 * _small().fit(x, y).predict_proba(x)[:, 0].mean()
    scaled = _small().fit(x, y, sample_weight=2 * weights).predict_proba(x)[:, 0].mean()
    assert scaled == pytest.approx(weighted, rel=1e-3)


def test_class_weights():
    x, y = _blobs()
    keep = np.r_[np.flatnonzero(y)[:36], np.flatnonzero(y == 0)[:4]]
    x, y = x[keep], y[keep]
    plain, balanced = _small(), _small().set_params(class_weight="balanced")
    named = _small().set_params(class_weight={0: 9.0, 1: 2.0, 2: 2.0})
    rates = [model.fit(x, y).predict_proba(x)[:, 0].mean() for model in (plain, balanced, named)]
    assert rates[1] > rates[0]
    assert rates[2] > rates[0]
    with pytest.raises(OptionError, match="no label 7"):
        _small().set_params(class_weight={7: 2.0}).fit(x, y)
    with pytest.raises(OptionError, match="'balanced', or a weight for each label"):
        _small().set_params(class_weight="even").fit(x, y)


def test_validation_data_is_watched_and_its_best_weights_are_kept():
    x, y = _blobs(120)
    model = _small().fit(x[:60], y[:60], validation_data=(x[60:], np.eye(3)[y[60:]]))
    assert [epoch.epoch for epoch in model.history_] == list(range(1, 21))
    merits = [e.validation_accuracy - 1e-3 * e.validation_loss for e in model.history_]
    best = model.history_[int(np.argmax(merits))]
    assert model.score(x[60:], y[60:]) == best.validation_accuracy
    assert _small().fit(x, y).history_[-1].validation_loss is None
    with pytest.raises(DatasetError, match="the label 3, which y has not"):
        _small().fit(x, y, validation_data=(x[:3], [0, 1, 3]))
    with pytest.raises(DatasetError, match="pictures of shape"):
        _small().fit(x, y, validation_data=(x[:3, :2], [0, 1, 2]))


def test_any_optimizer_object():
    x, y = _blobs()

    class Signed(nn.optimizers.Optimizer):
        def _change(self, parameter, gradient, kept):
            parameter -= self.lr * np.sign(gradient)

    assert _small().set_params(optimizer=Signed(0.01), lr=0.0).fit(x, y).score(x, y) > 0.9
    rule = nn.optimizers.Adam(0.02, beta1=0.8)
    by_object = _small().set_params(optimizer=rule, lr=0.0).fit(x, y)
    assert rule.steps == 0
    assert by_object.score(x, y) > 0.9
    with pytest.raises(OptionError, match="a name or an optimiser"):
        _small().set_params(optimizer=3).fit(x, y)


@pytest.mark.parametrize("shape", [(8, 3, 3, 3), (8, 9, 6, 7)])
def test_an_unclear_axis_of_channels_is_asked_for(shape):
    x, y = np.random.default_rng(0).standard_normal(shape), np.arange(8) % 2
    with pytest.raises(DatasetError, match=r"give channel_axis=1 for \(N, C, H, W\)"):
        Classifier(arch="dense 2", epochs=1).fit(x, y)
    model = Classifier(arch="dense 2", epochs=1, batch_size=4)
    assert model.set_params(channel_axis=1).fit(x, y).model_.input_shape == shape[1:]
    last = model.set_params(channel_axis=-1).fit(x, y).model_.input_shape
    assert last == (shape[3], shape[1], shape[2])
    with pytest.raises(OptionError, match="channel_axis 2"):
        model.set_params(channel_axis=2).fit(x, y)


def test_rows_are_pictures_of_any_layout():
    x, y = np.random.default_rng(0).standard_normal((8, 30)), np.arange(8) % 2
    model = Classifier(arch="dense 2", epochs=1, batch_size=4, image_shape=(1, 6, 5))
    assert model.fit(x, y).model_.input_shape == (1, 6, 5)
    assert model.set_params(image_shape=(6, 5, 1)).fit(x, y).model_.input_shape == (1, 6, 5)


@pytest.mark.parametrize("y", [[[1, 1], [0, 1]] * 4, [[0, 2], [1, 0]] * 4, [[0, 0], [1, 0]] * 4])
def test_rows_that_are_not_one_hot_are_refused(y):
    with pytest.raises(DatasetError, match="one-hot rows"):
        _small().fit(np.random.default_rng(0).standard_normal((8, 3)), y)


def test_a_loss_that_is_not_finite_is_said():
    x, y = _blobs()
    with pytest.raises(TrainingError, match="choose a smaller lr"):
        _small().set_params(optimizer="sgd", lr=1e30).fit(x, y)


def test_wrong_parameters():
    with pytest.raises(OptionError, match="Invalid parameter 'depth'"):
        _small().set_params(depth=3)
    with pytest.raises(OptionError, match="epochs 0"):
        Classifier(epochs=0).fit(np.zeros((4, 2)), [0, 1, 0, 1])


def test_importing_nn_loads_nothing_heavy():
    code = (
        "import sys, convtool.nn as nn; nn.Sequential, nn.Classifier, nn.Trainer, nn.load\n"
        "heavy = {'sklearn', 'matplotlib', 'numba', 'scipy', 'click'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
