"""CIFAR-10: the binary version, records of one label and 3×32×32 bytes, or the Python version.

References
----------
Krizhevsky (2009): Learning multiple layers of features from tiny images.
"""

from pathlib import Path

import numpy as np

from convtool.errors import DatasetError
from convtool.nn._types import Array
from convtool.nn.datasets.dataset import Dataset
from convtool.nn.datasets.limits import Limits
from convtool.nn.datasets.pickled import read_pickled
from convtool.reading import load

_PIXELS = 3 * 32 * 32
_RECORD = 1 + _PIXELS
_BINARY, _PYTHON = "cifar-10-batches-bin", "cifar-10-batches-py"
_BATCH = "batch of CIFAR-10"
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
        content = np.frombuffer(load(path, _BATCH), np.uint8)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not content.size or content.size % _RECORD:
        raise DatasetError(f"{path}: cut off or not CIFAR-10's binary version: odd length")
    records = content.reshape(-1, _RECORD)
    if records[:, 0].max() >= len(_CLASSES):
        raise DatasetError(f"{path}: has labels above 9: not CIFAR-10's binary version")
    return _by_pixels(records[:, 1:]), records[:, 0].astype(np.int64)


def _numbers(labels: object) -> Array:
    """Return a list of whole numbers as an array; one of lists could unfold without end."""
    if not isinstance(labels, list) or any(type(label) is not int for label in labels):
        raise DatasetError("has labels that are no whole numbers")
    return np.array(labels, np.int64)


def _by_pixels(rows: Array) -> Array:
    """Convert rows of colour planes to pictures (N, 32, 32, 3)."""
    return np.ascontiguousarray(rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def _read_python_batch(path: Path) -> tuple[Array, Array]:
    try:
        found = read_pickled(load(path, _BATCH))
        rows, labels = found["data"], _numbers(found["labels"])
        if rows.shape != (len(labels), _PIXELS):
            raise DatasetError(f"its data have the shape {rows.shape}, for {len(labels)} labels")
        if not len(labels) or not 0 <= labels.min() <= labels.max() < len(_CLASSES):
            raise DatasetError("has no labels, or some that are not 0 to 9")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    except DatasetError as error:
        raise DatasetError(
            f"{path}: {error}; the binary version (cifar-10-binary.tar.gz) holds the same pictures"
        ) from error
    except (KeyError, AttributeError, TypeError, ValueError, OverflowError) as error:
        raise DatasetError(f"{path}: not a batch of CIFAR-10's Python version") from error
    return _by_pixels(rows), labels


def _batches(folder: Path) -> tuple[list[Path], Path]:
    """Return the paths of the training files and of the test file, which may not exist."""
    for place in (folder, folder / _BINARY, folder / _PYTHON):
        for ending in (".bin", ""):
            paths = sorted(place.glob(f"data_batch_[0-9]{ending}"))
            if paths:
                return paths, place / f"test_batch{ending}"
    return [], folder


def has_cifar10(folder: Path) -> bool:
    """Return whether a folder contains CIFAR-10's files, binary or Python version."""
    return bool(_batches(folder)[0])


def read_cifar10(folder: Path, limits: Limits) -> tuple[Dataset, Dataset | None]:
    """Return the training set and, if its file exists, the test set.

    The pickles of the Python version are parsed without executing code (see `pickled`).

    Raises
    ------
    DatasetError
        If the files are missing, damaged or too large.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    paths, test = _batches(folder)
    if not paths:
        raise DatasetError(f"{folder}: no data_batch_1.bin or data_batch_1 there, nor in {_PYTHON}")
    read = _read_batch if test.suffix else _read_python_batch
    parts: list[tuple[Array, Array]] = []
    for path in paths:
        parts.append(read(path))
        try:
            limits.check((sum(len(labels) for _, labels in parts), 32, 32, 3), 1)
        except DatasetError as error:
            raise DatasetError(f"{path.parent}: {error}") from error
    train = Dataset(
        np.concatenate([images for images, _ in parts]),
        np.concatenate([labels for _, labels in parts]),
        _CLASSES,
    )
    return train, Dataset(*read(test), _CLASSES) if test.exists() else None
