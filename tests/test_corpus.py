"""The real command on every file of the corpus: right pixels, or one clear line."""

import pytest
from corpus.cases import CASES, REGISTRIES
from corpus.run import problems


def test_names_are_unique_and_there_are_enough():
    assert len(CASES) == sum(len(registry.cases) for registry in REGISTRIES)
    assert len(CASES) >= 80


@pytest.mark.parametrize("name", CASES)
def test_the_command_shows_the_pixels_or_refuses_in_one_line(name, tmp_path):
    assert problems(CASES[name], tmp_path) == []
