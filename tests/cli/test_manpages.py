"""The manual pages: of every command, with what its help has, and without warnings of groff."""

import re
import shutil
import subprocess
import sys

import click
import pytest
from processes import ENVIRONMENT

from convtool import cli
from convtool.cli._manpages import pages, write_pages

PAGES = pages()
NAMES = ["convtool.1", *(f"convtool-{name}.1" for name in cli.COMMANDS)]


def test_every_command_has_a_page():
    assert sorted(PAGES) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_is_plain_roff(name):
    page = PAGES[name]
    assert page.isascii()
    assert page.startswith(".TH ")
    for line in page.splitlines():
        assert not line.startswith("'")
        if line.startswith("."):
            assert re.match(r"\.(TH|SH|SS|TP|PP|B|BR|nf|fi|ad|nh)\b", line)


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_has_every_option_and_example(name):
    command = cli.root.get_command(click.Context(cli.root), name)
    page = PAGES[f"convtool-{name}.1"].replace("\\-", "-").replace("\\:", "")
    context = click.Context(command)
    usual, panels = command.panels(context)
    terms = "\n".join(re.findall(r"^\.B (.*)$", page, re.MULTILINE))
    for option in (*usual, *(one for _, some in panels for one in some)):
        assert all(name in terms for name in option.opts)
    assert page.partition(".SH EXAMPLES\n")[2].count(f"  convtool {name}")


@pytest.mark.parametrize("name", NAMES)
def test_groff_has_no_warning(name, tmp_path):
    program = shutil.which("groff")
    if program is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(
        [program, "-man", "-ww", "-Tutf8", "-rLL=80n", "-"],
        input=PAGES[name],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    title = name.removesuffix(".1").upper()
    assert f"{title}(1)" in re.sub(r"\x1b\[[0-9]*m|.\x08", "", done.stdout)


def test_man_shows_the_written_file(tmp_path):
    program = shutil.which("man")
    if program is None or shutil.which("groff") is None:
        pytest.skip("man is not installed")
    write_pages(tmp_path / "man1")
    done = subprocess.run(
        [program, "--warnings=w", "-l", str(tmp_path / "man1" / "convtool-filter.1")],
        env=ENVIRONMENT | {"MANPAGER": "cat", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    if "has been minimized" in done.stdout:
        pytest.skip("man is left out of this minimized system")
    assert done.stderr == ""
    shown = re.sub(r"\x1b\[[0-9]*m|.\x08", "", done.stdout)
    assert "convtool filter [OPTIONS] IN… OUT" in shown
    assert "Preset (gaussian:sigma=2)" in " ".join(shown.split())


def test_the_module_writes_them(tmp_path):
    command = [sys.executable, "-m", "convtool.cli._manpages", str(tmp_path / "man1")]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    files = sorted(path.name for path in (tmp_path / "man1").iterdir())
    assert files == sorted(NAMES)
    assert len(done.stdout.splitlines()) == len(files)
