"""The README is short, and names every command; ``docs/test_pages.py`` runs what it shows."""

import re
import shlex

import click
from pages import INSTALL, PAGES, ROOT, commands, rows

import convtool
from convtool import cli

README = PAGES["README.md"]


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_both_install_commands_are_marked_and_complete() -> None:
    installing = dict(INSTALL.findall(README))
    assert installing.keys() == {"install and filter", "install and test"}
    for command in installing.values():
        assert command.startswith("python3 -m venv .venv && . .venv/bin/activate && pip install ")
    assert "python -m pytest" in installing["install and test"]
    assert "convtool filter --kernel sobel sample_images/" in installing["install and filter"]


def test_every_command_is_in_its_table_and_shown_on_some_page() -> None:
    names = cli.root.list_commands(click.Context(cli.root))
    assert names
    named = re.findall(r"^\| `convtool (\S+)` \|", "\n".join(rows("README.md", "Commands")), re.M)
    assert named == names
    shown = {word for command in commands() for word in re.findall(r"\bconvtool (\S+)", command)}
    assert shown >= set(names)


def test_ten_everyday_commands() -> None:
    section = README.partition("\n## Ten everyday commands\n")[2].partition("\n## ")[0]
    everyday = re.findall(r"^\$ (.*)$", section, re.MULTILINE)
    assert len(everyday) == 10
    assert all(shlex.split(command)[0] == "convtool" for command in everyday)


def test_the_changelog_has_a_place_for_what_changes() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text or f"## [{convtool.__version__}]" in text


def test_contributing_says_what_every_folder_is_for() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([^`]+)/` \|", text, re.MULTILINE)
    folders = {f"convtool/{one.parent.name}" for one in (ROOT / "convtool").glob("*/__init__.py")}
    assert len(folders) > 9
    assert {*folders, "tests", "benchmarks", "docs", "examples", "sample_images"} == set(told)
    assert len(told) == len(set(told))
