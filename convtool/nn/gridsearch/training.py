"""One training of a grid search, in its own process with one thread."""

import multiprocessing
import os
import signal
import threading
import time
from typing import Any

import numpy as np

from convtool.errors import OptionError, TrainingError
from convtool.nn.assemble import assemble
from convtool.nn.datasets.dataset import Dataset
from convtool.nn.gridsearch.axes import Value
from convtool.nn.gridsearch.journal import Outcome
from convtool.nn.recipe import Recipe
from convtool.nn.training import Trainer, evaluate
from convtool.records import Record, replace


class Search(Record):
    """The data and settings that all trainings of a grid share."""

    data: Dataset
    """Includes the validation set, which the recipe splits off in the same way for each
    training."""
    arch: str
    dropout: float | None
    recipe: Recipe
    validation: Dataset | None = None
    """The validation set, where the data set has one."""

    def with_choice(self, choice: dict[str, Value]) -> "Search":
        """Return the search with one combination's values.

        Raises
        ------
        OptionError
            If a value is invalid, or there would be no validation set.
        """
        rest: dict[str, Any] = dict(choice)
        arch = str(rest.pop("arch", self.arch))
        dropout = rest.pop("dropout", self.dropout)
        recipe = replace(self.recipe, **rest)
        if not recipe.validation:
            raise OptionError("a search needs a validation set, to choose by: `validation=0.1`")
        if rest.get("lr") == 0:
            raise OptionError("lr 0 does not train")
        rate = None if dropout is None else float(dropout)
        return replace(self, arch=arch, dropout=rate, recipe=recipe)


def train_once(search: Search, choice: dict[str, Value]) -> Outcome:
    """Train one combination from scratch with one thread.

    A training whose loss is no longer finite stops at once and has no accuracy.

    Raises
    ------
    ConvtoolError
        If the network cannot be built or trained on these pictures.
    """
    began = time.process_time()
    own = search.with_choice(choice)
    model = assemble(own.data, own.arch, own.recipe.seed, dropout=own.dropout, threads=1)
    trainer = Trainer(model, own.data, own.recipe, own.validation)
    scores: tuple[float, float, float] | None = None
    with np.errstate(all="ignore"):
        try:
            trainer.run()
        except TrainingError:
            pass
        else:
            assert trainer.validation is not None
            validated = evaluate(model, trainer.validation)
            trained = evaluate(model, trainer.train)
            if np.isfinite(validated.loss) and np.isfinite(trained.loss):
                scores = (trained.accuracy, validated.accuracy, validated.loss)
    train, validation, loss = scores or (None, None, None)
    seconds = round(time.process_time() - began, 3)
    return Outcome(choice, train, validation, loss, len(trainer.history), seconds, scores is None)


_SEARCH: list[Search] = []


def begin(search: Search) -> None:
    """Initialise a worker process for :func:`train_choice`; the parent handles Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    _SEARCH[:] = [search]


def _exit_with_parent() -> None:
    """Exit when the parent process has ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def train_choice(choice: dict[str, Value]) -> Outcome:
    """Train one combination of the search that this process was initialised with."""
    return train_once(_SEARCH[0], choice)
