"""Scratch memory of each thread, reused from one piece of an image to the next.

The system clears each page of fresh memory at its first touch, which can take longer than what is
computed in it.
"""

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = 1 << 23
"""Bytes of the largest piece that is kept, for each name and thread. So many are reserved at once:
NumPy asks for large pages then, and what is never used never becomes memory."""

_kept = threading.local()


def take(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an array of any content, which is this thread's until it asks for the name again.

    Parameters
    ----------
    name : str
        What it is for: two that are in use at once have two names.
    shape : tuple of int
        Its shape.
    dtype : dtype
        Its type.

    Examples
    --------
    >>> first = take("doctest", (2, 3), np.dtype(np.float32))
    >>> np.shares_memory(first, take("doctest", (3,), np.dtype(np.uint8)))
    True
    """
    needed = math.prod(shape) * dtype.itemsize
    if needed > LARGEST:
        return np.empty(shape, dtype)
    memory: NDArray[Any] | None = getattr(_kept, name, None)
    if memory is None:
        memory = np.empty(LARGEST, np.uint8)
        setattr(_kept, name, memory)
    return memory[:needed].view(dtype).reshape(shape)
