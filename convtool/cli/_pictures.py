"""Pictures and data sets for the commands that learn: files become arrays here, not in nn."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from convtool.errors import DatasetError, ModelError
from convtool.images.read import read
from convtool.nn.datasets import SOURCES, Dataset, Split, open_dataset
from convtool.nn.model import Sequential
from convtool.nn.preprocessing import Preprocessing


def pixels_of(path: Path | str) -> Any:
    """Return the pixels of one file."""
    return read(path).pixels


class Resized:
    """Remembers which pictures had another size than is taken.

    Parameters
    ----------
    size : (int, int)
        Height and width that each is brought to.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._found: dict[str, str] = {}

    def pixels_of(self, path: Path | str) -> Any:
        """Return the pixels of one file, as large as they are."""
        pixels = pixels_of(path)
        if pixels.shape[:2] != self._size:
            self._found[str(path)] = "×".join(map(str, pixels.shape[1::-1]))
        return pixels

    def tell(self, whose: str) -> None:
        """Say on stderr, in one line, what is resized."""
        if not self._found:
            return
        (name, size), count = next(iter(self._found.items())), len(self._found)
        others = f" and {count - 1} more" if count > 1 else ""
        to = "×".join(map(str, self._size[::-1]))
        click.echo(f"convtool: resized to {whose} {to} pixels: {name} ({size}){others}", err=True)


class PictureReader:
    """Brings pictures to a model's size, and remembers which had another."""

    def __init__(self, preprocessing: Preprocessing, *, invert: bool = False) -> None:
        self._preprocessing, self._invert = preprocessing, invert
        self._resized = Resized((preprocessing.height, preprocessing.width))

    def __call__(self, name: str) -> Any:
        """Return a file's picture as the model takes it: uint8 (H, W) or (H, W, 3)."""
        return self._preprocessing.picture(self._resized.pixels_of(name), invert=self._invert)

    def tell(self) -> None:
        """Say on stderr, in one line, what was resized."""
        self._resized.tell("the model's")


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


def open_split(
    name: str,
    data: Path | None,
    seed: int | None,
    size: tuple[int, int],
    gray: bool,
    only: Sequence[str] = (),
) -> Split:
    """Read a named data set or a folder of pictures; say on stderr what was skipped or resized.

    With `only`, the pictures of other classes are left out after the set has been split.
    """
    resized = Resized(size)
    split = open_dataset(name, data=data, seed=seed, read=resized.pixels_of, size=size, gray=gray)
    resized.tell("the network's")
    for reason in split.train.skipped:
        click.echo(f"convtool: skipped: {reason}", err=True)
    return split.only(only) if only else split


def pictures_to_judge(
    model: Sequential, model_path: Path, dataset: str, data: Path | None, part: str | None
) -> Dataset:
    """Return pictures of a data set, numbered by the model's classes.

    A set without a test part of its own is split as it was in training, so that the pictures of
    the part "test" are those that the model has not seen.

    Raises
    ------
    ModelError
        If the model is no classifier of pictures.
    DatasetError
        If the set cannot be read, or has a class that the model does not know.
    """
    if model.preprocessing is None or model.task == "regression":
        raise ModelError(f"{model_path}: not a classifier of pictures")
    size = (model.preprocessing.height, model.preprocessing.width)
    gray = model.preprocessing.channels == 1
    known = dataset in SOURCES or model.record.get("dataset") == dataset
    only = [str(name) for name in model.record.get("only", ())] if known else []
    # models that were trained before the split was fixed were not judged on the same pictures
    seed = None if "split" in model.record else int(model.record.get("seed", 0))
    split = open_split(dataset, data, seed, size, gray, only)
    return _matched(_part(split, part or ("test" if known else "all")), model)


def _part(split: Split, part: str) -> Dataset:
    if part == "test":
        return split.test
    if part == "train":
        return split.train
    both = (split.train, split.test)
    return Dataset(
        np.concatenate([p.images for p in both]),
        np.concatenate([p.labels for p in both]),
        split.train.classes,
        tuple(name for p in both for name in p.names),
    )


def _matched(data: Dataset, model: Sequential) -> Dataset:
    """Return the pictures with the model's numbers for their classes."""
    unknown = sorted(set(data.classes) - set(model.classes))
    if unknown:
        raise DatasetError(
            f"the class {unknown[0]!r} is not among the model's ({', '.join(model.classes)})"
        )
    numbers = np.array([model.classes.index(name) for name in data.classes])
    return Dataset(data.images, numbers[data.labels], model.classes, data.names)
