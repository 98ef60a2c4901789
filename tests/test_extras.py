"""Optional packages: each extra that code asks for is one that can be installed."""

import tomllib
from pathlib import Path

import pytest

from convtool import extras
from convtool.errors import OptionError

OFFERED = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())


def test_every_extra_is_offered():
    assert extras.EXTRAS.keys() <= OFFERED["project"]["optional-dependencies"].keys()


@pytest.mark.parametrize("extra", extras.EXTRAS)
@pytest.mark.parametrize("ask", [extras.need, extras.load])
def test_what_is_missing_and_what_brings_it_is_said(extra, ask):
    with pytest.raises(OptionError, match=rf"no_such_one; install: .*'convtool\[{extra}\]'"):
        ask(extra, "no_such_one")
