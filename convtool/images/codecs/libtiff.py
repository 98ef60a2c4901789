"""libtiff, through OpenCV, as a decompressor for what Python's own modules cannot undo.

Strips and tiles are handed over as rows of plain bytes, in a file made for the purpose, so that
no decoder's idea of colour, alpha or orientation touches them.
"""

import struct
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from convtool.errors import ImageReadError
from convtool.images.codecs import opencv
from convtool.images.codecs.ifd import ORIENTATION, Directory
from convtool.images.image import Pixels

_LZW, _PACKBITS = 5, 32773
BY_BLOCK = (_LZW, _PACKBITS)
"""Compressions of bytes: each strip or tile is decompressed to bytes, their meaning is ours."""

_CCITT, _JPEG = (2, 3, 4), 7
WHOLE = (*_CCITT, _JPEG)
"""Compressions of pixels (fax, JPEG): the picture is decoded as a whole."""

_SHORT, _LONG = 3, 4
_MOST_ROWS = 1 << 19


def decompress(
    parts: Sequence[bytes], sizes: Sequence[tuple[int, int]], compression: int
) -> Iterator[NDArray[np.uint8]]:
    """Decompress strips or tiles to plain bytes.

    Parameters
    ----------
    parts : sequence of bytes
        The compressed data of each.
    sizes : sequence of (int, int)
        Rows and bytes a row of each; all but the last have equal sizes.
    compression : int
        One of `BY_BLOCK`.

    Yields
    ------
    ndarray of uint8
        Shape (rows, bytes a row), for each part.

    Raises
    ------
    ImageReadError
        If libtiff refuses the data.
    """
    rows, row_bytes = sizes[0]
    at_once = max(1, _MOST_ROWS // rows)
    for start in range(0, len(parts), at_once):
        batch, batch_sizes = parts[start : start + at_once], sizes[start : start + at_once]
        height = sum(size[0] for size in batch_sizes)
        pixels = _decoded(_plain_file(batch, row_bytes, rows, height, compression))
        if pixels.shape != (height, row_bytes):
            raise ImageReadError("is damaged: its strips decompress to another size")
        top = 0
        for block_rows, _ in batch_sizes:
            yield pixels[top : top + block_rows]
            top += block_rows


def _plain_file(
    parts: Sequence[bytes], width: int, rows_per_strip: int, height: int, compression: int
) -> bytes:
    """Make a grey 8-bit file of strips that are compressed already."""
    ends = np.cumsum([len(part) for part in parts]) + 8
    offsets = [8, *(int(end) for end in ends[:-1])]
    lengths = [len(part) for part in parts]
    tags = [
        (256, _LONG, [width]),
        (257, _LONG, [height]),
        (258, _SHORT, [8]),
        (259, _SHORT, [compression]),
        (262, _SHORT, [1]),
        (273, _LONG, offsets),
        (277, _SHORT, [1]),
        (278, _LONG, [rows_per_strip]),
        (279, _LONG, lengths),
    ]
    return join(tags, parts)


def join(tags: Sequence[tuple[int, int, Sequence[int]]], parts: Sequence[bytes]) -> bytes:
    """Make a little-endian file: header, the parts from byte 8 on, one directory.

    Parameters
    ----------
    tags : sequence of (int, int, sequence of int)
        Number, type (3 for 16 bits, 4 for 32 bits) and values, in ascending order of numbers.
    parts : sequence of bytes
        The strips' data.

    Returns
    -------
    bytes
        The whole file.
    """
    position = 8 + sum(len(part) for part in parts)
    padding = b"\0" * (position % 2)
    position += len(padding)
    entries, beyond = [], []
    behind = position + 2 + 12 * len(tags) + 4
    for number, kind, values in tags:
        content = np.array(values, "<u2" if kind == _SHORT else "<u4").tobytes()
        if len(content) > 4:
            beyond.append(content)
            content, behind = struct.pack("<I", behind), behind + len(content)
        entries.append(struct.pack("<HHI", number, kind, len(values)) + content.ljust(4, b"\0"))
    start = struct.pack("<2sHI", b"II", 42, position)
    directory = struct.pack("<H", len(tags)) + b"".join(entries) + b"\0\0\0\0"
    return b"".join([start, *parts, padding, directory, *beyond])


def decode_whole(data: bytes, first: Directory) -> Pixels:
    """Decode a fax or JPEG compressed page, as its file stores it.

    Raises
    ------
    ImageReadError
        If libtiff refuses the data.
    """
    patched = bytearray(data)
    tag = first.tags.get(ORIENTATION)
    if tag is not None:
        struct.pack_into(first.order + "H", patched, tag.offset, 1)
    return _decoded(bytes(patched))


def _decoded(file: bytes) -> Pixels:
    pixels, remarks = opencv.decode(file)
    if remarks:
        raise ImageReadError(f"is cut off or damaged: {remarks}")
    return pixels
