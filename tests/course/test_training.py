"""Training as people use it: arrays in any layout, runs that are killed, and seeds to compare."""

import json
import signal
import time

import numpy as np
import pytest

from convtool.cli import run
from convtool.images.write import write
from convtool.nn import Classifier
from convtool.nn.datasets import open_dataset
from tests.processes import finished, started

QUICK = ["--arch", "conv 8 3x3, relu, pool 2, dense 16, relu", "--augment", "none", "--lr", "0.02"]


def _train(*arguments):
    assert run(["train", *map(str, arguments)]) == 0


def _arrays(path):
    from safetensors.numpy import load_file

    return {name: array.tobytes() for name, array in load_file(path).items()}


@pytest.fixture(scope="module")
def digits():
    """Pictures and labels of scikit-learn's digits: 1437 to learn from, 360 to judge on."""
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    data = datasets.load_digits()
    return data.images[:1437], data.target[:1437], data.images[1437:], data.target[1437:]


@pytest.fixture(scope="module")
def plain(digits):
    """A classifier of pictures without an axis for channels."""
    x, t, _, _ = digits
    return Classifier(epochs=3).fit(x, t)


class TestClassifier:
    def test_learns_from_pictures(self, plain, digits):
        assert plain.score(*digits[2:]) > 0.9

    @pytest.mark.parametrize("axis", [1, 3])
    def test_takes_a_channel_axis_for_what_it_is(self, plain, digits, axis):
        x, t, new, _ = digits
        model = Classifier(epochs=3).fit(np.expand_dims(x, axis), t)
        assert model.model_.input_shape == (1, 8, 8)
        np.testing.assert_array_equal(
            model.predict_proba(np.expand_dims(new, axis)), plain.predict_proba(new)
        )

    def test_takes_one_hot_labels(self, plain, digits):
        x, t, new, labels = digits
        model = Classifier(epochs=3).fit(x, np.eye(10)[t])
        np.testing.assert_array_equal(model.predict_proba(new), plain.predict_proba(new))
        assert model.score(new, np.eye(10)[labels]) == plain.score(new, labels)


def test_kill_9_costs_one_epoch(tmp_path):
    arguments = ["train", "digits", *QUICK, "--epochs", "40", "--out"]
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    checkpoint = parts.with_name("parts.safetensors.checkpoint")
    running = started(*arguments, str(parts))
    while not checkpoint.exists() and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=20)
    assert running.returncode == -signal.SIGKILL
    assert not parts.exists()
    assert finished(*arguments, str(parts), "--resume").returncode == 0
    assert finished(*arguments, str(whole)).returncode == 0
    assert _arrays(parts) == _arrays(whole)
    assert not checkpoint.exists()


def test_a_finished_training_goes_on_with_more_epochs(tmp_path, capsys):
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    options = ["digits", *QUICK, "--schedule", "constant"]
    _train(*options, "--epochs", 5, "--out", whole)
    _train(*options, "--epochs", 2, "--out", parts)
    capsys.readouterr()
    _train(*options, "--epochs", 5, "--out", parts, "--resume", "--json")
    report = json.loads(capsys.readouterr().out)
    assert [entry["epoch"] for entry in report["history"]] == [1, 2, 3, 4, 5]
    assert _arrays(parts) == _arrays(whole)
    assert run(["train", *options, "--epochs", "3", "--out", str(parts), "--resume"]) == 1
    assert "already trained for 5 epochs: choose --epochs 5 or more" in capsys.readouterr().err


@pytest.mark.parametrize("patience", [3, 30])
def test_the_best_weights_in_validation_are_kept(tmp_path, capsys, patience):
    rng = np.random.default_rng(0)
    for name in "ab":
        (tmp_path / "noise" / name).mkdir(parents=True)
        for number in range(60):
            write(tmp_path / "noise" / name / f"{number}.png", rng.integers(0, 256, (8, 8), "u1"))
    options = [
        "--size",
        "8",
        "--gray",
        "--epochs",
        "12",
        "--batch-size",
        "16",
        "--arch",
        "dense 32, relu",
    ]
    options += ["--early-stop", str(patience), "--validation", "0.3", "--lr", "0.01"]
    out = tmp_path / "m.safetensors"
    _train(tmp_path / "noise", *options, "--out", out, "--json")
    report = json.loads(capsys.readouterr().out)
    history = report["history"]
    assert (len(history) < 12) == (patience == 3)
    merits = [e["validation_accuracy"] - 1e-3 * e["validation_loss"] for e in history]
    assert report["best_epoch"] == 1 + int(np.argmax(merits)) < len(history)

    from convtool.images.read import read
    from convtool.nn import evaluate, load
    from convtool.nn.datasets import stratified

    split = open_dataset(
        str(tmp_path / "noise"), read=lambda path: read(path).pixels, size=(8, 8), gray=True
    )
    _, kept_back = stratified(split.train.labels, 0.3, 0)
    scores = evaluate(load(out), split.train.subset(kept_back))
    best = history[report["best_epoch"] - 1]
    assert scores.accuracy == best["validation_accuracy"]
    assert scores.loss == pytest.approx(best["validation_loss"])


