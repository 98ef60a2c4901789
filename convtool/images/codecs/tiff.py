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
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from convtool.errors import ImageReadError
from convtool.images.codecs import inks, libtiff, tiff_encode
from convtool.images.codecs.binary import Data
from convtool.images.codecs.exif import block_of, resolution
from convtool.images.codecs.ifd import ORIENTATION, Directory, all_directories, directories
from convtool.images.codecs.premultiplied import divided
from convtool.images.codecs.ycbcr import Luma, luma_of
from convtool.images.formats import Decoded, Header
from convtool.images.image import PEAKS, Coding, Metadata, Pixels
from convtool.images.options import ReadOptions
from convtool.records import Record, replace

encode = tiff_encode.encode
encode_all = tiff_encode.encode_all

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, INKS, _YCBCR = 0, 1, 2, 3, 5, 6
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, INKS: 4, _YCBCR: 3}
STORED, JPEG = 1, 7
_LOW_BIT_FIRST = 2
DEFLATE = (8, 32946)
_WITH_PREDICTOR = (5, *DEFLATE)
_HORIZONTAL, _FLOATING = 2, 3
_MULTIPLIED_IN = 1
_ICC, _XMP, _RAW, SUBFILE, _SUB_PAGES = 34675, 700, 50706, 254, 330
_COMPRESSIONS = {
    1: "none", 2: "CCITT RLE", 3: "CCITT G3", 4: "CCITT G4", 5: "LZW", 7: "JPEG", 8: "deflate",
    32773: "PackBits", 32946: "deflate",
}  # fmt: skip
_RATIOS = {5: 2800, 32773: 64, 8: 1040, 32946: 1040}
"""How often a byte can be repeated by LZW, PackBits and deflate."""

_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_LARGEST_SMALL_TILE = 1 << 24
_TYPES = {
    (1, 1): "u1", (1, 2): "u1", (1, 4): "u1", (1, 8): "u1", (1, 16): "u2",
    (3, 16): "f2", (3, 32): "f4", (3, 64): "f8",
}  # fmt: skip
_FORMAT_NAMES = {1: "unsigned", 2: "signed", 3: "float", 4: "untyped"}


class Layout(Record):
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
    luma: Luma | None = None

    @property
    def native(self) -> np.dtype[np.generic]:
        """The samples' type in this machine's byte order."""
        return self.stored.newbyteorder("=")

    @property
    def in_pixel(self) -> int:
        """Samples a pixel within one block."""
        return 1 if self.planar else self.samples

    def rows(self, height: int) -> int:
        """How often a block has as many bytes as `row_bytes` says."""
        return height if self.luma is None else self.luma.rows(height)

    def row_bytes(self, width: int) -> int:
        """Bytes of one row of a block; with subsampled chroma, of all rows that share it."""
        if self.luma is not None:
            return self.luma.row_bytes(width)
        return (width * self.in_pixel * self.bits + 7) // 8


class Block(Record):
    """One strip or tile: where its data lie, and which pixels it holds."""

    offset: int
    length: int
    plane: int
    top: int
    left: int
    height: int
    width: int


def layout_of(first: Directory) -> Layout:
    """Return how the samples of a page are stored.

    Raises
    ------
    ImageReadError
        If they are of a kind that is not read, or the directory makes no sense.
    """
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
    if photometric not in _COLOURS or (photometric == INKS and first.value(332, 1) != 1):
        raise ImageReadError(
            f"has the colour model {photometric} (CIE L*a*b* is 8); convert it to RGB first"
        )
    if photometric == INKS and (samples != 4 or formats[0] != 1):
        raise ImageReadError("holds inks beside alpha or as floats, which is not read")
    extra = samples - _COLOURS[photometric]
    if extra not in (0, 1) or (extra and photometric == _PALETTE):
        raise ImageReadError(f"has {samples} samples a pixel, more than colour and alpha")
    compression = first.value(259, STORED)
    if compression in libtiff.WHOLE and extra:
        raise ImageReadError(
            "holds alpha compressed as JPEG, which is not read; use deflate or LZW"
        )
    if compression in libtiff.WHOLE and photometric == INKS:
        raise ImageReadError("holds inks compressed as JPEG, which is not read; use deflate or LZW")
    luma = None
    if photometric == _YCBCR and compression not in libtiff.WHOLE:
        luma = luma_of(first, bits[0], samples)
    return Layout(
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
        luma,
    )


def inspect(data: bytes) -> Header:
    """Read size, kind and what else there is from the first directory, and count the pages."""
    first, pages = directories(data)
    return replace(header_of(first), pages=pages)


