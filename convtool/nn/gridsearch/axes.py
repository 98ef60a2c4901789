"""The axes of a grid, read from text."""

import re
from collections.abc import Sequence
from dataclasses import fields
from itertools import product
from math import prod
from typing import Any

import numpy as np

from convtool.errors import OptionError
from convtool.nn.recipe import Recipe
from convtool.records import Record

ASKED_BEYOND = 1000
"""The largest number of trainings that starts without confirmation."""

_MOST_VALUES = 10_000
_RANGE = re.compile(r"([^:,]+):([^:,]+):(\d+)(log|lin)", re.IGNORECASE)
CHOICES: dict[str, Any] = {field.name: field.type for field in fields(Recipe)} | {
    "arch": str,
    "dropout": float,
}
"""The names of possible axes and the types of their values: a recipe's fields, arch and dropout."""

Value = int | float | str


class Axis(Record):
    """One hyperparameter and its values."""

    name: str
    """A name in `CHOICES`."""
    values: tuple[Value, ...]
    """At least one, all different."""


def parse_axis(text: str) -> Axis:
    """Parse ``NAME=START:STOP:COUNTlog``, ``NAME=START:STOP:COUNTlin`` or ``NAME=A,B,…``.

    Raises
    ------
    OptionError
        If it is none of these, or a value is invalid.

    Examples
    --------
    >>> parse_axis("lr=1e-5:1e1:7log").values
    (1e-05, 0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)
    >>> parse_axis("batch-size=32,64")
    Axis(name='batch_size', values=(32, 64))
    """
    word, equals, right = text.partition("=")
    name = word.strip().replace("-", "_")
    if not equals:
        raise OptionError(f"`grid=` {text!r} is neither NAME=START:STOP:COUNTlog nor NAME=A,B,…")
    if name not in CHOICES:
        known = ", ".join(known.replace("_", "-") for known in CHOICES)
        raise OptionError(f"`grid=` {text!r}: {word.strip()!r} is none of {known}")
    kind = CHOICES[name]
    found = _RANGE.fullmatch(right.strip())
    if found:
        values = _spread(text, kind, *found.groups())
    else:
        words = [part.strip() for part in right.split(",")]
        if not all(words):
            raise OptionError(f"`grid=` {text!r}: a value is missing; the grid would be empty")
        values = tuple(_value(text, kind, part) for part in words)
    if len(set(values)) < len(values):
        raise OptionError(f"`grid=` {text!r}: a value is there twice")
    return Axis(name, values)


def _value(text: str, kind: Any, word: str) -> Any:
    try:
        value = _truth(word) if kind is bool else kind(word)
    except ValueError:
        what = {int: "a whole number", float: "a number", bool: "true or false"}[kind]
        raise OptionError(f"`grid=` {text!r}: {word!r} is not {what}") from None
    if kind is float and not np.isfinite(value):
        raise OptionError(f"`grid=` {text!r}: {word!r} is not a finite number")
    return value


def _truth(word: str) -> bool:
    if word not in ("true", "false"):
        raise ValueError(word)
    return word == "true"


def _spread(text: str, kind: Any, first: str, last: str, number: str, how: str) -> Any:
    if kind in (str, bool):
        raise OptionError(f"`grid=` {text!r}: its values are words, name them: A,B,…")
    start, stop = (_value(text, float, word) for word in (first, last))
    count = int(number)
    if not 1 <= count <= _MOST_VALUES:
        raise OptionError(f"`grid=` {text!r}: {count} values; from 1 to {_MOST_VALUES}")
    logarithmic = how.lower() == "log"
    if logarithmic and (start <= 0 or stop <= 0):
        raise OptionError(f"`grid=` {text!r}: a logarithmic range is above 0 at both ends")
    spread = np.geomspace if logarithmic else np.linspace
    numbers = [float(f"{value:.12g}") for value in spread(start, stop, count)]
    return tuple(round(value) if kind is int else value for value in numbers)


def combinations(axes: Sequence[Axis]) -> list[dict[str, Value]]:
    """Return every combination of the axes' values, the last axis changing first.

    Raises
    ------
    OptionError
        If there is no axis, or one is there twice.

    Examples
    --------
    >>> combinations([Axis("lr", (0.1, 0.2)), Axis("l2", (0.0,))])
    [{'lr': 0.1, 'l2': 0.0}, {'lr': 0.2, 'l2': 0.0}]
    """
    names = [axis.name for axis in axes]
    if not names:
        raise OptionError("an empty grid: give `grid=` NAME=VALUES at least once")
    if len(set(names)) < len(names):
        raise OptionError(f"`grid=`: an axis is there twice: {', '.join(names)}")
    return [dict(zip(names, values, strict=True)) for values in product(*(a.values for a in axes))]


def size(axes: Sequence[Axis]) -> int:
    """Return the number of combinations without building them."""
    return prod(len(axis.values) for axis in axes)
