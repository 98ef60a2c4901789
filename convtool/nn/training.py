"""The training loop: epochs of shuffled batches, watched, stoppable, resumable.

Everything random is drawn from the seed and the epoch's number, so that a training that goes on
from a checkpoint takes the same steps as one that was never stopped.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from convtool.errors import DatasetError, ModelFileError, OptionError, TrainingError
from convtool.nn._types import Array, Arrays
from convtool.nn.datasets.dataset import Dataset, stratified
from convtool.nn.metrics import Scores, judge
from convtool.nn.model import Sequential
from convtool.nn.modelfile import VERSION, arrays_of, read_arrays, write_arrays
from convtool.nn.recipe import Recipe, batch_bounds
from convtool.nn.schedules import SCHEDULES

_SHUFFLE, _CHANGE = 1, 2


@dataclass(frozen=True)
class Epoch:
    """What one epoch brought; NaN-free JSON values, None where there is no validation."""

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    lr: float


@dataclass(frozen=True)
class Progress:
    """Where a training stands, after one batch.

    Attributes
    ----------
    epoch, batch : int
        Counted from 1.
    loss, accuracy : float
        Running means over this epoch.
    left : float
        Seconds that the rest is likely to take.
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    accuracy: float
    last: Epoch | None
    left: float


@dataclass
class _State:
    """What a checkpoint holds besides arrays."""

    epoch: int = 0
    batch: int = 0
    losses: float = 0.0
    hits: int = 0
    seen: int = 0
    best: float | None = None
    since_best: int = 0
    history: list[Epoch] = field(default_factory=list)
    seconds: float = 0.0


