"""``--quiet`` and ``--verbose``."""

from pathlib import Path

import pytest

from convtool.cli import COMMANDS, run

ROOT = Path(__file__).parents[2]
MODEL = str(ROOT / "sample_images" / "network" / "digits.safetensors")
TRAINING = ["--limit", "60", "--epochs", "1", "--arch", "flatten"]
LINES = {
    "bench": ["--sizes", "8x8", "--kernels", "3", "--dtypes", "uint8", "--works", "box"],
    "compare": ["in/a.png", "in/b.png"],
    "compile": [],
    "deconvolve": ["-k", "gaussian", "in/a.png", "out.png"],
    "evaluate": [MODEL, "digits", "--limit", "20"],
    "explain": ["--image", "1,2,3", "-k", "1x1:2"],
    "export": [MODEL, "m.onnx"],
    "filter": ["-k", "laplacian", "in/a.png", "out.png"],
    "gridsearch": ["digits", *TRAINING, "--grid", "lr=0.1", "--jobs", "1", "-o", "grid.png"],
    "import": ["m.onnx", "m.ct"],
    "info": ["in/a.png"],
    "inspect": [MODEL],
    "kernels": ["box"],
    "learn": ["in/a.png", "in/a.png", "--size", "1"],
    "predict": [MODEL, "in/a.png"],
    "show": ["digits", "--count", "2", "-o", "sheet.png"],
    "svd": ["in/a.png", "--k", "2"],
    "train": ["digits", *TRAINING, "-o", "m.ct"],
}
"""A run of each command that reports something."""
PRINTERS = {"completion", "help", "view"}
"""Commands whose whole purpose is to print: a script, a text, the address of a page."""


def test_every_command_is_here():
    assert set(LINES) | PRINTERS == set(COMMANDS)


@pytest.fixture
def prepared(folder, capsys):
    """The folder, with the model that ``import`` reads."""
    if not Path("m.onnx").exists():
        pytest.importorskip("onnx", reason="needs convtool[onnx]")
        pytest.importorskip("onnxruntime", reason="needs convtool[onnx]")
        assert run(["export", MODEL, "m.onnx"]) == 0
    capsys.readouterr()
    return folder


@pytest.mark.parametrize("option", ["-q", "--quiet"])
@pytest.mark.parametrize("name", LINES)
def test_quiet_says_nothing(prepared, name, option, capsys):
    assert run([name, option, *LINES[name]]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


@pytest.mark.parametrize("option", ["-v", "--verbose"])
@pytest.mark.parametrize("name", LINES)
def test_verbose_says_how_long_it_took(prepared, name, option, capsys):
    assert run([name, option, *LINES[name]]) == 0
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("convtool: took ")
    assert last.endswith(" MB of memory at most")


@pytest.mark.parametrize("name", LINES)
def test_both_are_wrong_usage(prepared, name, capsys):
    assert run([name, "-q", "-v", *LINES[name]]) == 2
    assert "--verbose and --quiet exclude each other; give one" in capsys.readouterr().err


def test_quiet_ends_with_its_command(folder, capsys):
    assert run(["kernels", "-q"]) == 0
    assert run(["kernels", "box"]) == 0
    assert capsys.readouterr().out.startswith("box: ")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["filter", "-q", "-k", "sobell", "in/a.png", "out.png"], 2),
        (["filter", "-q", "-k", "box", "missing.png", "out.png"], 1),
        (["info", "-q", "missing.png"], 1),
        (["predict", "-q", MODEL, "missing.png"], 1),
        (["filter", "-q", "-k", "box", "--jobs", "1", "in/a.png", "missing.png", "out/"], 1),
    ],
    ids=lambda one: " ".join(one[:4]) if isinstance(one, list) else str(one),
)
def test_errors_are_said_nevertheless(folder, arguments, code, capsys):
    assert run(arguments) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "convtool: error: " in shown.err


def test_quiet_leaves_the_report_of_json(folder, capsys):
    assert run(["compare", "-q", "in/a.png", "in/b.png", "--json"]) == 0
    assert '"schema": "convtool.compare/1"' in capsys.readouterr().out


def test_verbose_names_engine_and_output_of_each_picture(folder, capsys):
    assert run(["filter", "-v", "-k", "box", "--engine", "direct", "in/a.png", "out.png"]) == 0
    said = capsys.readouterr().err
    assert "convtool: in/a.png: kernel 1, box: direct, " in said
    assert "convtool: in/a.png: written to out.png, png, 6×8, 8" in said
    assert run(["filter", "-v", "-k", "box", "--jobs", "1", "in", "out/"]) == 0
    said = capsys.readouterr().err
    for name in ("a.png", "b.png"):
        assert f"convtool: in/{name}: written to out/{name}, png, 6×8, 8" in said
