"""The registry of data sets, and how each is split for judging."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convtool.errors import DatasetError
from convtool.nn._types import Array
from convtool.nn.datasets.cifar10 import read_cifar10
from convtool.nn.datasets.dataset import Dataset, Split, evenly, stratified
from convtool.nn.datasets.digits import read_digits
from convtool.nn.datasets.folder import Reader, read_folder
from convtool.nn.datasets.idx import read_idx_folder

IDX = "idx:"


@dataclass(frozen=True)
class Source:
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
        From labels and a share to the places that are learned from and those that are judged on;
        by default a stratified draw.
    """

    about: str
    read: Callable[[Path], tuple[Dataset, Dataset | None]]
    held_out: float
    needs_data: bool = True
    arch: str = "small"
    recipe: dict[str, Any] = field(default_factory=dict)
    split: Callable[[Array, float], tuple[Array, Array]] | None = None


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
        "70,000 digits of 28x28, IDX files",
        read_idx_folder,
        1 / 6,
        arch="compact",
        recipe={
            "epochs": 36,
            "augment": "shift=1,rotate=8,scale=0.06",
            "validation": 0.02,
        },
    ),
    "cifar10": Source("60,000 pictures of 32x32, the binary version", read_cifar10, 1 / 6),
}
"""Every named data set."""

_FOLDER_HELD_OUT = 0.2


def open_dataset(
    name: str,
    *,
    data: Path | None = None,
    seed: int | None = None,
    read: Reader | None = None,
    size: tuple[int, int] = (64, 64),
    gray: bool = False,
) -> Split:
    """Read a data set and part it, class by class, into what is learned from and judged on.

    Parameters
    ----------
    name : str
        A name in ``SOURCES``, ``idx:FOLDER`` for any set of IDX files, or a folder with one
        sub-folder for each class.
    data : Path, optional
        The folder of a named set's files.
    seed : int, optional
        Of a random split, where the set has no test part of its own. By default the split is always
        the same: of the digits evenly spaced pictures of each class are judged on (see
        :func:`~convtool.nn.datasets.dataset.evenly`), of other sets the draw of seed 0.
    read : callable, optional
        How to read a picture's file, for folders.
    size, gray
        What to make of a folder's pictures.

    Raises
    ------
    DatasetError
        If something is missing, damaged or contradictory, or there is only one class.
    """
    if name in SOURCES:
        source = SOURCES[name]
        if source.needs_data and data is None:
            raise DatasetError(f"{name}: say where its files are, with --data DIR")
        train, test = source.read(data or Path())
        share = source.held_out
    elif name.startswith(IDX):
        train, test = read_idx_folder(Path(name.removeprefix(IDX)))
        share = 1 / 6
    elif read is None or not Path(name).is_dir():
        raise DatasetError(
            f"{name}: unknown data set; choose {', '.join(SOURCES)}, {IDX}FOLDER or a folder that"
            " is there"
        )
    else:
        train, test, share = read_folder(Path(name), read, size, gray), None, _FOLDER_HELD_OUT
    if len(set(train.labels.tolist())) < 2:
        raise DatasetError(f"{name}: all pictures are of one class, there is nothing to tell apart")
    if test is not None:
        return Split(train, test)
    split = SOURCES[name].split if name in SOURCES and seed is None else None
    if split is not None:
        first, second = split(train.labels, share)
    else:
        first, second = stratified(train.labels, share, seed or 0)
    if not len(second) or not len(first):
        raise DatasetError(f"{name}: {len(train)} pictures are too few to hold some back")
    return Split(train.subset(first), train.subset(second))
