"""The learning tasks: their loss, and the conversion of outputs to predictions."""

from collections.abc import Callable

import numpy as np

from convtool.nn._types import Array
from convtool.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, MeanSquaredError
from convtool.nn.operations.activations import sigmoid, softmax
from convtool.records import Record


class LearningTask(Record):
    """A learning task."""

    name: str
    loss: type[Loss]
    probabilities: Callable[[Array], Array]
    """Converts outputs (N, K) to probabilities, or for a regression returns them unchanged."""


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
"""The tasks by name: softmax over the outputs, sigmoid of one output, unchanged outputs."""
