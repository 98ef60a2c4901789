"""Class and sample weights, and the weighted loss."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convtool.errors import DatasetError, OptionError
from convtool.nn._types import Array
from convtool.nn.losses import Loss

NONE, BALANCED = "none", "balanced"


class Weighted(Loss):
    """A loss with a weight for each picture of a batch.

    ``sum(weight * loss) / N``, as Keras defines it; PyTorch divides by the sum of the weights.

    Parameters
    ----------
    loss : Loss
        A loss that is a mean over the pictures of a batch.
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
        """Return loss and gradient, evaluated in groups of pictures with equal weight."""
        value, gradient = 0.0, np.zeros_like(outputs)
        for weight in np.unique(self.weights[self.weights > 0]):
            rows = self.weights == weight
            part, own = self.loss.evaluate(outputs[rows], targets[rows])
            share = float(weight) * int(np.count_nonzero(rows)) / len(outputs)
            value += share * float(part)
            gradient[rows] = own * outputs.dtype.type(share)
        return value, gradient


def parse_class_weights(text: str) -> dict[str, float]:
    """Parse ``NAME=WEIGHT,…``; for ``none`` and ``balanced`` the result is empty.

    Raises
    ------
    OptionError
        If the text has another form, or a weight is not a positive number.

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
    """Return the weight of each class, scaled to a mean of 1 over the pictures.

    Parameters
    ----------
    text : str
        "none", "balanced" (weights inversely proportional to the class frequencies) or
        ``NAME=WEIGHT,…``, where other classes have the weight 1.
    classes : sequence of str
        The class names.
    labels : ndarray of int, shape (N,)
        The pictures' class indices.

    Returns
    -------
    ndarray, shape (K,), or None for "none"

    Raises
    ------
    OptionError
        If a name is not a class.

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
    """Validate sample weights and return one for each of `count` pictures.

    Raises
    ------
    DatasetError
        If their number differs, one is negative or not finite, or all are 0.
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
        raise DatasetError("sample_weight has values that are negative or not finite")
    if not values.any():
        raise DatasetError("all values of sample_weight are zero: there is nothing to learn from")
    return values
