"""Read pictures and data sets for the commands on networks; nn itself reads no image files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from convtool.cli._help import option
from convtool.cli._options import whole_numbers
from convtool.cli._terminal import say
from convtool.errors import DatasetError, ModelError, PixelTypeError
from convtool.images.background import colour_of
from convtool.images.image import Image
from convtool.images.options import ReadOptions
from convtool.images.read import read_document, read_single
from convtool.nn.datasets import SOURCES, Dataset, Split, joined, open_dataset
from convtool.nn.datasets.dataset import sample
from convtool.nn.datasets.limits import Limits
from convtool.nn.model import Sequential
from convtool.nn.polarity import looks_inverted
from convtool.nn.preprocessing import Preprocessing
from convtool.records import Record, replace


class _Noticed:
    """Collects pictures for a message that names the first and counts the others."""

    def __init__(self) -> None:
        self._first = ""
        self._names: set[str] = set()

    def add(self, name: Path | str, detail: str = "") -> None:
        """Add a picture, once."""
        self._first = self._first or (f"{name} ({detail})" if detail else str(name))
        self._names.add(str(name))

    def tell(self, what: str, then: str = "") -> None:
        """Print the message on stderr, in one line, if there is any picture."""
        if self._names:
            others = f" and {len(self._names) - 1} more" if len(self._names) > 1 else ""
            say(f"convtool: {what}: {self._first}{others}{then}", err=True)


class FileReader:
    """Reads pictures, and records which are transparent, or have several pages or another size.

    Parameters
    ----------
    size : (int, int)
        Height and width that pictures are resized to.
    background : str
        The colour that transparent pictures are composited on.
    reading : ReadOptions
        How files are read.
    strict : bool
        Whether a file with several pages is refused where no page is named; otherwise the first is
        taken and recorded, as a data set has one picture a file.
    """

    def __init__(
        self,
        size: tuple[int, int],
        background: str,
        reading: ReadOptions,
        *,
        strict: bool = False,
    ) -> None:
        self._size, self._background, self._reading = size, background, reading
        self._strict = strict
        self._resized, self._transparent, self._first = _Noticed(), _Noticed(), _Noticed()
        self._noted = _Noticed()

    def __call__(self, path: Path | str) -> Any:
        """Return the pixels of one file: integers over their type's range, or floats."""
        image = self._image(path)
        if image.has_bands:
            raise PixelTypeError(
                f"{path}: has {image.channels} bands; a network takes grey or colours"
            )
        for note in image.notes:
            self._noted.add(path, note)
        if not image.type.is_integer and image.pixels.max() > 1:
            self._noted.add(path, "its floats exceed 1, which is white, and are clipped")
        if image.pixels.shape[:2] != self._size:
            self._resized.add(path, "×".join(map(str, image.pixels.shape[1::-1])))
        if image.has_alpha and image.pixels[..., -1].min() < image.peak:
            self._transparent.add(path)
        return image.pixels / image.peak if image.bits else image.pixels

    def _image(self, path: Path | str) -> Image:
        if self._strict or self._reading.page is not None:
            return read_single(path, self._reading)
        image = read_document(path, replace(self._reading, page=1)).pages[0]
        if image.metadata.pages > 1:
            self._first.add(path, f"{image.metadata.pages} pages")
        return image

    def tell(self, whose: str) -> None:
        """Print on stderr which pictures are resized, composited, or one page of several."""
        self._first.tell("several pages, of which the first is taken", "; --page N takes another")
        self._noted.tell("noted")
        to = "×".join(map(str, self._size[::-1]))
        self._resized.tell(f"resized to {whose} {to} pixels")
        self._transparent.tell(f"transparent, composited on {self._background}")


class PictureReader:
    """Preprocesses pictures for a model, and records resized, transparent and inverted ones."""

    def __init__(
        self, preprocessing: Preprocessing, reading: ReadOptions, *, invert: bool = False
    ) -> None:
        self._preprocessing, self._invert = preprocessing, invert
        size = (preprocessing.height, preprocessing.width)
        self._read = FileReader(size, preprocessing.background, reading, strict=True)
        self._inverted = _Noticed()

    def __call__(self, name: str) -> Any:
        """Return a file's picture as the model's input: uint8 (H, W) or (H, W, 3)."""
        picture = self._preprocessing.picture(self._read(name), invert=self._invert)
        if looks_inverted(picture, self._preprocessing):
            self._inverted.add(name)
        return picture

    def tell(self) -> None:
        """Print on stderr which pictures are resized, composited, or of reversed polarity.

        The polarity is reversed if the training pictures were bright on dark and this one is dark
        on bright, or vice versa.
        """
        self._read.tell("the model's")
        dark = self._preprocessing.mean < 0.5
        found, learned = ("dark on bright", "bright on dark")[:: 1 if dark else -1]
        advice = "leave --invert out" if self._invert else "try --invert"
        inverted = ", inverted," if self._invert else ""
        self._inverted.tell(f"{found}{inverted} where the model learned {learned}", f": {advice}")


