"""One training of a grid, in a process of its own with one thread."""

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
    """What all trainings of a grid have in common.

    Attributes
    ----------
    data : Dataset
        A part of it is kept back for validation, as the recipe says: the same in each training.
    arch : str
    dropout : float or None
    recipe : Recipe
    validation : Dataset, optional
        Pictures to choose by, where the set has a part of its own for that.
    """

    data: Dataset
    arch: str
    dropout: float | None
    recipe: Recipe
    validation: Dataset | None = None

    def with_choice(self, choice: dict[str, Value]) -> "Search":
        """Return the same with one combination's values.

        Raises
        ------
        OptionError
            If a value makes no sense, or no picture would be kept back for validation.
        """
        rest: dict[str, Any] = dict(choice)
        arch = str(rest.pop("arch", self.arch))
        dropout = rest.pop("dropout", self.dropout)
        recipe = replace(self.recipe, **rest)
        if not recipe.validation:
            raise OptionError("a search needs a validation share, to choose by: --validation 0.1")
        if rest.get("lr") == 0:
            raise OptionError("lr 0 does not train")
        rate = None if dropout is None else float(dropout)
        return replace(self, arch=arch, dropout=rate, recipe=recipe)


def train_once(search: Search, choice: dict[str, Value]) -> Outcome:
    """Train one combination from the start, with one thread.

    A training whose loss is no longer finite ends there and then, and has no accuracy.

    Raises
    ------
    ConvtoolError
        If the network cannot be built or trained on these pictures at all.
    """
    began = time.process_time()
    own = search.with_choice(choice)
    model = assemble(own.data, own.arch, own.recipe.seed, dropout=own.dropout, threads=1)
    trainer = Trainer(model, own.data, own.recipe, own.validation)
    found: tuple[float, float, float] | None = None
    with np.errstate(all="ignore"):
        try:
            trainer.run()
        except TrainingError:
            pass
        else:
            assert trainer.validation is not None
            watched = evaluate(model, trainer.validation)
            learned = evaluate(model, trainer.train)
            if np.isfinite(watched.loss) and np.isfinite(learned.loss):
                found = (learned.accuracy, watched.accuracy, watched.loss)
    train, validation, loss = found or (None, None, None)
    seconds = round(time.process_time() - began, 3)
    return Outcome(choice, train, validation, loss, len(trainer.history), seconds, found is None)


_SEARCH: list[Search] = []


def begin(search: Search) -> None:
    """Prepare a process for :func:`train_choice`; Ctrl-C is the parent's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _SEARCH[:] = [search]


def _leave_with_parent() -> None:
    """End this process when the one that began it is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def train_choice(choice: dict[str, Value]) -> Outcome:
    """Train one combination of the search that this process was prepared for."""
    return train_once(_SEARCH[0], choice)
