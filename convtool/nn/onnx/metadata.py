"""The metadata of an ONNX file: preprocessing, class names, the training's record.

Each is one entry of ``metadata_props``, as JSON, named ``convtool.version``, ``convtool.task``,
``convtool.classes``, ``convtool.preprocessing`` and ``convtool.record``.
"""

import json
from collections.abc import Mapping

from convtool.errors import ModelFileError
from convtool.jsontext import parse
from convtool.nn.about import About, about_of
from convtool.nn.arguments import whole
from convtool.nn.model import Sequential

VERSION = 1
PREFIX = "convtool."


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
        if whole(fields["version"], "version") > VERSION:
            raise ModelFileError(
                f"{place}: written by a newer convtool (metadata {fields['version']}, this one"
                f" reads {VERSION}): update convtool"
            )
        return about_of(fields)
    except ModelFileError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{place}: damaged: its metadata of convtool: {error}") from error
