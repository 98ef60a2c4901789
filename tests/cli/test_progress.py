"""The progress bar: on a terminal only, one for all works."""

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from processes import finished
from terminals import Terminal

from convtool.cli._progress import Bar, pixel_bar
from convtool.cli._training_line import ProgressLine
from convtool.images.write import write
from convtool.nn.history import BatchReport
from convtool.progress import tracked


def as_terminal(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


def test_shows_nothing_elsewhere(capsys):
    with Bar("work") as bar:
        assert list(tracked(bar, "", range(3))) == [0, 1, 2]
        assert bar.shown is None
        bar.say("a line")
    assert capsys.readouterr().err == "a line\n"


def test_counts_works_with_their_titles(monkeypatch, capsys):
    as_terminal(monkeypatch)
    with pixel_bar("a[/b].tif") as bar:
        bar(2_000_000)(500_000)
        list(tracked(bar, "cells", "abc"))
        first, second = bar.shown.tasks
        assert (first.description, first.completed, first.total) == ("a[/b].tif", 500_000, 2e6)
        assert first.fields["text"].endswith(" megapixels/s")
        assert (second.description, second.completed, second.total) == ("cells", 3, 3)
        bar.say("a [line]")
    assert bar.shown is None
    said = capsys.readouterr().err
    assert "a [line]\n" in said
    assert "a[/b].tif" in said


def test_a_resumed_training_shows_the_share_of_the_rest(monkeypatch, capsys):
    as_terminal(monkeypatch)
    line = ProgressLine()
    for batch in (4, 5):
        line(BatchReport(2, 3, batch, 5, 0.25, 0.5, None))
    (shown,) = line._bar.shown.tasks
    assert (shown.completed, shown.total) == (1, 7)
    line.close()
    assert "epoch 2/3  loss 0.2500  accuracy 50.00%  validation -" in capsys.readouterr().err


ROOT = Path(__file__).parents[2]
GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)
MODEL = "digits.safetensors"
TRAINING = ["digits", "--limit", "100", "--epochs", "2", "--arch", "flatten"]
BARS = {
    "batch": (["filter", "-k", "box", "--jobs", "1", "in", "out/"], "a second"),
    "strips": (["filter", "-k", "box", "--pyramid", "a.tif", "out.tif"], "megapixels/s"),
    "learn": (["learn", "in/a.png", "in/a.png", "--size", "1"], "megapixels/s"),
    "svd": (["svd", "in/a.png", "--k", "1,2"], "steps/s"),
    "deconvolve": (["deconvolve", "-k", "gaussian", "in/a.png", "out.png"], "steps/s"),
    "richardson-lucy": (
        ["deconvolve", "-k", "gaussian", "--method", "richardson-lucy", "in/a.png", "out.png"],
        "steps/s",
    ),
    "occlusion": (["inspect", MODEL, "--occlusion", "in/a.png"], "places/s"),
    "evaluate": (["evaluate", MODEL, "digits", "--limit", "20"], "pictures/s"),
    "predict": (["predict", MODEL, "in/a.png", "in/b.png"], "pictures/s"),
    "train": (["train", *TRAINING, "-o", "m.ct"], "batches/s"),
    "gridsearch": (
        ["gridsearch", *TRAINING, "--grid", "lr=0.1,0.2", "--jobs", "1", "-o", "grid.png"],
        "trainings/s",
    ),
    "export": (["export", MODEL, "m.onnx"], "pictures/s"),
}
"""Each command that may take seconds, and the rate that its bar shows."""
LEFT = r"\d:\d\d:\d\d"


@pytest.fixture
def model(folder):
    """The folder with a trained network and a TIFF."""
    shutil.copy(ROOT / "sample_images" / "network" / MODEL, folder)
    write("a.tif", GREY)
    return folder


@pytest.mark.parametrize("name", BARS)
def test_a_terminal_shows_the_rate_and_the_time_left(model, name):
    arguments, rate = BARS[name]
    if name == "export":
        pytest.importorskip("onnx", reason="needs convtool[onnx]")
        pytest.importorskip("onnxruntime", reason="needs convtool[onnx]")
    terminal = Terminal(*arguments, COLUMNS="160")
    assert terminal.end() == 0, terminal.said
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.said)
    assert re.search(rf"[\d.e+]+ {rate}\s+{LEFT}", plain), plain
    assert terminal.said.count("\x1b[?25l") == terminal.said.count("\x1b[?25h")


@pytest.mark.parametrize("name", ["batch", "learn", "svd"])
@pytest.mark.parametrize("how", ["pipe", "quiet", "dumb"])
def test_elsewhere_there_is_no_bar(model, name, how):
    arguments, _ = BARS[name]
    if how == "pipe":
        said = finished(*arguments).stderr.decode()
    else:
        words = [arguments[0], "-q", *arguments[1:]] if how == "quiet" else arguments
        terminal = Terminal(*words, **({"TERM": "dumb"} if how == "dumb" else {}))
        assert terminal.end() == 0
        said = terminal.said
    assert "\x1b" not in said
    assert not re.search(LEFT, said)
