"""A large JPEG encoded in strips, on several threads.

A scan can restart after a restart marker: between strips that were encoded one by one there is one,
as there is after each row of blocks within. The pixels are those of a file encoded in one go.

References
----------
ITU-T T.81, E.1.4 and F.1.1.5.2: restart intervals, and markers numbered modulo 8.
"""

from collections.abc import Callable, Sequence

import numpy as np

from convtool.images.codecs.jpeg_segments import EOI_BYTES, frame_of, segments
from convtool.images.image import Pixels

_SIDES = {"4:4:4": (8, 8), "4:4:0": (16, 8), "4:2:2": (8, 16), "4:2:0": (16, 16), "4:1:1": (8, 32)}
"""Height and width of what is coded together, in pixels."""

_NUMBERS = 8
_LAST_MARKER = b"\xff\xd7"
_LEAST_PIXELS = 1 << 19
_MOST = 65535
"""Of lines, and of blocks between restart markers."""

Encoder = Callable[[Sequence[Pixels], int], list[bytes]]
"""``encode(pictures, interval)`` encodes some, with a restart marker after so many blocks."""


def encode(pixels: Pixels, sampling: str, encoder: Encoder) -> bytes:
    """Encode a picture, in strips if it is large.

    Parameters
    ----------
    pixels : ndarray
        Shape (H, W) or (H, W, 3).
    sampling : str
        How chroma is sampled, such as ``4:2:0``.
    encoder : callable
        What encodes them. An interval of 0 stands for no markers.

    Returns
    -------
    bytes
        The whole file.
    """
    tall, wide = _SIDES[sampling] if pixels.ndim == 3 else _SIDES["4:4:4"]
    height, width = pixels.shape[:2]
    interval = -(-width // wide)
    least = _NUMBERS * tall
    rows = -(-_LEAST_PIXELS // (width * least)) * least
    if height < 2 * rows or max(height, interval) > _MOST:
        return encoder([pixels], 0)[0]
    strips = [pixels[start : start + rows] for start in range(0, height, rows)]
    return _joined(encoder(strips, interval), height)


def _joined(strips: list[bytes], height: int) -> bytes:
    """Return one file: the first with its height put right, then the scans of all."""
    found = [segments(strip) for strip in strips]
    scans = [
        strip[parts[-1].end : -len(EOI_BYTES)] for strip, parts in zip(strips, found, strict=True)
    ]
    head = bytearray(strips[0][: found[0][-1].end])
    place = frame_of(found[0]).start + 1
    head[place : place + 2] = np.array(height, ">u2").tobytes()
    return b"".join([head, _LAST_MARKER.join(scans), EOI_BYTES])
