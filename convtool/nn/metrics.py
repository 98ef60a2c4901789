"""Metrics of a classifier."""

import numpy as np

from convtool.nn._types import Array
from convtool.records import Record


def confusion_matrix(labels: Array, predicted: Array, classes: int) -> Array:
    """Return how often class i was predicted as class j, shape (classes, classes).

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
    """The scores of a classifier on a set of pictures."""

    loss: float
    """Mean negative logarithm of the true class's probability."""
    confusion: Array
    """Rows are the true classes, columns the predicted ones. Shape (K, K)."""
    worst: Array
    """Indices of the misclassified pictures, the most confidently wrong first."""

    @property
    def accuracy(self) -> float:
        """The share of pictures that are classified correctly."""
        return float(np.trace(self.confusion) / max(self.confusion.sum(), 1))

    @property
    def precision(self) -> Array:
        """For each class, the share of its predictions that are correct; 0 if there are none."""
        predicted = self.confusion.sum(axis=0)
        result: Array = np.diag(self.confusion) / np.maximum(predicted, 1)
        return result

    @property
    def recall(self) -> Array:
        """For each class, the share of its pictures classified correctly; 0 if there are none."""
        actual = self.confusion.sum(axis=1)
        result: Array = np.diag(self.confusion) / np.maximum(actual, 1)
        return result


def score_predictions(probabilities: Array, labels: Array) -> Scores:
    """Score predicted probabilities (N, K) against labels (N,)."""
    predicted = probabilities.argmax(axis=1)
    right = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    losses = -np.log(np.maximum(right, 1e-30))
    wrong = np.flatnonzero(predicted != labels)
    order = wrong[np.argsort(-losses[wrong], kind="stable")]
    matrix = confusion_matrix(labels, predicted, probabilities.shape[1])
    return Scores(float(losses.mean()), matrix, order)
