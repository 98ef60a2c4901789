"""OpenEXR by its own library: half and 32-bit floats, grey or colour, with or without alpha.

Alpha is multiplied into the colours in such files; it is divided out on reading and multiplied in
on writing. Where alpha is 0, the stored colours are kept as they are.

References
----------
OpenEXR, Technical Introduction and "Reading and Writing Image Files" (openexr.com): channels,
layers, data and display window, standard attributes.
"""

import io
import os
import re
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from convtool.errors import ImageFormatError, ImageReadError
from convtool.extras import load
from convtool.images.codec import Decoded, Format, Header
from convtool.images.codecs.binary import unpack
from convtool.images.codecs.premultiplied import multiplied, undone
from convtool.images.codecs.stderr import caught, first_line
from convtool.images.image import Coding, Document, Metadata
from convtool.images.options import ReadOptions, WriteOptions
from convtool.records import Record

WINDOWS, CHROMATICITIES = "data window", "chromaticities"
"""What only such a file holds besides pixels: names of `Metadata.blocks`."""

_DEEP, _PARTS = 0x800, 0x1000
_TYPES = {0: "uint32", 1: "<f2", 2: "<f4"}
_COMPRESSIONS = dict(
    enumerate(("NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB"))
)
_WHOLE_NUMBERS = 0
_SIZES = {b"compression": 1, b"lineOrder": 1, b"envmap": 1, b"int": 4, b"float": 4, b"double": 8}
_SIZES |= {b"box2i": 16, b"box2f": 16, b"v2i": 8, b"v2f": 8, b"v3i": 12, b"v3f": 12, b"m33f": 36}
_SIZES |= {b"m44f": 64, b"m33d": 72, b"m44d": 128, b"tiledesc": 9, b"chromaticities": 32}
_SIZES |= {b"rational": 8, b"timecode": 8, b"keycode": 28, b"v2d": 16, b"v3d": 24}
"""Bytes of attributes by their types: the library reads these whatever the file says."""

_LONGEST_NAME = 256
_CHANNEL = 16
"""Bytes of a channel behind its name."""

_LARGEST_COORDINATE = 1 << 30
_COLOURS = (("R", "G", "B"), ("Y",))
_STRUCTURE = frozenset(
    {
        *("channels", "chunkCount", "compression", "dataWindow", "displayWindow", "lineOrder"),
        *("dwaCompressionLevel", "maxSamplesPerPixel", "name", "pixelAspectRatio", "preview"),
        *("screenWindowCenter", "screenWindowWidth", "tiles", "type", "version", "view"),
        *("xDensity", "zipCompressionLevel"),
    }
)
"""Attributes that say how pixels are stored or shown, or that the library writes itself."""

_WHERE = re.compile(r'^.*?\(EXR_ERR_\w+\) |^.*?image file ".*?"\.? *|\'?<[^>]*>\'? ?')


class _Layout(Record):
    """What the header says."""

    width: int
    height: int
    """Of the data window."""
    names: tuple[str, ...]
    """The channels to read, in the order that pixels have them."""
    types: tuple[int, ...]
    """The type of each: 1 is half, 2 is float."""
    has_alpha: bool
    """Whether the last one is alpha."""
    metadata: Metadata
    """What else is kept."""
    notes: tuple[str, ...]
    """What is not."""


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    """Open a file's first part; what the library raises or prints becomes one error."""
    _check_kind(data)
    OpenEXR = load("exr", "OpenEXR")

    reason = ""
    with caught() as printed:
        try:
            yield OpenEXR.InputFile(io.BytesIO(data))
        except (OSError, RuntimeError, TypeError, ValueError, OverflowError) as error:
            reason = _plain(str(error)) or "it cannot be decoded"
    if reason or printed.text:
        raise ImageReadError(f"is cut off or damaged: {_plain(printed.text) or reason}")


def _plain(text: str) -> str:
    """Return the first line of a message without the places in code and memory that it names."""
    said = _WHERE.sub("", first_line(text)).strip()
    return "its header makes no sense" if said.startswith("Unable to open") else said


