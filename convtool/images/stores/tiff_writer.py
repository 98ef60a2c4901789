"""A tiled BigTIFF, written from the top to the bottom while it is made.

tifffile takes tiles one after the other; it runs in a thread of its own, which compresses and
writes while the next rows are computed. The file is put in its place when it is complete.
"""

import math
import os
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from convtool.errors import ImageWriteError
from convtool.extras import load
from convtool.files import Replacement
from convtool.images.codecs.binary import FileBytes
from convtool.images.codecs.exif import serialised
from convtool.images.codecs.ifd import ORIENTATION, Entry, all_directories
from convtool.images.codecs.tiff_tags import (
    EXTRA_SAMPLES,
    PHOTOMETRIC,
    PREDICTOR,
    descriptive_tags,
    extra_of,
    order_of,
    sample_tags,
)
from convtool.images.image import Pixels
from convtool.images.paths import shown
from convtool.images.stores.background_writer import BackgroundWriter
from convtool.images.stores.halving import Halver, levels_of
from convtool.images.stores.picture import Strips, Wanted
from convtool.images.write import cannot_be_written, place

TILE = 512
"""Height and width of tiles where the input has none that a TIFF can have."""

LEAST_TILE = 128
MOST_BYTES = 1 << 24
"""Tiles of this side at least; larger where a row of them has no more bytes than these."""

COMPRESSIONS = {
    "none": None,
    "deflate": "zlib",
    "lzw": "lzw",
    "packbits": "packbits",
    "lzma": "lzma",
    "zstd": "zstd",
}
"""Compressions that lose nothing, by our word for them, and tifffile's words; others become
deflate."""

_PREDICTED = {"deflate", "lzw", "zstd", "lzma"}
_LEVEL = {"deflate": {"level": 1}}
_REDUCED = 1
_BEFORE_VALUE = 12
"""Bytes of a BigTIFF's entry that come before its value; the first are its number."""

_FEW_BYTES = 1 << 22


