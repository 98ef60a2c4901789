"""A Zarr array or OME-Zarr image, written from the top to the bottom while it is made."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from convtool.errors import ImageFormatError, ImageWriteError, JournalError
from convtool.extras import load
from convtool.images.image import Pixels
from convtool.images.paths import shown
from convtool.images.remote import is_url
from convtool.images.stores.background_writer import BackgroundWriter
from convtool.images.stores.halving import Halver, levels_of
from convtool.images.stores.ome import Scales, axis_names, multiscale
from convtool.images.stores.picture import Strips, Wanted
from convtool.images.stores.progress import Place
from convtool.images.stores.zarr import ZarrImage, place_of

CHUNK = 512
"""Height and width of chunks where the input has none."""

_NEWEST = 3
_FAILURES = (OSError, ValueError, RuntimeError, TypeError)


class ZarrStore:
    """A store for all planes of an image.

    Parameters
    ----------
    place : Place
        Where it is written.
    wanted : Wanted
        Each plane.
    source : ZarrImage, optional
        The image that it is made from, whose other axes, attributes and compression it takes.
    scales : Scales, optional
        For OME-Zarr: how large a pixel is.
    workers : int
        How many threads compress.

    Raises
    ------
    ImageFormatError
        If such an image cannot be described.
    ImageWriteError
        If it cannot be made; from each method, if that fails.
    """

    def __init__(
        self,
        place: Place,
        wanted: Wanted,
        source: ZarrImage | None,
        scales: Scales | None,
        workers: int,
    ) -> None:
        self._zarr = load("big", "zarr")
        self._zarr.config.set({"threading.max_workers": workers})
        self._place, self._wanted, self._source = place, wanted, source
        self._scales = scales
        self._leading = source.leading if source else ()
        channels = wanted.shape[2] if len(wanted.shape) == 3 else 1
        self._channels_first = scales is not None and channels > 1
        unnamed = source is not None and source.ome is None and scales is not None
        if len(self._leading) + self._channels_first > 1 and (unnamed or self._channels_first):
            raise ImageFormatError(
                f"{shown(place.path)}: OME-Zarr names all axes, and those of the input have "
                "no names; write a .zarr"
            )
        self.sizes = [(wanted.shape[0], wanted.shape[1])]
        if wanted.pyramid:
            self.sizes += levels_of(*self.sizes[0])
        with self.in_words():
            self._store = self._opened()
            self._arrays = [self._array(level) for level in range(len(self.sizes))]
            self._store.flush()

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """Say in words of this store what goes wrong with a file."""
        try:
            yield
        except (ImageWriteError, JournalError):
            raise
        except _FAILURES as error:
            words = getattr(error, "strerror", None) or str(error) or type(error).__name__
            where = shown(self._place.path)
            raise ImageWriteError(f"{where}: cannot be written: {words}") from error

    @property
    def _version(self) -> int:
        return self._source.version if self._source is not None else _NEWEST

    def _opened(self) -> Any:
        from convtool.images.stores.zarr_target import FlushedStore, RemoteStore

        folder = self._place.folder
        return RemoteStore(folder) if is_url(folder) else FlushedStore(folder)

    def flush(self) -> None:
        """Wait until the disk has all that was written: a journal may name it then."""
        with self.in_words():
            self._store.flush()

    def complete(self) -> None:
        """Wait until all is there, and put what describes it; at a URL, that makes it a store."""
        with self.in_words():
            self._store.complete()

    def remove(self) -> None:
        """Remove what was put at a URL; a folder is whoever's who made it."""
        self._store.remove()

    def _array(self, level: int) -> Any:
        """Open the array of a level, or make it where it is not there."""
        name = "" if self._scales is None else str(level)
        place = os.path.join(self._place.folder, name)
        if self._place.started and os.path.isdir(place):
            return self._zarr.open_array(self._store, path=name, mode="r+")
        axes = None
        if self._scales is not None:
            attributes = self._group_attributes(self._scales)
            axes = axis_names(attributes)
            if level == 0:
                self._zarr.create_group(
                    self._store, zarr_format=self._version, overwrite=False
                ).attrs.update(attributes)
        shape = self._in_order((*self.sizes[level], *self._wanted.shape[2:]))
        how: dict[str, Any] = {
            "shape": (*self._leading, *shape),
            "chunks": (*(1 for _ in self._leading), *self._in_order(self._chunk(level, False))),
            "dtype": self._wanted.dtype,
            "zarr_format": self._version,
            "config": {"write_empty_chunks": True},
            "fill_value": 0,
        }
        if self._version == _NEWEST and self._source is not None and self._source.array.shards:
            how["shards"] = (
                *(1 for _ in self._leading),
                *self._in_order(self._chunk(level, True)),
            )
        if self._source is not None:
            how["compressors"] = self._source.array.compressors
        if self._scales is None:
            how["attributes"] = self._source.attributes if self._source is not None else {}
        if self._version == _NEWEST:
            how["dimension_names"] = axes or dimension_names(self._source)
        return self._zarr.create_array(self._store, name=name or None, **how)

    def _chunk(self, level: int, shard: bool) -> tuple[int, ...]:
        """Return rows, columns and channels of a chunk or a shard."""
        height, width = self._wanted.layout.tile or (CHUNK, CHUNK)
        source = self._source.array if self._source is not None else None
        if source is not None and not shard:
            across = len(self._leading)
            height, width = (int(n) for n in source.chunks[across : across + 2])
        if source is None or not source.shards:
            height, width = min(height, self.sizes[level][0]), min(width, self.sizes[level][1])
        channels = (1,) if self._channels_first else self._wanted.shape[2:]
        return (height, width, *channels)

    def _in_order(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """Put channels first where they stand there; given are rows, columns, channels."""
        return (sizes[2], *sizes[:2]) if self._channels_first else sizes

    def _group_attributes(self, scales: Scales) -> dict[str, Any]:
        known = self._source.ome if self._source is not None else None
        axes = 2 + len(self._leading) + int(self._channels_first)
        return multiscale(scales, axes, self.sizes, known, self._version)

    def sink(self, plane: int, note: Callable[[int], object], done: int = 0) -> "PlaneSink":
        """Return what writes a plane whose first rows are there; it notes how many there are."""
        return PlaneSink(self, plane, note, done)

    def put(self, level: int, plane: int, first: int, rows: Pixels) -> None:
        """Write rows of a plane."""
        place: tuple[Any, ...] = place_of(plane, self._leading)
        span = slice(first, first + len(rows))
        with self.in_words():
            if self._channels_first:
                self._arrays[level][(*place, slice(None), span)] = np.moveaxis(rows, 2, 0)
            else:
                self._arrays[level][(*place, span)] = rows

    def rows(self, level: int, plane: int, first: int, last: int) -> Pixels:
        """Read rows of a plane again."""
        place: tuple[Any, ...] = place_of(plane, self._leading)
        span = slice(first, last)
        with self.in_words():
            if self._channels_first:
                return np.moveaxis(self._arrays[level][(*place, slice(None), span)], 0, 2)
            found: Pixels = self._arrays[level][(*place, span)]
            return found

    @property
    def unit(self) -> int:
        """Rows of a chunk or a shard, which are written together."""
        pieces = self._arrays[0].shards or self._arrays[0].chunks
        return int(pieces[-2 if len(self._wanted.shape) == 2 or self._channels_first else -3])

    def make_levels(self, plane: int) -> None:
        """Make the smaller levels of a plane that is complete."""
        for level in range(1, len(self.sizes)):
            halver = Halver(has_alpha=self._wanted.header.has_alpha)
            height, written, unit = self.sizes[level - 1][0], 0, 2 * self.unit
            for first in range(0, height, unit):
                rows = self.rows(level - 1, plane, first, min(first + unit, height))
                made = halver.push(rows)
                if first + unit >= height and halver.is_odd:
                    made = np.concatenate([made, halver.last_row()])
                self.put(level, plane, written, made)
                written += len(made)


class PlaneSink:
    """Writes the rows of one plane, a chunk's height at a time, in a thread of its own."""

    def __init__(
        self, store: ZarrStore, plane: int, note: Callable[[int], object], done: int
    ) -> None:
        self._store, self._plane, self._note = store, plane, note
        self._written = done
        self._strips = Strips(store.unit)
        self._writer: BackgroundWriter[Pixels] = BackgroundWriter(self._work)

    def append(self, rows: Pixels) -> None:
        """Write the next rows."""
        for strip in self._strips.cut(rows):
            self._writer.put(strip)

    def finish(self) -> None:
        """Write what is left, and the smaller levels; the disk has them when this returns."""
        rest = self._strips.rest()
        if rest is not None:
            self._writer.put(rest)
        self._writer.finish()
        self._store.make_levels(self._plane)
        self._store.flush()

    def abandon(self) -> None:
        """Stop writing."""
        self._writer.abandon()

    def _work(self, strips: Iterator[Pixels]) -> None:
        for rows in strips:
            self._store.put(0, self._plane, self._written, rows)
            self._store.flush()
            self._written += len(rows)
            with self._store.in_words():
                self._note(self._written)


def dimension_names(source: ZarrImage | None) -> list[str | None] | None:
    """Return the names of the axes of the array that is read; None where it has none."""
    names = None if source is None else getattr(source.array.metadata, "dimension_names", None)
    return None if names is None else list(names)