def _check_kind(data: bytes) -> None:
    _, version = unpack("<II", data, 0)
    if version & 0xFF != 2:
        raise ImageReadError(f"is an OpenEXR file of version {version & 0xFF}, which is not read")
    if version & _DEEP:
        raise ImageReadError("has deep pixels, which are not read; flatten them first")
    position = 8
    while data[position : position + 1] not in (b"\0", b""):
        name, position = _name(data, position)
        kind, position = _name(data, position)
        (size,) = unpack("<I", data, position)
        if size != _SIZES.get(kind, size):
            raise ImageReadError("is cut off or damaged: its header makes no sense")
        position += 4 + size
        inside = position - size if name == b"channels" else position
        while inside < position - 1:
            _, inside = _name(data, inside)
            inside += _CHANNEL


def _name(data: bytes, position: int) -> tuple[bytes, int]:
    """Return a name in the header and where it ends; the library dies of some that are no text."""
    end = data.find(b"\0", position, position + _LONGEST_NAME)
    name = data[position:end]
    if end < 0 or not name.isascii():
        raise ImageReadError("is cut off or damaged: its header makes no sense")
    return name, end + 1


def _layout(data: bytes) -> _Layout:
    with _opened(data) as file:
        header = file.header()
    window = _corners(header["dataWindow"])
    width, height = window[2] - window[0] + 1, window[3] - window[1] + 1
    channels = {
        name: (channel.type.v, (channel.xSampling, channel.ySampling))
        for name, channel in header["channels"].items()
    }
    names, has_alpha = _chosen(tuple(channels))
    for name in names:
        kind, sampling = channels[name]
        if kind == _WHOLE_NUMBERS or sampling != (1, 1):
            raise ImageReadError(
                f"has the channel '{name}' as whole numbers or subsampled, which is not read"
            )
    types = tuple(channels[name][0] for name in names)
    notes = list(_notes(header, names, tuple(channels)))
    if unpack("<I", data, 4)[0] & _PARTS:
        notes.append("may hold several parts; only the first is read")
    return _Layout(width, height, names, types, has_alpha, _metadata(header), tuple(notes))


def _corners(box: Any) -> tuple[int, int, int, int]:
    return box.min.x, box.min.y, box.max.x, box.max.y


