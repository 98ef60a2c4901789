"""The outputs of a huge picture's blocks: a Zarr store, or a TIFF by way of temporary files."""

import os
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from convtool.distributed.huge.cut import Block
from convtool.distributed.huge.work import BlockResult
from convtool.errors import ImageReadError
from convtool.filtering.plan import FilterPlan
from convtool.filtering.strips.plan import StripJob
from convtool.filtering.strips.resume import RESTARTED, ResumeState
from convtool.images.image import Pixels
from convtool.images.stores.picture import Span, Wanted
from convtool.images.stores.progress import Place, Unfinished
from convtool.images.stores.tiff_writer import TiffWriter
from convtool.images.stores.zarr_writer import CHUNK, ZarrStore
from convtool.images.tone import Extent
from convtool.records import replace

STRIP_BYTES = 1 << 24
"""Bytes to read at a time from a worker's file of rows."""


class Target(Protocol):
    """Receives the blocks of all planes."""

    unit: int
    """Rows of a chunk, which only one worker may write."""

    place: Place
    """Where workers write."""

    wanted: Wanted | None
    """The settings of the Zarr output; None for files of rows."""

    @property
    def held(self) -> int:
        """Number of finished blocks that wait for preceding ones."""

    def state(self, plane: int) -> tuple[FilterPlan, Extent | None]:
        """Return the plan of a plane, and its extent if an earlier run has measured it."""

    def missing(self, plane: int, height: int) -> list[Span]:
        """Return the unfinished rows of a plane."""

    def restart(self, plane: int) -> None:
        """Discard all rows of a plane that turned out not to be opaque."""

    def measured(self, plane: int, extent: Extent) -> None:
        """Record the measured extent of a plane."""

    def take(self, block: Block, found: BlockResult) -> None:
        """Accept a block from a worker."""

    def finish(self) -> tuple[str, ...]:
        """Rename the complete output to its final name; return remarks."""

    def fail(self, error: BaseException) -> None:
        """Remove incomplete output."""


def unit_of(one: StripJob) -> int:
    """Return the chunk rows of an output before it exists."""
    tile = one.given.pictures[0].layout.tile
    if tile is not None:
        return tile[0]
    return min(CHUNK, one.shape[0]) if one.to_zarr else 1


class ToZarr:
    """A Zarr output: workers write their chunks themselves, and a journal records them."""

    held = 0

    def __init__(self, one: StripJob) -> None:
        self._one = one
        self._unfinished = Unfinished(one.target, one.fingerprint(), resume=one.store.resume)
        try:
            wanted, self._scales = one.wanted(), one.scales()
            given = one.given.zarr
            self._made = ZarrStore(self._unfinished.place, wanted, given, self._scales, one.threads)
            self._state = ResumeState(self._unfinished.entries)
        except BaseException as error:
            self.fail(error)
            raise
        self.wanted: Wanted | None = replace(wanted, pyramid=False)
        self.place, self.unit = replace(self._unfinished.place, started=True), self._made.unit

    def state(self, plane: int) -> tuple[FilterPlan, Extent | None]:
        """Return the plan and the extent of a plane from the journal."""
        return self._state.plan_for(plane, self._one.plan), self._state.extent(plane)

    def missing(self, plane: int, height: int) -> list[Span]:
        """Return the rows that are not in the journal, in whole chunks."""
        if plane in self._state.planes:
            return []
        missing = self._state.missing(plane, height)
        return [(first - first % self.unit, last) for first, last in missing]

    def restart(self, plane: int) -> None:
        """Record that all rows of a plane are invalid."""
        self._note({"plane": plane, "anew": RESTARTED})
        self._state.forget(plane)

    def measured(self, plane: int, extent: Extent) -> None:
        """Note the extent."""
        self._note({"plane": plane, "extent": [extent.low, extent.high]})

    def take(self, block: Block, found: BlockResult) -> None:
        """Record a finished block."""
        self._note({"plane": block.plane, "block": [block.first, block.last]})

    def _note(self, entry: dict[str, object]) -> None:
        with self._made.in_words():
            self._unfinished.note(entry)

    def finish(self) -> tuple[str, ...]:
        """Write the pyramid levels and rename the store."""
        for plane in range(len(self._one.given.pictures)):
            if plane not in self._state.planes:
                self._made.make_levels(plane)
                self._note({"plane": plane, "done": True})
        self._unfinished.commit()
        rows = self._state.rows
        return (f"went on with {rows} rows that were there",) if rows else ()

    def fail(self, error: BaseException) -> None:
        """Keep the unfinished store for ``--resume``; remove it if the input is damaged."""
        if isinstance(error, ImageReadError):
            self._unfinished.remove()
        else:
            self._unfinished.leave()


class ToTiff:
    """A TIFF output: workers write rows to files beside it, and the client appends them in order.

    Only one process can write a TIFF. It reads the rows in small parts and removes each file
    afterwards, so neither memory nor disk holds more than a few blocks.
    """

    wanted: Wanted | None = None

    def __init__(self, one: StripJob) -> None:
        self._one = one
        self.unit = unit_of(one)
        self._unfinished = Unfinished(one.target, one.fingerprint(), resume=False)
        self.place = self._unfinished.place
        self._waiting: dict[int, tuple[Block, str]] = {}
        self._next = 0
        try:
            self._sink = TiffWriter(one.target, one.wanted(), one.threads)
        except BaseException:
            self._unfinished.remove()
            raise

    @property
    def held(self) -> int:
        """Number of finished blocks that wait for preceding ones."""
        return len(self._waiting)

    def state(self, plane: int) -> tuple[FilterPlan, Extent | None]:
        """Return the job's plan."""
        return self._one.plan, None

    def missing(self, plane: int, height: int) -> list[Span]:
        """Return all rows."""
        return [(0, height)]

    def restart(self, plane: int) -> None:
        """Begin another file."""
        self._sink.abandon()
        for _, file in self._waiting.values():
            os.unlink(file)
        self._waiting.clear()
        self._next = 0
        self._sink = TiffWriter(self._one.target, self._one.wanted(), self._one.threads)

    def measured(self, plane: int, extent: Extent) -> None:
        """Do nothing: an unfinished TIFF cannot be resumed."""

    def take(self, block: Block, found: BlockResult) -> None:
        """Write the block and the blocks that waited for it."""
        assert found.file is not None
        self._waiting[block.first] = block, found.file
        while self._next in self._waiting:
            block, file = self._waiting.pop(self._next)
            for rows in self._rows(block, file):
                self._sink.append(rows)
            os.unlink(file)
            self._next = block.last

    def _rows(self, block: Block, file: str) -> Iterator[Pixels]:
        shape, dtype = self._one.shape[1:], self._one.plan.dtype
        row = int(np.prod(shape))
        step = max(1, STRIP_BYTES // (row * dtype.itemsize))
        with open(file, "rb") as stored:
            for first in range(0, block.rows, step):
                count = min(step, block.rows - first)
                yield np.fromfile(stored, dtype, count * row).reshape(count, *shape)

    def finish(self) -> tuple[str, ...]:
        """Complete the file and rename it to its final name."""
        self._unfinished.remove()
        self._sink.finish()
        return self._sink.remarks

    def fail(self, error: BaseException) -> None:
        """Remove everything."""
        self._sink.abandon()
        self._unfinished.remove()
