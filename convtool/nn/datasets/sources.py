"""The registry of data sets, and of the files that hold one."""

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
from convtool.nn.datasets.npz import read_npz
from convtool.nn.datasets.table import read_table
from convtool.records import Record

Parts = tuple[Dataset, Dataset | None]

Parting = Callable[[Array, float], tuple[Array, Array]]
"""From labels and a share to the places that are learned from and those that are judged on."""


class Source(Record):
    """A named data set.

    Attributes
    ----------
    about : str
    read : callable
        From a folder (or None) to the training part and, if there is one, the test part.
    held_out : float
        The share of the training part that is judged on where there is no test part.
    needs_data : bool
        Whether a folder must be given.
    arch : str
        The network that is trained on it by default.
    recipe : dict
        What a training on it does by default (fields of ``nn.recipe.Recipe``).
    split : callable, optional
        How it is parted where it has no test part; by default by a stratified draw.
    """

    about: str
    read: Callable[[Path], Parts]
    held_out: float
    needs_data: bool = True
    arch: str = "small"
    recipe: Mapping[str, Any] = MappingProxyType({})
    split: Parting | None = None


SOURCES: dict[str, Source] = {
    "digits": Source(
        "scikit-learn's 1,797 pictures of 8x8",
        lambda folder: (read_digits(), None),
        0.2,
        needs_data=False,
        recipe={"epochs": 80, "augment": "shift=0.5,rotate=10,scale=0.1"},
        split=evenly,
    ),
    "mnist": Source(
        "70,000 digits of 28x28: IDX files, Keras' mnist.npz, OpenML's CSV",
        lambda place: _read_stored(place, read_idx_folder),
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
        lambda place: _read_stored(place, read_cifar10),
        1 / 6,
    ),
}
"""Every named data set."""

FILES: dict[str, Callable[[Path], Parts]] = {
    ".npz": read_npz,
    ".csv": read_table,
    ".arff": read_table,
}
"""How a data set that is one file is read, by its ending (with or without .gz)."""


def reader_of(file: Path) -> Callable[[Path], Parts]:
    """Return the reader of a data set that is one file.

    Raises
    ------
    DatasetError
        If its ending is not one of `FILES`.
    """
    ending = file.with_suffix("").suffix if file.suffix == ".gz" else file.suffix
    if ending.lower() not in FILES:
        raise DatasetError(f"{file}: a data set in one file ends in {', '.join(FILES)}")
    return FILES[ending.lower()]


def _read_stored(place: Path, read_folder: Callable[[Path], Parts]) -> Parts:
    """Read a set from its one file, from Keras' file in a folder, or from a folder."""
    if place.is_file():
        return reader_of(place)(place)
    stored = place / "mnist.npz"
    if read_folder is read_idx_folder and stored.is_file() and idx_place(place) is None:
        return read_npz(stored)
    return read_folder(place)
