"""``convtool learn``: what it prints and writes, and its exit codes."""

import json
from pathlib import Path

import numpy as np
import pytest

import convtool
from convtool.cli import run
from convtool.images.image import Image


@pytest.fixture
def pair(tmp_path, rng, monkeypatch):
    """Make a picture and what correlation with ``emboss`` makes of it, as floats."""
    monkeypatch.chdir(tmp_path)
    before = rng.integers(0, 256, (50, 60, 3)).astype(np.uint8)
    convtool.write("a.png", before)
    after = convtool.correlate(before, "emboss") / 255
    convtool.write("b.tiff", after.astype(np.float32))
    return before


def test_report_is_a_kernel_file(pair, capsys):
    assert run(["learn", "a.png", "b.tiff", "--size", "3", "--json", "learned.json"]) == 0
    out = capsys.readouterr().out
    told = json.loads(Path("learned.json").read_text(encoding="utf-8"))
    turned = convtool.kernel("emboss")[::-1, ::-1]
    np.testing.assert_allclose(told["kernel"], turned, atol=1e-4)
    np.testing.assert_allclose(convtool.kernel("learned.json"), turned, atol=1e-4)
    assert told["bias"] == 0
    assert told["residual"] < 1e-3
    assert told["r2"] == pytest.approx(1)
    assert told["nearest"]["name"] == "emboss"
    assert told["nearest"]["turn"] == "half"
    assert told["convention"]["flips"] is False
    assert "nearest: emboss, turned by half a circle" in out
    assert "it correlates: the kernel is not flipped" in out


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".json", ".npy"])
def test_kernel_files_are_read_again(pair, suffix):
    assert run(["learn", "a.png", "b.tiff", "--size", "3x5", "-o", f"k{suffix}"]) == 0
    turned = np.pad(convtool.kernel("emboss")[::-1, ::-1], ((0, 0), (1, 1)))
    np.testing.assert_allclose(convtool.kernel(f"k{suffix}"), turned, atol=1e-4)


def test_json_alone_on_stdout(pair, capsys):
    assert run(["learn", "a.png", "b.tiff", "--size", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "convtool.learn/1"


def test_several_pairs_and_border(pair, capsys):
    names = ["a.png", "b.tiff"] * 2
    assert run(["learn", *names, "--size", "3", "--border", "reflect", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["windows"] == 2 * 3 * 50 * 60
    assert len(told["pairs"]) == 2


def test_given_kernel_is_compared_with(pair, capsys):
    spec = "3x3:-2,-1,0,-1,1,1,0,1,2,scale=3"
    assert run(["learn", "a.png", "b.tiff", "--size", "5", "--kernel", spec]) == 0
    out = capsys.readouterr().out
    assert f"nearest: {spec}, turned by half a circle, times 1/3" in out
    assert "the weights are divided by their sum, 3" in out


def test_bias_and_clipping_are_said(pair, capsys):
    command = ["filter", "-k", "emboss", "--range", "offset", "a.png", "c.png"]
    assert run(command) == 0
    assert run(["learn", "a.png", "c.png", "--size", "3"]) == 0
    out = capsys.readouterr().out
    assert "use --bias" in out
    assert "values at the ends of their range" in out
    assert run(["learn", "a.png", "c.png", "--size", "3", "--bias"]) == 0
    assert "half of white" in capsys.readouterr().out


def test_a_bias_that_only_rounding_made_is_not_named(pair, capsys):
    assert run(["learn", "a.png", "b.tiff", "--size", "5", "--bias", "--json", "learned.json"]) == 0
    assert "is added" not in capsys.readouterr().out
    told = json.loads(Path("learned.json").read_text(encoding="utf-8"))
    assert abs(told["bias"]) < 1e-3
    assert told["convention"]["flips"] is False


def test_nearest_is_of_the_kernel_that_is_shown(pair, rng, capsys):
    """Where no preset was at work, a fit with a bias may find quite another kernel."""
    convtool.write("other.png", rng.integers(100, 200, (50, 60, 3)).astype(np.uint8))
    assert run(["learn", "a.png", "other.png", "--size", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    kernel, near = np.array(told["kernel"]), told["nearest"]
    known = convtool.kernel(near["spec"])
    assert near["cosine"] > 0.9
    assert near["scale"] > 0
    assert near["difference"] < np.abs(kernel).max()
    if known.shape == kernel.shape and near["turn"] == "none":
        distance = np.abs(kernel - near["scale"] * known).max()
        assert near["difference"] == pytest.approx(distance)


def test_grey_of_a_colour_picture_and_alpha(pair, capsys):
    assert run(["filter", "-k", "box", "--gray", "a.png", "g.png"]) == 0
    assert run(["learn", "a.png", "g.png", "--size", "3"]) == 0
    out, err = capsys.readouterr()
    assert "a.png: converted to grey" in err
    assert "nearest: box" in out
    opaque = np.dstack([pair, np.full(pair.shape[:2], 255, np.uint8)])
    convtool.write("d.png", Image(opaque, has_alpha=True))
    assert run(["learn", "d.png", "b.tiff", "--size", "3"]) == 0
    out, err = capsys.readouterr()
    assert "d.png: alpha is ignored" in err
    assert "emboss" in out


def test_floats_beyond_white_are_in_the_units_of_before(pair, capsys):
    convtool.write("e.tiff", convtool.convolve(pair, "box"))
    assert run(["learn", "a.png", "e.tiff", "--size", "3"]) == 0
    out, err = capsys.readouterr()
    assert "in the units of BEFORE" in err
    assert "nearest: box\n" in out


def test_flat_picture_leaves_the_kernel_open(pair, capsys):
    convtool.write("f.png", np.full((20, 20), 9, np.uint8))
    assert run(["learn", "f.png", "f.png", "--size", "3"]) == 0
    out = capsys.readouterr().out
    assert "mind: the windows span 1 of 9 directions" in out
    assert "the program that made it" not in out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["a.png"], 2, "a.png has no partner"),
        (["a.png", "b.tiff", "--size", "0"], 2, "not a size"),
        (["a.png", "b.tiff", "--size", "40"], 2, "at most 1024"),
        (["a.png", "b.tiff", "--l2", "-1"], 2, "l2"),
        (["a.png", "b.tiff", "--kernel", "sobel"], 2, "pair of kernels"),
        (["a.png", "b.tiff", "--out", "k.exe"], 2, "a kernel file ends in"),
        (["a.png", "missing.png"], 1, "no such file"),
        (["a.png", "small.png"], 1, "must be alike"),
        (["a.png", "b.tiff", "--out", "missing/k.csv"], 1, "cannot write the kernel"),
    ],
)
def test_bad_input_is_said(pair, arguments, code, words, capsys):
    convtool.write("small.png", np.zeros((9, 9, 3), np.uint8))
    assert run(["learn", *arguments]) == code
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_floats_beyond_white_are_in_the_units_of_the_other_picture(tmp_path, rng, capsys):
    """On either side: 0 to 255 as floats and as bytes are the same numbers."""
    paths = [str(tmp_path / name) for name in ("floats.tif", "bytes.png")]
    pixels = rng.integers(0, 256, (30, 40)).astype(np.uint8)
    convtool.write(paths[0], pixels.astype(np.float32))
    convtool.write(paths[1], pixels)
    for pair, other in ((paths, "AFTER"), (paths[::-1], "BEFORE")):
        assert run(["learn", *pair, "--size", "1", "--json"]) == 0
        out, err = capsys.readouterr()
        assert json.loads(out)["kernel"] == [[pytest.approx(1, abs=1e-6)]]
        assert f"are assumed to be in the units of {other}" in err
