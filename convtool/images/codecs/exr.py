"""OpenEXR: half and 32-bit floats, grey or colour, with or without alpha, in scan lines.

Read and written here, for OpenCV is built without it. Alpha is multiplied into the colours in such
files; it is divided out on reading and multiplied in on writing.

References
----------
OpenEXR, Technical Introduction and file layout (openexr.com): magic number 20000630, attributes,
chunks of 1 or 16 scan lines, compressions none, RLE, ZIPS and ZIP.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from convtool.errors import ImageReadError
from convtool.images.codec import Decoded, Header
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.premultiplied import divided
from convtool.images.image import Coding, Image, Metadata, Pixels
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import Record

_MAGIC = 20000630
_TILED, _DEEP, _PARTS = 0x200, 0x800, 0x1000
_NONE, _RLE, _ZIPS, _ZIP = 0, 1, 2, 3
_NAMES = ("none", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB")
_ROWS = {_NONE: 1, _RLE: 1, _ZIPS: 1, _ZIP: 16}
_TYPES = {1: "<f2", 2: "<f4"}
_SETS = {
    ("Y",): ("Y",),
    ("A", "Y"): ("Y", "A"),
    ("B", "G", "R"): ("R", "G", "B"),
    ("A", "B", "G", "R"): ("R", "G", "B", "A"),
}
"""Names of channels as files sort them -> in the order that pixels have them."""
_DIVIDED = "alpha was multiplied into the colours; they were divided by it"


class _ExrLayout(Record):
    width: int
    height: int
    top: int
    channels: tuple[tuple[str, str], ...]
    compression: int
    start: int

    @property
    def order(self) -> tuple[str, ...]:
        """The names of the channels, as pixels have them."""
        return _SETS[tuple(name for name, _ in self.channels)]

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of all channels."""
        return self.width * sum(np.dtype(kind).itemsize for _, kind in self.channels)


def _text(data: bytes, position: int) -> tuple[str, int]:
    end = data.find(b"\0", position, position + 256)
    if end < 0:
        raise ImageReadError("is cut off or damaged: a name in its header has no end")
    return data[position:end].decode("latin-1"), end + 1


def _attributes(data: bytes) -> tuple[dict[str, bytes], int]:
    """Return the attributes of the header, and where it ends."""
    magic, version = unpack("<II", data, 0)
    if magic != _MAGIC or version & 0xFF != 2:
        raise ImageReadError(f"is an OpenEXR file of version {version & 0xFF}, which is not read")
    if version & (_TILED | _DEEP | _PARTS):
        raise ImageReadError(
            "has tiles, several parts or deep pixels, which are not read; "
            "convert it to scan lines in one part"
        )
    found: dict[str, bytes] = {}
    position = 8
    while True:
        name, position = _text(data, position)
        if not name:
            return found, position
        _, position = _text(data, position)
        (size,) = unpack("<i", data, position)
        position += 4
        if size < 0 or position + size > len(data):
            raise ImageReadError("is cut off or damaged: it ends within its header")
        found[name] = data[position : position + size]
        position += size


def _channels(content: bytes) -> tuple[tuple[str, str], ...]:
    found = []
    position = 0
    while content[position : position + 1] not in (b"\0", b""):
        name, position = _text(content, position)
        kind, _, across, down = unpack("<iIii", content, position)
        position += 16
        if kind not in _TYPES or (across, down) != (1, 1):
            raise ImageReadError(
                f"has the channel '{name}' as whole numbers or subsampled, which is not read"
            )
        found.append((name, _TYPES[kind]))
    names = tuple(name for name, _ in found)
    if names not in _SETS:
        raise ImageReadError(
            f"has the channels {', '.join(names)[:80]}; Y or R, G, B, with or without A, are read"
        )
    return tuple(found)


def _layout(data: bytes) -> _ExrLayout:
    attributes, start = _attributes(data)
    if not {"channels", "compression", "dataWindow"} <= attributes.keys():
        raise ImageReadError("is damaged: its header has no channels, compression or size")
    left, top, right, bottom = unpack("<iiii", attributes["dataWindow"], 0)
    width, height = right - left + 1, bottom - top + 1
    (compression,) = unpack("B", attributes["compression"], 0)
    if width < 1 or height < 1:
        raise ImageReadError(f"is damaged: {width}×{height} pixels")
    if compression not in _ROWS:
        name = _NAMES[compression] if compression < len(_NAMES) else str(compression)
        raise ImageReadError(
            f"has the OpenEXR compression {name}, which is not read; convert it to ZIP"
        )
    channels = _channels(attributes["channels"])
    return _ExrLayout(width, height, top, channels, compression, start)


