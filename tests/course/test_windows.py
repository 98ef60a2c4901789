"""The sources' examples of one layer: bias, stride, channels, pooling, derivatives."""

import json

import numpy as np
import pytest

import convtool
from convtool.cli import run

IMAGE = ".4,.8,.1,.6,.6;.2,1,.8,.1,.1;.3,.3,.4,.8,0;.4,.5,.7,.9,.9;.6,.5,.6,1,.1"
POOLED = "1,2,1;0,2,0;1,2,1"


@pytest.fixture
def told(capsys):
    """Run ``convtool explain`` and return its JSON."""

    def explain(*arguments):
        assert run(["explain", *arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return explain


@pytest.mark.parametrize(
    ("options", "output"),
    [
        (["--padding", "0"], [[2.1, 1.4, 1.4], [1.5, 2, 1.2], [1.4, 2.1, 3.3]]),
        (["--mode", "valid"], [[2.1, 1.4, 1.4], [1.5, 2, 1.2], [1.4, 2.1, 3.3]]),
        (
            ["--padding", "1", "--border", "zero", "--stride", "2"],
            [[0.4, 1.3, 0.3], [0.2, 2, 0.8], [0.5, 1.8, 1]],
        ),
    ],
)
def test_cross_with_bias(options, output, told):
    answer = told("--image", IMAGE, "-k", "cross", "--bias", "-1", *options)
    np.testing.assert_allclose(answer["output"], output, atol=1e-12)
    assert answer["bias"] == -1


def test_cross_with_bias_on_the_terminal(capsys):
    arguments = ["--image", IMAGE, "-k", "cross", "--bias", "-1", "--padding", "0"]
    assert run(["explain", *arguments]) == 0
    out = capsys.readouterr().out.splitlines()
    assert "  0 + 0.8 + 0 + 0.2 + 1 + 0.8 + 0 + 0.3 + 0 = 3.1" in out
    assert "  3.1 − bias 1 = 2.1" in out
    assert "2.1  1.4  1.4    2.1  1.4  1.4" in out


def test_volume_whose_sums_are_those_of_the_source(told, capsys):
    arguments = []
    for window in (".4,.8,.1;.2,1,.6;.3,.3,.4", ".1,.5,.3;.4,.7,.2;.9,.6,.8"):
        arguments += ["--image", window, "-k", "cross"]
    arguments += ["--image", ".5,.2,.6;.3,.4,.4;.7,.6,.1", "-k", "cross"]
    arguments += ["--mode", "valid", "--bias", "-3"]
    answer = told(*arguments)
    np.testing.assert_allclose(answer["steps"][0]["sum"], [2.9, 2.4, 1.9], atol=1e-12)
    np.testing.assert_allclose(answer["output"], [[4.2]], atol=1e-12)
    assert np.array(answer["image"]).shape == np.array(answer["kernel"]).shape == (3, 3, 3)
    assert run(["explain", *arguments]) == 0
    assert "  2.9 + 2.4 + 1.9 − bias 3 = 4.2" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("pool", "pooled"),
    [("max:2", [[2, 1], [2, 1]]), ("average:2", [[1.25, 0.5], [1.5, 1]])],
)
def test_ragged_pooling(pool, pooled, told, capsys):
    arguments = ["--image", POOLED, "-k", "identity", "--pool", pool]
    assert told(*arguments)["pooled"] == pooled
    assert run(["explain", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    kind, best = pool.partition(":")[0], pooled[0][0]
    assert f"  row 0, column 0: {kind} of 1, 2, 0, 2 = {best:g}" in lines
    shown = [line.split() for line in lines[lines.index("pooled:") + 1 :]]
    assert [[float(value) for value in line] for line in shown] == pooled


def test_pooling_by_three_with_stride_two(told):
    image = np.arange(36).reshape(6, 6)
    text = ";".join(",".join(map(str, row)) for row in image)
    answer = told("--image", text, "-k", "identity", "--pool", "max:3,stride=2")
    assert answer["pooled"] == [[14, 16, 17], [26, 28, 29], [32, 34, 35]]


@pytest.mark.parametrize("pair", ["sobel", "prewitt", "scharr", "roberts"])
def test_gradient_pairs(pair, told, capsys):
    image = [[94, 50, 221], [98, 109, 50], [49, 213, 91]]
    text = ";".join(",".join(map(str, row)) for row in image)
    answer = told("--image", text, "-k", pair)
    expected = convtool.gradient_magnitude(np.array(image, float), pair)
    np.testing.assert_allclose(answer["output"], expected, rtol=1e-12)
    for step in answer["steps"]:
        assert step["output"] == pytest.approx(np.hypot(*step["sum"]))
        assert len(step["window"]) == len(step["products"]) == 2
    assert run(["explain", "--image", text, "-k", pair, "--at", "1,1"]) == 0
    out = capsys.readouterr().out
    assert "  magnitude: √(" in out
    assert f"= {expected[1, 1]:.6g}\n" in out
