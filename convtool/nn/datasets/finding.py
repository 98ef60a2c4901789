"""Find a data set by its name: arrays, or the files of a folder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from convtool.errors import DatasetError
from convtool.nn.datasets.cifar10 import has_cifar10, read_cifar10
from convtool.nn.datasets.dataset import Dataset
from convtool.nn.datasets.folder import Files, list_folder
from convtool.nn.datasets.idx import idx_place, read_idx_folder
from convtool.nn.datasets.sources import FILES, SOURCES, Parting, reader_of
from convtool.records import Record, replace

IDX = "idx:"
_FOLDER_HELD_OUT = 0.2
_HELD_OUT = 1 / 6


class Pictures(Record):
    """What a data set has, before it is split: arrays, or the files of a folder.

    Attributes
    ----------
    train : Dataset or Files
        All that it has, where it has no parts of its own.
    test, validation : Dataset or Files, optional
    held_out : float
        The share that is judged on where there is no test part.
    split : callable, optional
        How the set is parted there, if it has a way of its own.
    """

    train: Dataset | Files
    test: Dataset | Files | None
    validation: Dataset | Files | None
    held_out: float
    split: Parting | None = None


def find_pictures(
    name: str, data: Path | None = None, classes: Sequence[str] = (), fewest: int = 2
) -> Pictures:
    """Return what a data set has; the pictures of a folder are listed, not read.

    Parameters
    ----------
    name, data
        See `open_dataset`.
    classes : sequence of str
        Of a folder, those that are listed.
    fewest : int
        The least number of classes that a folder has.

    Raises
    ------
    DatasetError
        If something is missing, damaged or contradictory.
    """
    place = Path(name.removeprefix(IDX))
    share = _HELD_OUT
    if name in SOURCES:
        source = SOURCES[name]
        if source.needs_data and data is None:
            raise DatasetError(f"{name}: say where its files are, with --data DIR")
        (train, test), share = source.read(data or Path()), source.held_out
    elif name.startswith(IDX):
        train, test = read_idx_folder(place)
    elif place.is_file():
        train, test = reader_of(place)(place)
    elif not place.is_dir():
        raise DatasetError(
            f"{name}: unknown data set; choose {', '.join(SOURCES)}, {IDX}FOLDER, or a folder"
            f" that is there, or a file ({', '.join(FILES)})"
        )
    elif idx_place(place) is not None:
        train, test = read_idx_folder(place)
    elif has_cifar10(place):
        train, test = read_cifar10(place)
    else:
        return Pictures(*list_folder(place, classes, fewest), _FOLDER_HELD_OUT)
    if test is not None:
        places = range(len(test))
        names, numbers = tuple(f"test/{i}" for i in places), np.arange(len(test)) + len(train)
        test = replace(test, names=names, numbers=numbers)
    parting = SOURCES[name].split if name in SOURCES else None
    return Pictures(train, test, None, share, parting)