class Trainer:
    """Trains a network on a set of pictures.

    Parameters
    ----------
    model : Sequential
        With a preprocessing.
    data : Dataset
        A part of it is kept back for validation, as the recipe says.
    recipe : Recipe
    validation : Dataset, optional
        Pictures to watch the training with; none of the others are kept back then.

    Attributes
    ----------
    history : list of Epoch
    seconds : float
        Time spent in training so far.

    Raises
    ------
    DatasetError
        Before any training: one class only.
    """

    def __init__(
        self,
        model: Sequential,
        data: Dataset,
        recipe: Recipe,
        validation: Dataset | None = None,
    ) -> None:
        if model.preprocessing is None:
            raise OptionError("a model needs a preprocessing to be trained on pictures")
        self.model, self.recipe, self.preprocessing = model, recipe, model.preprocessing
        first, second = np.arange(len(data)), np.empty(0, np.int64)
        if recipe.validation and validation is None:
            first, second = stratified(data.labels, recipe.validation, recipe.seed)
        self.train = data.subset(first)
        self.validation = data.subset(second) if len(second) else validation
        if len(np.unique(self.train.labels)) < 2:
            raise DatasetError("all pictures are of one class, there is nothing to tell apart")
        self.optimizer = recipe.make_optimizer()
        self._loss = recipe.make_loss(model.task)
        self._state = _State()
        self._best: Arrays = {}
        self._order = np.empty(0, np.int64)
        self._maps = np.empty((0, 6))
        images = self.train.images
        self._stack = images[..., None] if images.ndim == 3 else images
        self._bounds = batch_bounds(len(self.train), recipe.batch_size)
        self._x = np.empty((self._bounds[1], *(model.input_shape or ())), np.float32)

    @property
    def history(self) -> list[Epoch]:
        """What each finished epoch brought."""
        return self._state.history

    @property
    def seconds(self) -> float:
        """Time spent in training so far."""
        return self._state.seconds

    @property
    def batches(self) -> int:
        """Batches in an epoch, the last of which may be smaller."""
        return len(self._bounds) - 1

    def run(
        self,
        report: Callable[[Progress], None] = lambda progress: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Train until the recipe is done; return whether it was, and not stopped.

        A training that ran to its end keeps its last weights, to which the schedule has led it;
        one that ended early, by itself, the best in validation.

        Parameters
        ----------
        report : callable
            Called after each batch.
        stop : callable
            Asked after each batch; if it says yes, this returns at once.

        Raises
        ------
        TrainingError
            If the loss is no longer finite. The model is left with its best weights so far.
        """
        state, began, before = self._state, time.perf_counter(), self._state.seconds
        steps_before = state.epoch * self.batches + state.batch
        all_steps = self.recipe.epochs * self.batches
        stopped = False
        while state.epoch < self.recipe.epochs and not self._should_end():
            self._begin_epoch()
            while state.batch < self.batches and not stopped:
                self._step(self._scheduled_rate())
                state.seconds = before + time.perf_counter() - began
                done = state.epoch * self.batches + state.batch
                left = (state.seconds - before) / (done - steps_before) * (all_steps - done)
                report(self._progress(left))
                stopped = stop()
            if state.batch == self.batches:
                self._end_epoch()
            state.seconds = before + time.perf_counter() - began
            if stopped:
                return False
        if self._should_end():
            self.keep_best()
        return True

    def _should_end(self) -> bool:
        return bool(self.recipe.early_stop) and self._state.since_best >= self.recipe.early_stop

    def _progress(self, left: float) -> Progress:
        state = self._state
        return Progress(
            state.epoch + 1,
            self.recipe.epochs,
            state.batch,
            self.batches,
            state.losses / state.seen,
            state.hits / state.seen,
            state.history[-1] if state.history else None,
            left,
        )

    def _begin_epoch(self) -> None:
        """Draw this epoch's order and changes: a new shuffle each time."""
        seed, epoch = self.recipe.seed, self._state.epoch
        self._order = np.random.default_rng([seed, epoch, _SHUFFLE]).permutation(len(self.train))
        if self.recipe.augmentation:
            rng = np.random.default_rng([seed, epoch, _CHANGE])
            self._maps = self.recipe.augmentation.maps(len(self.train), rng)

    def _batch(self) -> tuple[Array, Array]:
        part = slice(*self._bounds[self._state.batch : self._state.batch + 2])
        index = self._order[part]
        labels = self.train.labels[index]
        if not self.recipe.augmentation:
            return self.preprocessing.tensor(self.train.images[index]), labels
        from convtool.nn.jit.warp import warp

        gain, offset = self.preprocessing.line
        x = self._x[: len(index)]
        warp(self._stack, index, self._maps[part], gain, offset, x)
        return x, labels

    def trial_step(self, rate: float, number: int) -> float:
        """Take one step at a learning rate, outside of any epoch; return its loss.

        Raises
        ------
        TrainingError
            If the loss is not finite.
        """
        self._state.epoch, self._state.batch = divmod(number, self.batches)
        if not self._state.batch:
            self._begin_epoch()
        return self._step(rate)

    def _scheduled_rate(self) -> float:
        done = self._state.epoch * self.batches + self._state.batch
        factor = SCHEDULES[self.recipe.schedule](done / (self.recipe.epochs * self.batches))
        return self.recipe.rate * factor

    def _step(self, rate: float) -> float:
        state = self._state
        self.optimizer.lr = rate
        x, labels = self._batch()
        loss = self.model.train_step(x, labels, self._loss, self.optimizer, l2=self.recipe.loss_l2)
        if not np.isfinite(loss):
            self.keep_best()
            raise TrainingError(
                f"the loss is no longer finite at epoch {state.epoch + 1}, batch"
                f" {state.batch + 1} of {self.batches}: try a smaller learning rate than"
                f" {self.recipe.rate:g}, or a warmer start (--schedule cosine)"
            )
        state.batch += 1
        state.losses += loss * len(labels)
        state.hits += int((self._choices(self.model.last_outputs) == labels).sum())
        state.seen += len(labels)
        return loss

    def _choices(self, outputs: Array) -> Array:
        binary = outputs.shape[1] == 1
        result: Array = outputs[:, 0] > 0 if binary else outputs.argmax(axis=1)
        return result

    def _end_epoch(self) -> None:
        state = self._state
        scores = evaluate(self.model, self.validation) if self.validation else None
        state.history.append(
            Epoch(
                state.epoch + 1,
                state.losses / state.seen,
                state.hits / state.seen,
                scores.loss if scores else None,
                scores.accuracy if scores else None,
                self.optimizer.lr,
            )
        )
        if scores is not None:
            # the loss decides among equally many hits
            merit = scores.accuracy - 1e-3 * min(scores.loss, 100.0)
            state.since_best += 1
            if state.best is None or merit > state.best:
                state.best, state.since_best = merit, 0
                self._best = self._snapshot()
        state.epoch, state.batch = state.epoch + 1, 0
        state.losses, state.hits, state.seen = 0.0, 0, 0

    def _snapshot(self) -> Arrays:
        arrays = self.model.parameters() | self.model.states()
        return {name: array.copy() for name, array in arrays.items()}

    def keep_best(self) -> None:
        """Give the model the best weights seen in validation, if there was one."""
        targets = self.model.parameters() | self.model.states()
        for name, array in self._best.items():
            targets[name][...] = array

    # ------------------------------------------------------------- checkpoint

    def save_checkpoint(self, path: Path) -> None:
        """Write all that is needed to go on exactly from here.

        Raises
        ------
        ModelFileError
            If it cannot be written.
        """
        arrays = {f"now.{name}": array for name, array in self._snapshot().items()}
        arrays |= {f"best.{name}": array for name, array in self._best.items()}
        for slot, kept in self.optimizer.state.items():
            arrays |= {f"slot.{slot}.{name}": array for name, array in kept.items()}
        about = {
            "version": VERSION,
            "recipe": self.recipe.config(),
            "state": asdict(self._state),
            "steps": self.optimizer.steps,
            "pictures": len(self.train),
        }
        write_arrays(path, arrays, about)

    def load_checkpoint(self, path: Path) -> None:
        """Go on from where a training was stopped.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, or of another training.
        """
        about, _, content = read_arrays(path)
        arrays = arrays_of(path, content)
        try:
            same = about["recipe"] == self.recipe.config()
            if not same or about["pictures"] != len(self.train):
                raise ModelFileError(
                    f"{path}: the checkpoint of another training: repeat its options, or train"
                    " without --resume"
                )
            history = [Epoch(**epoch) for epoch in about["state"].pop("history")]
            self._state = replace(_State(**about["state"]), history=history)
            self.optimizer.steps = int(about["steps"])
            targets = self.model.parameters() | self.model.states()
            for name, target in targets.items():
                target[...] = arrays[f"now.{name}"]
            self._best = _under(arrays, "best.")
            for slot, kept in self.optimizer.state.items():
                kept.update(_under(arrays, f"slot.{slot}."))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{path}: damaged: no checkpoint of a training") from error


def _under(arrays: Arrays, prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): array.copy()
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def evaluate(model: Sequential, data: Dataset) -> Scores:
    """Judge a model on pictures.

    Parameters
    ----------
    model : Sequential
        With a preprocessing.
    data : Dataset
        Its pictures have the model's size.

    Returns
    -------
    Scores
    """
    if model.preprocessing is None:
        raise OptionError("a model needs a preprocessing to be judged on pictures")
    block = 2048
    parts = [
        model.predict_proba(model.preprocessing.tensor(data.images[start : start + block]))
        for start in range(0, len(data), block)
    ]
    return judge(np.concatenate(parts), data.labels)


def fit(model: Sequential, data: Dataset, recipe: Recipe | None = None) -> list[Epoch]:
    """Train a model on pictures, and return what happened.

    Parameters
    ----------
    model : Sequential
        With a preprocessing.
    data : Dataset
    recipe : Recipe, optional

    Raises
    ------
    DatasetError, TrainingError
        See :class:`Trainer`.
    """
    trainer = Trainer(model, data, recipe or Recipe())
    trainer.run()
    return trainer.history


def predict_proba(model: Sequential, x: Array) -> Array:
    """Return each class's probability for tensors (N, C, H, W), shape (N, K)."""
    return model.predict_proba(x)


def predict(model: Sequential, x: Array) -> Array:
    """Return the most probable class's number for tensors (N, C, H, W), shape (N,)."""
    return model.predict(x)
