"""The place to write to: the last argument, or ``--output``; and no picture to a terminal."""

from pathlib import Path

import numpy as np
import pytest
from terminals import Terminal

from convtool.cli import run
from convtool.images.read import read

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "sample_images" / "network" / "zero-one.safetensors"
BOX = ["filter", "-k", "box"]


@pytest.mark.parametrize("name", ["-o", "--output"])
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("command", [BOX, ["deconvolve", "-k", "gaussian"]], ids=lambda one: one[0])
def test_is_as_the_last_argument(folder, command, before, name, capsys):
    given = [name, "new.png"]
    words = [*given, "in/a.png"] if before else ["in/a.png", *given]
    assert run([*command, *words]) == 0
    assert run([*command, "in/a.png", "old.png"]) == 0
    assert Path("new.png").read_bytes() == Path("old.png").read_bytes()


def test_a_batch_takes_it(folder, capsys):
    assert run([*BOX, "-o", "out/", "--jobs", "1", "in/a.png", "in/b.png"]) == 0
    assert run([*BOX, "-r", "in", "-o", "tree", "--jobs", "1"]) == 0
    Path("list").write_text("in/a.png\n")
    assert run([*BOX, "--from-file", "list", "-o", "listed", "--jobs", "1"]) == 0
    made = sorted(str(path) for path in Path().glob("*/**/*.png") if path.parts[0] != "in")
    assert made == [
        "listed/in/a.png",
        "out/a.png",
        "out/b.png",
        "tree/a.png",
        "tree/b.png",
        "tree/deep/c.png",
    ]


def test_a_model_takes_it(folder, capsys):
    pytest.importorskip("onnx", reason="needs convtool[onnx]")
    pytest.importorskip("onnxruntime", reason="needs convtool[onnx]")
    assert run(["export", str(MODEL), "-o", "m.onnx"]) == 0
    assert run(["import", "-o", "m.ct", "m.onnx"]) == 0
    assert Path("m.ct").stat().st_size


@pytest.mark.parametrize(
    "arguments",
    [
        [*BOX, "in/a.png", "-o", "x.png", "y.png"],
        [*BOX, "--from-file", "list", "-o", "x.png", "y.png"],
        ["deconvolve", "-k", "box", "in/a.png", "y.png", "-o", "x.png"],
        ["export", str(MODEL), "y.png", "-o", "x.png"],
        ["import", "m.onnx", "y.png", "-o", "x.png"],
    ],
    ids=lambda one: " ".join(one[:5]),
)
def test_both_are_wrong_usage(folder, arguments, capsys):
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert "is given twice, as --output x.png and as y.png; give one of them" in said
    assert said.count("\n") == 1
    assert not Path("x.png").exists()
    assert not Path("y.png").exists()


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["filter", "-k", "box", "--from-file", "list"], "OUT"),
        (["deconvolve", "-k", "box", "in/a.png"], "OUT"),
        (["export", str(MODEL)], "MODEL.onnx"),
        (["import", "m.onnx"], "MODEL"),
    ],
    ids=lambda one: one[0] if isinstance(one, list) else one,
)
def test_none_is_wrong_usage(folder, arguments, name, capsys):
    assert run(arguments) == 2
    assert (
        f"Missing argument '{name}'; give it last, or as --output {name}" in capsys.readouterr().err
    )


@pytest.mark.parametrize("option", ["-o", "--output"])
@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["learn", "in/a.png", "in/a.png", "--size", "1"], "k.csv"),
        (["svd", "in/a.png", "--k", "2"], "x.png"),
        (["show", "digits", "--count", "2"], "x.png"),
        (["train", "digits", "--limit", "60", "--epochs", "1", "--arch", "flatten"], "x.ct"),
    ],
    ids=lambda one: one[0] if isinstance(one, list) else one,
)
def test_commands_with_other_outputs_name_it_alike(folder, command, name, option, capsys):
    assert run([*command, option, name]) == 0
    assert Path(name).stat().st_size


@pytest.mark.parametrize(
    "arguments",
    [
        [*BOX, "in/a.png", "-"],
        [*BOX, "-o", "-", "in/a.png"],
        ["deconvolve", "-k", "gaussian", "in/a.png", "-"],
        ["svd", "in/a.png", "--k", "2", "-o", "-"],
        ["svd", "in/a.png", "--k", "2", "--save", "-"],
        ["compare", "in/a.png", "in/b.png", "--diff", "-"],
    ],
    ids=" ".join,
)
def test_a_picture_is_not_written_to_a_terminal(folder, arguments):
    terminal = Terminal(*arguments)
    assert terminal.end() == 2
    assert terminal.said.splitlines() == [
        "convtool: error: the bytes of a picture are not for a terminal; name a file, or redirect "
        "stdout by > FILE"
    ]


def test_it_is_written_to_a_pipe_though_errors_go_to_a_terminal(folder):
    terminal = Terminal(*BOX, "in/a.png", "-", own_stdout=True)
    written = terminal.process.stdout.read()
    assert terminal.end() == 0
    Path("piped.png").write_bytes(written)
    assert run([*BOX, "in/a.png", "named.png"]) == 0
    np.testing.assert_array_equal(read("piped.png").pixels, read("named.png").pixels)
