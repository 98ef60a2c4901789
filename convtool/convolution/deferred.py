"""Arrays whose values are computed later, and what convolves them."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

HOMES = {"dask": "convtool.distributed.arrays"}
"""For each library, by the name of its package, the module whose `filtered` takes its arrays, with
the kernel and the `Options`; it is imported on use."""


def convolver(image: object) -> Callable[..., Any] | None:
    """Return what convolves an array lazily, or None for arrays in memory."""
    home = HOMES.get(type(image).__module__.partition(".")[0])
    if home is None:
        return None
    found: Callable[..., Any] = import_module(home).filtered
    return found
