"""What ``docs/architecture.md`` and ``CONTRIBUTING.md`` name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = {"docs/architecture.md": "convtool", "CONTRIBUTING.md": "."}


@pytest.mark.parametrize("page", PAGES)
def test_files_and_names_exist(page: str) -> None:
    """Each file and folder in backquotes exists; a name ``NAME`` in a file is written there."""
    text = (ROOT / page).read_text(encoding="utf-8")
    folders = (ROOT / PAGES[page], ROOT, ROOT / "convtool")
    paths = [name for name in re.findall(r"`([\w./]+/[\w./]*)`", text) if "*" not in name]
    assert len(paths) > 10
    missing = [name for name in paths if not any((folder / name).exists() for folder in folders)]
    assert not missing


def test_registries_are_where_the_page_says() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"to `([A-Z_]+)` in\s+`([\w/]+\.py)`", text)
    assert {name for name, _ in named} >= {"ENGINES", "PRESETS", "FORMATS", "COMMANDS"}
    for name, file in named:
        assert re.search(rf"^{name}\b", (ROOT / "convtool" / file).read_text(), re.MULTILINE), name
