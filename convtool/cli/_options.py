"""What the commands share: making options, taking their values, giving a report."""

import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from convtool.cli._help import option
from convtool.cli._terminal import say
from convtool.errors import OptionError
from convtool.records import Record
from convtool.records import names_of as fields_of

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Record = TypeVar("_Record", bound=Record)

STDOUT = "-"


class FiniteRange(click.FloatRange):
    """A range of numbers without NaN, which no comparison refuses, and infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert a text, or fail with what is wrong with it."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number:g} is not a finite number.", param, ctx)
        return number


FILE = click.Path(path_type=Path, dir_okay=False)
"""The type of an output, or of an input that cannot be a folder."""
PLACE = click.Path(path_type=Path)
"""The type of a file or folder."""


def together(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """Return a decorator that adds options to a command, in this order."""

    def add(command: _Command) -> _Command:
        for one in reversed(options):
            command = one(command)
        return command

    return add


def choice(
    *names: str, values: Iterable[str], help: str = "", topic: str = ""
) -> Callable[[_Command], _Command]:
    """Return an option that takes one of some words, by default the first."""
    words = list(values)
    return option(
        *names,
        topic=topic,
        type=click.Choice(words),
        default=words[0],
        show_default=True,
        help=help or None,
    )


def taken(values: dict[str, Any], kind: type[_Record]) -> _Record:
    """Take the values that a record has fields for out of a command's."""
    return kind(**{name: values.pop(name) for name in fields_of(kind) if name in values})


def whole_numbers(text: str, separator: str = ",") -> tuple[int, ...]:
    """Return the whole numbers between separators, or none where anything else stands there."""
    try:
        return tuple(int(part) for part in text.split(separator))
    except ValueError:
        return ()


def names_of(text: str | None) -> list[str]:
    """Return the names between commas."""
    return [name.strip() for name in text.split(",")] if text else []


def pair(text: str) -> int | tuple[int, ...]:
    """Return ``N`` as a number and ``N,M`` (vertical, horizontal) as two."""
    numbers = whole_numbers(text)
    if len(numbers) not in (1, 2):
        raise click.BadParameter(f"{text!r} is neither a whole number nor two as in 2,1")
    return numbers[0] if len(numbers) == 1 else numbers


json_option = option(
    "--json",
    "json_target",
    topic="report",
    metavar="[FILE.json]",
    is_flag=False,
    flag_value=STDOUT,
    help="Give the report as JSON, on stdout or in a file.",
)
"""``--json [FILE]`` passes ``json_target``: None, ``-`` for stdout or a file's name. That ends in
.json; what else follows is the next argument (seen to by `cli.run`)."""

peak_option = option(
    "--peak",
    topic="method",
    type=FiniteRange(0, min_open=True),
    metavar="VALUE",
    help="The largest possible value, for the PSNR.  [default: for integers white of their type; "
    "for floats 1 if they lie within 0 to 1, 255 if within 0 to 255 and beyond 127, else their "
    "range]",
)
threads_option = option(
    "--threads", topic="machine", type=click.IntRange(1), help="[default: all cores]"
)
data_option = option("--data", topic="data", type=PLACE, help="The folder or file of a named set.")


output_option = option(
    "--output",
    "-o",
    topic="output",
    metavar="OUT",
    help="Where to write; stands in place of the last argument.",
)


def target_of(argument: str | None, output: str | None, name: str = "OUT") -> str:
    """Return the place to write to, which is the last argument or that of ``--output``.

    Raises
    ------
    click.UsageError
        If both or none of them is given.
    """
    if argument is not None and output is not None:
        raise click.UsageError(
            f"{name} is given twice, as --output {output} and as {argument}; give one of them"
        )
    if argument is None and output is None:
        raise click.UsageError(f"Missing argument '{name}'; give it last, or as --output {name}")
    return argument or output or ""


def check_stdout(target: str | None, json_target: str | None) -> None:
    """Raise an error if a picture would go to a terminal, or to stdout together with a report."""
    check_no_terminal(target)
    if target == STDOUT == json_target:
        raise OptionError("the picture and the report cannot both go to stdout; use --json FILE")


def check_no_terminal(target: str | None) -> None:
    """Raise an error if the bytes of a picture would go to a terminal."""
    if target == STDOUT and sys.stdout.isatty():
        raise OptionError(
            "the bytes of a picture are not for a terminal; name a file, or redirect stdout by "
            "> FILE"
        )


def give(
    report: Mapping[str, object],
    json_target: str | None,
    lines: Sequence[str],
    *,
    quiet: bool = False,
) -> None:
    """Write the report where ``--json`` says, and print its lines where stdout is left for them."""
    from convtool.report.json_report import write_report

    if json_target is not None:
        write_report(report, json_target)
    if json_target != STDOUT and not quiet:
        say(*lines)