@pytest.mark.parametrize(
    ("options", "recipe"),
    [
        ([], {"lr": 0.002, "optimizer": "adam"}),
        (["--optimizer", "momentum", "--nesterov"], {"nesterov": True, "lr": 0.02}),
        (["--optimizer", "rmsprop", "--rho", "0.9"], {"rho": 0.9, "lr": 0.001}),
        (["--beta1", "0.8", "--beta2", "0.99"], {"beta1": 0.8, "beta2": 0.99}),
        (["--clip", "0.5"], {"clip": 0.5}),
        (["--class-weights", "balanced"], {"class_weights": "balanced"}),
        (["--class-weights", "3=4,5=2"], {"class_weights": "3=4,5=2"}),
        (["--schedule", "plateau"], {"schedule": "plateau"}),
        (["--schedule", "one-cycle"], {"schedule": "one-cycle"}),
        (["--schedule", "exponential"], {"schedule": "exponential"}),
        (["--schedule", "warm-restarts"], {"schedule": "warm-restarts"}),
    ],
)
def test_the_recipe_states_what_was_used(tmp_path, capsys, options, recipe):
    spec = ["--arch", "conv 4 3x3 stride 2, relu", "--augment", "none", "--epochs", "2"]
    _train("digits", *spec, *options, "--out", tmp_path / "m.safetensors", "--json")
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["recipe"].items() >= recipe.items()
    assert found["history"][-1]["loss"] < found["history"][0]["loss"]
    assert captured.err == ""


def test_a_setting_that_the_optimizer_has_not_is_noted(tmp_path, capsys):
    spec = ["--arch", "dense 4", "--augment", "none", "--epochs", "1"]
    _train("digits", *spec, "--rho", "0.9", "--out", tmp_path / "m.safetensors")
    assert "--rho has no effect with the optimizer adam" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--rho", "1"], "rho 1.0: from 0 to below 1"),
        (["--beta1", "1.5"], "beta1 1.5"),
        (["--clip", "-1"], "clip -1.0: a positive number"),
        (["--class-weights", "3=x"], "class weights '3=x': write NAME=WEIGHT"),
        (["--class-weights", "ten=2"], "class weights: no class 'ten'"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, capsys, options, says):
    assert run(["train", "digits", *options, "--out", str(tmp_path / "m.safetensors")]) == 2
    assert says in capsys.readouterr().err


def test_the_help_of_l2_says_what_is_added(capsys):
    assert run(["train", "--help-all"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "half of λ times the sum of the squared weights" in said


def test_seeds_are_judged_on_the_same_digits(tmp_path):
    judged = []
    for seed in (0, 7):
        out, report = tmp_path / f"{seed}.safetensors", tmp_path / f"{seed}.json"
        _train("digits", *QUICK, "--epochs", 1, "--seed", seed, "--out", out, "--json", report)
        found = json.loads(report.read_text())
        assert found["split"] == "fixed"
        assert found["pictures"]["test"] == 360
        judged.append(np.array(found["confusion_matrix"]).sum(axis=1).tolist())
        assert run(["evaluate", str(out), "digits", "--json", str(report)]) == 0
        assert json.loads(report.read_text())["accuracy"] == found["test_accuracy"]
    assert judged[0] == judged[1] == np.bincount(open_dataset("digits").test.labels).tolist()
    assert min(judged[0]) >= 34
    assert max(judged[0]) <= 37


def test_the_default_training_finds_the_digits(tmp_path, capsys):
    _train("digits", "--out", tmp_path / "m.safetensors", "--json")
    assert json.loads(capsys.readouterr().out)["test_accuracy"] > 0.99
