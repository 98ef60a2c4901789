"""The history of a training: its epochs, its position, and the best weights so far."""

from dataclasses import dataclass, field

from convtool.nn._types import Array, Arrays
from convtool.nn.metrics import Scores
from convtool.nn.model import Sequential
from convtool.records import Record


class Epoch(Record):
    """What one epoch brought; NaN-free JSON values, None where there is no validation."""

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    lr: float


class BatchReport(Record):
    """Where a training stands, after one batch.

    Attributes
    ----------
    epoch, batch : int
        Counted from 1.
    loss, accuracy : float
        Running means over this epoch.
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    accuracy: float
    last: Epoch | None


@dataclass
class State:
    """What a checkpoint holds besides arrays.

    Attributes
    ----------
    epoch, batch : int
        How many are done: epochs, and batches of the one in progress.
    losses : float
        The sum of this epoch's losses.
    hits, seen : int
        Pictures of this epoch.
    best : float or None
        The merit of the best epoch so far.
    since_best : int
        Epochs since that one.
    seconds : float
        Spent in training.
    """

    epoch: int = 0
    batch: int = 0
    losses: float = 0.0
    hits: int = 0
    seen: int = 0
    best: float | None = None
    since_best: int = 0
    history: list[Epoch] = field(default_factory=list)
    seconds: float = 0.0

    def count(self, loss: float, outputs: Array, labels: Array) -> None:
        """Take up one batch: its loss, and the network's outputs for its pictures."""
        self.batch += 1
        self.losses += loss * len(labels)
        choices = outputs[:, 0] > 0 if outputs.shape[1] == 1 else outputs.argmax(axis=1)
        self.hits += int((choices == labels).sum())
        self.seen += len(labels)

    def end_epoch(self, scores: Scores | None, lr: float) -> bool:
        """Add this epoch to the history; return whether its validation was the best so far.

        Parameters
        ----------
        scores : Scores or None
            Of the validation, if there is one.
        lr : float
            The epoch's last learning rate.
        """
        self.history.append(
            Epoch(
                self.epoch + 1,
                self.losses / self.seen,
                self.hits / self.seen,
                scores.loss if scores else None,
                scores.accuracy if scores else None,
                lr,
            )
        )
        self.epoch, self.batch = self.epoch + 1, 0
        self.losses, self.hits, self.seen = 0.0, 0, 0
        if scores is None:
            return False
        # the loss decides among equally many hits
        merit = scores.accuracy - 1e-3 * min(scores.loss, 100.0)
        self.since_best += 1
        if self.best is not None and merit <= self.best:
            return False
        self.best, self.since_best = merit, 0
        return True

    def watched(self) -> list[float]:
        """Return each epoch's loss in validation, or without one in training."""
        return [
            epoch.loss if epoch.validation_loss is None else epoch.validation_loss
            for epoch in self.history
        ]


def snapshot(model: Sequential) -> Arrays:
    """Return copies of all arrays of a model."""
    arrays = model.parameters() | model.states()
    return {name: array.copy() for name, array in arrays.items()}


def put_back(model: Sequential, arrays: Arrays) -> None:
    """Give a model the arrays of a snapshot; nothing is changed by an empty one."""
    targets = model.parameters() | model.states()
    for name, array in arrays.items():
        targets[name][...] = array
