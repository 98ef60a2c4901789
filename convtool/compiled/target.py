"""The family of processors that compiled functions are for in this process."""

from functools import lru_cache

from convtool.compiled import library
from convtool.compiled.families import FAMILIES, Family, of_features

_chosen: list[Family] = []
"""The family that a build is for, if this process builds."""


def build_for(family: str) -> None:
    """Write code for a family, whatever this machine is; before any code is written."""
    _chosen[:] = [FAMILIES.get(family) or host()]
    current.cache_clear()


def host() -> Family:
    """Return the best family of this machine."""
    from llvmlite.binding import get_host_cpu_features

    return of_features({name for name, there in get_host_cpu_features().items() if there})


@lru_cache(maxsize=1)
def current() -> Family:
    """Return the built library's family; where there is none, this machine's."""
    if _chosen:
        return _chosen[0]
    built = library.load()
    return host() if built is None else FAMILIES.get(built.family) or host()
