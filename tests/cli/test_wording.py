"""Messages of the library name Python's options; the command line turns them into its own."""

import ast
import re
from functools import cache
from pathlib import Path

import click
import pytest

import convtool
from convtool.cli import root, words
from convtool.cli._terminal import say
from convtool.cli._wording import as_options, report_as_options
from convtool.errors import OptionError

PACKAGE = Path(convtool.__file__).parent
LIBRARY = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE / "cli"]
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_OF_A_COMMAND = re.compile(r"(?:convtool [a-z]+|vips|libvips)\b[^;`]*?--[a-z][a-z-]*")
_CODE = re.compile(r"(?<!`)`([a-z][a-z0-9_]*)=[^`]*`(?!`)")
ELSEWHERE = {"memory-limit"}
"""Options of other programs."""


def texts(path):
    """Return all texts of a module, with ``{}`` for what is put into them."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    joined = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in joined for part in node.values}
    for node in joined:
        words = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        yield node.lineno, "".join(words)
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.lineno, node.value


@cache
def options():
    """Return the long options of all commands."""
    context = click.Context(root)
    commands = [root.get_command(context, name) for name in root.list_commands(context)]
    assert len(commands) > 10
    return {
        option
        for command in commands
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }


def test_the_library_names_no_option_of_the_command_line():
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {text}"
        for path in LIBRARY
        for line, text in texts(path)
        if _OPTION.search(_OF_A_COMMAND.sub("", text))
    ]
    assert found == []


def test_what_the_library_names_is_an_option_of_some_command():
    named = {
        (path.name, option)
        for path in LIBRARY
        for _, text in texts(path)
        for option in _CODE.findall(text)
    }
    assert len(named) > 40
    known = options() | {f"--{name}" for name in ELSEWHERE}
    unknown = {pair for pair in named if as_options(f"`{pair[1]}=`") not in known}
    assert unknown == set()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nothing to turn", "nothing to turn"),
        ("more than 9; `max_pixels=` raises it", "more than 9; --max-pixels raises it"),
        ("use `gray=True` or `depth='8'`", "use --gray or --depth 8"),
        ("`page=N` chooses it", "--page N chooses it"),
        ("`kernels='sobel:scale=1/5', range='abs'`", "-k sobel:scale=1/5 --range abs"),
        ("`kernels=['box', 'a b.csv']`", "-k box -k 'a b.csv'"),
        ("`nodata=float('nan')` takes them", "--nodata none takes them"),
        ("`validation=0.1`", "--validation 0.1"),
        ("a file `x=(`.png", "a file `x=(`.png"),
        ("a file `x=1` `.png", "a file --x 1 `.png"),
        ("see `convolve`", "see `convolve`"),
    ],
)
def test_rule(text, told):
    assert as_options(text) == told
    assert words(OptionError(text)) == told


def test_messages_are_turned_and_results_are_not(capsys):
    say("`gray=True`")
    say("`gray=True`", err=True)
    assert tuple(capsys.readouterr()) == ("`gray=True`\n", "--gray\n")


def test_reports():
    report = {"warnings": ("`gray=True`",), "pages": 3, "of": {"error": "`page=N`"}}
    assert report_as_options(report) == {
        "warnings": ["--gray"],
        "pages": 3,
        "of": {"error": "--page N"},
    }
