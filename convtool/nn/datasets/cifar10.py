"""CIFAR-10, the binary version: records of one label and 3×32×32 bytes.

References
----------
Krizhevsky (2009): Learning multiple layers of features from tiny images.
"""

from pathlib import Path

import numpy as np

from convtool.errors import DatasetError
from convtool.nn._types import Array
from convtool.nn.datasets.dataset import Dataset

_RECORD = 1 + 3 * 32 * 32
_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


def _read_batch(path: Path) -> tuple[Array, Array]:
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not content.size or content.size % _RECORD:
        raise DatasetError(f"{path}: cut off or not CIFAR-10's binary version: odd length")
    records = content.reshape(-1, _RECORD)
    if records[:, 0].max() >= len(_CLASSES):
        raise DatasetError(f"{path}: has labels above 9: not CIFAR-10's binary version")
    images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), records[:, 0].astype(np.int64)


def read_cifar10(folder: Path) -> tuple[Dataset, Dataset | None]:
    """Return the training part and, if its file is there, the test part.

    Raises
    ------
    DatasetError
        If the files are missing or damaged.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    paths = sorted(folder.glob("data_batch_*.bin"))
    if not paths:
        raise DatasetError(
            f"{folder}: no data_batch_1.bin there (the binary version, cifar-10-binary.tar.gz)"
        )
    parts = [_read_batch(path) for path in paths]
    train = Dataset(
        np.concatenate([images for images, _ in parts]),
        np.concatenate([labels for _, labels in parts]),
        _CLASSES,
    )
    test = folder / "test_batch.bin"
    return train, Dataset(*_read_batch(test), _CLASSES) if test.exists() else None
