"""The file format ``.ctsvd``, version 1: a picture as quantised singular triples.

All numbers are little-endian. A file is

===== ======= ==================================================================================
bytes type    meaning
===== ======= ==================================================================================
8     bytes   ``89 43 54 53 56 44 0d 0a``: 0x89, "CTSVD", carriage return, line feed
2     uint16  version: 1
1     uint8   pixels: 0 uint8, 1 uint16, 2 float32, 3 float64; 16 int8, 17 int16, 18 int32,
              19 uint32, 20 float16, 21 to 27 for 9 to 15 bits in uint16; and 128 more where the
              channels are bands, no colours and no alpha
1     uint8   matrices: 0 one per channel, 1 one with the channels side by side, 2 grey
1     uint8   side of the tiles: 8, 16, 32, or 0 for one tile as large as the matrix
1     uint8   channels: 0 for a picture of shape (H, W), else C of (H, W, C)
4     uint32  height of the picture
4     uint32  width of the picture
4     uint32  k: products kept, of each tile on average
8     uint64  size of the data, unpacked
8     uint64  size of the data, packed
4     uint32  CRC-32 of all bytes so far
...   bytes   the data, packed by deflate (RFC 1950)
4     uint32  CRC-32 of the packed data
===== ======= ==================================================================================

The data is the matrices' one after another. A matrix is cut into tiles from its top left corner;
smaller ones remain at its bottom and right edges. Up to four regions follow each other, each of
tiles of one size: top left, right edge, bottom edge, corner. A region is

- for each tile, row by row, uint16: its rank, the number of its products;
- for each i from 1 to the largest rank a layer: the i-th product of all T tiles whose rank is i or
  more. A layer is uint8, its code (0 8-bit, 1 float16, 2 float32), float32, its unit, T weights,
  T left vectors and T right vectors. Weights are float16, or float32 in code 2; entries of vectors
  are int8, float16 or float32. A product is unit · weight · left · rightᵀ, after entries of
  8 bits were divided by 127.

The matrix is the sum of the products of each tile.
"""

import os
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.errors import ImageReadError, ImageTooLargeError, OptionError
from convtool.images.codec import Header
from convtool.images.image import PIXEL_TYPES, PixelType
from convtool.images.limits import check_memory, memory_of
from convtool.images.options import MAX_PIXELS
from convtool.kernels.weights import FloatArray
from convtool.reading import UNPACKED, open_regular
from convtool.records import Record
from convtool.svd.approximation import Approximation, TileFactors
from convtool.svd.planes import COLORINGS
from convtool.svd.quantise import CODES, LOSS_DB, Layer, code_all
from convtool.svd.tiles import Region, regions

MAGIC = b"\x89CTSVD\r\n"
VERSION = 1
SUFFIX = ".ctsvd"
_HEADER = struct.Struct("<8sHBBBBIIIQQ")
_CRC = struct.Struct("<I")
_LAYER = struct.Struct("<Bf")
_RANK = np.dtype("<u2")
_FIRST_PIXELS = ("uint8", "uint16", "float32", "float64")
_MORE_PIXELS = ("int8", "int16", "int32", "uint32", "float16", *(f"uint{n}" for n in range(9, 16)))
_PIXELS = dict(enumerate(_FIRST_PIXELS)) | dict(enumerate(_MORE_PIXELS, 16))
_BANDS = 128
_MOST_CHANNELS = 255
_STEP, _SHARE = 0.01, 1e-7
_DEFLATE_MOST = 1100
_UNFOLDED = 256
"""Times that factors are larger than their file, where they are larger than `UNPACKED`."""
_LARGEST = float(np.finfo(np.float32).max)

BLOCKS = (8, 16, 32)
"""The sides that tiles may have."""


class Contents(Record, eq=False):
    """The content of a file: the fields of a :class:`~.compressed.Compressed`."""

    shape: tuple[int, ...]
    type: PixelType
    k: int
    color: str
    block: int | None
    parts: list[Approximation]
    has_alpha: bool
    peak: float


class _Header(Record):
    pixels: str
    bands: bool
    color: str
    block: int | None
    channels: int
    height: int
    width: int
    k: int
    raw: int
    packed: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The picture's shape."""
        flat = (self.height, self.width)
        return (*flat, self.channels) if self.channels else flat

    @property
    def matrices(self) -> list[tuple[int, int]]:
        """The shape of each matrix."""
        channels = max(1, self.channels)
        if self.color == "joint":
            return [(self.height, self.width * channels)]
        return [(self.height, self.width)] * channels

    @property
    def most(self) -> int:
        """Upper bound for the size of the unpacked data."""
        total = 0
        for rows, columns in self.matrices:
            for region in regions(rows, columns, self.block):
                each = _LAYER.size + region.count * 4 * (1 + region.height + region.width)
                total += region.count * _RANK.itemsize + min(region.rank, self.deepest) * each
        return total

    @property
    def factors(self) -> int:
        """Bytes of the factors in memory, if each tile has k products."""
        return sum(
            region.memory(min(region.rank, self.k))
            for rows, columns in self.matrices
            for region in regions(rows, columns, self.block)
        )

    @property
    def deepest(self) -> int:
        """The largest rank that a tile may have."""
        return self.block or self.k


