"""The optional packages, asked for in one place."""

from importlib.util import find_spec

from convtool.errors import OptionError


def need(*packages: str) -> None:
    """Say what to install where an optional package is missing.

    Raises
    ------
    OptionError
        If one is.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise OptionError(
            f"many machines need {' and '.join(missing)}; install: pip install 'convtool[cluster]'"
        )
