"""Networks as the sources show them: given filters, tables before training, by real commands."""

import json
from pathlib import Path

import pytest
from processes import finished

NETWORK = Path(__file__).parents[2] / "sample_images" / "network"
ZERO_ONE = str(NETWORK / "zero-one.safetensors")
SEVEN = str(NETWORK / "seven.png")
F = "3x3:-1,0,1,-1,0,1,0,1,2,bias=-0.67"
K = "3x3:-.55,.04,.63,.05,-.03,.37,-.49,.8,1.03,bias=-.4"
ANSWERS = {
    F: [-2.67, 0.33, 3.33, 0.33, -0.67, -0.67, 2.33, 0.33],
    K: [-1.39, 0.41, 1.63, 0.05, -0.28, -0.01, 0.94, -0.29],
}
"""Columns, falling diagonal, rows, rising diagonal."""


def reported(*arguments):
    done = finished("inspect", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_hand_made_filter_is_laid_on_as_printed():
    found = reported(ZERO_ONE, "--replace", f"conv1={F}")["replace"]
    assert found["correlate"] is True
    assert round(100 * found["after"]["accuracy"], 2) == 30.14
    same = reported(ZERO_ONE, "--correlate", "--replace", f"conv1={F}")["replace"]
    assert same["after"] == found["after"]
    turned = reported(ZERO_ONE, "--convolve", "--replace", f"conv1={F}")["replace"]
    assert round(100 * turned["after"]["accuracy"], 2) == 32.88


@pytest.mark.parametrize("spec", ANSWERS)
def test_lines_are_asked_of_a_given_kernel(spec):
    (answer,) = reported("--probe", "--filter", spec)["probes"]
    assert list(answer["responses"].values()) == pytest.approx(ANSWERS[spec], abs=1e-9)


@pytest.mark.parametrize("spec", ANSWERS)
def test_lines_are_asked_of_a_replaced_kernel(spec):
    report = reported(ZERO_ONE, "--probe", "--replace", f"conv1={spec}")
    (answer,) = report["probes"]
    assert list(answer["responses"].values()) == pytest.approx(ANSWERS[spec], abs=1e-6)
    assert report["probe"][0]["responses"] != answer["responses"]


def test_feature_maps_given_twice_draw_both(tmp_path):
    other = tmp_path / "seven.png"
    other.write_bytes(Path(SEVEN).read_bytes())
    maps = ["--feature-maps", SEVEN, "--feature-maps", str(other)]
    found = reported(ZERO_ONE, *maps, "--out", str(tmp_path))["feature_maps"]
    assert [one["image"] for one in found] == [SEVEN, str(other)]
    drawings = [Path(one["drawing"]) for one in found]
    assert [one.name for one in drawings] == ["seven.feature-maps.png", "seven-2.feature-maps.png"]
    assert all(one.stat().st_size > 1000 for one in drawings)


def test_catdog_before_training():
    report = reported("--arch", "catdog", "--input", "1x100x100")
    assert report["trained"] == 1_274_689
    assert report["fixed"] == 192
    assert sum(row["trained"] for row in report["layers"]) == report["trained"]
    done = finished("inspect", "--arch", "catdog", "--input", "1x100x100")
    assert b" 1,274,689  192 " in done.stdout


@pytest.mark.parametrize(
    ("arch", "shape", "count"),
    [
        ("conv 10 5x5", "3x32x32", 760),
        ("conv 32 3x3", "3x32x32", 896),
        ("conv 32 3x3", "1x8x8", 320),
    ],
)
def test_parameters_of_a_convolution(arch, shape, count):
    first = reported("--arch", arch, "--input", shape)["layers"][0]
    assert (first["trained"], first["fixed"]) == (count, 0)


def test_textbook_has_the_sigmoid_of_its_dense_layer():
    kinds = [row["kind"] for row in reported("--arch", "textbook", "--input", "1x28x28")["layers"]]
    assert kinds[kinds.index("Dense") :] == ["Dense", "Sigmoid", "BatchNorm", "Dense"]


def test_fixed_filters_keep_the_convolution_or_are_refused(tmp_path):
    arch = "conv {} 5x5 stride 2, relu, pool 2, dense 16"
    out = tmp_path / "fixed.safetensors"
    how = ["--fixed-filters", "sobel-vertical", "--epochs", "1", "--out", str(out)]
    refused = finished("train", "digits", "--arch", arch.format(5), *how)
    assert refused.returncode == 2
    assert b"1 kernel for the 5 filters of 'conv 5 5x5 stride 2'" in refused.stderr
    assert not out.exists()
    done = finished("train", "digits", "--arch", arch.format(1), *how)
    assert done.returncode == 0, done.stderr
    first = reported(str(out))["layers"][0]
    assert first["output"] == [1, 2, 2]
    assert (first["trained"], first["fixed"]) == (0, 26)
