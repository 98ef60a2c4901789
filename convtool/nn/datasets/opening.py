"""Open data sets split into training and test sets, or samples of their pictures."""

import warnings
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from convtool.errors import ConvtoolWarning, DatasetError
from convtool.nn._types import Array
from convtool.nn.datasets.dataset import Dataset, Split, joined, sample, stratified
from convtool.nn.datasets.finding import Pictures, find_pictures
from convtool.nn.datasets.folder import Files, Reader, read_files
from convtool.nn.datasets.limits import DEFAULT, Limits
from convtool.nn.preprocessing import Preprocessing

Part = Dataset | Files


def open_dataset(
    name: str,
    *,
    data: Path | None = None,
    seed: int | None = None,
    read: Reader | None = None,
    size: tuple[int, int] = (64, 64),
    gray: bool = False,
    background: str = "white",
    classes: Sequence[str] = (),
    limit: int | None = None,
    limits: Limits = DEFAULT,
) -> Split:
    """Read a data set and split it, stratified by class, into training and test set.

    Parameters
    ----------
    name : str
        A name in ``SOURCES``; ``idx:FOLDER`` or a folder of IDX files or of CIFAR-10's; a file that
        ends as one of ``FILES``; or a folder with one sub-folder for each class, perhaps below
        ``train``, ``test`` and ``val``.
    data : Path, optional
        The folder or file of a named set.
    seed : int, optional
        Seed of the split, where the set has no test part, and of the limit. By default the split
        is always the same: evenly spaced pictures of each class for the digits (see
        :func:`~convtool.nn.datasets.dataset.evenly`), a random split with seed 0 for other sets.
    read : callable, optional
        Reads a picture's file, for folders.
    size, gray, background
        How to convert a folder's pictures: their size, whether to grey, and the colour that
        transparent ones are composited on.
    classes : sequence of str
        Only these, in this order. Other classes of a folder are not read.
    limit : int, optional
        The largest number of pictures in total, divided among parts and classes in proportion.
    limits : Limits
        The largest data set in one file to read.

    Raises
    ------
    DatasetError
        If something is missing, damaged or contradictory, or there is only one class.
    """
    if len(classes) == 1:
        raise DatasetError("one class alone: there is nothing to tell apart, name two or more")
    if len(set(classes)) < len(classes):
        raise DatasetError(f"a class is named twice: {', '.join(classes)}")
    pictures = find_pictures(name, data, classes, limits=limits)
    parts = [_only(part, classes) for part in _split_parts(pictures, name, seed)]
    if len(set(parts[0].labels.tolist())) < 2:
        raise DatasetError(f"{name}: all pictures are of one class, there is nothing to tell apart")
    if limit is not None:
        parts = _limited(parts, limit, seed or 0)
    _warn_untested(parts)
    preprocessing = Preprocessing(*size, channels=1 if gray else 3, background=background)
    ready = [_as_dataset(part, read, preprocessing) for part in parts]
    for label, class_name in enumerate(ready[0].classes):
        if label not in ready[0].labels:
            skipped = f": {ready[0].skipped[0]}" if ready[0].skipped else ""
            raise DatasetError(f"{name}: no readable picture of the class {class_name}{skipped}")
    return Split(*ready)


def _split_parts(pictures: Pictures, name: str, seed: int | None) -> list[Part]:
    """Return the training, test and, if there is one, validation part."""
    if pictures.test is not None:
        return _existing_parts(pictures)
    labels, share = pictures.train.labels, pictures.test_fraction
    if pictures.split is not None and seed is None:
        first, second = pictures.split(labels, share)
    else:
        first, second = stratified(labels, share, seed or 0)
    if not len(second):
        raise DatasetError(
            f"{name}: {len(first)} pictures are too few for a test set: a class needs two"
        )
    validation = [] if pictures.validation is None else [pictures.validation]
    return [pictures.train.subset(first), pictures.train.subset(second), *validation]


def _existing_parts(pictures: Pictures) -> list[Part]:
    parts = (pictures.train, pictures.test, pictures.validation)
    return [part for part in parts if part is not None]


