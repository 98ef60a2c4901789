"""Options for the pixels, channels and values that a filter applies to."""

import math
from typing import Any

import click

from convtool.cli._help import option
from convtool.cli._options import choice, together, whole_numbers
from convtool.filtering.nonfinite import RULES
from convtool.images.options import ReadOptions


def region_of(text: str) -> tuple[int, ...]:
    """Return the four numbers of ``X,Y,W,H``."""
    numbers = whole_numbers(text)
    if len(numbers) != 4:
        raise click.BadParameter(f"{text!r} is not a region such as 10,20,300,200")
    return numbers


def _nodata_of(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """Return the value of missing pixels: NaN, which no pixel equals, for ``none``."""
    if text is None or text == "none":
        return None if text is None else math.nan
    try:
        return float(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither a number nor none") from None


where_options = together(
    option(
        "--region",
        topic="where",
        type=region_of,
        metavar="X,Y,W,H",
        help="Filter this rectangle only: left, top, width, height. Pixels around it are read "
        "and not changed.",
    ),
    option(
        "--mask",
        topic="where",
        metavar="FILE",
        help="Grey picture of the same size: filter where it is white, keep pixels where it is "
        "black, and blend in between.",
    ),
    option(
        "--channels",
        topic="where",
        metavar="R,G,B,A|L",
        help="Filter only these channels; L filters the luminance and keeps the colours.",
    ),
    choice(
        "--nan",
        topic="where",
        values=RULES,
        help="How NaN and infinity in floats are treated: keep them and let them spread as far "
        "as the kernel reaches; fill them from the values around; or refuse the picture.",
    ),
    option(
        "--nodata",
        topic="where",
        metavar="VALUE|none",
        callback=_nodata_of,
        help="Value of missing pixels, filled from the values around as with --nan fill; that of "
        "GDAL's tag unless given. With none, no value means missing.",
    ),
)
"""Which pixels, channels and values are filtered."""


def read_mask(values: dict[str, Any], reading: ReadOptions) -> None:
    """Replace the mask's file name in a command's parameters by the mask."""
    if values["mask"] is not None:
        from convtool.filtering.mask import load_mask

        values["mask"] = load_mask(values["mask"], reading)
