"""Metrics of a classifier."""

import numpy as np

from convtool.nn._types import Array
from convtool.records import Record


def confusion_matrix(labels: Array, predicted: Array, classes: int) -> Array:
    """Return how often class i was taken for class j, shape (classes, classes).

    Examples
    --------
    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    array([[1, 1],
           [0, 1]])
    """
    result = np.zeros((classes, classes), np.int64)
    np.add.at(result, (labels, predicted), 1)
    return result


class Scores(Record):
    """What a classifier did on a set of pictures.

    Attributes
    ----------
    loss : float
        Mean negative logarithm of the true class's probability.
    confusion : ndarray, shape (K, K)
        Rows are the true classes, columns the predicted ones.
    worst : ndarray of int
        The places of the wrongly judged pictures, the most confidently wrong first.
    """

    loss: float
    confusion: Array
    worst: Array

    @property
    def accuracy(self) -> float:
        """The share of pictures whose class was found (pictures, not one-hot entries)."""
        return float(np.trace(self.confusion) / max(self.confusion.sum(), 1))

    @property
    def precision(self) -> Array:
        """For each class, the share of its predictions that are right; 0 where there are none."""
        predicted = self.confusion.sum(axis=0)
        result: Array = np.diag(self.confusion) / np.maximum(predicted, 1)
        return result

    @property
    def recall(self) -> Array:
        """For each class, the share of its pictures that were found; 0 where there are none."""
        actual = self.confusion.sum(axis=1)
        result: Array = np.diag(self.confusion) / np.maximum(actual, 1)
        return result


def judge(probabilities: Array, labels: Array) -> Scores:
    """Return the scores of predicted probabilities (N, K) against labels (N,)."""
    predicted = probabilities.argmax(axis=1)
    right = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    losses = -np.log(np.maximum(right, 1e-30))
    wrong = np.flatnonzero(predicted != labels)
    order = wrong[np.argsort(-losses[wrong], kind="stable")]
    matrix = confusion_matrix(labels, predicted, probabilities.shape[1])
    return Scores(float(losses.mean()), matrix, order)