def _chosen(names: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Return the channels that make a picture, alpha last, and whether there is alpha."""
    pictures = []
    for layer in sorted({name.rpartition(".")[0] for name in names}):
        start = f"{layer}." if layer else ""
        sets = [tuple(start + one for one in colours) for colours in _COLOURS]
        pictures += [(start, found) for found in sets if set(found) <= set(names)][:1]
    if not pictures and len(names) == 1:
        return names, False
    if not pictures or (pictures[0][0] and len(pictures) > 1):
        raise ImageReadError(
            f"has the channels {', '.join(names)[:80]}; "
            "Y or R, G, B of one layer, with or without A, are read"
        )
    start, colours = pictures[0]
    if len(colours) == 1 and f"{start}RY" in names:
        raise ImageReadError("stores luminance and chroma, which is not read; convert it to RGB")
    alpha = f"{start}A"
    return ((*colours, alpha), True) if alpha in names else (colours, False)


def _notes(
    header: dict[str, Any], chosen: tuple[str, ...], names: tuple[str, ...]
) -> Iterator[str]:
    """Yield remarks on channels and attributes that are left out."""
    if left := [name for name in names if name not in chosen]:
        yield f"its other channels are left out: {', '.join(left)[:120]}"
    if chosen[0] not in ("R", "Y"):
        yield f"the picture is made of its channels {', '.join(chosen)}"
    known = {name for name, value in header.items() if isinstance(value, bytes)}
    if left := sorted(header.keys() - _STRUCTURE - known - {CHROMATICITIES}):
        yield f"its attributes are left out: {', '.join(left)[:120]}"


def _metadata(header: dict[str, Any]) -> Metadata:
    data, display = _corners(header["dataWindow"]), _corners(header["displayWindow"])
    blocks = []
    if data[:2] != (0, 0) or data != display:
        blocks.append((WINDOWS, struct.pack("<8i", *data, *display)))
    if CHROMATICITIES in header:
        known = header[CHROMATICITIES]
        points = [known.red, known.green, known.blue, known.white]
        blocks.append(
            (CHROMATICITIES, struct.pack("<8f", *(v for p in points for v in (p.x, p.y))))
        )
    across, aspect = header.get("xDensity", 0.0), header["pixelAspectRatio"]
    texts = [
        (name, value.decode("utf-8", "replace"))
        for name, value in header.items()
        if isinstance(value, bytes) and name not in _STRUCTURE
    ]
    return Metadata(
        resolution=(across, across * aspect) if across > 0 and aspect > 0 else None,
        text=tuple(texts),
        blocks=tuple(blocks),
        coding=Coding(_COMPRESSIONS.get(header["compression"].v, "")),
    )


def inspect(entry: Format, data: bytes) -> tuple[Header, ...]:
    """Read size, channels and attributes."""
    layout = _layout(data)
    header = Header(
        layout.width,
        layout.height,
        len(layout.names),
        "float32",
        layout.has_alpha,
        metadata=layout.metadata,
        notes=layout.notes,
    )
    return (header,)


def decode(
    entry: Format, data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
) -> list[Decoded]:
    """Read the values; halves become 32-bit floats, and alpha is divided out."""
    layout, (header,) = _layout(data), headers
    with _opened(data) as file:
        stored = file.channels(list(layout.names))
    planes = [
        np.frombuffer(content, _TYPES[kind]).reshape(layout.height, layout.width)
        for content, kind in zip(stored, layout.types, strict=True)
    ]
    pixels = np.stack(planes, axis=-1).astype(np.float32, copy=False)
    if not layout.has_alpha:
        return [Decoded(pixels[:, :, 0] if header.channels == 1 else pixels)]
    straight, rounding = undone(pixels)
    note = "alpha was multiplied into the colours; they were divided by it"
    coding = Coding(header.metadata.coding.compression, rounding=rounding)
    return [Decoded(straight, (note,), coding)]


def unfit(metadata: Metadata, width: int, height: int) -> tuple[str, ...]:
    """Name the blocks that do not go with pixels of another size."""
    windows = dict(metadata.blocks).get(WINDOWS)
    if windows is None:
        return ()
    left, top, right, bottom = struct.unpack_from("<4i", windows)
    return () if (right - left + 1, bottom - top + 1) == (width, height) else (WINDOWS,)


def encode(entry: Format, document: Document, options: WriteOptions) -> bytes:
    """Encode as 32-bit floats with ZIP; alpha is multiplied in."""
    OpenEXR = load("exr", "OpenEXR")

    (image,) = document.pages
    pixels = image.pixels if image.pixels.ndim == 3 else image.pixels[:, :, np.newaxis]
    pixels = pixels.astype(np.float32)
    if image.has_alpha:
        pixels = multiplied(pixels, image.metadata.coding.rounding)
    names = {1: "Y", 2: "YA", 3: "RGB", 4: "RGBA"}[image.channels]
    channels = {name: np.ascontiguousarray(pixels[:, :, n]) for n, name in enumerate(names)}
    header = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        **_attributes(image.metadata),
    }
    with tempfile.TemporaryDirectory() as folder, caught():
        path = os.path.join(folder, "picture.exr")
        try:
            OpenEXR.File(header, channels).write(path)
            with open(path, "rb") as file:
                return file.read()
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            raise ImageFormatError(f"cannot be encoded: {_plain(str(error))}") from None


def _attributes(metadata: Metadata) -> dict[str, Any]:
    """Return the header's attributes that carry metadata."""
    found: dict[str, Any] = {name: text for name, text in metadata.text if name not in _STRUCTURE}
    blocks = dict(metadata.blocks)
    if WINDOWS in blocks:
        corners = np.frombuffer(blocks[WINDOWS], "<i4").astype(np.int32).reshape(4, 2)
        found["dataWindow"] = (corners[0], corners[1])
        found["displayWindow"] = (corners[2], corners[3])
    if CHROMATICITIES in blocks:
        found[CHROMATICITIES] = struct.unpack("<8f", blocks[CHROMATICITIES])
    if metadata.resolution is not None:
        across, down = metadata.resolution
        found["xDensity"], found["pixelAspectRatio"] = float(across), float(down / across)
    return found
