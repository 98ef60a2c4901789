"""The optional packages, asked for in one place; they are imported on use."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from convtool.errors import OptionError

EXTRAS = {
    "big": "large pictures and rare compressions need",
    "cluster": "many machines need",
    "onnx": "ONNX files need",
}
"""What each extra is for: ``pip install 'convtool[NAME]'``."""


def need(extra: str, *packages: str) -> None:
    """Say what to install where an optional package is missing.

    Raises
    ------
    OptionError
        If one is.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise OptionError(_advice(extra, " and ".join(missing)))


def load(extra: str, package: str) -> Any:
    """Import an optional package.

    Raises
    ------
    OptionError
        If it is not installed.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise OptionError(_advice(extra, package)) from error


def _advice(extra: str, missing: str) -> str:
    return f"{EXTRAS[extra]} {missing}; install: pip install 'convtool[{extra}]'"
