"""Reading numbers from a file's bytes, with a clear error where the bytes end."""

import struct
from typing import Any

from convtool.errors import ImageReadError


def unpack(form: str, data: bytes, offset: int) -> tuple[Any, ...]:
    """Unpack numbers as ``struct.unpack_from`` does.

    Raises
    ------
    ImageReadError
        If the file ends before them.

    Examples
    --------
    >>> unpack(">HB", bytes([1, 0, 7]), 0)
    (256, 7)
    """
    if offset < 0 or offset + struct.calcsize(form) > len(data):
        raise ImageReadError("is cut off or damaged: it ends within its header")
    return struct.unpack_from(form, data, offset)
