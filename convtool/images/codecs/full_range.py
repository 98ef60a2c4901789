"""Values of any number of bits, stretched to 8 or 16."""

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.image import Pixels


def to_full_range(values: Pixels, white: int) -> Pixels:
    """Stretch values of 0 to white to 0 to 255 or, where white is above 255, to 65535.

    Raises
    ------
    ImageReadError
        If a value is above white.

    Examples
    --------
    >>> to_full_range(np.array([0, 3, 15], np.uint8), 15)
    array([  0,  51, 255], dtype=uint8)
    """
    dtype: type[np.unsignedinteger] = np.uint8 if white < 256 else np.uint16
    peak = np.iinfo(dtype).max
    if white == peak:
        return values
    if values.size and int(values.max()) > white:
        raise ImageReadError(f"is damaged: a value is above the stated white, {white}")
    table = np.rint(np.arange(white + 1) * (peak / white)).astype(dtype)
    stretched: Pixels = table[values]
    return stretched
