"""Options that several commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click


def pair(text: str) -> int | tuple[int, ...]:
    """Parse ``N`` as an integer and ``N,M`` (vertical, horizontal) as a pair."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 2):
        raise click.BadParameter(f"{text!r} is neither a whole number nor two as in 2,1")
    return numbers[0] if len(numbers) == 1 else numbers


_Command = TypeVar("_Command", bound=Callable[..., Any])


def json_option(command: _Command) -> _Command:
    """Add ``--json [FILE]``: passes ``json_target``, None, ``-`` for stdout or a file's name.

    A file's name ends in .json; anything else is the next argument (see `cli.run`).
    """
    return click.option(
        "--json",
        "json_target",
        metavar="[FILE.json]",
        is_flag=False,
        flag_value="-",
        help="Give the report as JSON, on stdout or in a file.",
    )(command)
