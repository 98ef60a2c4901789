"""The real command on every file of the corpus: right pixels, or one clear line.

Odd places and every sixth other file are given to a process of their own, from its start. To save
starting, the other commands run in processes forked from one that has loaded the modules and done
nothing yet.
"""

import pytest
from corpus.cases import CASES, REGISTRIES, places
from corpus.run import problems

FROM_THE_START = {*list(CASES)[::6], *(case.name for case in places.cases.cases)}


def test_names_are_unique_and_there_are_enough():
    assert len(CASES) == sum(len(registry.cases) for registry in REGISTRIES)
    assert len(CASES) >= 500


@pytest.mark.parametrize("name", CASES)
def test_the_command_shows_the_pixels_or_refuses_in_one_line(name, tmp_path):
    assert problems(CASES[name], tmp_path, fork=name not in FROM_THE_START) == []
