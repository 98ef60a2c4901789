"""The learning tasks: their loss, and how the outputs become predictions."""

from collections.abc import Callable

import numpy as np

from convtool.nn._types import Array
from convtool.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, MeanSquaredError
from convtool.nn.operations.activations import sigmoid, softmax
from convtool.records import Record


class LearningTask(Record):
    """One way to use a network's outputs.

    Attributes
    ----------
    loss : type of Loss
    probabilities : callable
        From the outputs (N, K) to what the user is shown: probabilities, or the values themselves.
    """

    name: str
    loss: type[Loss]
    probabilities: Callable[[Array], Array]


def _two_columns(outputs: Array) -> Array:
    positive = sigmoid(outputs.reshape(-1))
    return np.stack([1 - positive, positive], axis=1)


TASKS: dict[str, LearningTask] = {
    task.name: task
    for task in (
        LearningTask("multiclass", CrossEntropy, softmax),
        LearningTask("binary", BinaryCrossEntropy, _two_columns),
        LearningTask("regression", MeanSquaredError, lambda outputs: outputs),
    )
}
"""Softmax over the outputs; one output through a sigmoid; the outputs as they are."""