def background_option(command: Any) -> Any:
    """Add ``--background``: a colour, or None for the model's or white."""
    return option(
        "--background",
        topic="data",
        metavar="COLOUR",
        callback=_checked_colour,
        help="Composite transparent pictures over this colour: a name or #rrggbb.  [default: "
        "white, or the model's]",
    )(command)


def _checked_colour(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        colour_of(value)
    return value


def with_background(preprocessing: Preprocessing, background: str | None) -> Preprocessing:
    """Return a model's preprocessing with another background, if one is given."""
    return replace(preprocessing, background=background or preprocessing.background)


class SizeType(click.ParamType[tuple[int, int]]):
    """A size ``64`` or ``100x80``, rows first."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return (height, width)."""
        if isinstance(value, tuple):
            return value
        numbers = whole_numbers(str(value), "x")
        if len(numbers) not in (1, 2) or min(numbers) < 1:
            self.fail(f"{value!r} is not a size such as 64 or 100x80", param, ctx)
        return numbers[0], numbers[-1]


class DataOptions(Record):
    """A data set and what is made of its pictures, as `open_dataset` takes it."""

    dataset: str
    data: Path | None = None
    size: tuple[int, int] = (64, 64)
    gray: bool = False
    background: str | None = None
    limit: int | None = None
    classes: Sequence[str] | None = None

    @property
    def colour(self) -> str:
        """The colour on which transparent pictures are laid."""
        return self.background or "white"

    def open(self, reading: ReadOptions, seed: int | None = None) -> Split:
        """Read the pictures and part them; say on stderr what was skipped or resized."""
        reader = FileReader(self.size, self.colour, reading)
        how = vars(self) | {"background": self.colour, "classes": self.classes or ()}
        limits = Limits(reading.max_pixels, reading.max_memory)
        split = open_dataset(how.pop("dataset"), seed=seed, read=reader, limits=limits, **how)
        reader.tell("the network's")
        for reason in split.skipped:
            say(f"convtool: skipped: {reason}", err=True)
        return split


def pictures_to_judge(
    model: Sequential,
    model_path: Path,
    dataset: str,
    data: Path | None,
    part: str | None,
    reading: ReadOptions,
    *,
    background: str | None = None,
    limit: int | None = None,
) -> Dataset:
    """Read the pictures of a data set to evaluate a model on, with the model's class indices.

    A set without a test part is split as in training, so the model has not seen the test pictures.

    Raises
    ------
    ModelError
        If the model is not a picture classifier.
    DatasetError
        If the set cannot be read, or has a class that the model lacks.
    """
    if model.preprocessing is None or model.task == "regression":
        raise ModelError(f"{model_path}: not a classifier of pictures")
    size = (model.preprocessing.height, model.preprocessing.width)
    gray = model.preprocessing.channels == 1
    known = dataset in SOURCES or _same_place(dataset, str(model.record.get("dataset", "")))
    only = [str(name) for name in model.record.get("only", ())] if known else []
    # models trained before the split became fixed were tested on other pictures
    seed = None if "split" in model.record else int(model.record.get("seed", 0))
    colour = background or model.preprocessing.background
    split = DataOptions(dataset, data, size, gray, colour, classes=only).open(reading, seed)
    judged = _matched(_part(split, part or ("test" if known else "all")), model)
    return judged if limit is None else judged.subset(sample(judged.labels, limit, seed or 0))


def _same_place(dataset: str, other: str) -> bool:
    return dataset == other or Path(dataset).resolve() == Path(other or "/").resolve()


def _part(split: Split, part: str) -> Dataset:
    return {"test": split.test, "train": split.train}.get(part) or joined(split.parts)


def _matched(data: Dataset, model: Sequential) -> Dataset:
    """Return the data set with the model's class indices."""
    unknown = sorted(set(data.classes) - set(model.classes))
    if unknown:
        raise DatasetError(
            f"the class {unknown[0]!r} is not among the model's ({', '.join(model.classes)})"
        )
    numbers = np.array([model.classes.index(name) for name in data.classes])
    return replace(data, labels=numbers[data.labels], classes=model.classes)
