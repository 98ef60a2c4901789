"""Where a filter applies, and to which values: options, and the values they make."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from convtool.filtering.nonfinite import RULES
from convtool.images.options import ReadOptions

_Command = TypeVar("_Command", bound=Callable[..., Any])


def region_of(text: str) -> tuple[int, ...]:
    """Return the four numbers of ``X,Y,W,H``."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 4:
        raise click.BadParameter(f"{text!r} is no region such as 10,20,300,200")
    return numbers


_OPTIONS = (
    click.option(
        "--region",
        type=region_of,
        metavar="X,Y,W,H",
        help="Filter this rectangle only: left, top, width, height. What lies around it is seen "
        "and not changed.",
    ),
    click.option(
        "--mask",
        metavar="FILE",
        help="Filter where this grey picture of the same size is white, not where it is black, "
        "and mix in between.",
    ),
    click.option(
        "--channels",
        metavar="R,G,B,A|L",
        help="Filter these channels only; L: the luminance, so that colours stay.",
    ),
    click.option(
        "--nan",
        type=click.Choice(RULES),
        default=RULES[0],
        show_default=True,
        help="What becomes of NaN and infinity in floats: kept where the kernel does not reach, "
        "filled from the values around them, or refused.",
    ),
)


def where_options(command: _Command) -> _Command:
    """Add the options that say which pixels, channels and values are filtered."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_mask(values: dict[str, Any], reading: ReadOptions) -> None:
    """Put the mask in the place of its file's name among a command's values."""
    if values["mask"] is not None:
        from convtool.filtering.mask import load_mask

        values["mask"] = load_mask(values["mask"], reading)
