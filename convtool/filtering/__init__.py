"""Filtering pictures: one plan for each, and what executes it in memory, in part or in strips."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convtool.filtering.mask import Mask as Mask
    from convtool.filtering.memory import filter_image as filter_image
    from convtool.filtering.options import FilterOptions as FilterOptions

_HOMES = {"FilterOptions": "options", "Mask": "mask", "filter_image": "memory"}


def __getattr__(name: str) -> object:
    """Import a public name of this package on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'convtool.filtering' has no attribute {name!r}")
    return getattr(import_module(f"convtool.filtering.{_HOMES[name]}"), name)
