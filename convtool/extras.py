"""The optional packages, asked for in one place; they are imported on use."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from convtool.errors import OptionError

EXTRAS = {
    "big": "large pictures and rare compressions need",
    "cluster": "many machines need",
    "exr": "OpenEXR pictures need",
    "heif": "HEIC pictures need",
    "jxl": "JPEG XL, and AVIF of 10 and 12 bits, need",
    "onnx": "ONNX files need",
    "plots": "plots and drawings need",
    "raw": "pictures of camera sensors need",
    "remote": "URLs need",
    "science": "DICOM and FITS need",
    "xarray": "arrays with named dimensions need",
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
        raise OptionError(advice(extra, " and ".join(missing)))


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
        raise OptionError(advice(extra, package)) from error


def advice(extra: str, missing: str) -> str:
    """Say what an extra is for, what is missing of it, and how to install it."""
    return f"{EXTRAS[extra]} {missing}; install: pip install 'convtool[{extra}]'"
