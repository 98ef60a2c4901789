"""The pages in ``docs/``: their numbers are those of the code, their links lead somewhere."""

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = {page.name: page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md")}
LIMITS = re.findall(r"\| (\d+) \| `([\w.]+)(?:\[\"(.+)\"\])?` \|", PAGES["promises.md"])


def test_there_are_limits():
    assert len(LIMITS) > 10


@pytest.mark.parametrize(("value", "name", "kind"), LIMITS)
def test_a_limit_is_the_one_in_the_code(value, name, kind):
    module, _, constant = name.rpartition(".")
    found = getattr(import_module(module), constant)
    assert (found[kind] if kind else found) == int(value)


@pytest.mark.parametrize("name", PAGES)
def test_links_of_a_page_lead_somewhere(name):
    for target in re.findall(r"\[[^\]]*\]\(([^)#]+)[^)]*\)", PAGES[name]):
        assert "://" not in target
        assert (ROOT / "docs" / target).is_file(), target
