"""How many threads the BLAS uses: one where a second gains little and can lose much."""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

_SMALL = 2**19
"""Matrices of fewer entries are left to one thread: alone it takes a few milliseconds more, but it
does not wait for another that the system, busy with other work, has put aside."""


@cache
def _controller() -> Any | None:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()


def suited_to(size: int) -> AbstractContextManager[Any]:
    """Return a context in which the BLAS uses one thread for small work.

    It needs the package threadpoolctl; without it nothing is changed.

    Parameters
    ----------
    size : int
        How many entries the matrix has.

    Returns
    -------
    context manager
    """
    controller = _controller() if size < _SMALL else None
    if controller is None:
        return nullcontext()
    limit: AbstractContextManager[Any] = controller.limit(limits=1, user_api="blas")
    return limit
