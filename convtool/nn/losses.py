"""Loss functions and their gradients.

The default losses of the tasks take logits, which is numerically exact: :class:`CrossEntropy` is
the mean over pictures, :class:`BinaryCrossEntropy` and :class:`MeanSquaredError` are means over
pictures and outputs, as in PyTorch and Keras. The losses named ``Probability…`` take probabilities,
for networks that end in a softmax or sigmoid layer, and are means over pictures and outputs.

Targets are class indices, shape (N,), or a row of values for each picture, shape (N, K).
"""

from typing import Any, ClassVar

import numpy as np

from convtool.errors import DatasetError
from convtool.nn._types import Array, Shape
from convtool.nn.arguments import arguments_of, real
from convtool.nn.operations.activations import log_softmax, sigmoid

LEAST_PROBABILITY = 1e-12
"""Lower bound for probabilities, and for the product of a probability and its complement."""
LEAST_LOG = -100.0
"""Lower bound for the logarithm of a probability (PyTorch's bound)."""


class Loss:
    """Base class of losses, which compare a batch of outputs with targets."""

    name: ClassVar[str] = ""
    highest: ClassVar[float] = np.inf

    def goals(self, targets: Array, shape: Shape) -> Array:
        """Validate targets and convert them for outputs of a shape.

        Parameters
        ----------
        targets : ndarray, shape (N,) or (N, K)
        shape : (N, K) or (N,)

        Returns
        -------
        ndarray
            Targets of the outputs' shape, or class indices of shape (N,).

        Raises
        ------
        DatasetError
            If the targets do not match the outputs.
        """
        return _rows(targets, shape, self.name, self.highest)

    def evaluate(self, outputs: Array, targets: Array) -> tuple[float, Array]:
        """Return the mean loss and its gradient with respect to `outputs`."""
        raise TypeError(f"{type(self).__name__} computes nothing")

    def __call__(self, outputs: Array, targets: Array) -> float:
        """Return the mean loss."""
        return self.evaluate(outputs, targets)[0]

    def config(self) -> dict[str, Any]:
        """Return the keyword arguments that rebuild this loss."""
        return arguments_of(self)


def _are_labels(targets: Array, shape: Shape) -> bool:
    return targets.shape == shape[:1] and np.issubdtype(targets.dtype, np.integer)


def _check_labels(labels: Array, classes: int) -> None:
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise DatasetError(
            f"labels from {labels.min()} to {labels.max()}, the network has {classes} classes"
        )


def _rows(targets: Array, shape: Shape, name: str, high: float) -> Array:
    """Return targets in the outputs' shape, class indices as one-hot rows."""
    one_output = int(np.prod(shape[1:])) == 1
    if targets.shape == shape or (one_output and targets.size == shape[0]):
        rows = targets.reshape(shape).astype(np.float64)
        if not ((rows >= 0) & (rows <= high) & np.isfinite(rows)).all():
            bounds = "from 0 to 1" if high == 1 else "finite and not negative"
            raise DatasetError(f"{name} needs targets that are {bounds}")
        return rows
    if not _are_labels(targets, shape):
        wanted = f"{shape[0]} whole-number labels" + ("" if one_output else f" or {shape} targets")
        raise DatasetError(f"{name} needs {wanted}, not {targets.dtype} {targets.shape}")
    _check_labels(targets, shape[1])
    return np.eye(shape[1])[targets]


class CrossEntropy(Loss):
    """``-sum(t log softmax(outputs))``, averaged over pictures; t is 1 for the label, else 0.

    Targets of shape (N, K) are the probabilities of all classes (soft targets).

    Parameters
    ----------
    label_smoothing : float
        The share of the target that is distributed evenly over all classes.

    Examples
    --------
    >>> round(CrossEntropy()(np.zeros((5, 10)), np.arange(5)), 4)  # log 10
    2.3026
    >>> round(CrossEntropy()(np.zeros((1, 2)), np.array([[0.25, 0.75]])), 4)  # log 2
    0.6931
    """

    name = "cross-entropy"

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = real(label_smoothing, "label smoothing", 0, 1, high_open=True)

    def goals(self, targets: Array, shape: Shape) -> Array:
        """Return class indices (N,) unchanged, or each class's smoothed target (N, K)."""
        if _are_labels(targets, shape):
            _check_labels(targets, shape[1])
            return targets
        rows = _rows(targets, shape, self.name, np.inf)
        return rows * (1 - self.label_smoothing) + self.label_smoothing / shape[1]

    def evaluate(self, outputs: Array, targets: Array) -> tuple[float, Array]:
        """Return loss and gradient for outputs (N, K) and labels (N,) or targets (N, K)."""
        n, classes = outputs.shape
        log_p = log_softmax(outputs)
        goal = self.goals(targets, outputs.shape).astype(outputs.dtype)
        if goal.ndim == 1:
            goal = np.full_like(outputs, self.label_smoothing / classes)
            goal[np.arange(n), targets] += 1 - self.label_smoothing
        loss = -float((goal * log_p).sum(dtype=np.float64)) / n
        whole = goal.sum(axis=1, keepdims=True)
        return loss, (np.exp(log_p) * whole - goal) / np.asarray(n, outputs.dtype)


