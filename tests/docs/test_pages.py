"""Every command and every Python block of the README and of ``docs/`` runs as it stands."""

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pages import DOCS, GENERATED, PAGES, README, ROOT, blocks, commands, links

import convtool
from convtool.errors import ConvtoolError
from convtool.images.read import read
from convtool.kernels.volumes import volume_kernel

RESULTS = ROOT / "sample_images" / "results"
FENCES = ("console", "python", "{toctree}", "")


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a ``convtool`` that is this one."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "convtool"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m convtool "$@"\n')
    script.chmod(0o755)
    return folder


def run(command: str, place: Path, program: Path) -> None:
    """Run a command in a shell."""
    search = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
    paths = os.pathsep.join([str(program), os.environ["PATH"]])
    done = subprocess.run(
        command,
        shell=True,
        cwd=place,
        env=os.environ | {"PATH": paths, "PYTHONPATH": search},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stderr.decode()}"
    assert b"Traceback" not in done.stderr


def check_output(command: str, place: Path) -> None:
    """Compare the picture that a command wrote with the one that pages show, if any."""
    words = shlex.split(command)
    target = place / words[-1]
    if "--dry-run" in words:
        assert not target.exists()
    elif words[1] == "filter" and "&&" not in words and target.suffix and ">" not in words:
        made = read(target).pixels
        assert made.size
        shown = RESULTS / target.name
        if shown.exists():
            expected = read(shown).pixels
            assert made.shape == expected.shape
            # Engines differ in the last bits; JPEG may make several levels of one of those.
            apart = np.abs(made.astype(int) - expected) > 1
            assert apart.mean() < 0.01, command


def check_python(code: str, names: dict[str, object], page: str) -> None:
    """Run a Python block, as in a session that has run the blocks above it."""
    example = doctest.DocTestParser().get_doctest(code, names, page, page, 0)
    assert example.examples
    problems: list[str] = []
    doctest.DocTestRunner(verbose=False).run(example, out=problems.append, clear_globs=False)
    assert not problems, "".join(problems)
    names.update(example.globs)


PEERS = ("skimage", "torch")
"""Modules that pages import and that neither convtool nor its extras bring: `convtool[peers]`."""


@pytest.mark.parametrize("page", [name for name, text in PAGES.items() if blocks(text)])
def test_blocks_run_from_top_to_bottom(
    page: str, tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in PEERS:
        if f">>> import {module}\n" in PAGES[page]:
            pytest.importorskip(module, reason=f"{module} (convtool[peers]) is not installed")
    shutil.copytree(ROOT / "sample_images", tmp_path / "sample_images")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, part in blocks(PAGES[page]):
        if language == "console":
            run(part, tmp_path, program)
            check_output(part, tmp_path)
        else:
            check_python(part, names, page)


def test_most_pages_have_blocks() -> None:
    assert len(commands()) > 60
    assert sum(bool(blocks(text)) for text in PAGES.values()) > 12


@pytest.mark.parametrize("page", PAGES)
def test_blocks_are_of_known_languages(page: str) -> None:
    """A block of another language would not be run."""
    fences = re.findall(r"^```(.*)$", PAGES[page], re.MULTILINE)
    assert not [f for f in fences if f not in FENCES and not f.startswith("{include} generated/")]


def test_every_result_is_small_shown_and_made_by_a_command() -> None:
    made = {shlex.split(command)[-1] for command in commands()}
    shown = "\n".join(PAGES.values())
    results = list(RESULTS.iterdir())
    assert len(results) >= 5
    for picture in results:
        assert picture.stat().st_size < 100_000
        assert picture.name in made
        assert f"sample_images/results/{picture.name})" in shown


def anchors(text: str) -> set[str]:
    """Return the names by which headings of a page are linked to."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in links(PAGES[page]):
        assert "://" not in target, "pages link to nothing outside"
        path, _, anchor = target.partition("#")
        found = (ROOT / page).parent / path if path else ROOT / page
        if any(found.is_relative_to(DOCS / folder) for folder in GENERATED):
            continue  # the build of the site checks what it makes
        assert found.is_file(), target
        if anchor:
            assert anchor in anchors(found.read_text(encoding="utf-8")), target


def test_every_page_is_in_a_table_of_contents() -> None:
    for name in PAGES:
        path = ROOT / name
        if path == README or path == DOCS / "index.md":
            continue
        index = path.parent / "index.md" if path.stem != "index" else DOCS / "index.md"
        entry = path.relative_to(index.parent).with_suffix("").as_posix()
        assert f"\n{entry}\n" in index.read_text(encoding="utf-8"), name


def test_every_spec_of_the_text_is_one() -> None:
    specs = {
        spec
        for text in PAGES.values()
        for spec in re.findall(r"`([a-z-]+:(?!//)[\w=./,x]+)`", text)
    }
    assert len(specs) >= 10
    for spec in specs:
        if spec.startswith("separable:"):
            convtool.convolve(np.ones((3, 3)), "box", engine=spec)
        else:
            try:
                convtool.kernel(spec)
            except ConvtoolError as error:
                try:
                    volume_kernel(spec)
                except ConvtoolError:
                    pytest.fail(f"{spec}: {error}")
