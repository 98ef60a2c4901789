"""A set of labelled pictures, and functions that split it."""

from collections.abc import Sequence
from math import ceil

import numpy as np

from convtool.errors import DatasetError
from convtool.nn._types import Array
from convtool.records import Record, replace

_NONE: Array = np.empty(0, np.int64)


class Dataset(Record):
    """Labelled pictures of one size.

    Attributes
    ----------
    images : ndarray of uint8, shape (N, H, W) or (N, H, W, 3)
    labels : ndarray of int64, shape (N,)
        Class indices.
    classes : tuple of str
    names : tuple of str
        The pictures' names; empty if they have none.
    numbers : ndarray of int64, shape (N,)
        Each picture's index in the file or folder that it was read from; by default 0, 1, 2, ….
    skipped : tuple of str
        The files that could not be read, each with the reason.

    Raises
    ------
    DatasetError
        If there are not as many labels as pictures, or a label is not a class index.
    """

    images: Array
    labels: Array
    classes: tuple[str, ...]
    names: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    numbers: Array = _NONE

    def __post_init__(self) -> None:
        if not len(self.numbers):
            object.__setattr__(self, "numbers", np.arange(len(self.labels)))
        if len(self.images) != len(self.labels):
            raise DatasetError(f"{len(self.images)} pictures, but {len(self.labels)} labels")
        if not len(self.labels):
            raise DatasetError("there are no pictures")
        if not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise DatasetError(
                f"labels from {self.labels.min()} to {self.labels.max()} for"
                f" {len(self.classes)} classes"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return 1 if self.images.ndim == 3 else self.images.shape[3]

    def subset(self, index: Array) -> "Dataset":
        """Return the pictures at some indices."""
        return replace(
            self,
            images=self.images[index],
            labels=self.labels[index],
            names=tuple(self.names[i] for i in index) if self.names else (),
            numbers=self.numbers[index],
        )

    def called(self, place: int) -> str | int:
        """Return the name of the picture at an index or, where pictures have none, its number."""
        return self.names[place] if self.names else int(self.numbers[place])

    def only(self, classes: Sequence[str]) -> "Dataset":
        """Return the pictures of some classes, with class indices in the given order.

        Raises
        ------
        DatasetError
            If there is no such class, or one is named twice.
        """
        for name in classes:
            if name not in self.classes:
                raise DatasetError(f"there is no class {name!r}: choose {', '.join(self.classes)}")
        if len(set(classes)) < len(classes):
            raise DatasetError(f"a class is named twice: {', '.join(classes)}")
        numbers = np.full(len(self.classes), -1)
        numbers[[self.classes.index(name) for name in classes]] = range(len(classes))
        kept = self.subset(np.flatnonzero(numbers[self.labels] >= 0))
        return replace(kept, labels=numbers[kept.labels], classes=tuple(classes))


def joined(parts: Sequence[Dataset]) -> Dataset:
    """Concatenate parts of one data set that have the same classes."""
    named = any(part.names for part in parts)
    return Dataset(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        parts[0].classes,
        tuple(str(p.called(i)) for p in parts for i in range(len(p))) if named else (),
        tuple(reason for part in parts for reason in part.skipped),
        np.concatenate([part.numbers for part in parts]),
    )


class Split(Record):
    """A training set, a test set and optionally a validation set.

    Attributes
    ----------
    train, test : Dataset
    validation : Dataset, optional
        Where the data set has its own validation part.
    """

    train: Dataset
    test: Dataset
    validation: Dataset | None = None

    @property
    def parts(self) -> tuple[Dataset, ...]:
        """The training, test and, if there is one, validation set."""
        return tuple(p for p in (self.train, self.test, self.validation) if p is not None)

    @property
    def skipped(self) -> tuple[str, ...]:
        """The files that could not be read, each with the reason."""
        return tuple(reason for part in self.parts for reason in part.skipped)

    def only(self, classes: Sequence[str]) -> "Split":
        """Return the same split with at least two of its classes.

        Raises
        ------
        DatasetError
            If a class does not exist, or there are fewer than two.
        """
        if len(classes) < 2:
            raise DatasetError("one class alone: there is nothing to tell apart, name two or more")
        watched = None if self.validation is None else self.validation.only(classes)
        return Split(self.train.only(classes), self.test.only(classes), watched)


def stratified(labels: Array, fraction: float, seed: int) -> tuple[Array, Array]:
    """Split the indices of labels at random, stratified by class.

    The first part keeps at least one index of each class.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
    fraction : float
        The second part's share: it gets ``ceil(fraction * N)`` indices, or as many as the first
        part can spare.
    seed : int

    Returns
    -------
    first, second : ndarray of int
        Indices in ascending order.

    Examples
    --------
    >>> first, second = stratified(np.array([0, 0, 0, 1, 1, 1]), 1 / 3, 0)
    >>> len(first), sorted(int(label) for label in np.array([0, 0, 0, 1, 1, 1])[second])
    (4, [0, 1])
    """
    rng = np.random.default_rng([seed, 0x5917])
    kinds, takes = _takes(labels, fraction)
    second = [
        rng.permutation(np.flatnonzero(labels == kind))[:take]
        for kind, take in zip(kinds, takes, strict=True)
    ]
    chosen = np.sort(np.concatenate(second))
    return np.setdiff1d(np.arange(len(labels)), chosen), chosen


def evenly(labels: Array, fraction: float) -> tuple[Array, Array]:
    """Split the indices of labels deterministically, stratified by class.

    The second part's indices of a class are evenly spaced among all indices of that class.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
    fraction : float
        The second part's share: it gets ``ceil(fraction * N)`` indices.

    Returns
    -------
    first, second : ndarray of int
        Indices in ascending order.

    Examples
    --------
    >>> evenly(np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]), 0.2)[1].tolist()
    [2, 7]
    """
    kinds, takes = _takes(labels, fraction)
    second = [
        places[((np.arange(take) + 0.5) * len(places) / max(take, 1)).astype(int)]
        for places, take in zip((np.flatnonzero(labels == k) for k in kinds), takes, strict=True)
    ]
    chosen = np.sort(np.concatenate(second))
    return np.setdiff1d(np.arange(len(labels)), chosen), chosen


def sample(labels: Array, count: int, seed: int) -> Array:
    """Sample the indices of at most ``count`` labels, in proportion for each class.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
    count : int
        At least 1. If it is not smaller than the number of classes, each class keeps at least one
        index.
    seed : int

    Returns
    -------
    ndarray of int
        Indices in ascending order.

    Examples
    --------
    >>> labels = np.array([0] * 8 + [1] * 4)
    >>> np.bincount(labels[sample(labels, 6, 0)])
    array([4, 2])
    """
    if count >= len(labels):
        return np.arange(len(labels))
    rng = np.random.default_rng([seed, 0x5A3F])
    kinds, counts = np.unique(labels, return_counts=True)
    shares = counts * (count / len(labels))
    takes = np.floor(shares).astype(int)
    if count >= len(kinds):
        takes = np.maximum(takes, 1)
    while takes.sum() > count:
        takes[np.argmax(np.where(takes > 1, takes - shares, -np.inf))] -= 1
    while takes.sum() < count:
        takes[np.argmax(np.where(takes < counts, shares - takes, -np.inf))] += 1
    chosen = [
        rng.permutation(np.flatnonzero(labels == kind))[:take]
        for kind, take in zip(kinds, takes, strict=True)
    ]
    return np.sort(np.concatenate(chosen))


def _takes(labels: Array, fraction: float) -> tuple[Array, Array]:
    """Return the classes, and how many indices of each go into the second part, never all."""
    kinds, counts = np.unique(labels, return_counts=True)
    shares = counts * fraction
    takes = np.floor(shares).astype(int)
    short = ceil(fraction * len(labels) - 1e-9) - int(takes.sum())
    order = np.argsort(takes - shares, kind="stable")
    takes[order[takes[order] + 1 < counts[order]][:short]] += 1
    return kinds, takes
