"""What a model's file says about it besides layers: task, classes, preprocessing, record."""

from math import prod
from typing import Any

from convtool.errors import ModelError, check_choice
from convtool.nn._types import Shape
from convtool.nn.arguments import short, whole
from convtool.nn.preprocessing import Preprocessing
from convtool.nn.tasks import TASKS
from convtool.records import Record

_MOST_CLASSES = 2**20
_TEXTS, _WHOLES = ("arch", "dataset", "split"), ("limit", "seed")
"""The entries of a record that commands use, by their type."""


class About(Record):
    """A network's metadata."""

    task: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing | None
    record: dict[str, Any]

    def check_fit(self, shape: Shape | None, outputs: Shape | None) -> None:
        """Check that it matches the layers.

        Parameters
        ----------
        shape, outputs : tuple of int, or None
            The shapes of one input and of the outputs, if they are known.

        Raises
        ------
        ModelError
            If it does not.
        """
        p, names = self.preprocessing, len(self.classes)
        if p is not None and shape is not None and (p.channels, p.height, p.width) != shape:
            raise ModelError(f"its preprocessing makes no input of shape {shape}")
        wanted = {"multiclass": names, "binary": 1}.get(self.task)
        if wanted is None or not names:
            return
        if outputs is not None and prod(outputs) != wanted:
            raise ModelError(f"{prod(outputs)} outputs for {names} classes")
        if self.task == "binary" and names != 2:
            raise ModelError(f"one output for {names} classes, not for two")


def about_of(fields: dict[str, Any]) -> About:
    """Return the metadata in the JSON values of a file.

    Raises
    ------
    KeyError, TypeError, ValueError
        If they are damaged.

    Examples
    --------
    >>> about_of({"task": "binary", "classes": ["a", "b"], "preprocessing": None, "record": {}})
    About(task='binary', classes=('a', 'b'), preprocessing=None, record={})
    """
    task, classes, prepared = fields["task"], fields["classes"], fields["preprocessing"]
    check_choice("task", task, TASKS)
    return About(
        task,
        _names(classes, "classes"),
        None if prepared is None else Preprocessing(**prepared),
        _record(fields["record"]),
    )


def _names(values: object, what: str) -> tuple[str, ...]:
    if not isinstance(values, list) or len(values) > _MOST_CLASSES:
        raise TypeError(f"{what} {short(values)}: a list of names")
    for name in values:
        if not isinstance(name, str | int):
            raise TypeError(f"{what} {short(name)}: a name")
    return tuple(map(str, values))


def _record(values: object) -> dict[str, Any]:
    """Return a training's record; only what commands use is checked."""
    if not isinstance(values, dict):
        raise TypeError(f"record {short(values)}: an object")
    for name in _TEXTS:
        if not isinstance(values.get(name, ""), str):
            raise TypeError(f"{name} {short(values[name])}: a text")
    for name in _WHOLES:
        if values.get(name) is not None:
            whole(values[name], name, 0)
    _names(values.get("only", []), "only")
    return dict(values)
