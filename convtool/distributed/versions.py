"""Compare the versions of a worker with those of the client."""

import sys
from importlib.metadata import PackageNotFoundError, version

from convtool._version import __version__

Versions = dict[str, str]
"""Name and version of what is installed."""

COMPARED: dict[str, int | None] = {
    "convtool": None,
    "Python": None,
    "numpy": 1,
    "scipy": 0,
    "opencv-python-headless": 0,
    "pillow": 0,
    "tifffile": 0,
    "zarr": 0,
}
"""How many components of each version must be equal; None for all. By others outputs may differ."""


def installed() -> Versions:
    """Return the versions of this process.

    Examples
    --------
    >>> installed()["convtool"] == __version__
    True
    """
    found = {"convtool": __version__, "Python": f"{sys.version_info[0]}.{sys.version_info[1]}"}
    for name in COMPARED.keys() - found:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # one that a job needs is named by its error
            continue
    return found


def differences(theirs: Versions, ours: Versions) -> tuple[list[str], list[str]]:
    """Return in words which versions must not differ but do, and which others differ.

    Examples
    --------
    >>> differences({"convtool": "1.0", "numpy": "2.1"}, {"convtool": "1.1", "numpy": "2.2"})
    (['convtool 1.0, not 1.1'], ['numpy 2.1, not 2.2'])
    """
    wrong: list[str] = []
    other: list[str] = []
    for name, components in COMPARED.items():
        their, our = theirs.get(name), ours.get(name)
        if their is None or our is None or their == our:
            continue
        must_be_equal = [one.split(".")[:components] for one in (their, our)]
        words = f"{name} {their}, not {our}"
        (other if must_be_equal[0] == must_be_equal[1] else wrong).append(words)
    return wrong, other
