"""``convtool show``: draw pictures of a data set, each with its label."""

from pathlib import Path
from typing import Any

import click

from convtool.cli._file_options import dataset_reading_options
from convtool.cli._help import Command, option
from convtool.cli._options import FILE, data_option, give, json_option, names_of, taken
from convtool.cli._pictures import FileReader, SizeType, background_option
from convtool.cli._terminal import say
from convtool.images.options import ReadOptions
from convtool.nn.datasets import Dataset, open_sample
from convtool.nn.datasets.limits import Limits
from convtool.nn.preprocessing import Preprocessing
from convtool.report.figures import check_drawing

SCHEMA = "convtool.show/1"
_MOST = 1000


@click.command(
    "show",
    cls=Command,
    epilog="""\b
Examples:
  convtool show digits
  convtool show digits --picture 329 -o out.png
  convtool show digits --classes 0,1 --count 40 --seed 3""",
)
@click.argument("dataset")
@data_option
@option("--classes", topic="data", metavar="NAME,…", help="Only these classes.  [default: all]")
@option(
    "--count",
    topic="data",
    type=click.IntRange(1, _MOST),
    default=25,
    show_default=True,
    help="How many to sample at random, in proportion for each class.",
)
@option(
    "--picture",
    "wanted",
    topic="data",
    metavar="NAME|NUMBER",
    multiple=True,
    help="Draw this picture, named as `convtool evaluate` does. May be repeated.",
)
@option("--seed", topic="data", type=click.IntRange(0), default=0, show_default=True)
@option(
    "--size", topic="data", type=SizeType(), default="64", show_default=True, help="For folders."
)
@option("--gray", topic="data", is_flag=True, help="For folders: convert pictures to grey.")
@background_option
@option(
    "--output",
    "-o",
    "--out",
    "out",
    topic="output",
    type=FILE,
    help="The drawing.  [default: DATASET-pictures.png]",
)
@dataset_reading_options
@json_option
def command(
    dataset: str,
    data: Path | None,
    classes: str | None,
    count: int,
    wanted: tuple[str, ...],
    seed: int,
    size: tuple[int, int],
    gray: bool,
    background: str | None,
    out: Path | None,
    json_target: str | None,
    **how: Any,
) -> None:
    """Draw pictures of DATASET as one sheet, each under its name or number and its class.

    DATASET is what `convtool train` takes: a named set, a file, or a folder with one sub-folder for
    each class. Pictures are drawn as a network receives them; those of a folder are resized to
    --size.
    """
    name = Path(dataset.removeprefix("idx:")).name or "folder"
    target = check_drawing(out or Path(f"{name}-pictures.png"))
    colour = background or "white"
    reading = taken(how, ReadOptions)
    reader = FileReader(size, colour, reading)
    found = open_sample(
        dataset,
        data=data,
        seed=seed,
        read=reader,
        preprocessing=Preprocessing(*size, channels=1 if gray else 3, background=colour),
        classes=names_of(classes),
        count=count,
        wanted=wanted,
        limits=Limits(reading.max_pixels, reading.max_memory),
    )
    reader.tell("the network's")
    for reason in found.skipped:
        say(f"convtool: skipped: {reason}", err=True)
    from convtool.report.sheet import draw_sheet

    rows = _rows(found)
    labels = [f"{row['image']}\n{row['class']}" for row in rows]
    draw_sheet(list(found.images), labels, target)
    count_text = "1 picture" if len(rows) == 1 else f"{len(rows)} pictures"
    report = {"schema": SCHEMA, "drawing": str(target), "pictures": rows}
    give(report, json_target, [f"{target}: {count_text} of {dataset}"])


def _rows(found: Dataset) -> list[dict[str, object]]:
    return [
        {"image": found.called(place), "class": found.classes[label]}
        for place, label in enumerate(found.labels.tolist())
    ]
