"""Open data sets, split into training and test parts; or a few pictures."""

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
) -> Split:
    """Read a data set and part it, class by class, into what is learned from and judged on.

    Parameters
    ----------
    name : str
        A name in ``SOURCES``; ``idx:FOLDER`` or a folder of IDX files or of CIFAR-10's; a file that
        ends as one of ``FILES``; or a folder with one sub-folder for each class, perhaps below
        ``train``, ``test`` and ``val``.
    data : Path, optional
        The folder or file of a named set.
    seed : int, optional
        Of the split, where the set has no test part, and of the limit. By default the split is
        always the same: of the digits evenly spaced pictures of each class are judged on (see
        :func:`~convtool.nn.datasets.dataset.evenly`), of other sets the draw of seed 0.
    read : callable, optional
        How to read a picture's file, for folders.
    size, gray, background
        What to make of a folder's pictures: their size, grey ones, and the colour on which
        transparent ones are laid.
    classes : sequence of str
        Only these, in this order. Of a folder nothing else is read.
    limit : int, optional
        The most pictures in all; each part and class has its share.

    Raises
    ------
    DatasetError
        If something is missing, damaged or contradictory, or there is only one class.
    """
    if len(classes) == 1:
        raise DatasetError("one class alone: there is nothing to tell apart, name two or more")
    if len(set(classes)) < len(classes):
        raise DatasetError(f"a class is named twice: {', '.join(classes)}")
    found = find_pictures(name, data, classes)
    parts = [_only(part, classes) for part in _parted(found, name, seed)]
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


def _parted(found: Pictures, name: str, seed: int | None) -> list[Part]:
    """Return the parts: to learn from, to judge on and, if there are any, to watch with."""
    if found.test is not None:
        return [part for part in (found.train, found.test, found.validation) if part is not None]
    labels, share = found.train.labels, found.held_out
    if found.split is not None and seed is None:
        first, second = found.split(labels, share)
    else:
        first, second = stratified(labels, share, seed or 0)
    if not len(second):
        raise DatasetError(
            f"{name}: {len(first)} pictures are too few to hold some back: a class needs two"
        )
    watched = [] if found.validation is None else [found.validation]
    return [found.train.subset(first), found.train.subset(second), *watched]


def _only(part: Part, classes: Sequence[str]) -> Part:
    return part.only(classes) if classes and isinstance(part, Dataset) else part


def _limited(parts: Sequence[Part], limit: int, seed: int) -> list[Part]:
    """Return parts with at most so many pictures in all, each part and class with its share."""
    sizes = np.array([len(part.labels) for part in parts])
    if limit >= sizes.sum():
        return list(parts)
    shares = np.maximum(sizes * limit // sizes.sum(), 1)
    shares[0] += limit - shares.sum()
    kinds = len(np.unique(parts[0].labels))
    if shares[0] < kinds:
        raise DatasetError(
            f"a limit of {limit} pictures leaves {max(shares[0], 0)} to learn {kinds} classes from:"
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
            f"too few pictures to test with: {', '.join(alone)}: learned from, not tested",
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
) -> Dataset:
    """Return a few pictures of a data set, from all its parts.

    Parameters
    ----------
    name, data, read, classes
        See `open_dataset`.
    seed : int
        Of the choice.
    preprocessing : Preprocessing
        What to make of a folder's pictures.
    count : int
        How many: drawn at random, each class with its share.
    wanted : sequence of str
        Names or numbers of pictures, to be taken instead.

    Raises
    ------
    DatasetError
        If something is missing, damaged or contradictory, or a picture is not there.
    """
    found = find_pictures(name, data, classes, fewest=1)
    parts = [part for part in (found.train, found.test, found.validation) if part is not None]
    parts = [_only(part, classes) for part in parts]
    if wanted:
        places = [_place(parts, text) for text in wanted]
        chosen = [parts[part].subset(np.array([place])) for part, place in places]
    else:
        places_of = sample(np.concatenate([part.labels for part in parts]), count, seed)
        bounds = np.cumsum([0, *(len(part.labels) for part in parts)])
        inside = [
            places_of[(places_of >= low) & (places_of < high)] - low
            for low, high in pairwise(bounds.tolist())
        ]
        chosen = [p.subset(own) for p, own in zip(parts, inside, strict=True) if len(own)]
    return joined([_as_dataset(part, read, preprocessing) for part in chosen])


def _place(parts: Sequence[Part], wanted: str) -> tuple[int, int]:
    """Return in which part a picture is, and where: by its name, else by its number."""
    for number, part in enumerate(parts):
        if wanted in part.names:
            return number, part.names.index(wanted)
    for number, part in enumerate(parts):
        found: Array = np.flatnonzero(part.numbers == (int(wanted) if wanted.isdecimal() else -1))
        if len(found):
            return number, int(found[0])
    last = parts[-1]
    example = last.names[-1] if last.names else last.numbers[-1]
    raise DatasetError(f"there is no picture {wanted!r}; the last one is {example}")
