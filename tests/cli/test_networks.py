"""The commands that look into networks, search for settings and learn kernels."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from convtool.cli import run
from convtool.images.read import read
from convtool.images.write import write

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the trained network and its picture, to work in."""
    for name in ("digits.safetensors", "seven.png"):
        shutil.copy(ROOT / "sample_images" / "network" / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestInspect:
    def test_lists_layers_and_filters(self, place, capsys):
        assert run(["inspect", "digits.safetensors"]) == 0
        said = capsys.readouterr().out
        assert "conv" in said
        assert "dense" in said

    def test_draws_the_kernels(self, place, capsys):
        arguments = ["--probe", "--nearest", "--kernels", "out.png", "digits.safetensors"]
        assert run(["inspect", *arguments]) == 0
        assert read(place / "out.png").pixels.size

    def test_says_what_a_replaced_filter_changes(self, place, capsys):
        assert run(["inspect", "--replace", "conv1.1=line-vertical", "digits.safetensors"]) == 0
        assert "line-vertical" in capsys.readouterr().out

    def test_shows_where_a_picture_matters(self, place, capsys):
        assert run(["inspect", "--occlusion", "seven.png", "digits.safetensors"]) == 0

    @pytest.mark.parametrize(
        "arguments",
        [
            ["missing.safetensors"],
            ["seven.png"],
            ["--occlusion", "missing.png", "digits.safetensors"],
            ["--replace", "conv9.1=box", "digits.safetensors"],
            ["--replace", "nonsense", "digits.safetensors"],
        ],
    )
    def test_refuses_in_one_line(self, place, capsys, arguments):
        assert run(["inspect", *arguments]) in (1, 2)
        assert capsys.readouterr().err.count("convtool: error: ") == 1


class TestGridsearch:
    def test_tries_every_combination(self, place, capsys):
        grid = ["--grid", "lr=0.01,0.02", "--grid", "l2=0,1e-3", "--epochs", "1"]
        assert run(["gridsearch", "digits", *grid, "--json", "grid.json"]) == 0
        report = json.loads((place / "grid.json").read_text())
        assert "gridsearch" in report["schema"]
        assert capsys.readouterr().err.count("error") == 0

    @pytest.mark.parametrize("axis", ["lr", "lr=", "nothing=1,2", "lr=a,b", "lr=1:2:0log"])
    def test_refuses_a_grid_that_is_none(self, place, capsys, axis):
        assert run(["gridsearch", "digits", "--epochs", "1", "--grid", axis]) == 2
        assert capsys.readouterr().err.count("convtool: error: ") == 1


class TestLearn:
    @pytest.fixture
    def pair(self, place):
        rng = np.random.default_rng(4)
        before = rng.integers(0, 256, (40, 50)).astype(np.uint8)
        write(place / "before.png", before)
        assert run(["filter", "-k", "box:size=3", "before.png", "after.png"]) == 0
        return "before.png", "after.png"

    def test_finds_the_kernel(self, place, pair, capsys):
        assert run(["learn", *pair, "--size", "3", "--out", "kernel.csv"]) == 0
        found = np.loadtxt(place / "kernel.csv", delimiter=",")
        np.testing.assert_allclose(found, 1 / 9, atol=0.01)

    def test_reports(self, place, pair, capsys):
        assert run(["learn", *pair, "--size", "3", "--bias", "--json", "learned.json"]) == 0
        assert "learn" in json.loads((place / "learned.json").read_text())["schema"]

    @pytest.mark.parametrize(
        "arguments",
        [
            ["before.png"],
            ["before.png", "missing.png", "--size", "3"],
            ["before.png", "seven.png", "--size", "3"],
            ["before.png", "after.png", "--size", "0"],
            ["before.png", "after.png", "--size", "3", "--kernel", "missing.csv"],
        ],
    )
    def test_refuses_in_one_line(self, place, pair, capsys, arguments):
        capsys.readouterr()
        assert run(["learn", *arguments]) in (1, 2)
        assert capsys.readouterr().err.count("convtool: error: ") == 1


class TestExchange:
    def test_there_and_back(self, place, capsys):
        pytest.importorskip("onnx", reason="convtool export needs the package onnx")
        assert run(["export", "digits.safetensors", "digits.onnx"]) == 0
        assert run(["import", "digits.onnx", "again.safetensors"]) == 0
        capsys.readouterr()
        answers = []
        for name in ("digits.safetensors", "again.safetensors"):
            assert run(["predict", "--invert", name, "seven.png"]) == 0
            answers.append(capsys.readouterr().out)
        assert answers[0] == answers[1]
