"""Options for pictures larger than memory, and how they are run."""

from typing import Any

import click
from click.core import ParameterSource

from convtool.cli._help import option
from convtool.cli._options import choice, together
from convtool.filtering.strips.options import MISSING_RULES, StoreOptions

store_options = together(
    option(
        "--pyramid",
        topic="huge",
        is_flag=True,
        help="Write a pyramid after a TIFF or Zarr output: levels of half the size each.",
    ),
    option("--overwrite", topic="huge", is_flag=True, help="Replace an existing Zarr output."),
    choice(
        "--missing-chunks",
        topic="huge",
        values=MISSING_RULES,
        help="How missing chunks of a Zarr input are treated: refuse the input, or use its fill "
        "value.",
    ),
)
"""How stores are treated."""


def take_store(values: dict[str, Any], *, resume: bool) -> StoreOptions:
    """Remove the values of `store_options` from a command's parameters, before those of reading."""
    context = click.get_current_context()
    given = context.get_parameter_source("max_pixels") is ParameterSource.COMMANDLINE
    return StoreOptions(
        values.pop("pyramid"),
        resume,
        values.pop("overwrite"),
        values.pop("missing_chunks"),
        values["max_pixels"] if given else None,
    )
