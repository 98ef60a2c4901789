"""The training loop: epochs of shuffled batches, with validation, interruption and checkpoints.

All random numbers follow from the seed and the epoch's number, so a training resumed from a
checkpoint takes the same steps as an uninterrupted one.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from convtool.errors import DatasetError, OptionError, TrainingError
from convtool.nn import checkpoint
from convtool.nn._types import Array, Arrays
from convtool.nn.checkpoint import Checkpoint
from convtool.nn.datasets.dataset import Dataset, stratified
from convtool.nn.history import BatchReport, Epoch, State, put_back, snapshot
from convtool.nn.metrics import Scores, score_predictions
from convtool.nn.model import Sequential
from convtool.nn.recipe import Recipe, batch_bounds
from convtool.nn.schedules import SCHEDULES
from convtool.nn.weighting import Weighted, class_weights

_SHUFFLE, _CHANGE = 1, 2


class Trainer:
    """Trains a network on a data set.

    Parameters
    ----------
    model : Sequential
        With a preprocessing.
    data : Dataset
        The training set, from which the recipe splits off a validation set.
    recipe : Recipe
    validation : Dataset, optional
        The validation set; if given, `data` is not split.

    Attributes
    ----------
    history : list of Epoch
    best_epoch : int or None
    seconds : float
        Time spent in training so far.

    Raises
    ------
    DatasetError
        If the data set has only one class.
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
        self._weights = class_weights(recipe.class_weights, data.classes, self.train.labels)
        self._state = State()
        self._best: Arrays = {}
        self._last: Arrays = {}
        self._order = np.empty(0, np.int64)
        self._maps = np.empty((0, 6))
        images = self.train.images
        self._stack = images[..., None] if images.ndim == 3 else images
        self._bounds = batch_bounds(len(self.train), recipe.batch_size)
        self._x = np.empty((self._bounds[1], *(model.input_shape or ())), np.float32)

    @property
    def history(self) -> list[Epoch]:
        """Loss and accuracy of each finished epoch."""
        return self._state.history

    @property
    def best_epoch(self) -> int | None:
        """The epoch with the best validation score, if there is one."""
        state = self._state
        return None if state.best is None else state.epoch - state.since_best

    @property
    def seconds(self) -> float:
        """Time spent in training so far."""
        return self._state.seconds

    @property
    def batches(self) -> int:
        """Number of batches per epoch, the last of which may be smaller."""
        return len(self._bounds) - 1

    def run(
        self,
        report: Callable[[BatchReport], None] = lambda report: None,
        stop: Callable[[], bool] = lambda: False,
        ended: Callable[[], None] = lambda: None,
    ) -> bool:
        """Train to the end of the recipe; return False if `stop` ended it earlier.

        The model ends with the weights of the epoch with the best validation score; without
        validation, with those of the last epoch.

        Parameters
        ----------
        report : callable
            Called after each batch.
        stop : callable
            Called after each batch; if it returns True, training stops at once.
        ended : callable
            Called after each epoch, for example to write a checkpoint.

        Raises
        ------
        TrainingError
            If the loss is no longer finite. The model has its best weights so far then.
        """
        state, began, before = self._state, time.perf_counter(), self._state.seconds
        stopped = False
        while state.epoch < self.recipe.epochs and not self._should_end():
            self._begin_epoch()
            while state.batch < self.batches and not stopped:
                self._step(self._scheduled_rate())
                state.seconds = before + time.perf_counter() - began
                report(self._report())
                stopped = stop()
            if state.batch == self.batches:
                self._end_epoch()
            state.seconds = before + time.perf_counter() - began
            if stopped:
                return False
            ended()
        self._last = snapshot(self.model)
        self.keep_best()
        return True

    def _should_end(self) -> bool:
        return bool(self.recipe.early_stop) and self._state.since_best >= self.recipe.early_stop

    def _report(self) -> BatchReport:
        state = self._state
        return BatchReport(
            state.epoch + 1,
            self.recipe.epochs,
            state.batch,
            self.batches,
            state.losses / state.seen,
            state.hits / state.seen,
            state.history[-1] if state.history else None,
        )

    def _begin_epoch(self) -> None:
        """Draw this epoch's order and augmentation."""
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
        progress = done / (self.recipe.epochs * self.batches)
        factor = SCHEDULES[self.recipe.schedule](progress, self._state.monitored_losses())
        return self.recipe.rate * factor

    def _step(self, rate: float) -> float:
        state = self._state
        self.optimizer.lr = rate
        x, labels = self._batch()
        rule = self._loss
        if self._weights is not None:
            rule = Weighted(rule, self._weights[labels])
        loss = self.model.train_step(x, labels, rule, self.optimizer, l2=self.recipe.loss_l2)
        if not np.isfinite(loss):
            self.keep_best()
            raise TrainingError(
                f"the loss is no longer finite at epoch {state.epoch + 1}, batch"
                f" {state.batch + 1} of {self.batches}: try a smaller learning rate than"
                f" {self.recipe.rate:g}, or a warmer start (`schedule='cosine'`)"
            )
        state.add_batch(loss, self.model.last_outputs, labels)
        return loss

    def _end_epoch(self) -> None:
        scores = evaluate(self.model, self.validation) if self.validation else None
        if self._state.end_epoch(scores, self.optimizer.lr):
            self._best = snapshot(self.model)

    def keep_best(self) -> None:
        """Restore the weights with the best validation score, if there are any."""
        put_back(self.model, self._best)

    def checkpoint(self) -> Checkpoint:
        """Return a checkpoint of the current state."""
        return Checkpoint(
            self.recipe.config(),
            len(self.train),
            self._state,
            self.optimizer.steps,
            self._last or snapshot(self.model),
            self._best,
            self.optimizer.state,
        )

    def save_checkpoint(self, path: Path) -> None:
        """Write a checkpoint of the current state.

        Raises
        ------
        ModelFileError
            If it cannot be written.
        """
        self.checkpoint().write(path)

    def load_checkpoint(self, path: Path) -> None:
        """Resume a training that was stopped or has finished.

        Parameters
        ----------
        path : Path
            A checkpoint, or the file of a trained model.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, or belongs to another training.
        """
        kept = checkpoint.read(path)
        checkpoint.check_same(path, kept, self.recipe, len(self.train))
        checkpoint.restore(path, kept, self.model, self.optimizer)
        self._state, self._best = kept.state, dict(kept.best)


def evaluate(model: Sequential, data: Dataset) -> Scores:
    """Evaluate a model on a data set.

    Parameters
    ----------
    model : Sequential
        With a preprocessing.
    data : Dataset
        With pictures of the model's input size.

    Returns
    -------
    Scores
    """
    if model.preprocessing is None:
        raise OptionError("a model needs a preprocessing to be evaluated on pictures")
    block = 2048
    parts = [
        model.predict_proba(model.preprocessing.tensor(data.images[start : start + block]))
        for start in range(0, len(data), block)
    ]
    return score_predictions(np.concatenate(parts), data.labels)


def fit(model: Sequential, data: Dataset, recipe: Recipe | None = None) -> list[Epoch]:
    """Train a model on a data set and return its history.

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
    """Return the index of the most probable class for tensors (N, C, H, W), shape (N,)."""
    return model.predict(x)
