"""A set of labelled pictures, and how to part one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from convtool.errors import DatasetError
from convtool.nn._types import Array


@dataclass(frozen=True)
class Dataset:
    """Labelled pictures of one size.

    Attributes
    ----------
    images : ndarray of uint8, shape (N, H, W) or (N, H, W, 3)
    labels : ndarray of int64, shape (N,)
        Numbers of classes.
    classes : tuple of str
    names : tuple of str
        What each picture is called, if it has a name; else empty.
    skipped : tuple of str
        What could not be read, each with the reason.

    Raises
    ------
    DatasetError
        If pictures and labels do not match, a label has no class, or fewer than two classes occur.
    """

    images: Array
    labels: Array
    classes: tuple[str, ...]
    names: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
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
        """Return the pictures at some places."""
        names = tuple(self.names[i] for i in index) if self.names else ()
        return replace(self, images=self.images[index], labels=self.labels[index], names=names)

    def only(self, classes: Sequence[str]) -> "Dataset":
        """Return the pictures of some classes, numbered in the order in which they are named.

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


@dataclass(frozen=True)
class Split:
    """Pictures to learn from, and others to judge on."""

    train: Dataset
    test: Dataset

    def only(self, classes: Sequence[str]) -> "Split":
        """Return the pictures of at least two classes, each on the side where it was.

        Raises
        ------
        DatasetError
            If there are no such classes, or fewer than two.
        """
        if len(classes) < 2:
            raise DatasetError("one class alone: there is nothing to tell apart, name two or more")
        return Split(self.train.only(classes), self.test.only(classes))


def stratified(labels: Array, fraction: float, seed: int) -> tuple[Array, Array]:
    """Part the places of labels so that every class has its share on both sides.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
    fraction : float
        The second part's share: it gets ``ceil(fraction * N)`` places.
    seed : int

    Returns
    -------
    first, second : ndarray of int
        Places in ascending order.

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
    """Part the places of labels without a draw, each class in its share.

    The second part's places of a class are evenly spaced among all places of that class.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
    fraction : float
        The second part's share: it gets ``ceil(fraction * N)`` places.

    Returns
    -------
    first, second : ndarray of int
        Places in ascending order.

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


def _takes(labels: Array, fraction: float) -> tuple[Array, Array]:
    """Return the classes, and how many places of each go into the second part."""
    kinds, counts = np.unique(labels, return_counts=True)
    shares = counts * fraction
    takes = np.floor(shares).astype(int)
    short = ceil(fraction * len(labels) - 1e-9) - int(takes.sum())
    takes[np.argsort(takes - shares, kind="stable")[:short]] += 1
    return kinds, takes
