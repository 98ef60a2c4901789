"""Options for the pixels, channels and values that a filter applies to."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from convtool.filtering.nonfinite import RULES
from convtool.images.options import ReadOptions

_Command = TypeVar("_Command", bound=Callable[..., Any])


def region_of(text: str) -> tuple[int, ...]:
    """Parse a region ``X,Y,W,H``."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 4:
        raise click.BadParameter(f"{text!r} is not a region such as 10,20,300,200")
    return numbers


_OPTIONS = (
    click.option(
        "--region",
        type=region_of,
        metavar="X,Y,W,H",
        help="Filter this rectangle only: left, top, width, height. Pixels around it are read "
        "and not changed.",
    ),
    click.option(
        "--mask",
        metavar="FILE",
        help="Grey picture of the same size: filter where it is white, keep pixels where it is "
        "black, and blend in between.",
    ),
    click.option(
        "--channels",
        metavar="R,G,B,A|L",
        help="Filter only these channels; L filters the luminance and keeps the colours.",
    ),
    click.option(
        "--nan",
        type=click.Choice(RULES),
        default=RULES[0],
        show_default=True,
        help="How NaN and infinity in floats are treated: keep them and let them spread as far "
        "as the kernel reaches; fill them from the values around; or refuse the picture.",
    ),
)


def where_options(command: _Command) -> _Command:
    """Add the options for the filtered pixels, channels and values."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_mask(values: dict[str, Any], reading: ReadOptions) -> None:
    """Replace the mask's file name in a command's parameters by the mask."""
    if values["mask"] is not None:
        from convtool.filtering.mask import load_mask

        values["mask"] = load_mask(values["mask"], reading)
