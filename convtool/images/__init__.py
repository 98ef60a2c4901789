"""Files to arrays and back: reading, writing, tone, sample pictures."""

from importlib import import_module
from types import ModuleType

_MODULES = ("info", "read", "samples", "tone", "write")


def __getattr__(name: str) -> ModuleType:
    """Import a module of this package on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module 'convtool.images' has no attribute {name!r}")
    return import_module(f"convtool.images.{name}")