def inspect_all(data: bytes) -> tuple[Header, ...]:
    """Read the headers of all pages."""
    headers = [header_of(directory) for directory in all_directories(data)]
    return tuple(replace(header, pages=len(headers)) for header in headers)


def header_of(page: Directory) -> Header:
    """Return what a page's directory says of its picture."""
    _check_not_raw(page)
    layout = layout_of(page)
    orientation = page.value(ORIENTATION, 1)
    orientation = orientation if 1 <= orientation <= 8 else 1
    channels = 3 if layout.photometric in (_PALETTE, INKS) else layout.samples
    dtype = {"u1": "uint8", "u2": "uint16", "f2": "float32", "f4": "float32", "f8": "float64"}[
        layout.stored.str[1:]
    ]
    return Header(
        layout.width,
        layout.height,
        channels,
        dtype,
        channels in (2, 4),
        orientation,
        metadata=_metadata(page, layout),
        inks=layout.photometric == INKS,
    )


def _check_not_raw(page: Directory) -> None:
    """Refuse what a camera's sensor saw, of which the first page is only a preview."""
    preview = page.value(SUBFILE, 0) & 1 and _SUB_PAGES in page.tags
    if _RAW in page.tags or preview or page.data[8:10] == b"CR":
        raise ImageReadError("is a camera's raw file; develop it to TIFF, PNG or JPEG first")


def _metadata(page: Directory, layout: Layout) -> Metadata:
    return Metadata(
        icc=page.content(_ICC),
        exif=block_of(page),
        xmp=page.content(_XMP).rstrip(b"\0"),
        resolution=resolution(page),
        coding=Coding(_COMPRESSIONS.get(layout.compression, "")),
    )


def decode(data: bytes, header: Header, options: ReadOptions) -> Decoded:
    """Decode the first page."""
    return next(decode_all(data, (header,), options, 0))


def decode_all(
    data: bytes, headers: Sequence[Header], options: ReadOptions, start: int
) -> Iterator[Decoded]:
    """Decode one page after the other."""
    for number, page in enumerate(all_directories(data)):
        if number >= start:
            yield _decoded(data, page, options)


def _decoded(data: bytes, page: Directory, options: ReadOptions) -> Decoded:
    """Read the samples of a page and make them grey or colour, with alpha if there is."""
    layout = layout_of(page)
    blocks = list(blocks_of(page, layout))
    check_places(blocks, data)
    parts = parts_of(page, layout, blocks)
    if layout.compression in libtiff.WHOLE:
        return Decoded(libtiff.decode_whole(parts, page))
    pixels = np.empty((layout.height, layout.width, layout.samples), layout.native)
    write_samples(layout, blocks, parts, pixels)
    if layout.photometric == INKS:
        return inks.to_colours(pixels, page.content(_ICC), options.cmyk)
    return as_colours(pixels, layout, page)


def check_places(blocks: Sequence[Block], data: Data) -> None:
    """Refuse a file that ends before its pixels do."""
    if any(block.offset + block.length > len(data) for block in blocks):
        raise ImageReadError("is cut off: part of its pixels lies beyond its end")


def parts_of(page: Directory, layout: Layout, blocks: Sequence[Block]) -> list[bytes]:
    """Return the bytes of strips or tiles as they are stored, the highest bit first."""
    parts = [page.data[block.offset : block.offset + block.length] for block in blocks]
    if page.value(266, 1) == _LOW_BIT_FIRST and layout.compression != JPEG:
        parts = [part.translate(_REVERSED) for part in parts]
    check_capacity(layout, blocks, parts)
    return parts


def check_capacity(layout: Layout, blocks: Sequence[Block], parts: Sequence[bytes]) -> None:
    """Refuse what is claimed to be compressed more than the method can, before room is made."""
    for block, part in zip(blocks, parts, strict=True):
        if layout.compression in libtiff.FAX:
            fits = block.height <= 8 * len(part)
        else:
            needed = layout.rows(block.height) * layout.row_bytes(block.width)
            fits = needed <= _RATIOS.get(layout.compression, needed) * (len(part) + 1)
        if not fits:
            raise ImageReadError("is cut off or damaged: a strip or tile has too few bytes")