def encode(picture: Contents, *, precision: str = "auto") -> bytes:
    """Encode a compressed picture as the bytes of a file.

    Parameters
    ----------
    picture : Contents
        The compressed picture.
    precision : str
        ``auto``, ``8bit``, ``float16`` or ``float32``.

    Raises
    ------
    OptionError
        Where there is no such precision, or the picture has more than 255 channels.
    """
    if len(picture.shape) == 3 and picture.shape[2] > _MOST_CHANNELS:
        raise OptionError(
            f"a {SUFFIX} file holds up to {_MOST_CHANNELS} channels, the picture has "
            f"{picture.shape[2]}; leave out bands first"
        )
    products, ranks = [], []
    for part in picture.parts:
        for factors in part.factors:
            ranks.append(factors.ranks)
            products.append(_products(factors))
    step = _STEP if picture.type.is_integer else _SHARE * picture.peak
    lost = sum(part.squared_error for part in picture.parts)
    size = sum(part.shape[0] * part.shape[1] for part in picture.parts)
    budget = max((10 ** (LOSS_DB / 10) - 1) * lost, step**2 * size)
    layers = code_all([one for each in products for one in each], precision, budget)
    chunks = []
    for each, rank in zip(products, ranks, strict=True):
        chunks.append(rank.astype(_RANK).tobytes())
        chunks += [_layer_bytes(layer) for layer in layers[: len(each)]]
        layers = layers[len(each) :]
    raw = b"".join(chunks)
    packed = zlib.compress(raw, 9)
    channels = 0 if len(picture.shape) == 2 else picture.shape[2]
    code = next(code for code, name in _PIXELS.items() if name == picture.type.name)
    header = _HEADER.pack(
        MAGIC,
        VERSION,
        code + _BANDS * (channels not in (0, 1, 3) and not picture.has_alpha),
        COLORINGS[picture.color].code,
        picture.block or 0,
        channels,
        picture.shape[0],
        picture.shape[1],
        picture.k,
        len(raw),
        len(packed),
    )
    return b"".join((header, _CRC.pack(zlib.crc32(header)), packed, _CRC.pack(zlib.crc32(packed))))


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS, max_memory: int | None = None) -> Contents:
    """Decode the compressed picture in the bytes of a file.

    Parameters
    ----------
    data : bytes
        The file.
    max_pixels : int
        The largest accepted picture.
    max_memory : int, optional
        The most bytes that factors and picture may take together. Unless given, the factors may
        take a GiB, or `_UNFOLDED` times the file.

    Raises
    ------
    ImageReadError
        If they are damaged, truncated, of a newer version or another format.
    ImageTooLargeError
        If the header claims more pixels than `max_pixels`, or they need more memory.
    """
    header = _header(data)
    if header.height * header.width > max_pixels:
        raise ImageTooLargeError(
            f"{header.width}×{header.height} pixels are more than the limit of {max_pixels};"
            " `max_pixels=` raises it"
        )
    begin = _HEADER.size + _CRC.size
    packed = data[begin : begin + header.packed]
    _check(len(data) >= begin + header.packed + _CRC.size, "is cut off; copy it again")
    _check(len(data) == begin + header.packed + _CRC.size, "goes on after its end; copy it again")
    _check_crc(packed, data[-_CRC.size :])
    _check(header.raw <= min(header.most, _DEFLATE_MOST * len(packed)), "claims too much data")
    needed, limit = header.raw, max(UNPACKED, _UNFOLDED * len(data))
    if max_memory is not None:
        picture = Header(header.width, header.height, max(1, header.channels), header.pixels)
        needed, limit = needed + memory_of([picture], len(data)), max_memory
    check_memory(needed + header.factors, limit)
    try:
        inflate = zlib.decompressobj()
        raw = inflate.decompress(packed, header.raw)
    except zlib.error as error:
        raise ImageReadError("is damaged: its data cannot be unpacked") from error
    _check(len(raw) == header.raw and inflate.eof, "is damaged: its data has another size")
    cursor = _Cursor(raw, needed, limit)
    parts = [_part(cursor, shape, header) for shape in header.matrices]
    _check(cursor.at_end, "is damaged: its data has another size")
    kind, has_alpha = PIXEL_TYPES[header.pixels], header.channels in (2, 4) and not header.bands
    return Contents(
        header.shape, kind, header.k, header.color, header.block, parts, has_alpha, kind.peak
    )


