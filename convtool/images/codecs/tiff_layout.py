"""How a TIFF stores the samples of a page: their types, and the strips or tiles they lie in."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from convtool.errors import ImageReadError
from convtool.images.codecs import lab, libtiff
from convtool.images.codecs.binary import Data
from convtool.images.codecs.ifd import Directory
from convtool.images.codecs.ycbcr import Luma, luma_of
from convtool.records import Record

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
_COLOURS = {
    WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3,
    lab.CIE: 3, lab.ICC: 3,
}  # fmt: skip
"""The colour models that are read, and how many samples each has."""

STORED, OLD_JPEG, JPEG = 1, 6, 7
_LOW_BIT_FIRST = 2
DEFLATE = (8, 32946)
OWN = (STORED, *DEFLATE, *libtiff.BY_BLOCK)
"""Compressions that are undone block by block without further libraries."""

_WITH_PREDICTOR = (5, *DEFLATE)
_MULTIPLIED_IN, _ALPHA = 1, 2
_RATIOS = {5: 2800, 32773: 64, 8: 1040, 32946: 1040}
"""How often a byte can be repeated by LZW, PackBits and deflate."""

_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_LARGEST_SMALL_TILE = 1 << 24
_PACKED = range(9, 16)
_UNSIGNED, _UNTYPED = 1, 4
_TYPES = {
    **{(1, bits): "u1" for bits in range(1, 9)}, **{(1, bits): "u2" for bits in _PACKED},
    (1, 16): "u2", (1, 32): "u4", (1, 64): "u8", (2, 8): "i1", (2, 16): "i2", (2, 32): "i4",
    (2, 64): "i8", (3, 16): "f2", (3, 32): "f4", (3, 64): "f8",
}  # fmt: skip
"""The NumPy types by sample format and bits."""

_FORMAT_NAMES = {1: "unsigned", 2: "signed", 3: "float", 5: "complex", 6: "complex"}


class SampleLayout(Record):
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
    extra: tuple[int, ...] = ()
    luma: Luma | None = None

    @property
    def native(self) -> np.dtype[np.generic]:
        """The type of an array of samples: float64 for integers of 64 bits."""
        is_long = self.stored.kind in "iu" and self.stored.itemsize == 8
        return np.dtype(np.float64) if is_long else self.stored.newbyteorder("=")

    @property
    def has_alpha(self) -> bool:
        """Whether the last sample is alpha: the only one beside colour, and said to be alpha."""
        return len(self.extra) == 1 and self.extra[0] in (_MULTIPLIED_IN, _ALPHA)

    @property
    def alpha_multiplied(self) -> bool:
        """Whether the colours are multiplied by alpha."""
        return self.extra == (_MULTIPLIED_IN,)

    @property
    def needs_library(self) -> bool:
        """Whether tifffile has to decode the page."""
        beyond = self.extra or self.photometric == CMYK or self.bits > 8
        return self.compression not in (OWN if beyond else (*OWN, *libtiff.WHOLE))

    @property
    def is_packed(self) -> bool:
        """Whether samples of 9 to 15 bits cross bytes."""
        return self.bits in _PACKED

    @property
    def type(self) -> str:
        """The name of the pixels' type."""
        if self.bits < 8 or self.photometric in (PALETTE, CMYK):
            return "uint8" if self.bits <= 8 else "uint16"
        return f"uint{self.bits}" if self.is_packed else self.native.name

    @property
    def units(self) -> Luma | None:
        """How luma and subsampled chroma lie together; None where each pixel has its own."""
        return self.luma if self.luma is not None and self.luma.is_subsampled else None

    @property
    def in_pixel(self) -> int:
        """Samples a pixel within one block."""
        return 1 if self.planar else self.samples

    def rows(self, height: int) -> int:
        """How often a block has as many bytes as `row_bytes` says."""
        return height if self.units is None else self.units.rows(height)

    def row_bytes(self, width: int) -> int:
        """Bytes of one row of a block; with subsampled chroma, of all rows that share it."""
        if self.units is not None:
            return self.units.row_bytes(width)
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


