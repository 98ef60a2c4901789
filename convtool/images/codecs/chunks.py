"""The chunks that a PNG is made of.

References
----------
W3C, Portable Network Graphics (third edition), 5: the signature and the layout of chunks.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator

from convtool.errors import ImageReadError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEAD, _CHECKSUM = struct.Struct(">I4s"), struct.Struct(">I")


def chunks(data: bytes, unchecked: tuple[bytes, ...] = ()) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, start and end of each chunk's contents, checked against its checksum.

    Those of the names ``unchecked`` are only passed over.

    Raises
    ------
    ImageReadError
        If a checksum is wrong, or the file ends before its end chunk.
    """
    position, view = len(SIGNATURE), memoryview(data)
    while True:
        try:
            length, name = _HEAD.unpack_from(data, position)
            start, end = position + 8, position + 8 + length
            (checksum,) = _CHECKSUM.unpack_from(data, end)
        except struct.error:
            raise ImageReadError("is cut off or damaged: it ends within its header") from None
        if name not in unchecked and zlib.crc32(view[position + 4 : end]) != checksum:
            text = name.decode("ascii", "backslashreplace")
            raise ImageReadError(f"is damaged: the checksum of its chunk {text} is wrong")
        yield name, start, end
        if name == b"IEND":
            return
        position = end + 4


def chunk(name: bytes, contents: bytes) -> bytes:
    """Return the bytes of a chunk."""
    checksum = struct.pack(">I", zlib.crc32(contents, zlib.crc32(name)))
    return struct.pack(">I", len(contents)) + name + contents + checksum


def file_of(
    width: int,
    height: int,
    bits: int,
    colour: int,
    parts: Iterable[bytes],
    *,
    interlace: int = 0,
    side: Iterable[tuple[bytes, bytes]] = (),
) -> bytes:
    """Make a file of a header, side chunks, and whole chunks with the pixels."""
    ihdr = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace)
    before = [chunk(name, contents) for name, contents in side]
    return b"".join([SIGNATURE, chunk(b"IHDR", ihdr), *before, *parts, chunk(b"IEND", b"")])
