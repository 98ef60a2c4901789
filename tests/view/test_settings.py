"""What a page may ask for, and the command that does the same."""

import json
import shlex

import pytest

from convtool.cli import root
from convtool.errors import ConvtoolError
from convtool.images.kernels import kernel_spec
from convtool.view.settings import (
    BORDERS,
    ENGINES,
    MOST_KERNELS,
    MOST_TEXT,
    command,
    first_settings,
    parse_settings,
)

BOX = {"preset": "box", "values": {}}
GIVEN = [kernel_spec("1x3:1,0,-1"), kernel_spec("gaussian:sigma=3")]


def parsed(given=(), **asked):
    return parse_settings(json.dumps({"kernels": [BOX]} | asked), given)


def test_the_first_settings_are_the_kernels_of_the_command_line():
    found = parse_settings(json.dumps(first_settings(GIVEN)), GIVEN)
    assert [one.text for one in found.kernels] == ["1x3:1,0,-1", "gaussian:sigma=3"]
    assert first_settings(GIVEN)["kernels"][1] == {"preset": "gaussian", "values": {"sigma": "3"}}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, ["-k", "box"]),
        ({"border": "wrap", "engine": "fft"}, ["-k", "box", "--border", "wrap", "--engine", "fft"]),
        ({"cval": 7}, ["-k", "box"]),
        (
            {"border": "constant", "cval": 0.5},
            ["-k", "box", "--border", "constant", "--cval", "0.5"],
        ),
        ({"range": "offset", "linear": True}, ["-k", "box", "--range", "offset", "--linear"]),
    ],
)
def test_the_command_has_the_options_that_are_not_defaults(asked, words):
    text = command(parsed(**asked), "-a'b.png", ["--page", "2"], "out.png")
    expected = ["convtool", "filter", *words, "--page", "2", "./-a'b.png", "out.png"]
    assert shlex.split(text) == expected


def test_choices_are_those_of_the_command():
    options = {one.name: one for one in root.get_command(None, "filter").params}
    assert set(BORDERS) <= set(options["border"].type.choices)
    assert "|".join(ENGINES) in options["engine"].metavar


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"kernels": []}',
        '{"kernels": [{}]}',
        '{"kernels": [{"given": 2}]}',
        '{"kernels": [{"given": -1}]}',
        '{"kernels": [{"preset": "box"}]}',
        '{"kernels": [{"preset": "box", "values": {"size": 3}}]}',
        '{"kernels": [{"preset": "box", "values": {}, "path": "a.csv"}]}',
        '{"kernels": ["a.csv"]}',
        json.dumps({"kernels": [BOX] * (MOST_KERNELS + 1)}),
        json.dumps({"kernels": [BOX], "output": "x"}),
        json.dumps({"kernels": [BOX], "border": "circle"}),
        json.dumps({"kernels": [BOX], "engine": "separable:rank=9"}),
        json.dumps({"kernels": [BOX], "cval": "7"}),
        '{"kernels": [{"preset": "box", "values": {}}], "cval": NaN}',
        json.dumps({"kernels": [BOX]}) + " " * MOST_TEXT,
        "[" * 4000,
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ConvtoolError):
        parse_settings(text, GIVEN)


def test_an_unknown_range_is_refused_when_it_is_planned(photo):
    from convtool.images.read import read_single
    from convtool.view.viewer import Viewer

    viewer = Viewer(read_single(photo), str(photo), [])
    with pytest.raises(ConvtoolError, match="range"):
        viewer.about(json.dumps({"kernels": [BOX], "range": "wide"}))
