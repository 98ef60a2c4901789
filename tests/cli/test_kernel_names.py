"""Kernels named as other tools name them, on the command line: as real processes, and in place."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from convtool.cli import run
from convtool.images.read import read
from convtool.images.write import write
from convtool.kernels.presets import ALIASES
from convtool.kernels.spec import kernel


def convtool(*arguments):
    program = [sys.executable, "-m", "convtool", *arguments]
    return subprocess.run(program, capture_output=True, text=True, check=False)


@pytest.fixture(autouse=True)
def picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(3).integers(90, 120, (40, 60), np.uint8)
    write("in.png", pixels)
    return pixels


@pytest.mark.parametrize(
    ("alias", "name"),
    [("laplacian", "laplacian-4"), ("mean", "box"), ("sharpen:scale=1/2", "sharpen-5:scale=1/2")],
)
def test_an_alias_filters_as_its_preset_and_says_so(alias, name):
    done = convtool("filter", "-k", alias, "in.png", "alias.png")
    assert done.returncode == 0
    assert done.stdout == ""
    preset = name.partition(":")[0]
    assert done.stderr.startswith(f"convtool: note: kernel '{alias}' is the preset {preset}\n")
    assert run(["filter", "-k", name, "in.png", "preset.png"]) == 0
    np.testing.assert_array_equal(read("alias.png").pixels, read("preset.png").pixels)


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("edge", "did you mean sobel, scharr or laplacian-8?"),
        ("edges", "did you mean sobel, scharr or laplacian-8?"),
        ("sobell", "did you mean sobel, sobel-"),
    ],
)
def test_a_word_for_several_is_refused_in_one_line(word, says):
    done = convtool("filter", "-k", word, "in.png", "out.png")
    assert done.returncode == 2
    assert done.stderr.startswith("convtool: error: ")
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


def test_a_picture_is_a_kernel_and_that_is_said(picture):
    psf = np.array([[0, 1, 0], [1, 4, 2], [0, 1, 1]], np.uint8)
    write("psf.tif", psf)
    done = convtool("filter", "-k", "psf.tif", "in.png", "out.png")
    assert done.returncode == 0
    assert done.stderr == (
        "convtool: note: kernel 'psf.tif' is a picture of 3×3 pixels, read as grey floats; "
        "its sum is normalized to 1 (normalize=none leaves the values)\n"
    )
    expected = ndimage.convolve(picture.astype(float), psf / 10)
    assert abs(read("out.png").pixels - expected).max() <= 0.51


def test_the_maximum_of_eight_in_one_picture_and_in_a_batch(picture):
    arguments = ["filter", "-k", "kirsch", "--range", "abs", "--json", "report.json"]
    assert convtool(*arguments, "in.png", "one.png").returncode == 0
    expected = np.maximum.reduce(
        [ndimage.convolve(picture.astype(int), weights.astype(int)) for weights in kernel("kirsch")]
    )
    answer = read("one.png").pixels
    np.testing.assert_array_equal(answer, expected.clip(0, 255))
    assert json.loads(Path("report.json").read_text())["steps"][0]["kernel"] == "kirsch"
    write("more.png", picture[::-1])
    assert convtool(*arguments[:-2], "in.png", "more.png", "out/").returncode == 0
    np.testing.assert_array_equal(read("out/in.png").pixels, answer)


def test_imagemagicks_spelling_of_a_literal_filters(capsys):
    assert run(["filter", "-k", "3x3: 0,-1,0 -1,5,-1 0,-1,0", "in.png", "rows.png"]) == 0
    assert "note" not in capsys.readouterr().err
    assert run(["filter", "-k", "sharpen-5", "in.png", "preset.png"]) == 0
    np.testing.assert_array_equal(read("rows.png").pixels, read("preset.png").pixels)


def test_the_list_names_the_aliases(capsys):
    assert run(["kernels"]) == 0
    out = capsys.readouterr().out
    for alias, name in ALIASES.items():
        assert f"{alias} = {name}" in out
    assert run(["kernels", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["aliases"] == ALIASES
    kirsch = next(one for one in report["presets"] if one["name"] == "kirsch")
    assert kirsch["combination"] == "maximum"
    assert kirsch["parts"][1] == "kirsch:angle=45"
    assert kirsch["size"] == "3x3"


def test_a_group_is_shown_with_its_kernels_and_reads_back(capsys):
    assert run(["kernels", "compass", "--json", "group.json"]) == 0
    out = capsys.readouterr().out
    assert out.count("compass:angle=") == 8
    assert "mind: a group of 8: the output is the maximum of all\n" in out
    report = json.loads(Path("group.json").read_text())
    assert report["combination"] == "maximum"
    assert len(report["facts"]) == 8
    np.testing.assert_array_equal(kernel("group.json"), kernel("compass"))
    assert run(["kernels", "compass", "--as", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["combination"] == "maximum"


@pytest.mark.parametrize("command", ["kernels", "explain"])
def test_other_commands_say_how_a_kernel_was_read_too(command, capsys):
    arguments = {
        "kernels": ["kernels", "laplace"],
        "explain": ["explain", "--image", "1,2;3,4", "-k", "laplace"],
    }[command]
    assert run(arguments) == 0
    assert capsys.readouterr().err == "convtool: note: kernel 'laplace' is the preset laplacian-4\n"


def test_a_group_is_explained_kernel_by_kernel(capsys):
    assert run(["explain", "--image", "1,2;3,4", "-k", "kirsch"]) == 0
    out = capsys.readouterr().out
    assert all(f"kirsch:angle={angle}: kernel" in out for angle in range(0, 360, 45))
    assert run(["explain", "--image", "1,2;3,4", "-k", "kirsch:angle=45"]) == 0