def _only(part: Part, classes: Sequence[str]) -> Part:
    return part.only(classes) if classes and isinstance(part, Dataset) else part


def _limited(parts: Sequence[Part], limit: int, seed: int) -> list[Part]:
    """Limit the parts to a total number of pictures, in proportion to parts and classes."""
    sizes = np.array([len(part.labels) for part in parts])
    if limit >= sizes.sum():
        return list(parts)
    shares = np.maximum(sizes * limit // sizes.sum(), 1)
    shares[0] += limit - shares.sum()
    kinds = len(np.unique(parts[0].labels))
    if shares[0] < kinds:
        raise DatasetError(
            f"a limit of {limit} pictures leaves {max(shares[0], 0)} to train {kinds} classes:"
            " raise it"
        )
    pairs = zip(parts, shares.tolist(), strict=True)
    return [part.subset(sample(part.labels, share, seed)) for part, share in pairs]


def _warn_untested(parts: Sequence[Part]) -> None:
    learned, tested = (np.bincount(part.labels, minlength=1) for part in parts[:2])
    tested = np.pad(tested, (0, max(0, len(learned) - len(tested))))
    alone = [
        f"{parts[0].classes[label]} ({count})"
        for label, count in enumerate(learned.tolist())
        if count and not tested[label]
    ]
    if alone:
        warnings.warn(
            f"too few pictures to test with: {', '.join(alone)}: in the training set only",
            ConvtoolWarning,
            stacklevel=3,
        )


def _as_dataset(part: Part, read: Reader | None, preprocessing: Preprocessing) -> Dataset:
    if isinstance(part, Dataset):
        return part
    if read is None:
        raise DatasetError(f"{part.folder}: a folder of pictures needs a reader of pictures")
    return read_files(part, read, preprocessing)


def open_sample(
    name: str,
    *,
    data: Path | None = None,
    seed: int = 0,
    read: Reader | None = None,
    preprocessing: Preprocessing,
    classes: Sequence[str] = (),
    count: int = 25,
    wanted: Sequence[str] = (),
    limits: Limits = DEFAULT,
) -> Dataset:
    """Return a few pictures of a data set, from all its parts.

    Parameters
    ----------
    name, data, read, classes, limits
        See `open_dataset`.
    seed : int
        Seed of the random choice.
    preprocessing : Preprocessing
        How to convert a folder's pictures.
    count : int
        How many pictures to draw at random, stratified by class.
    wanted : sequence of str
        Names or numbers of pictures to return instead.

    Raises
    ------
    DatasetError
        If something is missing, damaged or contradictory, or a picture is not there.
    """
    pictures = find_pictures(name, data, classes, fewest=1, limits=limits)
    parts = [_only(part, classes) for part in _existing_parts(pictures)]
    if wanted:
        pairs = [_find_picture(parts, text) for text in wanted]
        chosen = [parts[part].subset(np.array([index])) for part, index in pairs]
    else:
        indices = sample(np.concatenate([part.labels for part in parts]), count, seed)
        bounds = np.cumsum([0, *(len(part.labels) for part in parts)])
        inside = [
            indices[(indices >= low) & (indices < high)] - low
            for low, high in pairwise(bounds.tolist())
        ]
        chosen = [p.subset(own) for p, own in zip(parts, inside, strict=True) if len(own)]
    return joined([_as_dataset(part, read, preprocessing) for part in chosen])


def _find_picture(parts: Sequence[Part], wanted: str) -> tuple[int, int]:
    """Find a picture by its name, else by its number; return its part and its index there."""
    for number, part in enumerate(parts):
        if wanted in part.names:
            return number, part.names.index(wanted)
    for number, part in enumerate(parts):
        matches: Array = np.flatnonzero(part.numbers == (int(wanted) if wanted.isdecimal() else -1))
        if len(matches):
            return number, int(matches[0])
    last = parts[-1]
    example = last.names[-1] if last.names else last.numbers[-1]
    raise DatasetError(f"there is no picture {wanted!r}; the last one is {example}")