def blocks_of(first: Directory, layout: Layout) -> Iterator[Block]:
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
    if not tiled and not lengths and layout.compression == STORED and len(offsets) == 1:
        lengths = (layout.rows(layout.height) * layout.row_bytes(width),)
    planes = layout.samples if layout.planar else 1
    tops, lefts = range(0, layout.height, height), range(0, layout.width, width)
    if min(len(offsets), len(lengths)) < planes * len(tops) * len(lefts):
        raise ImageReadError("is cut off or damaged: the list of its strips or tiles is too short")
    places = ((plane, top, left) for plane in range(planes) for top in tops for left in lefts)
    for (plane, top, left), offset, length in zip(places, offsets, lengths, strict=False):
        rows = height if tiled else min(height, layout.height - top)
        yield Block(offset, length, plane, top, left, rows, width)


def write_samples(
    layout: Layout,
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
    values: Pixels, layout: Layout, block: Block, pixels: Pixels, corner: tuple[int, int]
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
    layout: Layout, blocks: Sequence[Block], parts: Sequence[bytes]
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


def _values(content: bytes | NDArray[np.uint8], layout: Layout, block: Block) -> Pixels:
    """Make the samples of one block, shape (rows, columns, samples in a pixel)."""
    shape = (block.height, block.width, layout.in_pixel)
    raw = np.frombuffer(content, np.uint8).reshape(layout.rows(block.height), -1)
    if layout.luma is not None:
        return layout.luma.colours(raw, block.height, block.width)
    if layout.bits < 8:
        return _unpacked(raw, layout.bits, block.width)[:, :, np.newaxis]
    if layout.predictor == _FLOATING:
        return _undo_floating(raw, layout, shape)
    values: Pixels = raw.view(layout.stored).reshape(shape)
    if layout.predictor == _HORIZONTAL:
        if layout.stored.kind != "u":
            raise ImageReadError("is damaged: it has differences of floats (predictor 2)")
        native = values.astype(layout.native)
        values = np.cumsum(native, axis=1, dtype=native.dtype)
    return values


def _unpacked(raw: Pixels, bits: int, width: int) -> Pixels:
    """Take samples of 1, 2 or 4 bits apart; they stay small numbers."""
    single = np.unpackbits(raw, axis=1).reshape(raw.shape[0], -1, bits)[:, :width]
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint8)
    unpacked: Pixels = (single * weights).sum(axis=2, dtype=np.uint8)
    return unpacked


def _undo_floating(raw: Pixels, layout: Layout, shape: tuple[int, int, int]) -> Pixels:
    """Undo the floating-point predictor: byte planes, the highest first, as differences."""
    if layout.stored.kind != "f":
        raise ImageReadError("is damaged: it has the predictor of floats on integers")
    rows, columns, samples = shape
    stepped = raw.reshape(rows, -1, samples)
    summed = np.cumsum(stepped, axis=1, dtype=np.uint8)
    planes = summed.reshape(rows, layout.stored.itemsize, columns * samples)
    together = np.ascontiguousarray(planes.transpose(0, 2, 1))
    return together.view(layout.stored.newbyteorder(">")).reshape(shape)


def as_colours(pixels: Pixels, layout: Layout, first: Directory) -> Decoded:
    """Turn samples into grey or colour at full range."""
    if layout.photometric == _PALETTE:
        return Decoded(_look_up(pixels[:, :, 0], layout, first))
    if layout.bits < 8:
        pixels = pixels * np.uint8(255 // (2**layout.bits - 1))
    if pixels.dtype == np.float16:
        pixels = pixels.astype(np.float32)
    if layout.photometric == _WHITE_IS_ZERO:
        grey = pixels[:, :, 0]
        np.subtract(pixels.dtype.type(PEAKS[pixels.dtype.name]), grey, out=grey)
    notes: tuple[str, ...] = ()
    if layout.alpha_multiplied:
        pixels = divided(pixels)
        notes = ("alpha was multiplied into the colours; they were divided by it",)
    return Decoded(pixels[:, :, 0] if layout.samples == 1 else pixels, notes)


def _look_up(indices: Pixels, layout: Layout, first: Directory) -> Pixels:
    """Replace indices by the palette's colours, narrowed from its 16 bits to 8."""
    entries = first.values(320)
    fits = len(entries) == 3 * 2**layout.bits and 0 <= min(entries) <= max(entries) <= 0xFFFF
    if not fits or layout.stored.str[1:] != "u1":
        raise ImageReadError("is damaged: its palette is missing or makes no sense")
    stored = np.array(entries, np.uint16)
    shift = 8 if stored.max() > 255 else 0
    palette = (stored >> shift).astype(np.uint8).reshape(3, -1)
    return palette.T[indices]
