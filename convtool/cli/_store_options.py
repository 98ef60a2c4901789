"""Options for pictures larger than memory, and their progress bar."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    """Add the options for stores."""
    for option in reversed(_STORES):
        command = option(command)
    return command


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


@contextmanager
def pixel_bar(title: str) -> Iterator[Callable[[int], Callable[[int], object]] | None]:
    """Yield a callback that shows finished pixels, their rate and the remaining time.

    Without a terminal, it yields None.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f}%"),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:

        def begin(total: int) -> Callable[[int], object]:
            task = shown.add_task(title, total=total, speed="")
            start, done = time.monotonic(), 0

            def tell(pixels: int) -> None:
                nonlocal done
                done += pixels
                rate = done / max(1e-9, time.monotonic() - start) / 1e6
                shown.update(task, advance=pixels, speed=f"{rate:.3g} megapixels/s")

            return tell

        yield begin
