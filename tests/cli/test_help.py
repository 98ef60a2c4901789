"""Help: panels by topic, the usual options first, never wider than a terminal of 80 columns."""

import os
import pty
import re
import shlex
import subprocess
import sys

import click
import pytest
from processes import ENVIRONMENT, finished

from convtool import cli
from convtool.cli._help import TOPICS, USUAL, Command, _folded

LONG = ("deconvolve", "explain", "filter", "gridsearch", "inspect", "svd", "train")
"""The commands with more options than one reads at once."""
SHORT = sorted(set(cli.COMMANDS) - set(LONG))


def command_of(name):
    return cli.root.get_command(click.Context(cli.root), name)


def help_of(capsys, *arguments):
    assert cli.run([*arguments]) == 0
    return capsys.readouterr().out


def listed(text):
    """Return the long options that have a line of their own."""
    panels = re.search(r"^(Usual options|[A-Z][a-z ]+):$.*", text, re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^  (-.*?)(?:  |$)", panels.group() if panels else text, re.MULTILINE)
    return [name for line in lines for name in re.findall(r"--[a-z0-9-]+", line)]


def long_names(name):
    command = command_of(name)
    options = (one for one in command.get_params(click.Context(command)))
    return {
        opt
        for one in options
        if isinstance(one, click.Option) and not one.hidden
        for opt in (*one.opts, *one.secondary_opts)
        if opt.startswith("--")
    }


@pytest.mark.parametrize("arguments", [[], ["help"], ["--help"], ["-h"]])
def test_the_command_alone_shows_its_help(arguments, capsys):
    shown = help_of(capsys, *arguments)
    assert shown.startswith("Usage: convtool [OPTIONS] [COMMAND] [ARGS]...\n")
    assert all(f"  {name} " in shown for name in cli.COMMANDS)


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_help_with_a_command_is_its_help(name, capsys):
    shown = help_of(capsys, "help", name)
    assert shown == help_of(capsys, name, "--help") == help_of(capsys, name, "-h")
    assert help_of(capsys, "help", "--all", name) == help_of(capsys, name, "--help-all")


def test_help_of_an_unknown_command_is_wrong_usage(capsys):
    assert cli.run(["help", "fliter"]) == 2
    assert "unknown command 'fliter'; did you mean filter?" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("option", ["--help", "--help-all"])
@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_nothing_is_wider_than_80_columns(name, option, columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = help_of(capsys, name, option)
    assert max(map(len, shown.splitlines())) <= 80


def test_the_root_is_no_wider(capsys):
    assert max(map(len, help_of(capsys, "--help").splitlines())) <= 80


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_has_panels(name):
    command = command_of(name)
    assert isinstance(command, Command)
    _, panels = command.panels(click.Context(command))
    assert {heading for heading, _ in panels} <= set(TOPICS.values())


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_all_options_are_shown_once(name, capsys):
    shown = help_of(capsys, name, "--help-all")
    found = listed(shown.partition("Examples:")[0])
    assert sorted(found) == sorted(set(found))
    assert set(found) | {"--help-all"} == long_names(name)


@pytest.mark.parametrize("name", LONG)
def test_a_long_command_shows_the_usual_options_and_names_the_others(name, capsys):
    shown = help_of(capsys, name, "--help")
    usual = shown.partition(f"{USUAL}:\n")[2].partition("\n\n")[0]
    assert 5 < len(listed(usual)) <= 16
    more = shown.partition("More options, under --help-all:\n")[2].partition("\n\n")[0]
    named = set(re.findall(r"--[a-z0-9-]+", more))
    assert named
    assert not named & set(listed(usual))
    whole = help_of(capsys, name, "--help-all")
    assert listed(whole)[: len(listed(usual))] == listed(usual)
    assert len(shown.splitlines()) < len(whole.splitlines())


def test_filter_shows_ten_usual_options_and_its_topics(capsys):
    shown = help_of(capsys, "filter", "--help")
    usual = listed(shown.partition(f"{USUAL}:\n")[2].partition("\n\n")[0])
    assert len(set(usual) - {"--help", "--help-all"}) == 10
    for heading in ("Kernel", "What is kept", "Where", "Many pictures", "Huge pictures", "Machine"):
        assert f"\n  {heading} " in shown
        assert f"\n{heading}:\n" in help_of(capsys, "filter", "--help-all")


@pytest.mark.parametrize("name", SHORT)
def test_a_short_command_shows_everything(name, capsys):
    assert help_of(capsys, name, "--help") == help_of(capsys, name, "--help-all")


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_examples_are_folded_as_a_shell_joins_them(name):
    command = command_of(name)
    lines = [line for line in command.example_lines(60) if line.startswith(" ")]
    text = (command.epilog or "").replace("\\\n", " ")
    examples = [line for line in text.splitlines() if line.startswith("  convtool ")]
    assert examples
    joined = shlex.split("\n".join(lines).replace("\\\n", " "))
    assert joined == shlex.split("\n".join(examples))


def test_a_quoted_argument_stays_in_one_line():
    folded = list(_folded("  convtool train --arch 'conv 16 3x3 same, relu, pool 2' digits", 40))
    assert folded == [
        "  convtool train --arch \\",
        "      'conv 16 3x3 same, relu, pool 2' \\",
        "      digits",
    ]


def on_terminal(*arguments, **environment):
    """Return what a command prints on a terminal of 80 columns."""
    main, other = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "convtool", *arguments],
        stdout=other,
        stderr=subprocess.PIPE,
        env={**ENVIRONMENT, "COLUMNS": "80", "TERM": "xterm", **environment},
    )
    os.close(other)
    printed = b""
    while True:
        try:
            some = os.read(main, 1 << 16)
        except OSError:  # Linux tells the end of a terminal so
            break
        if not some:
            break
        printed += some
    os.close(main)
    assert done.wait(100) == 0
    done.stderr.close()
    return printed.replace(b"\r\n", b"\n").decode()


def test_headings_are_bold_on_a_terminal_only():
    plain = finished("filter", "--help").stdout.decode()
    assert "\x1b" not in plain
    coloured = on_terminal("filter", "--help")
    assert f"\x1b[1m{USUAL}:\x1b[0m\n" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert on_terminal("filter", "--help", NO_COLOR="1") == plain
    assert on_terminal("filter", "--help", TERM="dumb") == plain
