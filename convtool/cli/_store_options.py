"""Options for pictures larger than memory, and how they are run."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from convtool.filtering.strips.options import MISSING_RULES, StoreOptions

_Command = TypeVar("_Command", bound=Callable[..., Any])

_STORES = (
    click.option(
        "--pyramid",
        is_flag=True,
        help="Write a pyramid after a TIFF or Zarr output: levels of half the size each.",
    ),
    click.option("--overwrite", is_flag=True, help="Replace an existing Zarr output."),
    click.option(
        "--missing-chunks",
        type=click.Choice(MISSING_RULES),
        default=MISSING_RULES[0],
        show_default=True,
        help="How missing chunks of a Zarr input are treated: refuse the input, or use its fill "
        "value.",
    ),
)


def store_options(command: _Command) -> _Command:
    """Add the options that say how stores are treated."""
    for option in reversed(_STORES):
        command = option(command)
    return command


def take_store(values: dict[str, Any], *, resume: bool) -> StoreOptions:
    """Take the values of `store_options` out of a command's, before those of reading are."""
    context = click.get_current_context()
    given = context.get_parameter_source("max_pixels") is ParameterSource.COMMANDLINE
    return StoreOptions(
        values.pop("pyramid"),
        resume,
        values.pop("overwrite"),
        values.pop("missing_chunks"),
        values["max_pixels"] if given else None,
    )