class BinaryCrossEntropy(Loss):
    """``-t log p - (1 - t) log(1 - p)`` with ``p = sigmoid(output)``, averaged over all outputs.

    The outputs are independent. Targets are from 0 to 1; class indices (N,) for K outputs mean 1
    for the class's output and 0 for the others.

    Examples
    --------
    >>> round(BinaryCrossEntropy()(np.array([[-10.0, 0.0, 0.0]]), np.array([[1, 0, 1]])), 3)
    3.795
    """

    name = "binary-cross-entropy"
    highest = 1

    def evaluate(self, outputs: Array, targets: Array) -> tuple[float, Array]:
        """Return loss and gradient for outputs (N, K) or (N,) and targets from 0 to 1."""
        goal = self.goals(targets, outputs.shape).astype(outputs.dtype)
        terms = np.maximum(outputs, 0) - outputs * goal + np.log1p(np.exp(-np.abs(outputs)))
        count = np.asarray(outputs.size, outputs.dtype)
        return float(terms.sum(dtype=np.float64) / count), (sigmoid(outputs) - goal) / count


class MeanSquaredError(Loss):
    """The squared error, averaged over pictures and outputs (regression)."""

    name = "mean-squared-error"

    def goals(self, targets: Array, shape: Shape) -> Array:
        """Return each output's target."""
        if targets.size != np.prod(shape) or len(targets) != shape[0]:
            raise DatasetError(f"targets of shape {targets.shape} for outputs {shape}")
        return targets.reshape(shape).astype(np.float64)

    def evaluate(self, outputs: Array, targets: Array) -> tuple[float, Array]:
        """Return loss and gradient for outputs and targets of equal shape."""
        difference = outputs - self.goals(targets, outputs.shape).astype(outputs.dtype)
        loss = float(np.square(difference).mean(dtype=np.float64))
        return loss, difference * np.asarray(2 / difference.size, outputs.dtype)


class ProbabilityCrossEntropy(Loss):
    """``-t log p``, averaged over pictures and outputs; p are the outputs themselves.

    The gradient of n outputs is ``-t / (n p)``. For networks that end in a softmax layer.

    Examples
    --------
    >>> loss = ProbabilityCrossEntropy()
    >>> value, gradient = loss.evaluate(np.array([[4.0, 5.0, 6.0]]), np.array([[1.0, 2.0, 3.0]]))
    >>> gradient.round(4).tolist()
    [[-0.0833, -0.1333, -0.1667]]
    """

    name = "probability-cross-entropy"

    def evaluate(self, outputs: Array, targets: Array) -> tuple[float, Array]:
        """Return loss and gradient for probabilities (N, K); values below 0 give NaN."""
        goal = self.goals(targets, outputs.shape).astype(outputs.dtype)
        p = np.where(outputs < 0, np.nan, np.maximum(outputs, LEAST_PROBABILITY))
        p = p.astype(outputs.dtype, copy=False)
        loss = -float((goal * np.log(p)).mean(dtype=np.float64))
        return loss, -goal / (p * np.asarray(p.size, p.dtype))


class ProbabilityBinaryCrossEntropy(Loss):
    """``-t log p - (1 - t) log(1 - p)``, averaged over pictures and outputs, p the outputs.

    For networks that end in a sigmoid or softmax layer. Logarithms are clamped to -100, as in
    PyTorch's ``BCELoss``.

    Examples
    --------
    >>> from convtool.nn.operations.activations import softmax
    >>> p = softmax(np.array([[1.0, 2.0, 3.0]]))
    >>> round(ProbabilityBinaryCrossEntropy()(p, np.array([2])), 4)  # the third class
    0.2609
    """

    name = "probability-binary-cross-entropy"
    highest = 1

    def evaluate(self, outputs: Array, targets: Array) -> tuple[float, Array]:
        """Return loss and gradient for probabilities (N, K); values beyond 0 and 1 give NaN."""
        goal = self.goals(targets, outputs.shape).astype(outputs.dtype)
        p = np.where((outputs < 0) | (outputs > 1), np.nan, outputs).astype(outputs.dtype)
        with np.errstate(divide="ignore"):
            yes, no = (np.maximum(np.log(q), LEAST_LOG) for q in (p, 1 - p))
        loss = -float((goal * yes + (1 - goal) * no).mean(dtype=np.float64))
        slope = (p - goal) / np.maximum(p * (1 - p), LEAST_PROBABILITY)
        return loss, (slope / p.size).astype(p.dtype)


LOSSES: dict[str, type[Loss]] = {
    loss.name: loss
    for loss in (
        CrossEntropy,
        BinaryCrossEntropy,
        MeanSquaredError,
        ProbabilityCrossEntropy,
        ProbabilityBinaryCrossEntropy,
    )
}
"""The losses by name."""
