"""Options of other tools, and what is said of them: something that works."""

import shlex

import click
import pytest

from convtool import cli
from convtool.cli import run
from convtool.cli._meanings import OPTIONS
from convtool.kernels.spec import kernel


def options_of(name):
    command = cli.root.get_command(click.Context(cli.root), name)
    return {opt for one in command.params for opt in one.opts}


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["--sigma", "3"], "-k gaussian:sigma=3"),
        (["--sigma=3"], "-k gaussian:sigma=3"),
        (["-k", "gaussian", "--sigma", "3"], "-k gaussian:sigma=3"),
        (["-k", "gaussian:size=9", "--sigma", "3"], "-k gaussian:size=9,sigma=3"),
        (["--kernel=log", "--sigma", "1.5"], "-k log:sigma=1.5"),
        (["--sigma"], "-k gaussian:sigma=VALUE"),
        (["--radius", "5"], "-k disk:radius=5"),
        (["--wavelength", "8"], "-k gabor:wavelength=8"),
        (["--grayscale"], "--gray"),
        (["--virtual-pixel", "wrap"], "--border wrap"),
        (["--continue"], "--resume"),
        (["--bits", "16"], "--depth 16"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else None,
)
def test_an_option_of_another_tool_is_answered_by_ours(arguments, meant, capsys):
    assert run(["filter", *arguments, "in.png", "out.png"]) == 2
    said = capsys.readouterr().err
    assert f"; give {meant} (see 'convtool filter --help')" in said
    assert said.count("\n") == 1


def test_other_options_are_answered_as_ever(capsys):
    assert run(["filter", "--nonsense", "in.png", "out.png"]) == 2
    assert "No such option '--nonsense'" in capsys.readouterr().err
    assert run(["compare", "--sigma", "3", "a", "b"]) == 2
    assert "No such option '--sigma'" in capsys.readouterr().err


@pytest.mark.parametrize("word", OPTIONS)
def test_every_answer_is_an_option_or_a_kernel(word):
    ours = options_of("filter")
    assert f"--{word}" not in ours
    words = shlex.split(OPTIONS[word].format(3).partition(":" if word == "force" else "\0")[0])
    if words[0] == "-k" and words[1] != "3" and not words[1].startswith("SPEC:"):
        kernel(words[1])
    elif words[0].startswith("-"):
        assert words[0] in ours
