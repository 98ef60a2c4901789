"""From the bytes of a TIFF's strips or tiles to samples, and from samples to grey or colour."""

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from convtool.errors import ImageReadError
from convtool.images.codec import Decoded
from convtool.images.codecs import libtiff
from convtool.images.codecs.ifd import Directory
from convtool.images.codecs.premultiplied import divided
from convtool.images.codecs.tiff_layout import (
    DEFLATE,
    PALETTE,
    STORED,
    WHITE_IS_ZERO,
    Block,
    SampleLayout,
)
from convtool.images.image import PIXEL_TYPES, Pixels

_HORIZONTAL, _FLOATING = 2, 3


def write_samples(
    layout: SampleLayout,
    blocks: Sequence[Block],
    parts: Sequence[bytes],
    pixels: Pixels,
    corner: tuple[int, int] = (0, 0),
) -> None:
    """Decode blocks into an array (H, W, samples) in native byte order.

    The array may be a window, whose top left pixel is given as (row, column).
    """
    for block, content in zip(blocks, contents_of(layout, blocks, parts), strict=True):
        place(_values(content, layout, block), layout, block, pixels, corner)


def place(
    values: Pixels, layout: SampleLayout, block: Block, pixels: Pixels, corner: tuple[int, int]
) -> None:
    """Copy what a block and a window of the page have in common."""
    top, left = block.top - corner[0], block.left - corner[1]
    rows = min(block.height, layout.height - block.top, len(pixels) - top)
    columns = min(block.width, layout.width - block.left, pixels.shape[1] - left)
    planes = slice(block.plane, block.plane + layout.in_pixel)
    above, before = max(0, -top), max(0, -left)
    target = pixels[top + above : top + rows, left + before : left + columns, planes]
    target[...] = values[above:rows, before:columns]


def contents_of(
    layout: SampleLayout, blocks: Sequence[Block], parts: Sequence[bytes]
) -> Iterator[bytes | NDArray[np.uint8]]:
    """Yield the bytes of each block, decompressed."""
    sizes = [(layout.rows(block.height), layout.row_bytes(block.width)) for block in blocks]
    if layout.compression in libtiff.BY_BLOCK:
        yield from libtiff.decompress(parts, sizes, layout.compression)
        return
    if layout.compression != STORED and layout.compression not in DEFLATE:
        raise ImageReadError(
            f"has the TIFF compression {layout.compression}, which is not read; "
            "convert it to deflate or LZW"
        )
    for part, (rows, row_bytes) in zip(parts, sizes, strict=True):
        needed = rows * row_bytes
        content = part[:needed] if layout.compression == STORED else _inflate(part, needed)
        if len(content) < needed:
            raise ImageReadError("is cut off or damaged: a strip or tile is too short")
        yield content


