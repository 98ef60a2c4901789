"""libtiff, through Pillow, as a decompressor for what Python's own modules cannot undo.

Strips and tiles are handed over as rows of plain bytes, in a file made for the purpose, so that
no decoder's idea of colour, alpha or orientation touches them.
"""

import io
import struct
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from convtool.errors import ImageReadError
from convtool.images.codecs.ifd import Directory
from convtool.images.codecs.pillow import strictly
from convtool.images.image import Pixels

_LZW, _PACKBITS = 5, 32773
BY_BLOCK = (_LZW, _PACKBITS)
"""Compressions of bytes: each strip or tile is decompressed to bytes, their meaning is ours."""

FAX, _JPEG = (2, 3, 4), 7
WHOLE = (*FAX, _JPEG)
"""Compressions of pixels (fax, JPEG): the picture is decoded as a whole."""

_BYTE, _SHORT, _LONG = 1, 3, 4
_STORED_AS = {_BYTE: "u1", _SHORT: "<u2", _LONG: "<u4"}
_STRIPS, _TILES = (273, 279), (324, 325)
_NEEDED = {
    256: _LONG, 257: _LONG, 258: _SHORT, 259: _SHORT, 262: _SHORT, 277: _SHORT,
    278: _LONG, 284: _SHORT, 292: _LONG, 293: _LONG, 322: _LONG, 323: _LONG, 347: _BYTE,
    530: _SHORT,
}  # fmt: skip
"""Tags of size, samples and compression, and their types."""

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
        Rows and bytes a row of each.
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
    start = 0
    while start < len(parts):
        rows, row_bytes = sizes[start]
        end = _end_of_batch(sizes, start, max(1, _MOST_ROWS // rows))
        height = sum(size[0] for size in sizes[start:end])
        pixels = _decoded(_plain_file(parts[start:end], row_bytes, rows, height, compression))
        if pixels.shape != (height, row_bytes):
            raise ImageReadError("is damaged: its strips decompress to another size")
        top = 0
        for block_rows, _ in sizes[start:end]:
            yield pixels[top : top + block_rows]
            top += block_rows
        start = end


def _end_of_batch(sizes: Sequence[tuple[int, int]], start: int, most: int) -> int:
    """Return where parts that fit in one file end: only the last may be of another size."""
    end = start + 1
    while end < min(len(sizes), start + most) and sizes[end - 1] == sizes[start]:
        end += 1
    return end


def _plain_file(
    parts: Sequence[bytes], width: int, rows_per_strip: int, height: int, compression: int
) -> bytes:
    """Make a grey 8-bit file of strips that are compressed already."""
    offsets, lengths = _places(parts)
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
        Number, type (1 for 8 bits, 3 for 16, 4 for 32) and values, in ascending order of numbers.
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
        content = np.array(values, np.int64).astype(_STORED_AS[kind]).tobytes()
        if len(content) > 4:
            beyond.append(content)
            content, behind = struct.pack("<I", behind), behind + len(content)
        entries.append(struct.pack("<HHI", number, kind, len(values)) + content.ljust(4, b"\0"))
    start = struct.pack("<2sHI", b"II", 42, position)
    directory = struct.pack("<H", len(tags)) + b"".join(entries) + b"\0\0\0\0"
    return b"".join([start, *parts, padding, directory, *beyond])


def decode_whole(parts: Sequence[bytes], first: Directory) -> Pixels:
    """Decode a fax or JPEG compressed page, as its file stores it.

    Parameters
    ----------
    parts : sequence of bytes
        The strips' or tiles' data.
    first : Directory
        The page's tags, of which only those that decoding needs are passed on.

    Returns
    -------
    ndarray of uint8
        Shape (H, W) or (H, W, 3), not turned.

    Raises
    ------
    ImageReadError
        If libtiff refuses the data.
    """
    places = _TILES if _TILES[0] in first.tags else _STRIPS
    tags = [(number, kind, list(first.values(number))) for number, kind in _NEEDED.items()]
    tags += zip(places, (_LONG, _LONG), _places(parts), strict=True)
    return _decoded(join(sorted(tag for tag in tags if tag[2]), parts))


def decode_page(data: bytes, number: int) -> Pixels:
    """Decode a page of JPEG in the old style, whose parts lie anywhere in the file.

    Parameters and errors are those of `decode_whole`, but for the file and the page's number.
    """
    from PIL.TiffImagePlugin import TiffImageFile

    with strictly(), TiffImageFile(io.BytesIO(data)) as picture:
        picture.seek(number)
        return np.asarray(picture if picture.mode == "L" else picture.convert("RGB"))


def _places(parts: Sequence[bytes]) -> tuple[list[int], list[int]]:
    """Return offsets and lengths of parts that lie one after the other from byte 8 on."""
    lengths = [len(part) for part in parts]
    ends = np.cumsum([8, *lengths])
    return [int(end) for end in ends[:-1]], lengths


def _decoded(file: bytes) -> Pixels:
    """Decode a file of mode 1, L or RGB; Pillow stops at libtiff's first error."""
    from PIL.TiffImagePlugin import TiffImageFile

    with strictly(), TiffImageFile(io.BytesIO(file)) as picture:
        return np.asarray(picture.convert("L") if picture.mode == "1" else picture)
