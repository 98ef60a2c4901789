"""The history of a training: its epochs, its position, and snapshots of weights."""

from dataclasses import dataclass, field

from convtool.nn._types import Array, Arrays
from convtool.nn.metrics import Scores
from convtool.nn.model import Sequential
from convtool.records import Record


class Epoch(Record):
    """Loss and accuracy of one epoch; finite JSON values, None without validation."""

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    lr: float


class BatchReport(Record):
    """Where a training stands, after one batch; epochs and batches are counted from 1."""

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    accuracy: float
    """Running means over this epoch."""
    last: Epoch | None


@dataclass
class State:
    """The training state that a checkpoint stores besides arrays."""

    epoch: int = 0
    batch: int = 0
    """Number of finished epochs, and of finished batches in the current one."""
    losses: float = 0.0
    """Sum of this epoch's losses."""
    hits: int = 0
    seen: int = 0
    """Correctly classified pictures and all pictures of this epoch so far."""
    best: float | None = None
    """The best validation score so far."""
    since_best: int = 0
    """Epochs since then."""
    history: list[Epoch] = field(default_factory=list)
    seconds: float = 0.0
    """Time spent in training."""

    def add_batch(self, loss: float, outputs: Array, labels: Array) -> None:
        """Add one batch: its loss, and the network's outputs for its pictures."""
        self.batch += 1
        self.losses += loss * len(labels)
        choices = outputs[:, 0] > 0 if outputs.shape[1] == 1 else outputs.argmax(axis=1)
        self.hits += int((choices == labels).sum())
        self.seen += len(labels)

    def end_epoch(self, scores: Scores | None, lr: float) -> bool:
        """Add this epoch to the history; return whether its validation score is the best so far.

        Parameters
        ----------
        scores : Scores or None
            Scores on the validation set, if there is one.
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
        # at equal accuracy the loss decides
        score = scores.accuracy - 1e-3 * min(scores.loss, 100.0)
        self.since_best += 1
        if self.best is not None and score <= self.best:
            return False
        self.best, self.since_best = score, 0
        return True

    def monitored_losses(self) -> list[float]:
        """Return each epoch's validation loss, or without validation its training loss."""
        return [
            epoch.loss if epoch.validation_loss is None else epoch.validation_loss
            for epoch in self.history
        ]


def snapshot(model: Sequential) -> Arrays:
    """Return copies of all arrays of a model."""
    arrays = model.parameters() | model.states()
    return {name: array.copy() for name, array in arrays.items()}


def put_back(model: Sequential, arrays: Arrays) -> None:
    """Copy the arrays of a snapshot into a model; an empty one changes nothing."""
    targets = model.parameters() | model.states()
    for name, array in arrays.items():
        targets[name][...] = array
