"""The libraries of ``convtool[big]``, imported on use."""

from importlib import import_module
from typing import Any

from convtool.errors import OptionError


def load(name: str) -> Any:
    """Import a library of the extra.

    Raises
    ------
    OptionError
        If it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise OptionError(
            f"pictures larger than memory need the library '{name}': pip install 'convtool[big]'"
        ) from error