class TiffWriter:
    """Writes a picture as a tiled BigTIFF.

    Parameters
    ----------
    path : str
        The file.
    wanted : Wanted
        The picture.
    workers : int
        How many threads compress.

    Raises
    ------
    ImageWriteError
        If the file cannot be made; from each method, if that fails.
    """

    def __init__(self, path: str, wanted: Wanted, workers: int) -> None:
        self._path, self._wanted, self._workers = path, wanted, workers
        self._tifffile = load("big", "tifffile")
        row_bytes = math.prod(wanted.shape[1:]) * wanted.dtype.itemsize
        self._tile = _tile_of(wanted.layout.tile, row_bytes)
        self._compression = (
            wanted.layout.compression if wanted.layout.compression in COMPRESSIONS else "deflate"
        )
        self._compression_is_new = wanted.layout.compression not in ("", *COMPRESSIONS)
        if COMPRESSIONS[self._compression] not in (None, "zlib", "lzma"):
            load("big", "imagecodecs")
        try:
            target = place(path)
            self._new = Replacement(target, modified=wanted.modified)
            self._levels = _Levels(wanted, os.path.dirname(target))
        except OSError as error:
            if isinstance(error, ImageWriteError):
                raise
            raise cannot_be_written(path, error) from error
        self._strips = Strips(self._tile[0])
        self._writer: BackgroundWriter[Pixels] = BackgroundWriter(self._write)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a user should know of how it is stored."""
        if self._compression_is_new:
            name = self._wanted.layout.compression
            return (f"{name} would lose more at each step; the output is compressed by deflate",)
        return ()

    def append(self, rows: Pixels) -> None:
        """Write the next rows."""
        try:
            self._levels.append(rows)
        except OSError as error:
            raise cannot_be_written(self._path, error) from error
        for strip in self._strips.cut(rows):
            self._put(strip)

    def finish(self) -> None:
        """Write what is left, and put the file in its place."""
        rest = self._strips.rest()
        if rest is not None:
            self._put(rest)
        with self._in_words():
            self._writer.finish()
            self._new.commit()

    def abandon(self) -> None:
        """Remove what was written; an existing file is unchanged."""
        self._writer.abandon()
        self._levels.close()
        self._new.discard()

    def _put(self, rows: Pixels) -> None:
        with self._in_words():
            self._writer.put(rows)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise cannot_be_written(self._path, error) from error
        except (ValueError, RuntimeError, struct.error) as error:
            words = f"{shown(self._path)}: cannot be written: {error}"
            raise ImageWriteError(words) from error

    def _write(self, strips: Iterator[Pixels]) -> None:
        wanted, new = self._wanted, self._new.file
        metadata = wanted.header.metadata
        order = order_of(metadata)
        tags, pointers = _tags(descriptive_tags(metadata, order))
        described: dict[str, Any] = {"extratags": tags}
        if metadata.resolution is not None:
            described |= {"resolution": metadata.resolution, "resolutionunit": "inch"}
        handle = self._tifffile.FileHandle(new, name=os.path.basename(self._path), size=0)
        with self._tifffile.TiffWriter(handle, bigtiff=True, byteorder=order) as tiff:
            how = self._how(wanted.shape)
            levels = len(self._levels.sizes)
            tiff.write(_cut(strips, self._tile), **how, **described, subifds=levels)
            for number, size in enumerate(self._levels.sizes):
                how = self._how(size + wanted.shape[2:])
                tiles = _cut(self._levels.strips(number, self._tile[0]), self._tile)
                tiff.write(tiles, **how, subfiletype=_REDUCED)
        self._levels.close()
        if pointers:
            _add_directories(new, pointers, order)

    def _how(self, shape: tuple[int, ...]) -> dict[str, Any]:
        channels = shape[2] if len(shape) == 3 else 1
        header = self._wanted.header
        extra = extra_of(channels, header.metadata, has_alpha=header.has_alpha)
        meaning = sample_tags(channels, self._wanted.dtype, extra)
        how: dict[str, Any] = {
            "shape": shape,
            "dtype": self._wanted.dtype,
            "tile": self._tile,
            "photometric": meaning[PHOTOMETRIC][0],
            "metadata": None,
            "software": False,
            "compression": COMPRESSIONS[self._compression],
            "compressionargs": _LEVEL.get(self._compression),
            "predictor": self._compression in _PREDICTED and meaning[PREDICTOR] != [1],
            "maxworkers": self._workers,
            "buffersize": _FEW_BYTES,
        }
        if channels > 1:
            how["planarconfig"] = "contig"
        if EXTRA_SAMPLES in meaning:
            how["extrasamples"] = meaning[EXTRA_SAMPLES]
        return how


class _Levels:
    """The levels below a picture, as rows in unnamed files until they can be written."""

    def __init__(self, wanted: Wanted, folder: str) -> None:
        self._shape, self._dtype = wanted.shape[2:], wanted.dtype
        self.sizes = levels_of(*wanted.shape[:2]) if wanted.pyramid else []
        self._halvers = [Halver(has_alpha=wanted.header.has_alpha) for _ in self.sizes]
        self._files = [tempfile.TemporaryFile(dir=folder) for _ in self.sizes]  # noqa: SIM115

    def append(self, rows: Pixels) -> None:
        """Take rows of the picture, and make of them rows of all levels."""
        self._push(0, rows)

    def _push(self, number: int, rows: Pixels) -> None:
        """Take rows of what lies above a level."""
        for level in range(number, len(self.sizes)):
            rows = self._halvers[level].push(rows)
            self._files[level].write(np.ascontiguousarray(rows).data)

    def strips(self, number: int, height: int) -> Iterator[Pixels]:
        """Return the rows of a level, so many at a time; all rows of the picture are there."""
        rows, columns = self.sizes[number]
        halver, file = self._halvers[number], self._files[number]
        if halver.is_odd:
            row = halver.last_row()
            file.write(np.ascontiguousarray(row).data)
            self._push(number + 1, row)
        file.seek(0)
        row_bytes = int(np.prod((columns, *self._shape))) * self._dtype.itemsize
        for top in range(0, rows, height):
            count = min(height, rows - top)
            data = np.frombuffer(file.read(count * row_bytes), self._dtype)
            yield data.reshape(count, columns, *self._shape)

    def close(self) -> None:
        """Let the files go."""
        for file in self._files:
            file.close()


def _tile_of(tile: tuple[int, int] | None, row_bytes: int) -> tuple[int, int]:
    """Return tiles of the input's size where a TIFF can have these: multiples of 16.

    Of wide pictures they are smaller: a row of tiles is held in memory.
    """
    if tile is None or any(side % 16 or not 64 <= side <= 4 * TILE for side in tile):
        tile = TILE, TILE
    while tile[0] * row_bytes > MOST_BYTES and min(tile) >= 2 * LEAST_TILE and tile[0] % 32 == 0:
        tile = tile[0] // 2, tile[1] // 2 if tile[1] % 32 == 0 else tile[1]
    return tile


def _cut(strips: Iterator[Pixels], tile: tuple[int, int]) -> Iterator[Pixels]:
    """Cut strips as high as tiles into tiles, from left to right."""
    for strip in strips:
        for left in range(0, strip.shape[1], tile[1]):
            yield strip[:, left : left + tile[1]]
        del strip


def _tags(entries: dict[int, Entry]) -> tuple[list[tuple[Any, ...]], dict[int, Entry]]:
    """Return the tags that can be written at once, and those that point at directories.

    tifffile writes no pointers to EXIF, so their places are kept by tags of the number before.
    """
    pointers = {number: entry for number, entry in entries.items() if entry.entries is not None}
    tags: list[tuple[Any, ...]] = [
        (number, entry.type, entry.count, entry.content, True)
        for number, entry in entries.items()
        if number not in pointers and number != ORIENTATION
    ]
    if ORIENTATION in entries:
        tags.append((ORIENTATION, 3, 1, 1, True))
    return tags + [(number - 1, 16, 1, 0, True) for number in pointers], pointers


def _add_directories(file: BinaryIO, pointers: dict[int, Entry], order: str) -> None:
    """Write the directories of EXIF at the end, and the tags that point there into their places."""
    file.flush()
    first = next(all_directories(FileBytes(file)))
    for number, entry in pointers.items():
        end = file.seek(0, os.SEEK_END)
        end += end % 2
        file.seek(end)
        file.write(serialised(entry.entries or {}, order, end, big=True))
        value = first.tags[number - 1].offset
        file.seek(value - _BEFORE_VALUE)
        file.write(struct.pack(order + "H", number))
        file.seek(value)
        file.write(struct.pack(order + "Q", end))