def _inflate(part: bytes, needed: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(part, needed)
        inflater.decompress(inflater.unconsumed_tail, 1)
        return content
    except zlib.error as error:
        raise ImageReadError(f"is damaged: {error}") from None


def _values(content: bytes | NDArray[np.uint8], layout: SampleLayout, block: Block) -> Pixels:
    """Make the samples of one block, shape (rows, columns, samples in a pixel)."""
    shape = (block.height, block.width, layout.in_pixel)
    raw = np.frombuffer(content, np.uint8).reshape(layout.rows(block.height), -1)
    if layout.units is not None:
        return layout.units.colours(raw, block.height, block.width)
    if layout.bits < 8 or layout.is_packed:
        if layout.predictor != 1:
            raise ImageReadError(f"has differences of samples of {layout.bits} bits; not read")
        return _unpacked(raw, layout.bits, block.width * layout.in_pixel).reshape(shape)
    if layout.predictor == _FLOATING:
        return _undo_floating(raw, layout, shape)
    values: Pixels = raw.view(layout.stored).reshape(shape)
    if layout.predictor == _HORIZONTAL:
        own = layout.stored.newbyteorder("=")
        whole = np.dtype(f"u{own.itemsize}")  # of floats, the bits are differences
        native = values.astype(own).view(whole)
        values = np.cumsum(native, axis=1, dtype=whole).view(own)
    return values


def _unpacked(raw: Pixels, bits: int, count: int) -> Pixels:
    """Take samples of other than 8 or 16 bits apart, so many in a row; their values stay."""
    single = np.unpackbits(raw, axis=1, count=bits * count).reshape(raw.shape[0], count, bits)
    unpacked: Pixels = np.zeros((raw.shape[0], count), np.uint8 if bits < 8 else np.uint16)
    for place in range(bits):
        unpacked |= np.left_shift(single[:, :, place], bits - 1 - place, dtype=unpacked.dtype)
    return unpacked


def _undo_floating(raw: Pixels, layout: SampleLayout, shape: tuple[int, int, int]) -> Pixels:
    """Undo the floating-point predictor: byte planes, the highest first, as differences."""
    if layout.stored.kind != "f":
        raise ImageReadError("is damaged: it has the predictor of floats on integers")
    rows, columns, samples = shape
    stepped = raw.reshape(rows, -1, samples)
    summed = np.cumsum(stepped, axis=1, dtype=np.uint8)
    planes = summed.reshape(rows, layout.stored.itemsize, columns * samples)
    together = np.ascontiguousarray(planes.transpose(0, 2, 1))
    return together.view(layout.stored.newbyteorder(">")).reshape(shape)


def as_colours(pixels: Pixels, layout: SampleLayout, first: Directory) -> Decoded:
    """Turn samples into grey or colour at full range."""
    notes: list[str] = []
    if layout.photometric == PALETTE:
        colours = _look_up(pixels[:, :, 0], layout, first)
        if layout.has_alpha:
            return Decoded(np.dstack([colours, pixels[:, :, 1]]))
        extra = "samples beside the palette's index are left out"
        return Decoded(colours, (extra,) if layout.extra else ())
    if layout.luma is not None and layout.units is None:
        return Decoded(layout.luma.converted(pixels))
    if layout.bits < 8:
        largest = 2**layout.bits - 1
        if 255 % largest:
            notes.append(f"values of {layout.bits} bits were scaled to 8")
        pixels = ((pixels * np.uint16(255) + largest // 2) // largest).astype(np.uint8)
    if pixels.dtype == np.float64 and layout.stored.kind in "iu":
        notes.append("holds integers of 64 bits; beyond 9007199254740992 they are rounded")
    if layout.photometric == WHITE_IS_ZERO:
        grey = pixels[:, :, 0]
        np.subtract(pixels.dtype.type(_sum_of_ends(layout)), grey, out=grey)
    if layout.alpha_multiplied:
        pixels = divided(pixels)
        notes.append("alpha was multiplied into the colours; they were divided by it")
    return Decoded(pixels[:, :, 0] if layout.samples == 1 else pixels, tuple(notes))


def _sum_of_ends(layout: SampleLayout) -> float:
    """Return what a value and the one that it becomes add up to where white is 0."""
    kind = PIXEL_TYPES[layout.type]
    if kind.is_integer:
        return kind.peak + kind.low
    if layout.stored.kind == "f":
        return kind.peak
    return float(2**layout.bits - 1) if layout.stored.kind == "u" else -1.0


def _look_up(indices: Pixels, layout: SampleLayout, first: Directory) -> Pixels:
    """Replace indices by the palette's colours, narrowed from its 16 bits to 8."""
    entries = first.values(320)
    fits = len(entries) == 3 * 2**layout.bits and 0 <= min(entries) <= max(entries) <= 0xFFFF
    if not fits or layout.stored.str[1:] != "u1":
        raise ImageReadError("is damaged: its palette is missing or makes no sense")
    stored = np.array(entries, np.uint16)
    shift = 8 if stored.max() > 255 else 0
    palette = (stored >> shift).astype(np.uint8).reshape(3, -1)
    return palette.T[indices]