def layout_of(first: Directory) -> SampleLayout:
    """Return how the samples of a page are stored.

    Raises
    ------
    ImageReadError
        If they are of a kind that is not read, or the directory makes no sense.
    """
    width, height = first.value(256), first.value(257)
    photometric, bits = first.value(262, BLACK_IS_ZERO), first.values(258, (1,))
    samples = first.value(277, len(bits) if photometric in (RGB, YCBCR) else 1)
    bits, formats = bits[:samples], first.values(339, (1,))[:samples]
    if not width * height or not 1 <= samples <= 65535:
        raise ImageReadError(f"is damaged: {width}×{height} pixels of {samples} samples")
    if len(set(bits)) > 1 or len(set(formats)) > 1:
        raise ImageReadError("has samples of different kinds in one pixel, which is not read")
    form = _UNSIGNED if formats[0] == _UNTYPED else formats[0]
    kind = _TYPES.get((form, bits[0]))
    if kind is None:
        name = _FORMAT_NAMES.get(form, "unknown")
        raise ImageReadError(
            f"has {name} samples of {bits[0]} bits, which are not read; "
            "convert it to 8 or 16 bits, or to floats"
        )
    if photometric not in _COLOURS or (photometric == CMYK and first.value(332, 1) != 1):
        raise ImageReadError(
            f"has the colour model {photometric}, which is not read; convert it to RGB first"
        )
    if photometric == CMYK and (samples != 4 or formats[0] != 1):
        raise ImageReadError("holds CMYK with alpha or as floats, which is not read")
    extra = samples - _COLOURS[photometric]
    if extra < 0:
        raise ImageReadError(f"has {samples} samples a pixel, which its colour model has not")
    compression = first.value(259, STORED)
    luma = None
    if photometric == YCBCR and compression in OWN:
        luma = luma_of(first, bits[0], samples)
    return SampleLayout(
        width,
        height,
        samples,
        bits[0],
        np.dtype(first.order + kind),
        compression,
        photometric,
        first.value(317, 1) if compression in _WITH_PREDICTOR else 1,
        first.value(284, 1) == 2 and samples > 1,
        (*first.values(338), *[0] * extra)[:extra],
        luma,
    )


def check_places(blocks: Sequence[Block], data: Data) -> None:
    """Refuse a file that ends before its pixels do."""
    if any(block.offset + block.length > len(data) for block in blocks):
        raise ImageReadError("is cut off: part of its pixels lies beyond its end")


def parts_of(page: Directory, layout: SampleLayout, blocks: Sequence[Block]) -> list[bytes]:
    """Return the bytes of strips or tiles as they are stored, the highest bit first."""
    parts = [page.data[block.offset : block.offset + block.length] for block in blocks]
    if page.value(266, 1) == _LOW_BIT_FIRST and layout.compression != JPEG:
        parts = [part.translate(_REVERSED) for part in parts]
    check_capacity(layout, blocks, parts)
    return parts


def check_capacity(layout: SampleLayout, blocks: Sequence[Block], parts: Sequence[bytes]) -> None:
    """Refuse what is claimed to be compressed more than the method can, before room is made."""
    for block, part in zip(blocks, parts, strict=True):
        if layout.compression in libtiff.FAX:
            fits = block.height <= 8 * len(part)
        else:
            needed = layout.rows(block.height) * layout.row_bytes(block.width)
            fits = needed <= _RATIOS.get(layout.compression, needed) * (len(part) + 1)
        if not fits:
            raise ImageReadError("is cut off or damaged: a strip or tile has too few bytes")


def blocks_of(first: Directory, layout: SampleLayout) -> Iterator[Block]:
    """List the strips or tiles, in the order of their offsets in the directory."""
    tiled = 322 in first.tags
    if tiled:
        width, height = first.value(322), first.value(323)
        offsets = first.values(324) or first.values(273)  # some list tiles as strips
        lengths = first.values(325) or first.values(279)
    else:
        width, height = layout.width, min(first.value(278, layout.height), layout.height)
        offsets, lengths = first.values(273), first.values(279)
    if not 0 < width * height <= max(_LARGEST_SMALL_TILE, 4 * layout.width * layout.height):
        raise ImageReadError(f"is damaged: its strips or tiles have {width}×{height} pixels")
    if not tiled and not lengths and layout.compression == STORED and len(offsets) == 1:
        lengths = (layout.rows(layout.height) * layout.row_bytes(width),)
    planes = layout.samples if layout.planar else 1
    if offsets and not any(lengths):
        lengths = _lengths_between(offsets, len(first.data))
    tops, lefts = range(0, layout.height, height), range(0, layout.width, width)
    if min(len(offsets), len(lengths)) < planes * len(tops) * len(lefts):
        raise ImageReadError("is cut off or damaged: the list of its strips or tiles is too short")
    places = ((plane, top, left) for plane in range(planes) for top in tops for left in lefts)
    for (plane, top, left), offset, length in zip(places, offsets, lengths, strict=False):
        rows = height if tiled else min(height, layout.height - top)
        most = layout.rows(rows) * layout.row_bytes(width)
        size = min(length, most) if layout.compression == STORED else length  # some claim more
        yield Block(offset + first.shift, size, plane, top, left, rows, width)


def _lengths_between(offsets: Sequence[int], end: int) -> tuple[int, ...]:
    """Return the bytes from each offset to the next one, or to the end of the file."""
    following = dict(pairwise(sorted({*offsets, end})))
    return tuple(following.get(offset, offset) - offset for offset in offsets)
