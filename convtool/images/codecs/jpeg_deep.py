"""JPEG of 12 bits a channel, and lossless JPEG, decoded by imagecodecs."""

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codecs.full_range import to_full_range
from convtool.images.codecs.jpeg_segments import EOI_BYTES
from convtool.images.codecs.stderr import caught, first_line
from convtool.images.codecs.wanted import wanted
from convtool.images.image import Pixels

_FILLING = b"\x55\xaa" * 32


def decode(data: bytes, bits: int) -> Pixels:
    """Decode a file to 8 or, from 9 bits on, 16 bits.

    The library reports no damage. It is given the file once more with bytes added to the last scan:
    pixels that change show that the scan was too short.

    Parameters
    ----------
    data : bytes
        The file up to its end marker.
    bits : int
        As the frame header says.

    Raises
    ------
    ImageReadError
        If imagecodecs is not installed, refuses the file, or finds it too short.
    """
    imagecodecs = wanted("imagecodecs", "a 12-bit or lossless JPEG")
    with caught():
        try:
            values: Pixels = imagecodecs.jpeg8_decode(data)
            longer = data.removesuffix(EOI_BYTES) + _FILLING + EOI_BYTES
            again = imagecodecs.jpeg8_decode(longer)
        except (imagecodecs.Jpeg8Error, ValueError) as error:
            raise ImageReadError(f"is damaged: {first_line(str(error)) or 'refused'}") from None
    if not np.array_equal(values, again):
        raise ImageReadError("is cut off or damaged: its last scan is too short")
    return to_full_range(values, 2**bits - 1)
