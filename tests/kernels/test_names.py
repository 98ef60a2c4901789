"""Aliases of presets, two spellings of a literal, and what is said of how a text was read."""

import numpy as np
import pytest

from convtool.errors import KernelError
from convtool.kernels.meanings import SUGGESTIONS
from convtool.kernels.presets import ALIASES, PRESETS
from convtool.kernels.spec import kernel, parse

MEANT = {
    "laplacian": "laplacian-4",
    "laplace": "laplacian-4",
    "mean": "box",
    "mean:size=5": "box:size=5",
    "mean:5": "box:size=5",
    "blur": "box",
    "gauss": "gaussian",
    "gauss:sigma=2": "gaussian:sigma=2",
    "gaussian-blur": "gaussian",
    "gaussian-blur:2,size=9": "gaussian:sigma=2,size=9",
    "sharpen": "sharpen-5",
    "sharpen:scale=1/2": "sharpen-5:scale=1/2",
    "Laplacian": "laplacian-4",
    "Laplacian:15": "laplacian-15",
    "laplacian:19": "laplacian-19",
    "laplacian : 19 , scale=2": "laplacian-19:scale=2",
    "laplacian:size=5": "laplacian-sobel:size=5",
    "laplacian:size=7,scale=1/2": "laplacian-sobel:size=7,scale=1/2",
}


@pytest.mark.parametrize(("text", "meant"), MEANT.items())
def test_an_alias_gives_the_preset_and_says_which(text, meant):
    found = parse(text)
    np.testing.assert_array_equal(found.weights, kernel(meant))
    assert found.name == meant.partition(":")[0]
    assert found.notes == (f"kernel {text!r} is the preset {found.name}",)


def test_every_alias_names_a_preset_and_none_hides_one():
    assert {alias.partition(":")[0] for alias in ALIASES} <= {
        text.partition(":")[0] for text in MEANT
    }
    for alias, name in ALIASES.items():
        assert name.partition(":")[0] in PRESETS
        assert alias not in PRESETS
        assert alias == alias.lower()


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_own_name_needs_no_note(name):
    assert parse(name).notes == ()


@pytest.mark.parametrize("word", SUGGESTIONS)
def test_a_word_for_several_presets_is_refused_with_a_choice(word):
    assert word not in PRESETS
    with pytest.raises(KernelError, match="did you mean ") as caught:
        kernel(word)
    for name in SUGGESTIONS[word]:
        assert name in PRESETS
        assert name in str(caught.value)


@pytest.mark.parametrize("name", ["sobell", "gausian", "qqqq", "medium"])
def test_an_unknown_name_gets_three_near_ones_and_not_the_whole_list(name):
    with pytest.raises(KernelError) as caught:
        kernel(name)
    asked = str(caught.value).partition("did you mean ")[2].partition("?")[0]
    near = asked.replace(" or ", ", ").split(", ")
    assert len(near) == 3
    assert set(near) <= PRESETS.keys()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "text",
    [
        "3x3: 0,-1,0 -1,5,-1 0,-1,0",
        "3x3:0,-1,0  -1,5,-1  0,-1,0",
        "3x3: 0,-1,0\n-1,5,-1\n0,-1,0",
        "3x3: 0, -1, 0, -1, 5, -1, 0, -1, 0",
        "3x3: 0 -1 0 -1 5 -1 0 -1 0",
        "3x3: 0,-1,0, -1,5,-1, 0,-1,0",
        "3x3: 0,-2,0 -2,10,-2 0,-2,0,scale=1/2",
        "3x3: 0,-2,0 -2,10,-2 0,-2,0 scale=1/2",
    ],
)
def test_a_literal_may_be_written_in_rows(text):
    found = parse(text)
    np.testing.assert_array_equal(found.weights, [[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    assert found.notes == ()


def test_rows_of_a_literal_say_which_size_comes_first():
    rows = [[1, 2, 3], [4, 5, 6]]
    ours, theirs = parse("2x3: 1,2,3 4,5,6"), parse("3x2: 1,2,3 4,5,6")
    np.testing.assert_array_equal(ours.weights, rows)
    np.testing.assert_array_equal(theirs.weights, rows)
    assert ours.notes == ()
    (note,) = theirs.notes
    assert note.endswith("is read as 3 columns x 2 rows, as its rows are written")
    np.testing.assert_array_equal(kernel("3x2:1,2,3,4,5,6"), [[1, 2], [3, 4], [5, 6]])
    np.testing.assert_array_equal(kernel("3x1: 1,2,3"), [[1], [2], [3]])
    np.testing.assert_array_equal(kernel("3x1: 1 2 3"), [[1], [2], [3]])
