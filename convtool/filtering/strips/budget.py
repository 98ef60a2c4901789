"""The memory budget of a picture, and how many rows are filtered at a time."""

import os

from convtool.errors import ImageTooLargeError
from convtool.images.codec import Header
from convtool.images.limits import memory_of

STEP_BYTES = 1 << 24
"""Bytes of output that are made at once where memory does not ask for less."""

SHARE = 16
"""So many times what is made at once fits the memory that was allowed."""


def memory_of_machine() -> int:
    """Return the bytes of memory that this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def allowed(max_memory: int | None) -> int:
    """Return how many bytes a picture may need before it is filtered strip by strip.

    Examples
    --------
    >>> allowed(10**9)
    1000000000
    """
    return max_memory if max_memory is not None else memory_of_machine() // 4


def fits(header: Header, file_bytes: int, max_memory: int | None, max_pixels: int) -> bool:
    """Return whether a picture is filtered in memory, as a whole."""
    if header.width * header.height > max_pixels:
        return False
    return memory_of([header], file_bytes) <= allowed(max_memory)


def rows_at_once(row_bytes: int, halo: int, max_memory: int | None) -> int:
    """Return how many rows of the answer are made at a time.

    Parameters
    ----------
    row_bytes : int
        Bytes of a row in the type that is computed in.
    halo : int
        Rows of the picture that a row of the answer needs besides its own: no fewer are made at
        once, or more of the work would be to move those that are kept.
    max_memory : int, optional
        The most bytes.

    Examples
    --------
    >>> rows_at_once(1 << 16, 14, 10**9), rows_at_once(1 << 16, 1000, 10**9)
    (256, 1000)
    """
    bytes_at_once = min(STEP_BYTES, allowed(max_memory) // SHARE)
    return max(1, bytes_at_once // row_bytes, halo)


def check(needed: int, max_memory: int | None) -> None:
    """Check that what is worked on at once fits.

    Raises
    ------
    ImageTooLargeError
        If it does not.
    """
    limit = allowed(max_memory)
    if needed > limit:
        raise ImageTooLargeError(
            f"needs about {needed / 1e6:.3g} MB even strip by strip, more than the limit of "
            f"{limit / 1e6:.3g} MB; --max-memory raises it"
        )
