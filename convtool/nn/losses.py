"""Losses: how wrong a batch is, as one number, and its gradient.

Each is the mean over the pictures of the batch (never over pictures times classes), and takes the
network's last numbers before any sigmoid or softmax ("logits"), where it is exact.
"""

from typing import Any, ClassVar

import numpy as np

from convtool.errors import DatasetError, OptionError
from convtool.nn._types import Array
from convtool.nn.operations.activations import log_softmax, sigmoid


class Loss:
    """A loss of a batch of outputs against what they should be."""

    name: ClassVar[str] = ""

    def evaluate(self, outputs: Array, targets: Array) -> tuple[float, Array]:
        """Return the mean loss and its gradient with respect to `outputs`."""
        raise TypeError(f"{type(self).__name__} computes nothing")

    def __call__(self, outputs: Array, targets: Array) -> float:
        """Return the mean loss."""
        return self.evaluate(outputs, targets)[0]

    def config(self) -> dict[str, Any]:
        """Return the keyword arguments that build this loss anew."""
        return {}


class CrossEntropy(Loss):
    """``-log softmax(outputs)[label]``, for one of several classes.

    Parameters
    ----------
    label_smoothing : float
        This much of the target is spread evenly over all classes.

    Examples
    --------
    >>> round(CrossEntropy()(np.zeros((5, 10)), np.arange(5)), 4)  # log 10
    2.3026
    """

    name = "cross-entropy"

    def __init__(self, label_smoothing: float = 0.0) -> None:
        if not 0 <= label_smoothing < 1:
            raise OptionError(f"label smoothing {label_smoothing}: from 0 to below 1")
        self.label_smoothing = label_smoothing

    def evaluate(self, outputs: Array, targets: Array) -> tuple[float, Array]:
        """Return loss and gradient for outputs (N, classes) and integer labels (N,)."""
        n, classes = outputs.shape
        if targets.shape != (n,) or not np.issubdtype(targets.dtype, np.integer):
            raise DatasetError(f"cross-entropy needs {n} whole-number labels, not {targets.shape}")
        if n and not 0 <= targets.min() <= targets.max() < classes:
            raise DatasetError(
                f"labels from {targets.min()} to {targets.max()}, the network has {classes} classes"
            )
        log_p = log_softmax(outputs)
        goal = np.full_like(outputs, self.label_smoothing / classes)
        goal[np.arange(n), targets] += 1 - self.label_smoothing
        loss = -float((goal * log_p).sum(dtype=np.float64)) / n
        return loss, (np.exp(log_p) - goal) / np.asarray(n, outputs.dtype)

    def config(self) -> dict[str, Any]:
        """Return the label smoothing."""
        return {"label_smoothing": self.label_smoothing}


class BinaryCrossEntropy(Loss):
    """``-log sigmoid(output)`` for label 1, ``-log(1 - sigmoid(output))`` for label 0."""

    name = "binary-cross-entropy"

    def evaluate(self, outputs: Array, targets: Array) -> tuple[float, Array]:
        """Return loss and gradient for outputs (N, 1) or (N,) and labels 0 and 1."""
        goal = targets.reshape(outputs.shape).astype(outputs.dtype)
        if goal.size and not np.isin(goal, (0, 1)).all():
            raise DatasetError("binary cross-entropy needs labels 0 and 1")
        terms = np.maximum(outputs, 0) - outputs * goal + np.log1p(np.exp(-np.abs(outputs)))
        count = np.asarray(len(outputs), outputs.dtype)
        return float(terms.sum(dtype=np.float64) / count), (sigmoid(outputs) - goal) / count


class MeanSquaredError(Loss):
    """The squared distance, averaged over pictures and outputs (regression)."""

    name = "mean-squared-error"

    def evaluate(self, outputs: Array, targets: Array) -> tuple[float, Array]:
        """Return loss and gradient for outputs and targets of one size."""
        difference = outputs - targets.reshape(outputs.shape).astype(outputs.dtype)
        loss = float(np.square(difference).mean(dtype=np.float64))
        return loss, difference * np.asarray(2 / difference.size, outputs.dtype)


LOSSES: dict[str, type[Loss]] = {
    loss.name: loss for loss in (CrossEntropy, BinaryCrossEntropy, MeanSquaredError)
}
"""Every loss by its name."""
