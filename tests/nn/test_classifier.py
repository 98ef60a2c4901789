"""The classifier in scikit-learn's shape."""

import subprocess
import sys

import numpy as np
import pytest

from convtool.errors import DatasetError, OptionError
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
