"""The site that Sphinx makes of ``docs/``: it builds without a warning, and fits each screen.

Notebooks are not executed here; ``course/test_notebooks.py`` runs them.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from browser import Browser
from pages import DOCS, GENERATED, PAGES, ROOT

from convtool.cli import COMMANDS
from convtool.kernels.presets import PRESETS

NEEDED = ("sphinx", "pydata_sphinx_theme", "numpydoc", "sphinx_click", "myst_nb", "sphinx_gallery")
SCREENS = {"desktop": (1280, 900), "phone": (390, 844)}
EXCESS = """
Math.max(0, document.documentElement.scrollWidth - window.innerWidth,
         ...[...document.querySelectorAll("article h1, article h2, article h3, article p")]
            .filter(e => !e.closest("table")).map(e => e.scrollWidth - e.clientWidth))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site in a copy of the checkout, once for all processes of a test run."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (pip install -e '.[docs]')")
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    copy, said = place / "site", place / "site.txt"
    with (place / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            left_out = shutil.ignore_patterns(*(Path(name).name for name in GENERATED))
            shutil.copytree(DOCS, copy / "docs", ignore=left_out)
            for folder in ("examples", "sample_images"):
                (copy / folder).symlink_to(ROOT / folder)
            said.write_text(build(copy), encoding="utf-8")
    assert said.read_text(encoding="utf-8") == ""
    return copy / "docs" / "_build"


def build(copy: Path) -> str:
    """Run the documented command, with warnings as errors; return what went wrong."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q"]
    command += ["-D", "nb_execution_mode=off", "docs", "docs/_build"]
    paths = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
    environment = os.environ | {"PYTHONPATH": paths, "MPLBACKEND": "agg"}
    done = subprocess.run(
        command, cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else f"exit code {done.returncode}: {done.stderr[-4000:]}"


def test_every_page_is_built(site: Path) -> None:
    for name in PAGES:
        if name != "README.md":
            assert (site / Path(name).relative_to("docs").with_suffix(".html")).is_file(), name
    for command in COMMANDS:
        assert (site / f"reference/commands/{command}.html").is_file()


def test_every_preset_has_its_matrix_response_and_source(site: Path) -> None:
    page = (site / "reference/kernels.html").read_text(encoding="utf-8")
    for name, preset in PRESETS.items():
        section = page.partition(f"<h3>{name}<")[2].partition("<h3>")[0]
        assert "Source: " in section, name
        for parameter in preset.parameters:
            assert f">{parameter.name}</span>" in section
        if not preset.parts:
            assert "<pre>" in section
            assert f"_images/{name}.png" in section
            assert (site / "_images" / f"{name}.png").is_file()


@pytest.mark.browser
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("part", ["tutorials", "howto", "reference", "explanation", "gallery", ""])
def test_pages_fit_the_screen(site: Path, part: str, screen: str, tmp_path: Path) -> None:
    """No page is wider than its screen, complains, or asks for anything outside the site."""
    folder = site / part
    pages = sorted(folder.glob("*.html"))
    if part == "reference":
        pages += [folder / "commands/filter.html", folder / "api/convtool.html"]
        pages += [folder / "api/names/convtool.convolve.html"]
    assert pages
    problems = []
    with Browser(tmp_path / "profile") as browser:
        browser.screen(*SCREENS[screen], phone=screen == "phone")
        for page in pages:
            browser.open(page.as_uri())
            outside = [one for one in browser.requests() if not one.startswith("file:")]
            errors = [one for one in browser.complaints() if one.get("type") != "log"]
            found = (browser.run(EXCESS), outside, errors)
            problems += [(page.name, *found)] if any(found) else []
    assert problems == []
