"""The README keeps its word: its commands run as written and make its pictures."""

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest

import convtool
from convtool import cli
from convtool.convolution.borders import ALIASES, BORDERS
from convtool.convolution.engines import ENGINES
from convtool.errors import ConvtoolError
from convtool.images.read import read
from convtool.kernels.presets import PRESETS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = ROOT / "sample_images" / "results"
INSTALL = re.compile(r"<!-- (install and \w+) -->\n```console\n\$ (.*)\n```\n<!-- end -->\n")
PROMPTS = re.compile(r"^\$ (.*)$", re.MULTILINE)


def commands():
    """Return each command of the README that installs nothing, and what the first one ends with."""
    installing = dict(INSTALL.findall(README))
    others = PROMPTS.findall("".join(INSTALL.sub("", README)))
    return [installing["install and filter"].rpartition(" && ")[2], *others]


def commands_of_pages():
    """Return each command of the pages in ``docs/``."""
    pages = sorted((ROOT / "docs").glob("*.md"))
    return [one for page in pages for one in PROMPTS.findall(page.read_text(encoding="utf-8"))]


def links():
    return [target for _, target in re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", README)]


def rows(heading):
    """Return the table rows below a heading."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| ")]


@pytest.fixture(scope="session")
def shell(tmp_path_factory):
    """Run a command in a shell whose folder has the sample pictures and whose PATH has convtool."""
    place = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "sample_images", place / "sample_images")
    program = place / "bin" / "convtool"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m convtool "$@"\n')
    program.chmod(0o755)
    search = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
    paths = {
        "PATH": os.pathsep.join([str(program.parent), os.environ["PATH"]]),
        "PYTHONPATH": search,
    }

    def run(command):
        done = subprocess.run(
            command,
            shell=True,
            cwd=place,
            env=os.environ | paths,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        assert b"Traceback" not in done.stderr
        return place

    return run


def test_both_install_commands_are_marked_and_complete():
    installing = dict(INSTALL.findall(README))
    assert installing.keys() == {"install and filter", "install and test"}
    for command in installing.values():
        assert command.startswith("python3 -m venv .venv && . .venv/bin/activate && pip install ")
    assert "python -m pytest" in installing["install and test"]
    assert "convtool filter --kernel sobel sample_images/" in installing["install and filter"]


def test_there_are_enough_examples():
    assert len(commands()) >= 6
    assert len(list(RESULTS.iterdir())) >= 5


@pytest.mark.parametrize("command", commands())
def test_command_runs_as_written_and_makes_its_picture(command, shell):
    place = shell(command)
    words = shlex.split(command)
    target = place / words[-1]
    if "--dry-run" in words:
        assert not target.exists()
        return
    if words[1] != "filter":
        return
    made = read(target).pixels
    assert made.size
    shown = RESULTS / target.name
    if shown.exists():
        expected = read(shown).pixels
        assert made.shape == expected.shape
        # Engines round alike but for the last bits; JPEG may make several levels of one of those.
        apart = np.abs(made.astype(int) - expected) > 1
        assert apart.mean() < 0.01


@pytest.mark.parametrize("command", commands_of_pages())
def test_command_of_a_page_runs_as_written(command, shell):
    shell(command)


def test_every_result_is_small_shown_and_made_by_a_command():
    made = {shlex.split(command)[-1] for command in commands()}
    for picture in RESULTS.iterdir():
        assert picture.stat().st_size < 100_000
        assert picture.name in made
        assert f"](sample_images/results/{picture.name})" in README


@pytest.mark.parametrize("target", links())
def test_links_lead_somewhere(target):
    assert "://" not in target
    assert (ROOT / target).is_file()


def test_every_command_is_there():
    names = cli.root.list_commands(click.Context(cli.root))
    assert names
    table = "\n".join(rows("Commands"))
    for name in names:
        assert f"| `convtool {name}` |" in table
        assert any(shlex.split(command)[1] == name for command in commands())


def test_every_exit_code_is_there():
    table = "\n".join(rows("Commands"))
    for code in (cli.DONE, cli.FAILED, cli.USAGE, cli.INTERRUPTED):
        assert f"\n| {code} | " in table


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_there_with_its_parameters(name):
    row = next(row for row in rows("Kernels") if f"`{name}`" in row.split("|")[1])
    shown = re.findall(r"`(\w+)`", row.split("|")[2])
    assert shown == [parameter.name for parameter in PRESETS[name].parameters]


def test_every_preset_in_the_table_exists():
    named = [n for row in rows("Kernels") for n in re.findall(r"`([\w-]+)`", row.split("|")[1])]
    assert set(named) - {"scale", "sum", "abs"} >= PRESETS.keys()
    for name in named:
        if name not in PRESETS:
            assert name in ("scale", "sum", "abs")


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_is_there(name):
    assert any(row.startswith(f"| `{name}` |") for row in rows("Engines"))


@pytest.mark.parametrize("name", BORDERS)
def test_every_border_is_there_beside_its_rule(name):
    row = next(
        row for row in rows("Borders") if f"`{ALIASES.get(name, name)}`" in row.split("|")[1]
    )
    assert f"`{name}`" in row.split("|")[1]
    left, image, right = re.search(r"`([\w]{4}) (abcd) ([\w]{4})`", row).groups()
    numbers = np.array([["0abcd".index(letter) for letter in image]], float)
    answer = convtool.convolve(numbers, np.eye(1), border=name, padding=(0, 4))[0]
    assert "".join("0abcd"[int(v)] for v in answer) == left + image + right


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```", README, re.M | re.S))
def test_python_runs_as_written(code, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "sample_images", tmp_path / "sample_images")
    monkeypatch.chdir(tmp_path)
    example = doctest.DocTestParser().get_doctest(code, {}, "README.md", "README.md", 0)
    assert example.examples
    problems = []
    doctest.DocTestRunner(verbose=False).run(example, out=problems.append)
    assert not problems, "".join(problems)


def test_every_spec_of_the_text_is_one():
    specs = re.findall(r"`([a-z-]+:(?!//)[\w=./,x]+)`", README)
    assert len(specs) >= 5
    for spec in specs:
        if spec.startswith("separable:"):
            convtool.convolve(np.ones((3, 3)), "box", engine=spec)
        else:
            try:
                convtool.kernel(spec)
            except ConvtoolError as error:
                pytest.fail(f"{spec}: {error}")


def test_the_changelog_has_a_place_for_what_changes():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text or f"## [{convtool.__version__}]" in text


def test_contributing_says_what_every_folder_is_for():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([^`]+)/` \|", text, re.MULTILINE)
    folders = {f"convtool/{one.parent.name}" for one in (ROOT / "convtool").glob("*/__init__.py")}
    assert len(folders) > 9
    assert {*folders, "tests", "benchmarks", "sample_images"} == set(told)
    assert len(told) == len(set(told))
