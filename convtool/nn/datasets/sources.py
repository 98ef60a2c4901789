"""The registries of named data sets and of data set files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from convtool.errors import DatasetError
from convtool.nn._types import Array
from convtool.nn.datasets.cifar10 import read_cifar10
from convtool.nn.datasets.dataset import Dataset, evenly
from convtool.nn.datasets.digits import read_digits
from convtool.nn.datasets.idx import idx_place, read_idx_folder
from convtool.nn.datasets.limits import Limits
from convtool.nn.datasets.npz import read_npz
from convtool.nn.datasets.table import read_table
from convtool.records import Record

Parts = tuple[Dataset, Dataset | None]

Reader = Callable[[Path, Limits], Parts]
"""Reads the training part, and the test part or None."""

SplitFunction = Callable[[Array, float], tuple[Array, Array]]
"""Takes labels and the test fraction; returns the indices of the training and test set."""


class Source(Record):
    """A named data set.

    Attributes
    ----------
    about : str
    read : callable
        Takes a folder (or None) and limits; returns the training part and the test part, or None
        without one.
    test_fraction : float
        The fraction to use as the test set where there is no test part.
    needs_data : bool
        Whether a folder must be given.
    arch : str
        The default architecture.
    recipe : dict
        The default settings of a training (fields of ``nn.recipe.Recipe``).
    split : callable, optional
        How to split it where it has no test part; by default at random, stratified by class.
    """

    about: str
    read: Reader
    test_fraction: float
    needs_data: bool = True
    arch: str = "small"
    recipe: Mapping[str, Any] = MappingProxyType({})
    split: SplitFunction | None = None


SOURCES: dict[str, Source] = {
    "digits": Source(
        "scikit-learn's 1,797 pictures of 8x8",
        lambda folder, limits: (read_digits(), None),
        0.2,
        needs_data=False,
        recipe={"epochs": 80, "augment": "shift=0.5,rotate=10,scale=0.1"},
        split=evenly,
    ),
    "mnist": Source(
        "70,000 digits of 28x28: IDX files, Keras' mnist.npz, OpenML's CSV",
        lambda place, limits: _read_stored(place, limits, read_idx_folder),
        1 / 6,
        arch="compact",
        recipe={
            "epochs": 36,
            "augment": "shift=1,rotate=8,scale=0.06",
            "validation": 0.02,
        },
    ),
    "cifar10": Source(
        "60,000 pictures of 32x32: the binary version, the Python version, OpenML's CSV",
        lambda place, limits: _read_stored(place, limits, read_cifar10),
        1 / 6,
    ),
}
"""Every named data set."""

FILES: dict[str, Reader] = {
    ".npz": read_npz,
    ".csv": read_table,
    ".arff": read_table,
}
"""The reader of a data set file by its extension (with or without .gz)."""


def reader_of(file: Path) -> Reader:
    """Return the reader for a data set file.

    Raises
    ------
    DatasetError
        If its extension is not in `FILES`.
    """
    ending = file.with_suffix("").suffix if file.suffix == ".gz" else file.suffix
    if ending.lower() not in FILES:
        raise DatasetError(f"{file}: a data set in one file ends in {', '.join(FILES)}")
    return FILES[ending.lower()]


def _read_stored(place: Path, limits: Limits, read_folder: Reader) -> Parts:
    """Read a set from a file, from Keras' file in a folder, or from a folder."""
    if place.is_file():
        return reader_of(place)(place, limits)
    stored = place / "mnist.npz"
    if read_folder is read_idx_folder and stored.is_file() and idx_place(place) is None:
        return read_npz(stored, limits)
    return read_folder(place, limits)
