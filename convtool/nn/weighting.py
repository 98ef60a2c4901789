"""Class and sample weights, and their loss."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convtool.errors import DatasetError, OptionError
from convtool.nn._types import Array
from convtool.nn.losses import Loss

NONE, BALANCED = "none", "balanced"


class Weighted(Loss):
    """The mean of a loss over a batch in which each picture's part has a weight.

    ``sum(weight * loss) / N``, as Keras defines it; PyTorch divides by the sum of the weights.

    Parameters
    ----------
    loss : Loss
        A mean over the pictures of a batch.
    weights : ndarray, shape (N,)
        Not negative.

    Examples
    --------
    >>> from convtool.nn.losses import MeanSquaredError
    >>> loss = Weighted(MeanSquaredError(), np.array([2.0, 0.0]))
    >>> loss(np.array([[3.0], [5.0]]), np.array([[0.0], [0.0]]))
    9.0
    """

    def __init__(self, loss: Loss, weights: Array) -> None:
        self.loss, self.weights = loss, weights

    def evaluate(self, outputs: Array, targets: Array) -> tuple[float, Array]:
        """Return the loss and its gradient: the pictures of each weight are judged together."""
        value, gradient = 0.0, np.zeros_like(outputs)
        for weight in np.unique(self.weights[self.weights > 0]):
            rows = self.weights == weight
            part, own = self.loss.evaluate(outputs[rows], targets[rows])
            share = float(weight) * int(np.count_nonzero(rows)) / len(outputs)
            value += share * float(part)
            gradient[rows] = own * outputs.dtype.type(share)
        return value, gradient


def parse_class_weights(text: str) -> dict[str, float]:
    """Read ``NAME=WEIGHT,…``; ``none`` and ``balanced`` name no class.

    Raises
    ------
    OptionError
        If it is neither, or a weight is not a positive number.

    Examples
    --------
    >>> parse_class_weights("bad=5,good=1")
    {'bad': 5.0, 'good': 1.0}
    """
    if text in (NONE, BALANCED):
        return {}
    result: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.strip().rpartition("=")
        try:
            weight = float(value)
        except ValueError:
            weight = 0.0
        if not name or not 0 < weight < np.inf:
            raise OptionError(
                f"class weights {part!r}: write NAME=WEIGHT,… with positive numbers,"
                f" {BALANCED} or {NONE}"
            )
        result[name] = weight
    return result


def class_weights(text: str, classes: Sequence[str], labels: Array) -> Array | None:
    """Return how much a picture of each class counts; the mean over the pictures is 1.

    Parameters
    ----------
    text : str
        "none", "balanced" (each class counts the same, however many pictures it has) or
        ``NAME=WEIGHT,…``, where classes that are not named have the weight 1.
    classes : sequence of str
        The names of the classes.
    labels : ndarray of int, shape (N,)
        The pictures' classes.

    Returns
    -------
    ndarray, shape (K,), or None for "none"

    Raises
    ------
    OptionError
        If there is no class of a name.

    Examples
    --------
    >>> class_weights("balanced", ["few", "many"], np.array([0, 1, 1, 1])).round(3).tolist()
    [2.0, 0.667]
    """
    named = parse_class_weights(text)
    if text == NONE:
        return None
    unknown = sorted(named.keys() - set(classes))
    if unknown:
        raise OptionError(f"class weights: no class {unknown[0]!r}, there are {', '.join(classes)}")
    counts = np.bincount(labels, minlength=len(classes))
    weights = np.array([named.get(name, 1.0) for name in classes])
    if text == BALANCED:
        weights = 1 / np.maximum(counts, 1)
    result: Array = weights * (len(labels) / (weights * counts).sum())
    return result


def sample_weights(weights: Any, count: int) -> Array:
    """Return weights as one number for each of `count` pictures.

    Raises
    ------
    DatasetError
        If there are not as many, one is negative or not finite, or all are 0.
    """
    try:
        values = np.asarray(weights, np.float64)
    except (TypeError, ValueError):
        raise DatasetError("sample_weight must be numbers, one for each picture") from None
    if values.shape != (count,):
        raise DatasetError(
            f"sample_weight of shape {values.shape} for {count} pictures: one number for each"
        )
    if not np.isfinite(values).all() or (values < 0).any():
        raise DatasetError("sample_weight has numbers that are negative or not finite")
    if not values.any():
        raise DatasetError("all values of sample_weight are zero: there is nothing to learn from")
    return values
