"""Data as people have it, by the commands that a student types."""

import json

import numpy as np
import pytest

from convtool.cli import run
from convtool.images.image import Image
from convtool.images.read import read
from convtool.images.write import write

QUICK = ["--arch", "conv 4 3x3, relu, pool 2", "--epochs", "2", "--size", "16"]


def _draw(kind, rng):
    """Return a grey 16×16 drawing, black on white: a frame, a cross or a bar."""
    picture = np.full((16, 16), 255.0)
    y, x = rng.integers(1, 6, 2)
    if kind == "square":
        picture[y : y + 10, [x, x + 9]] = 0
        picture[[y, y + 9], x : x + 10] = 0
    elif kind == "cross":
        for i in range(10):
            picture[y + i, [x + i, x + 9 - i]] = 0
    else:
        picture[y : y + 10, x + 3 : x + 6] = 0
    return np.clip(picture + rng.normal(0, 6, (16, 16)), 0, 255).astype(np.uint8)


def _folder(root, counts, clear=False):
    rng = np.random.default_rng(1)
    for kind, count in counts.items():
        (root / kind).mkdir(parents=True)
        for number in range(count):
            grey = _draw(kind, rng)
            if clear:
                ink = np.zeros((16, 16, 4), np.uint8)
                ink[..., 3] = 255 - grey
                write(root / kind / f"{number:03d}.png", Image(ink, has_alpha=True))
            else:
                write(root / kind / f"{number:03d}.png", grey)
    return root


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def _train(folder, *options, quick=QUICK):
    assert run(["train", str(folder), *quick, "--out", "m.st", "--json", "r.json", *options]) == 0
    with open("r.json", encoding="utf-8") as file:
        return json.load(file)


def _count(report):
    return sum(report["pictures"].values())


