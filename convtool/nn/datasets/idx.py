"""IDX files, gzipped or not: MNIST, Fashion-MNIST, EMNIST, KMNIST.

References
----------
LeCun, Cortes, Burges: The MNIST database of handwritten digits (the file format). Cohen, Afshar,
Tapson, van Schaik (2017): EMNIST, arXiv:1702.05373 (its pictures lie on their side, and the labels
of its letters start at 1).
"""

import os
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np

from convtool.errors import DatasetError
from convtool.nn._types import Array
from convtool.nn.datasets.dataset import Dataset
from convtool.nn.datasets.limits import Limits, opened, unpacked

_UINT8 = 8
_DEFLATE_MOST = 1100
"""Bytes that a byte of gzip unpacks to at most."""


def read_idx(path: Path, dimensions: int, limits: Limits) -> Array:
    """Return the uint8 array of an IDX file.

    Parameters
    ----------
    path : Path
    dimensions : int
        1 for labels, 3 for pictures.
    limits : Limits
        The largest array to read.

    Raises
    ------
    DatasetError
        If the file cannot be read, has another magic number, another length than it claims, or
        claims more than the limits allow.
    """
    try:
        with opened(path) as packed, unpacked(packed) as file:
            start = file.read(4 + 4 * dimensions)
            if len(start) < 4 + 4 * dimensions or start[:3] != bytes((0, 0, _UINT8)):
                raise DatasetError(f"{path}: not an IDX file of bytes: its magic number is wrong")
            if start[3] != dimensions:
                what = "labels" if dimensions == 1 else "pictures"
                raise DatasetError(f"{path}: holds {start[3]} dimensions, {what} have {dimensions}")
            shape = struct.unpack(f">{dimensions}I", start[4:])
            if not all(shape):
                raise DatasetError(f"{path}: its header promises no data: damaged")
            held = _DEFLATE_MOST * os.fstat(packed.fileno()).st_size
            if prod(shape) > held:
                raise DatasetError(f"{path}: claims {prod(shape)} bytes: damaged")
            try:
                limits.check(shape, 1)
            except DatasetError as error:
                raise DatasetError(f"{path}: {error}") from error
            content = file.read(prod(shape) + 1)
    except DatasetError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"{path}: cannot be read, or is cut off: {reason}") from error
    if len(content) != prod(shape):
        state = "cut off" if len(content) < prod(shape) else "longer than it claims"
        raise DatasetError(f"{path}: {state}: its header promises {prod(shape)} bytes")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _find(folder: Path, part: tuple[str, ...]) -> tuple[Path, Path] | None:
    """Return the picture and label files of one part (train or test), or None."""
    files = sorted(
        p for p in folder.iterdir() if any(word in p.name for word in part) and p.is_file()
    )
    images = [p for p in files if "images" in p.name and "idx3" in p.name]
    labels = [p for p in files if "labels" in p.name and "idx1" in p.name]
    if not images:
        return None
    if not labels:
        raise DatasetError(f"{folder}: {images[0].name} has no labels beside it (…idx1-ubyte)")
    return images[0], labels[0]


def _read_part(images_path: Path, labels_path: Path, limits: Limits) -> tuple[Array, Array]:
    images, labels = read_idx(images_path, 3, limits), read_idx(labels_path, 1, limits)
    if len(images) != len(labels):
        raise DatasetError(
            f"{labels_path}: {len(labels)} labels for {len(images)} pictures: not of the same set"
        )
    if "emnist" in images_path.name.lower():
        images = np.ascontiguousarray(images.swapaxes(1, 2))
    return images, labels.astype(np.int64)


def idx_place(folder: Path) -> Path | None:
    """Return the folder of IDX files: the given one, or `raw` or `MNIST/raw` below it."""
    places = (folder, folder / "raw", folder / "MNIST" / "raw")
    return next((p for p in places if p.is_dir() and _find(p, ("train",))), None)


def read_idx_folder(folder: Path, limits: Limits) -> tuple[Dataset, Dataset | None]:
    """Return the training set and, if its files exist, the test set.

    Raises
    ------
    DatasetError
        If the folder has no such files, they contradict each other, or are too large.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    place = idx_place(folder)
    train_files = _find(place, ("train",)) if place else None
    if place is None or train_files is None:
        raise DatasetError(
            f"{folder}: no IDX files there (train-images-idx3-ubyte[.gz]), nor in MNIST/raw"
        )
    images, labels = _read_part(*train_files, limits)
    kinds = np.unique(labels)
    letters = "letters" in train_files[0].name.lower()
    classes = tuple(chr(ord("A") - 1 + kind) if letters else str(kind) for kind in kinds)
    train = Dataset(images, np.searchsorted(kinds, labels), classes)
    test_files = _find(place, ("t10k", "test"))
    if test_files is None:
        return train, None
    images, labels = _read_part(*test_files, limits)
    if not np.isin(labels, kinds).all():
        raise DatasetError(f"{test_files[1]}: has labels that the training part does not have")
    return train, Dataset(images, np.searchsorted(kinds, labels), classes)
