"""A folder with one sub-folder for each class, perhaps in parts: train, test, val."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from convtool.errors import ConvtoolError, ConvtoolWarning, DatasetError
from convtool.nn._types import Array
from convtool.nn.datasets.dataset import Dataset
from convtool.nn.preprocessing import Preprocessing
from convtool.records import Record, replace

Reader = Callable[[Path], Array]

PARTS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "val",
    "valid": "val",
    "validation": "val",
}
"""The part that each folder name, in lower case, stands for."""

_LITTER = {"__macosx", "thumbs.db", "desktop.ini"}


def is_hidden(path: Path) -> bool:
    """Return whether any component of a relative path is hidden or a system folder.

    Examples
    --------
    >>> is_hidden(Path("circle/.ipynb_checkpoints/1.png")), is_hidden(Path("circle/1.png"))
    (True, False)
    """
    return any(part.startswith(".") or part.lower() in _LITTER for part in path.parts)


def visible_files(folder: Path) -> list[Path]:
    """Return the visible files below a folder, at any depth, sorted."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in files if not is_hidden(path.relative_to(folder)))


class Files(Record):
    """The pictures of a folder, not read yet."""

    folder: Path
    names: tuple[str, ...]
    """Their paths below the folder."""
    labels: Array
    """int64, shape (N,): class indices."""
    classes: tuple[str, ...]
    numbers: Array
    """int64, shape (N,): their indices among all pictures of the folder."""

    def subset(self, index: Array) -> "Files":
        """Return the pictures at some indices."""
        return replace(
            self,
            names=tuple(self.names[i] for i in index),
            labels=self.labels[index],
            numbers=self.numbers[index],
        )


def list_folder(
    folder: Path, classes: Sequence[str] = (), fewest: int = 2
) -> tuple[Files, Files | None, Files | None]:
    """List the pictures of a folder: the training, test and validation part.

    Sub-folders with names in `PARTS`, one of them for training, are parts of the set and contain
    the classes; a warning says so. Hidden files and folders are ignored.

    Parameters
    ----------
    folder : Path
    classes : sequence of str
        The classes to list, in this order; by default all of them, sorted.
    fewest : int
        The smallest number of classes.

    Returns
    -------
    train, test, validation : Files
        The last two are None where the folder lacks these parts. A folder with train and val alone
        uses val as the test part.

    Raises
    ------
    DatasetError
        If there are too few sub-folders, or one has no file.
    """
    found = _parts(folder)
    if not found:
        return _listed(folder, {"": folder}, classes, fewest)[""], None, None
    names = ", ".join(f"{path.name}/" for path in found.values())
    if set(found) == {"train", "val"}:
        found = {"train": found["train"], "test": found["val"]}
        use = f"{found['test'].name}/ is the test set"
    elif "test" in found and "val" in found:
        use = f"{found['val'].name}/ is the validation set, {found['test'].name}/ the test set"
    else:
        use = f"{found['test' if 'test' in found else 'train'].name}/ is the "
        use += "test set" if "test" in found else "training set"
    warnings.warn(
        f"{folder}: {names} are taken as parts of the set, not as classes: {use}",
        ConvtoolWarning,
        stacklevel=2,
    )
    files = _listed(folder, found, classes, fewest)
    return files["train"], files.get("test"), files.get("val")


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    return sorted(p for p in folder.iterdir() if p.is_dir() and not is_hidden(Path(p.name)))


def _parts(folder: Path) -> dict[str, Path]:
    """Return the folders of the parts; empty if the sub-folders are classes."""
    inside = _folders(folder)
    named = {PARTS.get(path.name.lower(), ""): path for path in inside}
    if "train" not in named or "" in named or len(named) < len(inside):
        return {}
    if not any(map(_folders, named.values())):
        return {}
    return {part: named[part] for part in ("train", "val", "test") if part in named}


def _listed(
    folder: Path, parts: dict[str, Path], classes: Sequence[str], fewest: int
) -> dict[str, Files]:
    first = next(iter(parts.values())) if "train" not in parts else parts["train"]
    there = [path.name for path in _folders(first)]
    for name in classes:
        if name not in there:
            raise DatasetError(f"there is no class {name!r}: choose {', '.join(there)}")
    chosen = list(classes) or there
    if len(chosen) < fewest:
        existing = f"only {chosen[0]}" if chosen else "none"
        raise DatasetError(f"{first}: needs one sub-folder for each class, found {existing}")
    result, number = {}, 0
    for part, place in parts.items():
        if not classes:
            _check_known(place, chosen)
        names: list[str] = []
        labels: list[int] = []
        for label, name in enumerate(chosen):
            files = visible_files(place / name)
            if not files and place == first:
                raise DatasetError(
                    f"{place / name}: no picture in it; remove it, or name the classes to take"
                    " (`classes=`)"
                )
            names += [str(path.relative_to(folder)) for path in files]
            labels += [label] * len(files)
        if not names:
            raise DatasetError(f"{place}: no picture in it")
        numbers = np.arange(number, number + len(names))
        number += len(names)
        result[part] = Files(
            folder, tuple(names), np.array(labels, np.int64), tuple(chosen), numbers
        )
    return result


def _check_known(place: Path, classes: Sequence[str]) -> None:
    for path in _folders(place):
        if path.name not in classes:
            raise DatasetError(f"{path}: a class that the training part does not have")


def read_files(files: Files, read: Reader, preprocessing: Preprocessing) -> Dataset:
    """Read and preprocess pictures; list those that cannot be read.

    Parameters
    ----------
    files : Files
    read : callable
        Returns a file's pixels, or raises a ConvtoolError: that file is skipped and listed.
    preprocessing : Preprocessing

    Raises
    ------
    DatasetError
        If no picture can be read.
    """
    images, kept, skipped = [], [], []
    for index, name in enumerate(files.names):
        try:
            images.append(preprocessing.picture(read(files.folder / name)))
        except ConvtoolError as error:
            skipped.append(str(error))
            continue
        kept.append(index)
    if not images:
        raise DatasetError(f"{files.folder}: no picture can be read: {skipped[0]}")
    readable = files.subset(np.array(kept, np.int64))
    return Dataset(
        np.stack(images),
        readable.labels,
        readable.classes,
        readable.names,
        tuple(skipped),
        readable.numbers,
    )
