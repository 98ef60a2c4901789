"""Options for pictures larger than memory, their progress, and how they are run."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from click.core import ParameterSource

from convtool.cli._options import choice, together
from convtool.filtering.strips.options import MISSING_RULES, StoreOptions

store_options = together(
    click.option(
        "--pyramid",
        is_flag=True,
        help="Write a pyramid after a TIFF or Zarr output: levels of half the size each.",
    ),
    click.option("--overwrite", is_flag=True, help="Replace an existing Zarr output."),
    choice(
        "--missing-chunks",
        values=MISSING_RULES,
        help="How missing chunks of a Zarr input are treated: refuse the input, or use its fill "
        "value.",
    ),
)
"""How stores are treated."""


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


@contextmanager
def pixel_bar(title: str) -> Iterator[Callable[[int], Callable[[int], object]] | None]:
    """Yield what shows how many pixels are done, how many a second, and the time left.

    On a terminal only; else None is yielded.
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
