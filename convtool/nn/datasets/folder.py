"""A folder with one sub-folder for each class."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from convtool.errors import ConvtoolError, DatasetError
from convtool.nn._types import Array
from convtool.nn.datasets.dataset import Dataset
from convtool.nn.preprocessing import Preprocessing

Reader = Callable[[Path], Array]


def read_folder(folder: Path, read: Reader, size: tuple[int, int], gray: bool) -> Dataset:
    """Return the pictures below a folder, each brought to one size.

    Parameters
    ----------
    folder : Path
    read : callable
        Returns a file's pixels, or raises a ConvtoolError: that file is skipped and listed.
    size : (int, int)
        Height and width.
    gray : bool

    Raises
    ------
    DatasetError
        If there are fewer than two sub-folders, or one without a readable picture.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    classes = sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name[0] != ".")
    if len(classes) < 2:
        found = f"only {classes[0]}" if classes else "none"
        raise DatasetError(f"{folder}: needs one sub-folder for each class, found {found}")
    preprocessing = Preprocessing(*size, channels=1 if gray else 3)
    images, labels, names, skipped = [], [], [], []
    for label, name in enumerate(classes):
        for path in sorted(p for p in (folder / name).rglob("*") if p.is_file()):
            try:
                images.append(preprocessing.picture(read(path)))
            except ConvtoolError as error:
                skipped.append(str(error))
                continue
            labels.append(label)
            names.append(str(path.relative_to(folder)))
        if label not in labels:
            raise DatasetError(f"{folder / name}: no readable picture in it")
    return Dataset(
        np.stack(images), np.array(labels, np.int64), tuple(classes), tuple(names), tuple(skipped)
    )
