"""Find a data set by name: arrays, or the files of a folder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from convtool.errors import DatasetError
from convtool.nn.datasets.cifar10 import has_cifar10, read_cifar10
from convtool.nn.datasets.dataset import Dataset
from convtool.nn.datasets.folder import Files, list_folder
from convtool.nn.datasets.idx import idx_place, read_idx_folder
from convtool.nn.datasets.limits import DEFAULT, Limits
from convtool.nn.datasets.sources import FILES, SOURCES, SplitFunction, reader_of
from convtool.records import Record, replace

IDX = "idx:"
_FOLDER_TEST_FRACTION = 0.2
_TEST_FRACTION = 1 / 6


class Pictures(Record):
    """The parts of a data set before it is split: arrays, or the files of a folder."""

    train: Dataset | Files
    """The whole set where it has no test part."""
    test: Dataset | Files | None
    validation: Dataset | Files | None
    test_fraction: float
    """The fraction to use as the test set where there is no test part."""
    split: SplitFunction | None = None
    """How to split the set there; by default at random, stratified by class."""


def find_pictures(
    name: str,
    data: Path | None = None,
    classes: Sequence[str] = (),
    fewest: int = 2,
    limits: Limits = DEFAULT,
) -> Pictures:
    """Find a data set and return its parts; a folder's pictures are listed, not read.

    Parameters
    ----------
    name, data
        See `open_dataset`.
    classes : sequence of str
        The classes of a folder to list.
    fewest : int
        The smallest number of classes that a folder must have.
    limits : Limits
        The largest data set in one file to read.

    Raises
    ------
    DatasetError
        If something is missing, damaged or contradictory.
    """
    place = Path(name.removeprefix(IDX))
    fraction = _TEST_FRACTION
    if name in SOURCES:
        source = SOURCES[name]
        if source.needs_data and data is None:
            raise DatasetError(f"{name}: give the folder of its files with `data=DIR`")
        (train, test), fraction = source.read(data or Path(), limits), source.test_fraction
    elif name.startswith(IDX):
        train, test = read_idx_folder(place, limits)
    elif place.is_file():
        train, test = reader_of(place)(place, limits)
    elif not place.is_dir():
        raise DatasetError(
            f"{name}: unknown data set; choose {', '.join(SOURCES)}, {IDX}FOLDER, or an existing"
            f" folder or file ({', '.join(FILES)})"
        )
    elif idx_place(place) is not None:
        train, test = read_idx_folder(place, limits)
    elif has_cifar10(place):
        train, test = read_cifar10(place, limits)
    else:
        return Pictures(*list_folder(place, classes, fewest), _FOLDER_TEST_FRACTION)
    if test is not None:
        indices = range(len(test))
        names, numbers = tuple(f"test/{i}" for i in indices), np.arange(len(test)) + len(train)
        test = replace(test, names=names, numbers=numbers)
    split = SOURCES[name].split if name in SOURCES else None
    return Pictures(train, test, None, fraction, split)