def inspect(data: bytes) -> Header:
    """Read size and channels from the attributes."""
    layout = _layout(data)
    count = len(layout.channels)
    metadata = Metadata(coding=Coding(_NAMES[layout.compression]))
    size = (layout.width, layout.height)
    return Header(*size, count, "float32", count in (2, 4), metadata=metadata)


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Read the values; halves become 32-bit floats, and alpha is divided out."""
    layout = _layout(data)
    step = _ROWS[layout.compression]
    chunks = -(-layout.height // step)
    offsets = unpack(f"<{chunks}Q", data, layout.start)
    planes = {name: np.empty((layout.height, layout.width), np.float32) for name in layout.order}
    missing = np.ones(chunks, bool)
    for offset in offsets:
        line, size = unpack("<ii", data, offset)
        number, misplaced = divmod(line - layout.top, step)
        if misplaced or not 0 <= number < chunks or not 0 <= size <= len(data) - offset - 8:
            raise ImageReadError("is cut off or damaged: its list of scan lines makes no sense")
        missing[number] = False
        top = number * step
        rows = min(step, layout.height - top)
        content = data[offset + 8 : offset + 8 + size]
        _place(_plain(content, layout, rows), planes, layout, top, rows)
    if missing.any():
        raise ImageReadError("is damaged: some of its scan lines are missing")
    pixels = np.stack([planes[name] for name in layout.order], axis=-1)
    if not header.has_alpha:
        return Decoded(pixels[:, :, 0] if header.channels == 1 else pixels)
    return Decoded(divided(pixels), (_DIVIDED,))


def _place(
    content: bytes, planes: dict[str, Pixels], layout: _ExrLayout, top: int, rows: int
) -> None:
    """Put the rows of a chunk, each channel after the other, into the planes."""
    stored = np.frombuffer(content, np.uint8).reshape(rows, layout.row_bytes)
    start = 0
    for name, kind in layout.channels:
        end = start + layout.width * np.dtype(kind).itemsize
        values = np.ascontiguousarray(stored[:, start:end]).view(kind)
        planes[name][top : top + rows] = values
        start = end


def _plain(content: bytes, layout: _ExrLayout, rows: int) -> bytes:
    """Decompress a chunk; one that would not get smaller is stored as it is."""
    needed = rows * layout.row_bytes
    if layout.compression != _NONE and len(content) < needed:
        packed = (
            _run_lengths(content, needed)
            if layout.compression == _RLE
            else _inflated(content, needed)
        )
        content = _undone(packed)
    if len(content) != needed:
        raise ImageReadError("is cut off or damaged: a scan line is too short")
    return content


def _inflated(content: bytes, needed: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, needed)
    except zlib.error as error:
        raise ImageReadError(f"is damaged: {error}") from None


def _run_lengths(content: bytes, needed: int) -> bytes:
    """Undo run lengths: a negative count is followed by bytes, another by one that repeats."""
    parts, position, total = [], 0, 0
    while position < len(content) - 1 and total < needed:
        (count,) = struct.unpack_from("b", content, position)
        if count < 0:
            parts.append(content[position + 1 : position + 1 - count])
            position += 1 - count
        else:
            parts.append(content[position + 1 : position + 2] * (count + 1))
            position += 2
        total += len(parts[-1])
    return b"".join(parts)


def _undone(packed: bytes) -> bytes:
    """Undo the differences of bytes, and interleave the two halves."""
    steps = np.frombuffer(packed, np.uint8).copy()
    if steps.size:
        steps[1:] -= np.uint8(128)
    values: NDArray[np.uint8] = np.cumsum(steps, dtype=np.uint8)
    half = (values.size + 1) // 2
    content = np.empty_like(values)
    content[0::2], content[1::2] = values[:half], values[half:]
    return content.tobytes()


def _done(content: bytes) -> bytes:
    """Take even and odd bytes apart, and store differences."""
    values = np.frombuffer(content, np.uint8)
    apart = np.concatenate([values[0::2], values[1::2]])
    steps = apart.copy()
    steps[1:] -= apart[:-1]
    steps[1:] += np.uint8(128)
    return steps.tobytes()


def encode(image: Image, options: WriteOptions) -> bytes:
    """Encode as 32-bit floats with ZIP; alpha is multiplied in."""
    pixels = image.pixels if image.pixels.ndim == 3 else image.pixels[:, :, np.newaxis]
    pixels = pixels.astype("<f4")
    if image.has_alpha:
        pixels[:, :, :-1] *= pixels[:, :, -1:]
    names = {1: "Y", 2: "YA", 3: "RGB", 4: "RGBA"}[image.channels]
    window = struct.pack("<iiii", 0, 0, image.width - 1, image.height - 1)
    channels = b"".join(
        name.encode() + b"\0" + struct.pack("<iIii", 2, 0, 1, 1) for name in sorted(names)
    )
    attributes = [
        ("channels", "chlist", channels + b"\0"),
        ("compression", "compression", bytes([_ZIP])),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", struct.pack("<ff", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
    ]
    head = struct.pack("<II", _MAGIC, 2) + b"".join(
        f"{name}\0{kind}\0".encode() + struct.pack("<i", len(content)) + content
        for name, kind, content in attributes
    )
    order = [names.index(name) for name in sorted(names)]
    step = _ROWS[_ZIP]
    chunks = []
    for top in range(0, image.height, step):
        plain = pixels[top : top + step].transpose(0, 2, 1)[:, order].tobytes()
        packed = zlib.compress(_done(plain))
        content = packed if len(packed) < len(plain) else plain
        chunks.append(struct.pack("<ii", top, len(content)) + content)
    position = len(head) + 1 + 8 * len(chunks)
    offsets = np.cumsum([position, *(len(chunk) for chunk in chunks[:-1])]).astype("<u8")
    return b"".join([head, b"\0", offsets.tobytes(), *chunks])
