"""The metadata of an ONNX file: preprocessing, class names, the training's record.

Each is one entry of ``metadata_props``, as JSON, named ``convtool.version``, ``convtool.task``,
``convtool.classes``, ``convtool.preprocessing`` and ``convtool.record``.
"""

import json
from collections.abc import Mapping
from typing import Any

from convtool.errors import ModelFileError
from convtool.jsontext import parse
from convtool.nn.model import Sequential
from convtool.nn.preprocessing import Preprocessing
from convtool.nn.tasks import TASKS
from convtool.records import Record

VERSION = 1
PREFIX = "convtool."
_MOST_PIXELS = 2**24


class About(Record):
    """A network's metadata."""

    task: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing | None
    record: dict[str, Any]


def entries(model: Sequential) -> dict[str, str]:
    """Return the metadata entries of a model as strings."""
    fields = {
        "version": VERSION,
        "task": model.task,
        "classes": list(model.classes),
        "preprocessing": model.preprocessing.config() if model.preprocessing else None,
        "record": model.record,
    }
    return {PREFIX + name: json.dumps(value) for name, value in fields.items()}


def about(stored: Mapping[str, str], place: str) -> About | None:
    """Parse the metadata entries of a file; None if they are not convtool's.

    Parameters
    ----------
    stored : mapping of str to str
        All metadata entries of the file.
    place : str
        The file's name, for errors.

    Raises
    ------
    ModelFileError
        If they are damaged or of a newer version.
    """
    if f"{PREFIX}version" not in stored:
        return None
    try:
        fields = {
            name.removeprefix(PREFIX): parse(text)
            for name, text in stored.items()
            if name.startswith(PREFIX)
        }
        if int(fields["version"]) > VERSION:
            raise ModelFileError(
                f"{place}: written by a newer convtool (metadata {fields['version']}, this one"
                f" reads {VERSION}): update convtool"
            )
        return About(
            {name: name for name in TASKS}[fields["task"]],
            tuple(str(name) for name in fields["classes"]),
            _preprocessing(fields["preprocessing"]),
            dict(fields["record"]),
        )
    except ModelFileError:
        raise
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{place}: damaged: its metadata of convtool: {error}") from error


def _preprocessing(fields: dict[str, Any] | None) -> Preprocessing | None:
    if fields is None:
        return None
    result = Preprocessing(
        int(fields["height"]),
        int(fields["width"]),
        int(fields["channels"]),
        float(fields["mean"]),
        float(fields["std"]),
        str(fields.get("background", "white")),
    )
    if result.height < 1 or result.width < 1 or result.height * result.width > _MOST_PIXELS:
        raise ValueError(f"a size of {result.height}x{result.width}")
    if result.channels not in (1, 3) or not abs(result.mean) < 1e6 or not 1e-6 < result.std < 1e6:
        raise ValueError("preprocessing")
    return result
