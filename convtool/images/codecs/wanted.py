"""Decoders that only some files need, from an optional package."""

from typing import Any

from convtool import extras
from convtool.errors import ImageReadError, OptionError


def wanted(package: str, kind: str) -> Any:
    """Import a package of the extra ``big`` for a kind of file.

    Raises
    ------
    ImageReadError
        If it is not installed; the message names the extra.
    """
    try:
        return extras.load("big", package)
    except OptionError:
        raise ImageReadError(
            f"is {kind}, for which {package} is needed; install: pip install 'convtool[big]'"
        ) from None
