"""The run lengths of BMP, by hand: Pillow takes some that leave the picture.

ImageMagick counts the bytes that fill a row up to a multiple of four as pixels; they are passed
over.

References
----------
Microsoft, "Bitmap Compression": encoded and absolute mode, and the escapes for the end of a line,
the end of the picture, and a move.
"""

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.image import Pixels

_END_OF_LINE, _END, _MOVE = 0, 1, 2
_MULTIPLE = 4
_CUT_OFF = "is cut off or damaged: its run lengths end before the picture does"


def indices_of(data: bytes, bits: int, width: int, height: int) -> Pixels:
    """Decode run lengths to palette indices.

    Parameters
    ----------
    data : bytes
        From the first run on.
    bits : int
        8 or 4 for each pixel.
    width, height : int
        The size of the picture.

    Returns
    -------
    ndarray of uint8, shape (height, width)
        The lowest row first; pixels that are moved over have the index 0.

    Raises
    ------
    ImageReadError
        If the data end early, or a run leaves the picture.

    Examples
    --------
    >>> indices_of(bytes([2, 7, 0, 0, 0, 3, 1, 2, 3, 0, 0, 1]), 8, 3, 2)
    array([[7, 7, 0],
           [1, 2, 3]], dtype=uint8)
    """
    padded = -(-width // _MULTIPLE) * _MULTIPLE
    indices = np.zeros((height, padded), np.uint8)
    x = y = position = 0
    while True:
        if position + 2 > len(data):
            raise ImageReadError(_CUT_OFF)
        count, value = data[position], data[position + 1]
        position += 2
        if count == 0 and value == _END:
            return indices[:, :width]
        if count == 0 and value == _END_OF_LINE:
            x, y = 0, y + 1
            continue
        if count == 0 and value == _MOVE:
            if position + 2 > len(data):
                raise ImageReadError(_CUT_OFF)
            x, y = x + data[position], y + data[position + 1]
            position += 2
            continue
        if count:
            stored = bytes([value])
        else:
            count = value
            size = count if bits == 8 else (count + 1) // 2
            stored = data[position : position + size]
            position += size + size % 2
            if len(stored) < size:
                raise ImageReadError(_CUT_OFF)
        if y >= height or x + count > padded:
            raise ImageReadError("is damaged: a run of pixels leaves the picture")
        indices[y, x : x + count] = _values(stored, bits, count)
        x += count


def _values(stored: bytes, bits: int, count: int) -> Pixels:
    """Return the indices of a run: all that are stored, or the one or two in turn."""
    values = np.frombuffer(stored, np.uint8)
    if bits == 4:
        values = np.stack([values >> 4, values & 15], axis=-1).ravel()
    return np.resize(values, count)