def is_compressed(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a ``.ctsvd`` file by its first bytes, or by its name if missing."""
    try:
        with open_regular(path, "picture") as file:
            return file.read(len(MAGIC)) == MAGIC or os.fspath(path).lower().endswith(SUFFIX)
    except OSError:
        return os.fspath(path).lower().endswith(SUFFIX)


def _header(data: bytes) -> _Header:
    _check(data[: len(MAGIC)] == MAGIC[: len(data)] and len(data) > 0, "is no .ctsvd file")
    _check(len(data) >= _HEADER.size + _CRC.size, "is cut off; copy it again")
    _, version, pixels, color, block, channels, height, width, k, raw, packed = _HEADER.unpack_from(
        data
    )
    if version > VERSION:
        raise ImageReadError(
            f"has version {version}, this convtool knows up to {VERSION}; update convtool"
        )
    _check_crc(data[: _HEADER.size], data[_HEADER.size : _HEADER.size + _CRC.size])
    colors = {coloring.code: name for name, coloring in COLORINGS.items()}
    bands, pixels = divmod(pixels, _BANDS)
    known = version == VERSION and pixels in _PIXELS and color in colors
    known = known and (channels <= 4 or bool(bands)) and block in (0, *BLOCKS)
    _check(known and height * width > 0, "has an impossible header")
    header = _Header(
        _PIXELS[pixels],
        bool(bands),
        colors[color],
        block or None,
        channels,
        height,
        width,
        k,
        raw,
        packed,
    )
    rows, columns = header.matrices[0]
    _check(1 <= k <= min(rows, columns, block or rows), "has an impossible header")
    return header


def _check(good: bool, complaint: str) -> None:
    if not good:
        raise ImageReadError(complaint)


def _check_crc(data: bytes, stored: bytes) -> None:
    _check(_CRC.unpack(stored)[0] == zlib.crc32(data), "is damaged: its checksum is wrong")


def _products(factors: TileFactors) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
    ranks = factors.ranks
    products = []
    for i in range(int(ranks.max(initial=0))):
        has = ranks > i
        products.append((factors.s[has, i], factors.left[has, i], factors.right[has, i]))
    return products


def _layer_bytes(layer: Layer) -> bytes:
    vectors = (layer.weights, layer.left, layer.right)
    return b"".join(
        (_LAYER.pack(layer.code.number, layer.unit), *(one.tobytes() for one in vectors))
    )


class _Cursor:
    """Reads arrays sequentially from bytes, and checks the memory that is needed for them."""

    def __init__(self, data: bytes, needed: int, limit: int) -> None:
        self._data, self._at = data, 0
        self._needed, self._limit = needed, limit

    @property
    def at_end(self) -> bool:
        return self._at == len(self._data)

    def take(self, dtype: np.dtype[Any], *shape: int) -> NDArray[Any]:
        count = int(np.prod(shape))
        end = self._at + count * dtype.itemsize
        _check(end <= len(self._data), "is damaged: its data ends too early")
        array = np.frombuffer(self._data, dtype, count, self._at).reshape(shape)
        self._at = end
        return array

    def allot(self, region: Region, deepest: int) -> None:
        """Check that the factors of a region fit into memory with those before."""
        self._needed += region.memory(deepest)
        check_memory(self._needed, self._limit)

    def layer(self, count: int, region: Region) -> Layer:
        number, unit = _LAYER.unpack(self.take(np.dtype("u1"), _LAYER.size).tobytes())
        code = {one.number: one for one in CODES.values()}.get(number)
        if code is None:
            raise ImageReadError("is damaged: a layer has an unknown code")
        weights = self.take(code.weight, count)
        left = self.take(code.dtype, count, region.height)
        return Layer(code, unit, weights, left, self.take(code.dtype, count, region.width))


def _part(cursor: _Cursor, shape: tuple[int, int], header: _Header) -> Approximation:
    factors = [_region(cursor, region, header) for region in regions(*shape, header.block)]
    total = sum(float((one.s**2).sum()) for one in factors)
    return Approximation(shape, factors, total, 0.0)


def _region(cursor: _Cursor, region: Region, header: _Header) -> TileFactors:
    ranks = cursor.take(_RANK, region.count).astype(np.intp)
    deepest = int(ranks.max(initial=0))
    possible = min(region.rank, header.deepest)
    _check(deepest <= possible, "is damaged: a tile has an impossible rank")
    cursor.allot(region, deepest)
    left = np.zeros((region.count, deepest, region.height), np.float32)
    right = np.zeros((region.count, deepest, region.width), np.float32)
    s = np.zeros((region.count, deepest))
    for i in range(deepest):
        has = ranks > i
        layer = cursor.layer(int(has.sum()), region)
        with np.errstate(all="ignore"):
            s[has, i], left[has, i], right[has, i] = layer.factors()
            vectors = np.isfinite(left[has, i]).all() and np.isfinite(right[has, i]).all()
        _check(bool(vectors and (s[has, i] >= 0).all()), "is damaged: it holds no finite numbers")
    _check(bool((s.sum(axis=1) < _LARGEST).all()), "is damaged: its numbers are too large")
    return TileFactors(region, left, s, right)