def test_hidden_entries_are_left_out_at_every_level(tmp_path, capsys):
    root = _folder(tmp_path / "set", {"square": 40, "cross": 40})
    for place in (".ipynb_checkpoints", "__MACOSX", "square/.ipynb_checkpoints", "cross/__MACOSX"):
        (root / place).mkdir()
        write(root / place / "001-checkpoint.png", np.zeros((16, 16), np.uint8))
    (root / "cross" / "._1.png").write_bytes(b"\0\5\x16\7")
    (root / "cross" / "Thumbs.db").write_bytes(b"\xd0\xcf")
    report = _train(root)
    assert report["classes"] == ["cross", "square"]
    assert _count(report) == 80
    assert report["skipped"] == []
    capsys.readouterr()
    assert run(["predict", "m.st", str(root / "square")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 40


def test_classes_apply_before_anything_is_read(tmp_path, capsys):
    root = _folder(tmp_path / "set", {"square": 20, "cross": 20})
    (root / "triangle").mkdir()
    assert run(["train", str(root), *QUICK]) == 1
    assert "--classes" in capsys.readouterr().err
    report = _train(root, "--classes", "square,cross")
    assert report["classes"] == ["square", "cross"]
    assert run(["evaluate", "m.st", str(root)]) == 0
    assert "8 pictures" in capsys.readouterr().out
    assert run(["train", str(root), *QUICK, "--classes", "square,circle"]) == 1
    assert "no class 'circle': choose cross, square, triangle" in capsys.readouterr().err


def test_parts_are_not_classes(tmp_path, capsys):
    for part, count in (("train", 30), ("test", 10), ("val", 6)):
        _folder(tmp_path / "set" / part, {"square": count, "cross": count})
    report = _train(tmp_path / "set")
    assert report["pictures"] == {"train": 60, "validation": 12, "test": 20}
    assert report["classes"] == ["cross", "square"]
    said = capsys.readouterr().err
    assert "train/, val/, test/ are taken as parts of the set, not as classes" in said
    assert run(["evaluate", "m.st", f"{tmp_path}/set/", "--json", "e.json", "--part", "all"]) == 0
    with open("e.json", encoding="utf-8") as file:
        assert json.load(file)["pictures"] == 92


def test_train_and_val_alone_and_vehicles_called_train(tmp_path):
    for part, count in (("train", 20), ("val", 5)):
        _folder(tmp_path / "set" / part, {"square": count, "cross": count})
    assert _train(tmp_path / "set")["pictures"] == {"train": 36, "validation": 4, "test": 10}
    drawn = _folder(tmp_path / "vehicles", {"square": 20, "cross": 20})
    (drawn / "square").rename(drawn / "train")
    assert _train(drawn)["classes"] == ["cross", "train"]


def test_a_class_with_one_picture_is_learned_and_not_tested(tmp_path, capsys):
    root = _folder(tmp_path / "set", {"square": 40, "bar": 40, "cross": 1})
    report = _train(root)
    assert "cross (1): in the training set only" in capsys.readouterr().err
    assert np.sum(report["confusion_matrix"], axis=1)[report["classes"].index("cross")] == 0
    assert report["pictures"] == {"train": 57, "validation": 7, "test": 17}


def test_twenty_pictures_are_enough(tmp_path):
    report = _train(_folder(tmp_path / "set", {"square": 10, "cross": 10}))
    assert report["recipe"]["batch_size"] == 8
    assert _count(report) == 20
    whole = _train(tmp_path / "set", "--batch-size", "64", "--seed", "1")
    assert whole["recipe"]["batch_size"] == 64


def test_transparent_pictures_are_laid_on_white(tmp_path, capsys):
    root = _folder(tmp_path / "icons", {"square": 40, "cross": 40, "bar": 40}, clear=True)
    quick = ["--size", "16", "--gray", "--epochs", "30"]
    report = _train(root, quick=quick)
    assert report["test_accuracy"] == 1.0
    assert "transparent, composited on white: " in capsys.readouterr().err
    assert run(["evaluate", "m.st", str(root)]) == 0
    assert "accuracy 100.00%" in capsys.readouterr().out
    assert run(["predict", "m.st", str(root / "cross")]) == 0
    said = capsys.readouterr()
    assert "composited on white" in said.err
    assert said.out.count("  cross  ") >= 38
    assert run(["evaluate", "m.st", str(root), "--background", "black"]) == 0
    assert "accuracy 33.33%" in capsys.readouterr().out
    assert run(["predict", "m.st", str(root), "--background", "blau"]) == 2
    assert "background 'blau' is no colour" in capsys.readouterr().err


def test_a_model_keeps_the_background_it_was_trained_with(tmp_path, capsys):
    root = _folder(tmp_path / "icons", {"square": 12, "cross": 12}, clear=True)
    _train(root, "--background", "#ff0000")
    capsys.readouterr()
    assert run(["predict", "m.st", str(root / "cross" / "001.png")]) == 0
    assert "composited on #ff0000" in capsys.readouterr().err


def test_a_limit_is_stratified(tmp_path):
    report = _train("digits", "--limit", "500", quick=QUICK[:4])
    assert _count(report) == 500
    by_class = np.sum(report["confusion_matrix"], axis=1)
    assert by_class.min() >= 8
    assert by_class.max() <= 12
    root = _folder(tmp_path / "set", {"square": 60, "cross": 20})
    (root / "square" / "000.png").write_bytes(b"")
    report = _train(root, "--limit", "40")
    assert _count(report) + len(report["skipped"]) == 40
    assert run(["train", "digits", "--limit", "7"]) == 1


def test_show_draws_what_evaluate_names(capsys):
    _train("digits", quick=QUICK[:4])
    assert run(["evaluate", "m.st", "digits", "--json", "e.json", "--worst", "2"]) == 0
    with open("e.json", encoding="utf-8") as file:
        report = json.load(file)
    first = report["worst"][0]
    words = report["show"].split()[1:]
    capsys.readouterr()
    assert run([*words, "-o", "out.png", "--json"]) == 0
    drawn = json.loads(capsys.readouterr().out)
    assert drawn["pictures"][0] == {"image": first["image"], "class": first["right"]}
    assert len(drawn["pictures"]) == 2
    assert np.ptp(read("out.png").pixels) == 255


def test_show_draws_each_picture_under_its_number(capsys):
    from convtool.nn.datasets.digits import read_digits

    whole = read_digits()
    assert run(["show", "digits", "--picture", "329", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pictures"] == [{"image": 329, "class": whole.classes[whole.labels[329]]}]
    pixels = read("digits-pictures.png").pixels
    assert pixels.shape[0] > 300
    assert run(["show", "digits", "--count", "25", "-o", "s.png", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["pictures"]
    assert len(rows) == 25
    assert {row["class"] for row in rows} == set("0123456789")
    assert all(whole.classes[whole.labels[row["image"]]] == row["class"] for row in rows)


def test_show_draws_folders_and_refuses_what_is_not_there(tmp_path, capsys):
    _folder(tmp_path / "set", {"square": 4})
    (tmp_path / "set" / "a$b$c").mkdir()
    write(tmp_path / "set" / "a$b$c" / "猫.png", np.zeros((16, 16), np.uint8))
    assert run(["show", "set", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["pictures"]
    assert [row["image"] for row in rows][:2] == ["a$b$c/猫.png", "square/000.png"]
    assert run(["show", "set", "--picture", "square/002.png", "-o", "one.svg"]) == 0
    assert run(["show", "set", "--picture", "square/9.png"]) == 1
    assert "no picture 'square/9.png'; the last one is square/003.png" in capsys.readouterr().err
    assert run(["show", "set", "-o", "out.txt"]) == 2
    assert run(["show", "digits", "--count", "0"]) == 2


def test_predict_notices_black_on_white(capsys):
    from convtool.nn.datasets.digits import read_digits

    _train("digits", quick=QUICK[:4])
    digit = np.kron(read_digits().images[0], np.ones((4, 4), np.uint8))
    write("bright.png", digit)
    write("dark.png", 255 - digit)
    capsys.readouterr()
    assert run(["predict", "m.st", "bright.png", "dark.png"]) == 0
    said = capsys.readouterr().err
    assert "dark on bright where the model learned bright on dark: dark.png: try --invert" in said
    assert run(["predict", "--invert", "m.st", "dark.png"]) == 0
    assert "--invert" not in capsys.readouterr().err
    assert run(["predict", "--invert", "m.st", "bright.png"]) == 0
    assert "leave --invert out" in capsys.readouterr().err


def test_plots_have_whole_epochs_and_the_matrix_says_true(monkeypatch, capsys):
    import convtool.report.training as module

    figures = []
    monkeypatch.setattr(module, "save_figure", lambda figure, path: figures.append(figure))
    _train("digits", "--plot", "p.png", quick=[*QUICK[:3], "3"])
    for axes in figures[0].axes:
        ticks = axes.get_xticks()
        assert (ticks == np.round(ticks)).all()
    assert run(["evaluate", "m.st", "digits", "--confusion", "c.png"]) == 0
    assert figures[1].axes[0].get_ylabel() == "true"
    assert "rows are the true classes" in capsys.readouterr().out
