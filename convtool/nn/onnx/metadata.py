"""What an ONNX file carries besides the graph: preprocessing, class names, the training's record.

Each is one entry of ``metadata_props``, as JSON, named ``convtool.version``, ``convtool.task``,
``convtool.classes``, ``convtool.preprocessing`` and ``convtool.record``.
"""

import json
from collections.abc import Mapping
from typing import Any

from convtool.errors import ModelFileError
from convtool.nn.model import Sequential
from convtool.nn.preprocessing import Preprocessing
from convtool.nn.tasks import TASKS
from convtool.records import Record

VERSION = 1
PREFIX = "convtool."
_MOST_PIXELS = 2**24


class About(Record):
    """What is known of a network besides its layers.

    Attributes
    ----------
    task : str
    classes : tuple of str
    preprocessing : Preprocessing or None
    record : dict
    """

    task: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing | None
    record: dict[str, Any]


def entries(model: Sequential) -> dict[str, str]:
    """Return a model's entries, ready to be stored."""
    values = {
        "version": VERSION,
        "task": model.task,
        "classes": list(model.classes),
        "preprocessing": model.preprocessing.config() if model.preprocessing else None,
        "record": model.record,
    }
    return {PREFIX + name: json.dumps(value) for name, value in values.items()}


def about(stored: Mapping[str, str], place: str) -> About | None:
    """Return what a file's entries say, None where they are not convtool's.

    Parameters
    ----------
    stored : mapping of str to str
        All entries of the file.
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
        found = {
            name.removeprefix(PREFIX): json.loads(text)
            for name, text in stored.items()
            if name.startswith(PREFIX)
        }
        if int(found["version"]) > VERSION:
            raise ModelFileError(
                f"{place}: written by a newer convtool (metadata {found['version']}, this one reads"
                f" {VERSION}): update convtool"
            )
        return About(
            {name: name for name in TASKS}[found["task"]],
            tuple(str(name) for name in found["classes"]),
            _preprocessing(found["preprocessing"]),
            dict(found["record"]),
        )
    except ModelFileError:
        raise
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{place}: damaged: its metadata of convtool: {error}") from error


def _preprocessing(fields: dict[str, Any] | None) -> Preprocessing | None:
    if fields is None:
        return None
    made = Preprocessing(
        int(fields["height"]),
        int(fields["width"]),
        int(fields["channels"]),
        float(fields["mean"]),
        float(fields["std"]),
        str(fields.get("background", "white")),
    )
    if made.height < 1 or made.width < 1 or made.height * made.width > _MOST_PIXELS:
        raise ValueError(f"a size of {made.height}x{made.width}")
    if made.channels not in (1, 3) or not abs(made.mean) < 1e6 or not 1e-6 < made.std < 1e6:
        raise ValueError("preprocessing")
    return made
