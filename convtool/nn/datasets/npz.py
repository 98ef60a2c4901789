"""Keras' ``mnist.npz`` and others like it: ``x_train``, ``y_train``, ``x_test``, ``y_test``."""

import zipfile
import zlib
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

from convtool.errors import DatasetError
from convtool.nn._types import Array
from convtool.nn.datasets.dataset import Dataset
from convtool.nn.datasets.limits import Limits, opened

_ENCRYPTED = 1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGE = (
    *(OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error),
    *(NotImplementedError, OverflowError, RuntimeError, SyntaxError, TokenError, TypeError),
)
"""What zipfile and NumPy raise for archives and headers that make no sense."""


def _array(archive: zipfile.ZipFile, path: Path, name: str, limits: Limits) -> Array:
    """Read one array, checking its header against the limits and its archive member."""
    try:
        member = archive.getinfo(f"{name}.npy")
    except KeyError:
        names = ", ".join(n.removesuffix(".npy") for n in archive.namelist()[:8])
        raise DatasetError(
            f"{path}: has no array {name}, only {names}; it needs x_train and y_train"
        ) from None
    if member.compress_type not in _METHODS or member.flag_bits & _ENCRYPTED:
        raise DatasetError(f"{path}: {name} is packed as NumPy does not pack arrays")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
        if version[0] not in read:
            raise DatasetError(f"{path}: {name} is NPY of version {version[0]}, which is not read")
        shape, _, kind = read[version[0]](file)
    if kind.hasobject or kind.kind not in "ui":
        raise DatasetError(f"{path}: {name} holds {kind}, not whole numbers such as uint8")
    if min(shape, default=1) < 0 or prod(shape) * kind.itemsize > member.file_size:
        raise DatasetError(f"{path}: {name} claims the shape {shape}: damaged")
    try:
        limits.check(shape, kind.itemsize)
    except DatasetError as error:
        raise DatasetError(f"{path}: {name} {error}") from error
    with archive.open(member) as file:
        array: Any = np.lib.format.read_array(file, allow_pickle=False)
    result: Array = array
    return result


def _part(archive: zipfile.ZipFile, path: Path, part: str, limits: Limits) -> tuple[Array, Array]:
    images, labels = (_array(archive, path, f"{kind}_{part}", limits) for kind in "xy")
    labels = labels.reshape(-1)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.dtype != np.uint8 or not (images.ndim == 3 or images.shape[3:] == (3,)):
        raise DatasetError(
            f"{path}: x_{part} is {images.dtype} of shape {images.shape}; pictures are uint8"
            " (N, H, W) or (N, H, W, 3)"
        )
    if len(images) != len(labels):
        raise DatasetError(f"{path}: {len(images)} pictures, but {len(labels)} labels ({part})")
    return images, labels


def read_npz(path: Path, limits: Limits) -> tuple[Dataset, Dataset | None]:
    """Return the training set and, if its arrays exist, the test set.

    Raises
    ------
    DatasetError
        If the file is missing or damaged, or its arrays are not pictures and labels.
    """
    try:
        with opened(path) as file, zipfile.ZipFile(file) as archive:
            images, labels = _part(archive, path, "train", limits)
            kinds = np.unique(labels)
            classes = tuple(map(str, kinds.tolist()))
            train = Dataset(images, np.searchsorted(kinds, labels), classes)
            if "x_test.npy" not in archive.namelist():
                return train, None
            images, labels = _part(archive, path, "test", limits)
    except DatasetError:
        raise
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"{path}: cannot be read, or is damaged: {reason}") from error
    if not np.isin(labels, kinds).all():
        raise DatasetError(f"{path}: y_test has labels that y_train does not have")
    return train, Dataset(images, np.searchsorted(kinds, labels), classes)
