"""The numbers of ``docs/explanation/promises.md`` are those of the code."""

import re
from importlib import import_module

import pytest
from pages import PAGES

PAGE = PAGES["docs/explanation/promises.md"]
LIMITS = re.findall(r"\| (\d+) \| `([\w.]+)(?:\[\"(.+)\"\])?` \|", PAGE)


def test_there_are_limits() -> None:
    assert len(LIMITS) > 10


@pytest.mark.parametrize(("value", "name", "kind"), LIMITS)
def test_a_limit_is_the_one_in_the_code(value: str, name: str, kind: str) -> None:
    module, _, constant = name.rpartition(".")
    found = getattr(import_module(module), constant)
    assert (found[kind] if kind else found) == int(value)
