"""The sources' example of back-propagation, number by number."""

import json

import numpy as np
import pytest
from processes import finished

from convtool.cli import run

ARGUMENTS = ("--image", "1,2,3;4,5,6;7,8,9", "--kernel", "3x3:1,0,-1,2,1,0,0,-1,3")
ARGUMENTS += ("--border", "zero", "--bias", "0.5", "--gradient", "1,0,2;-1,3,0;0,1,-2")
CONVOLUTION = {
    "output": [[10.5, 10.5, -1.5], [21.5, 20.5, 1.5], [19.5, 33.5, 18.5]],
    "kernel": [[24, 33, 31], [24, 8, 7], [13, -2, -3]],
    "padded_image": [
        [3, -1, 6, -2, 0],
        [-3, 11, -1, 2, 4],
        [-1, 2, -7, 8, 2],
        [1, -3, 0, 3, -4],
        [0, -1, 2, 1, -2],
    ],
}
CORRELATION = {
    "output": [[12.5, 17.5, 1.5], [19.5, 30.5, 9.5], [2.5, 20.5, 30.5]],
    "kernel": [[-3, -2, 13], [7, 8, 24], [31, 33, 24]],
    "padded_image": [
        [1, 0, 1, 0, -2],
        [1, 4, 5, -1, 0],
        [-2, 5, 4, -3, 8],
        [0, 3, -9, 7, 0],
        [0, 0, -1, 5, -6],
    ],
}
BOTH = pytest.mark.parametrize(
    ("options", "expected"), [((), CONVOLUTION), (("--correlate",), CORRELATION)]
)


@BOTH
def test_gradients(options, expected):
    done = finished("explain", *ARGUMENTS, *options, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["output"] == expected["output"]
    padded = np.array(expected["padded_image"])
    assert told["gradient"] == {
        "kernel": expected["kernel"],
        "bias": 4,
        "image": padded[1:-1, 1:-1].tolist(),
        "padded_image": expected["padded_image"],
    }


@BOTH
def test_gradients_on_the_terminal(options, expected, capsys):
    assert run(["explain", *ARGUMENTS, *options]) == 0
    lines = [line.split() for line in capsys.readouterr().out.replace("−", "-").splitlines()]
    assert lines[next(i for i, line in enumerate(lines) if line[:1] == ["db,"])][-2:] == ["=", "4"]
    padded = expected["padded_image"]
    for row, values in enumerate(padded):
        shown = [f"{value:g}" for value in values]
        inner = shown[1:-1] if 0 < row < 4 else []
        # Before cropping, beside what is left of the rows that follow.
        assert any(line[:5] == shown for line in lines)
        assert not inner or any(line[-3:] == inner for line in lines)
    for values in expected["kernel"]:
        assert any(line[-3:] == [f"{value:g}" for value in values] for line in lines)
