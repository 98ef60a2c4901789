"""Pictures and data sets for the commands that learn: files become arrays here, not in nn."""

from pathlib import Path
from typing import Any

import click

from convtool.images.read import read
from convtool.nn.datasets import Split, open_dataset


def pixels_of(path: Path | str) -> Any:
    """Return the pixels of one file."""
    return read(path).pixels


class SizeType(click.ParamType[tuple[int, int]]):
    """``64`` or ``100x80``, rows first."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return (height, width)."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = [int(part) for part in str(value).split("x")]
        except ValueError:
            numbers = []
        if len(numbers) not in (1, 2) or min(numbers) < 1:
            self.fail(f"{value!r} is not a size such as 64 or 100x80", param, ctx)
        return numbers[0], numbers[-1]


def open_split(name: str, data: Path | None, seed: int, size: tuple[int, int], gray: bool) -> Split:
    """Read a named data set or a folder of pictures; say on stderr what was skipped."""
    split = open_dataset(name, data=data, seed=seed, read=pixels_of, size=size, gray=gray)
    for reason in split.train.skipped:
        click.echo(f"convtool: skipped: {reason}", err=True)
    return split
