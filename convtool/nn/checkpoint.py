"""Checkpoints: all that a training needs to resume exactly.

One stands beside the model while it is trained; when the training is done, the model's file has the
same in it, so that a training can go on with more epochs.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from convtool.errors import ModelFileError
from convtool.nn._types import Array, Arrays
from convtool.nn.history import Epoch, State
from convtool.nn.model import Sequential
from convtool.nn.modelfile import TRAINING, VERSION, arrays_of, read_arrays, write_arrays
from convtool.nn.optimizers import Optimizer
from convtool.nn.recipe import Recipe
from convtool.records import Record

_MAY_CHANGE = ("epochs", "early_stop")


_NONE: Mapping[str, Any] = MappingProxyType({})


class Checkpoint(Record):
    """Where a training stands.

    Attributes
    ----------
    recipe : dict
        The recipe's values.
    pictures : int
        How many are learned from.
    state : State
    steps : int
        That the optimiser has taken.
    now, best : dict of str to ndarray
        The network's arrays, and those of the best epoch in validation.
    slots : dict of str to dict of str to ndarray
        The optimiser's.
    """

    recipe: dict[str, Any]
    pictures: int
    state: State
    steps: int
    now: Arrays
    best: Mapping[str, Array] = _NONE
    slots: Mapping[str, Arrays] = _NONE

    def arrays(self) -> Arrays:
        """Return all arrays by one name each."""
        arrays = {f"now.{name}": array for name, array in self.now.items()}
        arrays |= {f"best.{name}": array for name, array in self.best.items()}
        for slot, kept in self.slots.items():
            arrays |= {f"slot.{slot}.{name}": array for name, array in kept.items()}
        return arrays

    def about(self) -> dict[str, Any]:
        """Return all but the arrays, as JSON values."""
        return {
            "recipe": self.recipe,
            "state": asdict(self.state),
            "steps": self.steps,
            "pictures": self.pictures,
        }

    def write(self, path: Path) -> None:
        """Write a file of its own.

        It is not flushed to the disk, so that it costs next to nothing each epoch: it outlives the
        process, but not a power failure.

        Raises
        ------
        ModelFileError
            If it cannot be written.
        """
        write_arrays(path, self.arrays(), {"version": VERSION} | self.about(), flushed=False)


def read(path: Path) -> Checkpoint:
    """Read a checkpoint, or what the file of a trained model has of it.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, or has no training in it.
    """
    about, _, content = read_arrays(path)
    arrays = arrays_of(path, content)
    if TRAINING in about:
        about, arrays = about[TRAINING], _under(arrays, f"{TRAINING}.")
    try:
        history = [Epoch(**epoch) for epoch in about["state"].pop("history")]
        slots: dict[str, Arrays] = {}
        for name, array in _under(arrays, "slot.").items():
            slot, _, parameter = name.partition(".")
            slots.setdefault(slot, {})[parameter] = array
        return Checkpoint(
            dict(about["recipe"]),
            int(about["pictures"]),
            replace(State(**about["state"]), history=history),
            int(about["steps"]),
            _under(arrays, "now."),
            _under(arrays, "best."),
            slots,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(
            f"{path}: has no checkpoint of a training, or is damaged: train without --resume"
        ) from error


def _under(arrays: Arrays, prefix: str) -> Arrays:
    return {
        name.removeprefix(prefix): array.copy()
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def check_same(path: Path, kept: Checkpoint, recipe: Recipe, pictures: int) -> None:
    """Check that a training may go on from a checkpoint.

    The number of epochs and the patience of early stopping may have been changed.

    Raises
    ------
    ModelFileError
        If it is one of another training, or of one that has come further.
    """
    wanted = recipe.config()
    fixed = wanted.keys() - set(_MAY_CHANGE)
    known = {name: kept.recipe.get(name) for name in fixed}
    if known != {name: wanted[name] for name in fixed} or kept.pictures != pictures:
        raise ModelFileError(
            f"{path}: the checkpoint of another training: repeat its options, or train"
            " without --resume"
        )
    if kept.state.epoch > recipe.epochs:
        raise ModelFileError(
            f"{path}: already trained for {kept.state.epoch} epochs: choose --epochs"
            f" {kept.state.epoch} or more, or train without --resume"
        )


def restore(path: Path, kept: Checkpoint, model: Sequential, optimizer: Optimizer) -> None:
    """Give a model and an optimiser what a checkpoint holds.

    Raises
    ------
    ModelFileError
        If its arrays are not theirs.
    """
    optimizer.steps = kept.steps
    try:
        for name, target in (model.parameters() | model.states()).items():
            target[...] = kept.now[name]
        for slot, arrays in optimizer.state.items():
            arrays.update(kept.slots.get(slot, {}))
    except (KeyError, ValueError) as error:
        raise ModelFileError(f"{path}: the checkpoint of another network") from error
