"""What ``docs/explanation/architecture.md`` and ``CONTRIBUTING.md`` name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("docs/explanation/architecture.md", "CONTRIBUTING.md")
FOLDERS = (".ci", "benchmarks", "convtool", "docs", "examples", "sample_images", "tests")


@pytest.mark.parametrize("page", PAGES)
def test_files_and_names_exist(page: str) -> None:
    """Each file and folder in backquotes exists, at the end of some path of the project."""
    text = (ROOT / page).read_text(encoding="utf-8")
    named = [name for name in re.findall(r"`([\w./]+/[\w./]*)`", text) if "*" not in name]
    assert len(named) > 10
    there = [ROOT / folder for folder in FOLDERS]
    there += [path for folder in list(there) for path in folder.rglob("*")]
    known = {f"/{path.relative_to(ROOT)}" for path in there}
    ends = [f"/{name.removeprefix('convtool/').rstrip('/')}".rstrip("/") for name in named]
    missing = [end for end in ends if not any(path.endswith(end) for path in known)]
    assert not missing


def test_registries_are_where_the_page_says() -> None:
    text = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"to `([A-Z_]+)` in\s+`([\w/]+\.py)`", text)
    assert {name for name, _ in named} >= {"ENGINES", "PRESETS", "FORMATS", "COMMANDS"}
    for name, file in named:
        assert re.search(rf"^{name}\b", (ROOT / "convtool" / file).read_text(), re.MULTILINE), name


def test_marks_name_tests() -> None:
    from conftest import MARKS

    places = {path.relative_to(ROOT / "tests").as_posix() for path in ROOT.glob("tests/**/*.py")}
    starts = [start for each in MARKS.values() for start in each]
    assert [start for start in starts if not any(p.startswith(start) for p in places)] == []
