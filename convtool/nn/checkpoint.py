"""Checkpoints: everything needed to resume a training exactly.

During training the checkpoint is a file beside the model. A finished model's file contains the same
data, so that training can continue for more epochs.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from convtool.errors import ModelFileError
from convtool.jsontext import record_of
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
    """The complete state of a training."""

    recipe: dict[str, Any]
    """The recipe's values."""
    pictures: int
    """The size of the training set."""
    state: State
    steps: int
    """Steps that the optimiser has taken."""
    now: Arrays
    best: Mapping[str, Array] = _NONE
    """The network's current arrays, and those of the epoch with the best validation score."""
    slots: Mapping[str, Arrays] = _NONE
    """The optimiser's state."""

    def arrays(self) -> Arrays:
        """Return all arrays in one dictionary, under prefixed names."""
        arrays = {f"now.{name}": array for name, array in self.now.items()}
        arrays |= {f"best.{name}": array for name, array in self.best.items()}
        for slot, kept in self.slots.items():
            arrays |= {f"slot.{slot}.{name}": array for name, array in kept.items()}
        return arrays

    def about(self) -> dict[str, Any]:
        """Return everything except the arrays, as JSON values."""
        return {
            "recipe": self.recipe,
            "state": asdict(self.state),
            "steps": self.steps,
            "pictures": self.pictures,
        }

    def write(self, path: Path) -> None:
        """Write the checkpoint to its own file.

        The file is not flushed to disk, which keeps the cost per epoch low: it survives the end of
        the process, but not a power failure.

        Raises
        ------
        ModelFileError
            If it cannot be written.
        """
        write_arrays(path, self.arrays(), {"version": VERSION} | self.about(), flushed=False)


def read(path: Path) -> Checkpoint:
    """Read a checkpoint from its own file or from the file of a trained model.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, or contains no checkpoint.
    """
    about, _, content = read_arrays(path)
    arrays = arrays_of(path, content)
    if TRAINING in about:
        about, arrays = about[TRAINING], _under(arrays, f"{TRAINING}.")
    try:
        history = [record_of(Epoch, epoch) for epoch in about["state"].pop("history")]
        slots: dict[str, Arrays] = {}
        for name, array in _under(arrays, "slot.").items():
            slot, _, parameter = name.partition(".")
            slots.setdefault(slot, {})[parameter] = array
        return Checkpoint(
            dict(about["recipe"]),
            int(about["pictures"]),
            replace(record_of(State, about["state"]), history=history),
            int(about["steps"]),
            _under(arrays, "now."),
            _under(arrays, "best."),
            slots,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(
            f"{path}: contains no checkpoint, or is damaged: train without `resume=True`"
        ) from error


def _under(arrays: Arrays, prefix: str) -> Arrays:
    return {
        name.removeprefix(prefix): array.copy()
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def check_same(path: Path, kept: Checkpoint, recipe: Recipe, pictures: int) -> None:
    """Check that a checkpoint belongs to this training.

    The number of epochs and the patience of early stopping may differ.

    Raises
    ------
    ModelFileError
        If it belongs to another training, or has more epochs than the recipe.
    """
    wanted = recipe.config()
    fixed = wanted.keys() - set(_MAY_CHANGE)
    known = {name: kept.recipe.get(name) for name in fixed}
    if known != {name: wanted[name] for name in fixed} or kept.pictures != pictures:
        raise ModelFileError(
            f"{path}: the checkpoint of another training: repeat its options, or train"
            " without `resume=True`"
        )
    if kept.state.epoch > recipe.epochs:
        raise ModelFileError(
            f"{path}: already trained for {kept.state.epoch} epochs: choose"
            f" `epochs={kept.state.epoch}` or more, or train without `resume=True`"
        )


def restore(path: Path, kept: Checkpoint, model: Sequential, optimizer: Optimizer) -> None:
    """Restore a model and an optimiser from a checkpoint.

    Raises
    ------
    ModelFileError
        If the checkpoint's arrays do not match theirs.
    """
    optimizer.steps = kept.steps
    try:
        targets = model.parameters() | model.states()
        for name, target in targets.items():
            target[...] = kept.now[name]
        for arrays in (kept.best, *kept.slots.values()):
            for name, array in arrays.items():
                if array.shape != targets[name].shape:
                    raise ValueError(f"the shape of {name}")
        for slot, arrays in optimizer.state.items():
            arrays.update(kept.slots.get(slot, {}))
    except (KeyError, ValueError) as error:
        raise ModelFileError(f"{path}: the checkpoint of another network") from error
