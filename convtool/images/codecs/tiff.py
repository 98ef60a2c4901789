"""TIFF: the files' own samples, 8 and 16 bits and floats, with alpha that is not multiplied in.

Decoders built on libtiff's RGBA interface multiply alpha in, turn by the orientation tag, or narrow
to 8 bits. So the samples are read here; libtiff, through OpenCV, only undoes the compressions that
Python has no module for.

References
----------
TIFF 6.0: sections 4 to 8 (bilevel to RGB), 14 (predictor), 15 (tiles), 18 (extra samples), 19
(sample formats). TIFF Technical Note 3: the floating-point predictor.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convtool.errors import ImageReadError
from convtool.images.codecs import libtiff, tiff_encode
from convtool.images.codecs.ifd import ORIENTATION, Directory, directories
from convtool.images.formats import Decoded, Header
from convtool.images.image import PEAKS, Pixels

encode = tiff_encode.encode

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _YCBCR: 3}
_STORED = 1
_DEFLATE = (8, 32946)
_WITH_PREDICTOR = (5, *_DEFLATE)
_HORIZONTAL, _FLOATING = 2, 3
_MULTIPLIED_IN = 1
_LARGEST_SMALL_TILE = 1 << 24
_TYPES = {
    (1, 1): "u1", (1, 2): "u1", (1, 4): "u1", (1, 8): "u1", (1, 16): "u2",
    (3, 16): "f2", (3, 32): "f4", (3, 64): "f8",
}  # fmt: skip
_FORMAT_NAMES = {1: "unsigned", 2: "signed", 3: "float", 4: "untyped"}


@dataclass(frozen=True)
class _Layout:
    """How the samples are stored."""

    width: int
    height: int
    samples: int
    bits: int
    stored: np.dtype[np.generic]
    compression: int
    photometric: int
    predictor: int
    planar: bool
    alpha_multiplied: bool

    @property
    def in_pixel(self) -> int:
        """Samples a pixel within one block."""
        return 1 if self.planar else self.samples

    def row_bytes(self, width: int) -> int:
        """Bytes of one row of a block."""
        return (width * self.in_pixel * self.bits + 7) // 8


@dataclass(frozen=True)
class _Block:
    """One strip or tile: where its data lie, and which pixels it holds."""

    offset: int
    length: int
    plane: int
    top: int
    left: int
    height: int
    width: int


def _layout(first: Directory) -> _Layout:
    width, height = first.value(256), first.value(257)
    samples = first.value(277, 1)
    bits, formats = first.values(258, (1,)), first.values(339, (1,))
    photometric = first.value(262, _BLACK_IS_ZERO)
    if not width * height or not 1 <= samples <= 65535:
        raise ImageReadError(f"is damaged: {width}×{height} pixels of {samples} samples")
    if len(set(bits)) > 1 or len(set(formats)) > 1:
        raise ImageReadError("has samples of different kinds in one pixel, which is not read")
    kind = _TYPES.get((formats[0], bits[0]))
    if kind is None or (bits[0] < 8 and samples > 1):
        name = _FORMAT_NAMES.get(formats[0], "unknown")
        raise ImageReadError(
            f"has {name} samples of {bits[0]} bits, which are not read; "
            "convert it to 8 or 16 bits unsigned or to float"
        )
    if photometric not in _COLOURS:
        raise ImageReadError(
            f"has the colour model {photometric} (CMYK is 5, CIE L*a*b* 8); convert it to RGB first"
        )
    extra = samples - _COLOURS[photometric]
    if extra not in (0, 1) or (extra and photometric == _PALETTE):
        raise ImageReadError(f"has {samples} samples a pixel, more than colour and alpha")
    compression = first.value(259, _STORED)
    if compression in libtiff.WHOLE and extra:
        raise ImageReadError(
            "holds alpha compressed as JPEG, which is not read; use deflate or LZW"
        )
    return _Layout(
        width,
        height,
        samples,
        bits[0],
        np.dtype(first.order + kind),
        compression,
        photometric,
        first.value(317, 1) if compression in _WITH_PREDICTOR else 1,
        first.value(284, 1) == 2 and samples > 1,
        bool(extra) and first.value(338, 0) == _MULTIPLIED_IN,
    )


def inspect(data: bytes) -> Header:
    """Read size, kind and orientation from the first directory, and count the pages."""
    first, pages = directories(data)
    layout = _layout(first)
    orientation = first.value(ORIENTATION, 1)
    orientation = orientation if 1 <= orientation <= 8 else 1
    channels = 3 if layout.photometric == _PALETTE else layout.samples
    dtype = {"u1": "uint8", "u2": "uint16", "f2": "float32", "f4": "float32", "f8": "float64"}[
        layout.stored.str[1:]
    ]
    has_alpha = channels in (2, 4)
    return Header(layout.width, layout.height, channels, dtype, has_alpha, orientation, pages)


def decode(data: bytes, header: Header) -> Decoded:
    """Read the samples of the first page and make them grey or colour, with alpha if there is."""
    first, _ = directories(data)
    layout = _layout(first)
    blocks = list(_blocks(first, layout))
    for block in blocks:
        if block.offset + block.length > len(data):
            raise ImageReadError("is cut off: part of its pixels lies beyond its end")
    if layout.compression in libtiff.WHOLE:
        parts = [data[block.offset : block.offset + block.length] for block in blocks]
        return Decoded(libtiff.decode_whole(parts, first))
    pixels = _samples(data, first, layout, blocks)
    return _meaning(pixels, layout, first)


def _blocks(first: Directory, layout: _Layout) -> Iterator[_Block]:
    """List the strips or tiles, in the order of their offsets in the directory."""
    tiled = 322 in first.tags
    if tiled:
        width, height = first.value(322), first.value(323)
        offsets, lengths = first.values(324), first.values(325)
    else:
        width, height = layout.width, min(first.value(278, layout.height), layout.height)
        offsets, lengths = first.values(273), first.values(279)
    if not 0 < width * height <= max(_LARGEST_SMALL_TILE, 4 * layout.width * layout.height):
        raise ImageReadError(f"is damaged: its strips or tiles have {width}×{height} pixels")
    if not tiled and not lengths and layout.compression == _STORED and len(offsets) == 1:
        lengths = (layout.height * layout.row_bytes(width),)
    planes = layout.samples if layout.planar else 1
    tops, lefts = range(0, layout.height, height), range(0, layout.width, width)
    if min(len(offsets), len(lengths)) < planes * len(tops) * len(lefts):
        raise ImageReadError("is cut off or damaged: the list of its strips or tiles is too short")
    places = ((plane, top, left) for plane in range(planes) for top in tops for left in lefts)
    for (plane, top, left), offset, length in zip(places, offsets, lengths, strict=False):
        rows = height if tiled else min(height, layout.height - top)
        yield _Block(offset, length, plane, top, left, rows, width)


def _samples(data: bytes, first: Directory, layout: _Layout, blocks: list[_Block]) -> Pixels:
    """Read all blocks into one array (H, W, samples) in native byte order."""
    native = layout.stored.newbyteorder("=")
    pixels = np.empty((layout.height, layout.width, layout.samples), native)
    for block, content in zip(blocks, _contents(data, first, layout, blocks), strict=True):
        values = _values(content, layout, block)
        rows = min(block.height, layout.height - block.top)
        columns = min(block.width, layout.width - block.left)
        planes = slice(block.plane, block.plane + layout.in_pixel)
        target = pixels[block.top : block.top + rows, block.left : block.left + columns, planes]
        target[...] = values[:rows, :columns]
    return pixels


def _contents(
    data: bytes, first: Directory, layout: _Layout, blocks: list[_Block]
) -> Iterator[bytes | NDArray[np.uint8]]:
    """Yield the bytes of each block, decompressed."""
    if first.value(266, 1) != 1:
        raise ImageReadError("has its bits in reverse order (FillOrder 2), which is not read")
    if layout.compression in libtiff.BY_BLOCK:
        sizes = [(block.height, layout.row_bytes(block.width)) for block in blocks]
        parts = [data[block.offset : block.offset + block.length] for block in blocks]
        yield from libtiff.decompress(parts, sizes, layout.compression)
        return
    if layout.compression != _STORED and layout.compression not in _DEFLATE:
        raise ImageReadError(
            f"has the TIFF compression {layout.compression}, which is not read; "
            "convert it to deflate or LZW"
        )
    view = memoryview(data)
    for block in blocks:
        part = view[block.offset : block.offset + block.length]
        needed = block.height * layout.row_bytes(block.width)
        content = bytes(part[:needed]) if layout.compression == _STORED else _inflate(part, needed)
        if len(content) < needed:
            raise ImageReadError("is cut off or damaged: a strip or tile is too short")
        yield content


def _inflate(part: memoryview, needed: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(part, needed)
        inflater.decompress(inflater.unconsumed_tail, 1)
        return content
    except zlib.error as error:
        raise ImageReadError(f"is damaged: {error}") from None


def _values(content: bytes | NDArray[np.uint8], layout: _Layout, block: _Block) -> Pixels:
    """Make the samples of one block, shape (rows, columns, samples in a pixel)."""
    shape = (block.height, block.width, layout.in_pixel)
    raw = np.frombuffer(content, np.uint8).reshape(block.height, -1)
    if layout.bits < 8:
        return _unpacked(raw, layout.bits, block.width)[:, :, np.newaxis]
    if layout.predictor == _FLOATING:
        return _undo_floating(raw, layout, shape)
    values: Pixels = raw.view(layout.stored).reshape(shape)
    if layout.predictor == _HORIZONTAL:
        if layout.stored.kind != "u":
            raise ImageReadError("is damaged: it has differences of floats (predictor 2)")
        native = values.astype(layout.stored.newbyteorder("="))
        values = np.cumsum(native, axis=1, dtype=native.dtype)
    return values


def _unpacked(raw: Pixels, bits: int, width: int) -> Pixels:
    """Take samples of 1, 2 or 4 bits apart; they stay small numbers."""
    single = np.unpackbits(raw, axis=1).reshape(raw.shape[0], -1, bits)[:, :width]
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint8)
    unpacked: Pixels = (single * weights).sum(axis=2, dtype=np.uint8)
    return unpacked


def _undo_floating(raw: Pixels, layout: _Layout, shape: tuple[int, int, int]) -> Pixels:
    """Undo the floating-point predictor: byte planes, the highest first, as differences."""
    if layout.stored.kind != "f":
        raise ImageReadError("is damaged: it has the predictor of floats on integers")
    rows, columns, samples = shape
    stepped = raw.reshape(rows, -1, samples)
    summed = np.cumsum(stepped, axis=1, dtype=np.uint8)
    planes = summed.reshape(rows, layout.stored.itemsize, columns * samples)
    together = np.ascontiguousarray(planes.transpose(0, 2, 1))
    return together.view(layout.stored.newbyteorder(">")).reshape(shape)


def _meaning(pixels: Pixels, layout: _Layout, first: Directory) -> Decoded:
    """Turn samples into grey or colour at full range."""
    if layout.photometric == _PALETTE:
        return Decoded(_look_up(pixels[:, :, 0], layout, first))
    if layout.photometric == _YCBCR:
        raise ImageReadError("stores luma and chroma without JPEG, which is not read; use RGB")
    if layout.bits < 8:
        pixels = pixels * np.uint8(255 // (2**layout.bits - 1))
    if pixels.dtype == np.float16:
        pixels = pixels.astype(np.float32)
    if layout.photometric == _WHITE_IS_ZERO:
        grey = pixels[:, :, 0]
        np.subtract(pixels.dtype.type(PEAKS[pixels.dtype.name]), grey, out=grey)
    notes: tuple[str, ...] = ()
    if layout.alpha_multiplied:
        pixels = _divide_by_alpha(pixels)
        notes = ("alpha was multiplied into the colours; they were divided by it",)
    return Decoded(pixels[:, :, 0] if layout.samples == 1 else pixels, notes)


def _look_up(indices: Pixels, layout: _Layout, first: Directory) -> Pixels:
    """Replace indices by the palette's colours, narrowed from its 16 bits to 8."""
    stored = np.array(first.values(320), np.uint16)
    if stored.size != 3 * 2**layout.bits or layout.stored.str[1:] != "u1":
        raise ImageReadError("is damaged: its palette is missing or makes no sense")
    shift = 8 if stored.max() > 255 else 0
    palette = (stored >> shift).astype(np.uint8).reshape(3, -1)
    return palette.T[indices]


def _divide_by_alpha(pixels: Pixels) -> Pixels:
    peak = PEAKS[pixels.dtype.name]
    alpha = pixels[:, :, -1:].astype(np.float64)
    colours = np.zeros((*pixels.shape[:2], pixels.shape[2] - 1))
    np.divide(pixels[:, :, :-1] * peak, alpha, out=colours, where=alpha > 0)
    if pixels.dtype.kind == "u":
        colours = np.clip(np.rint(colours), 0, peak)
    return np.concatenate([colours.astype(pixels.dtype), pixels[:, :, -1:]], axis=2)
