"""``convtool train``, ``predict`` and ``evaluate``."""

import json
import signal

import numpy as np
import pytest

from convtool.cli import run
from convtool.images.write import write

QUICK = ["--arch", "conv 8 3x3, relu, pool 2, dense 16, relu", "--augment", "none", "--lr", "0.02"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    model, report = folder / "m.safetensors", folder / "r.json"
    arguments = ["train", "digits", *QUICK, "--epochs", "4", "--out", str(model)]
    assert run([*arguments, "--json", str(report), "--plot", str(folder / "curves.png")]) == 0
    return model, json.loads(report.read_text())


def test_training_reports(trained):
    model, report = trained
    assert report["schema"] == "convtool.train/1"
    assert report["test_accuracy"] > 0.85
    assert report["seconds"] > 0
    assert len(report["history"]) == 4
    assert np.array(report["confusion_matrix"]).sum() == report["pictures"]["test"] == 360
    assert report["pictures"]["train"] + report["pictures"]["validation"] == 1437
    assert (model.parent / "curves.png").stat().st_size > 1000
    assert sorted(p.name for p in model.parent.iterdir()) == [
        "curves.png",
        "m.safetensors",
        "r.json",
    ]


def test_training_prints_a_line_for_each_layer(tmp_path, capsys):
    arguments = ["train", "digits", *QUICK, "--epochs", "1", "--out", str(tmp_path / "m")]
    assert run(arguments) == 0
    head, first, *others = capsys.readouterr().out.splitlines()
    assert head.split() == ["layer", "kind", "output", "parameters"]
    assert first.split()[:2] == ["1", "Conv2D"]
    assert any(line.startswith("1 epoch over ") for line in others)


def test_evaluate_judges_the_same_pictures(trained, tmp_path, capsys):
    model, report = trained
    picture, target = tmp_path / "c.png", tmp_path / "e.json"
    arguments = ["evaluate", str(model), "digits", "--confusion", str(picture), "--worst", "2"]
    assert run([*arguments, "--json", str(target)]) == 0
    found = json.loads(target.read_text())
    assert found["accuracy"] == report["test_accuracy"]
    assert found["confusion_matrix"] == report["confusion_matrix"]
    assert len(found["worst"]) == 2
    assert picture.stat().st_size > 1000
    assert "precision" in capsys.readouterr().out


def _digit(path, invert=False):
    from convtool.nn.datasets.digits import read_digits

    image = read_digits().images[0]
    write(path, np.kron(255 - image if invert else image, np.ones((4, 4), "uint8")))


def test_predict(trained, tmp_path, capsys):
    model, _ = trained
    _digit(tmp_path / "bright.png")
    assert run(["predict", str(model), str(tmp_path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["results"][0]
    assert result["class"] == "0"
    assert sum(result["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    _digit(tmp_path / "dark.png", invert=True)
    assert run(["predict", str(model), "--invert", "--csv", str(tmp_path / "dark.png")]) == 0
    header, line = capsys.readouterr().out.splitlines()
    assert header == "image,class,0,1,2,3,4,5,6,7,8,9"
    assert line.split(",")[1] == "0"
    assert run(["predict", str(model), str(tmp_path / "bright.png")]) == 0
    assert "bright.png  0  (0 " in capsys.readouterr().out


def test_predict_goes_on_after_a_bad_picture(trained, tmp_path, capsys):
    model, _ = trained
    _digit(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"not a picture")
    assert run(["predict", str(model), str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert "good.png  0" in captured.out
    assert "bad.png" in captured.err
    assert "1 of 2 pictures failed" in captured.err


def test_interrupted_and_resumed(tmp_path, monkeypatch, capsys):
    import convtool.cli.train as module

    arguments = ["train", "digits", *QUICK, "--epochs", "3"]
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    assert run([*arguments, "--out", str(whole)]) == 0

    class Interrupting:
        def __init__(self):
            self.batches = 0

        def __call__(self, progress):
            self.batches += 1
            if self.batches == 30:
                signal.raise_signal(signal.SIGINT)

        def close(self):
            pass

    monkeypatch.setattr(module, "ProgressLine", Interrupting)
    assert run([*arguments, "--out", str(parts)]) == 130
    assert "--resume" in capsys.readouterr().err
    assert parts.exists()
    checkpoint = parts.with_name("parts.safetensors.checkpoint")
    assert checkpoint.exists()
    monkeypatch.undo()
    assert run([*arguments, "--out", str(parts), "--resume"]) == 0
    assert not checkpoint.exists()
    assert _arrays(whole) == _arrays(parts)


def _arrays(path):
    from safetensors.numpy import load_file

    return {name: array.tobytes() for name, array in load_file(path).items()}


def test_fixed_filters_stay(tmp_path):
    from convtool.nn import load

    out = tmp_path / "f.safetensors"
    filters = ["--fixed-filters", "sobel,prewitt,laplacian-8"]
    quick = ["--arch", "conv 5 3x3, relu, pool 2, dense 16, relu", *QUICK[2:]]
    assert run(["train", "digits", *quick, *filters, "--epochs", "1", "--out", str(out)]) == 0
    weight = load(out).layers[0].params["weight"]
    assert load(out).layers[0].params["bias"].tolist() == [0] * 5
    assert weight.shape == (5, 1, 3, 3)
    assert weight[4, 0].tolist() == [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]
    assert weight[0, 0].tolist() == [[1, 2, 1], [0, 0, 0], [-1, -2, -1]]


def test_a_folder_of_pictures(tmp_path, capsys):
    rng = np.random.default_rng(0)
    for name, level in (("dark", 40), ("bright", 180)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(24):
            pixels = rng.integers(level, level + 60, (20, 16, 3)).astype("uint8")
            write(tmp_path / "pictures" / name / f"{number}.png", pixels)
    (tmp_path / "pictures" / "dark" / "broken.png").write_bytes(b"x")
    out = str(tmp_path / "m.safetensors")
    options = [
        "--size",
        "12x10",
        "--batch-size",
        "8",
        "--epochs",
        "4",
        "--arch",
        "conv 4 3x3, relu",
    ]
    assert run(["train", str(tmp_path / "pictures"), *options, "--out", out]) == 0
    captured = capsys.readouterr()
    assert "skipped" in captured.err
    assert "broken.png" in captured.err
    assert "resized to the network's 10×12 pixels: " in captured.err
    assert "(16×20) and 47 more" in captured.err
    assert run(["evaluate", out, str(tmp_path / "pictures"), "--part", "all"]) == 0
    assert "48 pictures" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["train", "digits", "--arch", "conv 4 11x11"], 2, "layer 1 (conv 4 11x11)"),
        (["train", "digits", "--fixed-filters", "nothing"], 2, "nothing"),
        (["train", "digits", *QUICK, "--fixed-filters", "sobel"], 2, "2 kernels for the 8 filters"),
        (
            ["train", "digits", "--arch", "conv 1 3x3", "--fixed-filters", "box:5"],
            2,
            "kernels of 5x5 do not fit the 3x3 window",
        ),
        (["train", "digits", "--epochs", "0"], 2, "epochs 0"),
        (["train", "mnist"], 1, "--data DIR"),
        (["train", "no-such-folder"], 1, "unknown data set"),
        (["train", "digits", "--resume", "--out", "none.safetensors"], 1, "cannot be read"),
        (["train", "digits", "--out", "no/such/m.safetensors"], 1, "no such folder"),
        (["predict", "none.safetensors", "x.png"], 1, "none.safetensors"),
        (["evaluate", "none.safetensors", "digits"], 1, "none.safetensors"),
    ],
)
def test_wrong_use_is_one_line(arguments, code, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == code
    error = capsys.readouterr().err
    assert error.startswith("convtool: error: ")
    assert says in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["train", "digits", "--epochs", "1", "--out", "made.safetensors", "--plot", "curves.txt"],
        ["evaluate", "missing.safetensors", "digits", "--confusion", "matrix.txt"],
    ],
)
def test_a_drawing_that_cannot_be_written_is_refused_before_the_work(
    words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    assert f"{words[-1]}: a drawing ends in .png" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
