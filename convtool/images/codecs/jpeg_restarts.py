"""A large JPEG with restart markers, cut into pieces that are decoded on several threads.

Decoding restarts after a restart marker. Some cameras write one after each row of blocks, and
so does :mod:`~.jpeg_strips`. Where chroma has fewer rows than luma the decoder looks at those next
to a block as well, so pieces overlap there. The pixels are those of a file decoded in one go.

References
----------
ITU-T T.81, B.2.4.4 and E.1.4: restart intervals, and markers numbered modulo 8.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from convtool.images.codecs.binary import Parts, unpack
from convtool.images.codecs.jpeg_segments import EOI, EOI_BYTES, frame_of, segments
from convtool.images.image import Pixels

_DRI = 0xDD
_SEQUENTIAL = frozenset({0xC0, 0xC1})
"""Frames whose blocks stand in the file in the picture's order, coded by Huffman."""

_MARKER = re.compile(rb"\xff([^\x00\x01\xff])", re.DOTALL)
_FIRST_RESTART, _RESTARTS = 0xD0, 8
_BLOCK = 8
_LARGEST_FACTOR = 4
"""Of sampling."""

_MOST_INTERVALS = 1 << 14
"""Finding more of them takes as long as it saves."""

PIECES = 4
"""For each thread, so that none waits long for another at the end."""

_LEAST_PIXELS = 1 << 20
"""Of a piece that is worth a thread's while."""

Decoder = Callable[[Sequence[tuple[Parts, Pixels]]], bool]
"""``decode(pieces)`` decodes each file into its memory, and tells whether all were sound."""


class Scan(NamedTuple):
    """The picture's blocks in a file.

    Attributes
    ----------
    head : bytes
        What comes before them.
    height_at : int
        Where the head says how many rows of pixels there are.
    intervals : list of memoryview
        The data between restart markers.
    unit : int
        Rows of pixels of the least that begins and ends at restart markers.
    unit_intervals : int
        How many intervals that is.
    overlaps : bool
        Whether chroma has fewer rows than luma.
    """

    head: bytes
    height_at: int
    intervals: list[memoryview]
    unit: int
    unit_intervals: int
    overlaps: bool


def decode(data: bytes, size: tuple[int, int], threads: int, decoder: Decoder) -> Pixels | None:
    """Decode a file of three channels in pieces.

    Parameters
    ----------
    data : bytes
        The whole file.
    size : tuple of int
        Height and width.
    threads : int
        How many pieces are decoded at once.
    decoder : callable
        What decodes them.

    Returns
    -------
    ndarray or None
        Shape (H, W, 3). None if it is not worth it, cannot be cut, or a piece is damaged.
    """
    height, width = size
    pieces = min(PIECES * threads, height * width // _LEAST_PIXELS)
    if threads < 2 or pieces < 2:
        return None
    scan = scan_of(data, width)
    if scan is None:
        return None
    pixels = np.empty((height, width, 3), np.uint8)
    rows = -(-height // (scan.unit * pieces)) * scan.unit
    cut = [(first, min(first + rows, height)) for first in range(0, height, rows)]
    beyond = scan.unit if scan.overlaps else 0
    work, whole = [], []
    for first, last in cut:
        above, below = min(beyond, first), min(beyond, height - last)
        made = pixels[first:last]
        if above or below:
            made = np.empty((above + last - first + below, width, 3), np.uint8)
            whole.append((made[above : above + last - first], pixels[first:last]))
        work.append((_piece(scan, first - above, last + below), made))
    if not decoder(work):
        return None
    for made, place in whole:
        place[...] = made
    return pixels


def scan_of(data: bytes, width: int) -> Scan | None:
    """Return a file's blocks, if they are in one scan with restart markers, none of them missing.

    Parameters
    ----------
    data : bytes
        The whole file.
    width : int
        Pixels in a row.
    """
    found = segments(data)
    frame, start = frame_of(found), found[-1]
    intervals = [unpack(">H", data, s.start)[0] for s in found if s.marker == _DRI]
    (channels,), (in_scan,) = unpack("B", data, frame.start + 5), unpack("B", data, start.start)
    if frame.marker not in _SEQUENTIAL or channels != in_scan or not any(intervals[-1:]):
        return None
    factors = [divmod(data[frame.start + 7 + 3 * n], 16) for n in range(channels)]
    if not all(1 <= factor <= _LARGEST_FACTOR for pair in factors for factor in pair):
        return None
    tall = _BLOCK * max(down for _, down in factors)
    across = -(-width // (_BLOCK * max(over for over, _ in factors)))
    unit = math.lcm(intervals[-1], across)
    (height,) = unpack(">H", data, frame.start + 1)
    count = -(-(across * -(-height // tall)) // intervals[-1])
    parts = _intervals(data, start.end, count) if count <= _MOST_INTERVALS else None
    if parts is None:
        return None
    overlaps = any(_BLOCK * down < tall for _, down in factors)
    head = data[: start.end]
    return Scan(
        head, frame.start + 1, parts, unit // across * tall, unit // intervals[-1], overlaps
    )


def _intervals(data: bytes, start: int, count: int) -> list[memoryview] | None:
    """Return the data between restart markers, if these are as many and numbered as they should."""
    view, parts = memoryview(data), []
    for found in _MARKER.finditer(data, start):
        number = found.group(1)[0]
        parts.append(view[start : found.start()])
        start = found.end()
        if len(parts) == count:
            return parts if number == EOI else None
        if number != _FIRST_RESTART + (len(parts) - 1) % _RESTARTS:
            return None
    return None


def _piece(scan: Scan, first: int, last: int) -> Parts:
    """Return a file of the rows of pixels ``first … last-1``."""
    head = bytearray(scan.head)
    head[scan.height_at : scan.height_at + 2] = (last - first).to_bytes(2, "big")
    start, stop = first // scan.unit, -(-last // scan.unit)
    chosen = scan.intervals[start * scan.unit_intervals : stop * scan.unit_intervals]
    parts: list[bytes | memoryview] = [bytes(head)]
    for number, part in enumerate(chosen):
        if number:
            parts.append(bytes((0xFF, _FIRST_RESTART + (number - 1) % _RESTARTS)))
        parts.append(part)
    return [*parts, EOI_BYTES]
