"""Limits of the system on this process: too low ones are named before libraries fail on them.

Native libraries answer a failed allocation with a crash or wait for ever, and workers that cannot
open a file cannot say so.
"""

import os
from types import ModuleType

from convtool.errors import LimitError

resource: ModuleType | None
try:
    import resource
except ImportError:  # not on Windows, which has no such limits
    resource = None

_ROOMY = 4 << 30
_NO_MEMORY = ("can't start new thread", "failed to map segment", "annot allocate memory")


def check_open_files(needed: int, what: str) -> None:
    """Raise the limit on open files to what is needed, or refuse to begin.

    Parameters
    ----------
    needed : int
        Number of files that may have to be open at once.
    what : str
        Whoever needs them, for the message.

    Raises
    ------
    LimitError
        If the system does not allow as many.

    Examples
    --------
    >>> check_open_files(8, "a test")
    """
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if not _below(soft, needed):
        return
    if _below(hard, needed):
        raise LimitError(
            f"{what} may need {needed} open files, and the limit is {hard}; raise it with "
            "'ulimit -n'"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def check_addresses(needed: int, what: str) -> None:
    """Refuse to begin if less address space is allowed than is needed.

    Where little is allowed, BLAS gets one thread, as each reserves some.

    Parameters
    ----------
    needed : int
        Bytes.
    what : str
        Whoever needs them, for the message.

    Raises
    ------
    LimitError
        If the limit is lower.

    Examples
    --------
    >>> check_addresses(1, "a test")
    """
    if resource is None or not hasattr(resource, "RLIMIT_AS"):
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if _below(limit, needed):
        raise LimitError(
            f"{what} needs {needed >> 20:,} MiB of address space, and the limit is "
            f"{limit >> 20:,} MiB; raise it with 'ulimit -v'"
        )
    if _below(limit, _ROOMY):
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _below(limit: int, needed: int) -> bool:
    assert resource is not None
    return limit != resource.RLIM_INFINITY and limit < needed


def is_want_of_memory(error: BaseException) -> bool:
    """Return whether memory is what an error of Python's or the loader's is about.

    Examples
    --------
    >>> is_want_of_memory(RuntimeError("can't start new thread")), is_want_of_memory(KeyError("a"))
    (True, False)
    """
    known = isinstance(error, MemoryError | ImportError | RuntimeError)
    told = isinstance(error, MemoryError) or any(one in str(error) for one in _NO_MEMORY)
    return known and told
