"""The outputs of a huge picture's blocks: a Zarr store, or a TIFF by way of temporary files."""

import os
from collections.abc import Iterator
from zlib import crc32

import numpy as np

from convtool.distributed.huge.work import Block, BlockResult
from convtool.distributed.verification import not_here, wait_for_size
from convtool.errors import ImageReadError
from convtool.filtering.plan import FilterPlan
from convtool.filtering.strips.plan import StripJob
from convtool.filtering.strips.resume import RESTARTED, ResumeState
from convtool.images.image import Pixels
from convtool.images.stores.picture import Span, Wanted
from convtool.images.stores.progress import Unfinished
from convtool.images.stores.tiff_writer import TiffWriter
from convtool.images.stores.zarr_writer import ZarrStore
from convtool.images.tone import Extent
from convtool.reading import open_regular
from convtool.records import replace

STRIP_BYTES = 1 << 24
"""Bytes to read at a time from a worker's file of rows."""


class ToZarr:
    """A Zarr output: workers write their chunks themselves, and a journal records them."""

    held = 0
    """No block waits for those before it."""

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
        self.place = replace(self._unfinished.place, started=True)

    def state(self, plane: int) -> tuple[FilterPlan, Extent | None]:
        """Return the plan and the extent of a plane from the journal."""
        return self._state.plan_for(plane, self._one.plan), self._state.extent(plane)

    def missing(self, plane: int, height: int) -> list[Span]:
        """Return the rows that are not in the journal, in whole chunks."""
        if plane in self._state.planes:
            return []
        missing, unit = self._state.missing(plane, height), self._made.unit
        return [(first - first % unit, last) for first, last in missing]

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
                self._made.flush()
                self._note({"plane": plane, "done": True})
        self._made.complete()
        self._unfinished.commit()
        rows = self._state.rows
        return (f"went on with {rows} rows that were there",) if rows else ()

    def fail(self, error: BaseException) -> None:
        """Keep the unfinished store for ``resume``; remove it if the input is damaged."""
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
        self._unfinished = Unfinished(one.target, one.fingerprint(), resume=False)
        self.place = self._unfinished.place
        self._waiting: dict[int, tuple[Block, BlockResult]] = {}
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
        for _, found in self._waiting.values():
            os.unlink(_file_of(found))
        self._waiting.clear()
        self._next = 0
        self._sink = TiffWriter(self._one.target, self._one.wanted(), self._one.threads)

    def measured(self, plane: int, extent: Extent) -> None:
        """Do nothing: an unfinished TIFF cannot be resumed."""

    def take(self, block: Block, found: BlockResult) -> None:
        """Write the block and the blocks that waited for it."""
        self._waiting[block.first] = block, found
        while self._next in self._waiting:
            block, found = self._waiting.pop(self._next)
            for rows in self._rows(block, found):
                self._sink.append(rows)
            os.unlink(_file_of(found))
            self._next = block.last

    def _rows(self, block: Block, found: BlockResult) -> Iterator[Pixels]:
        """Read the rows that a worker has written, and verify them."""
        shape, dtype = self._one.shape[1:], self._one.plan.dtype
        row = int(np.prod(shape))
        step, checksum, file = max(1, STRIP_BYTES // (row * dtype.itemsize)), 0, _file_of(found)
        wait_for_size(file, block.rows * row * dtype.itemsize, found.worker)
        with open_regular(file, "picture") as stored:
            for first in range(0, block.rows, step):
                count = min(step, block.rows - first)
                rows = np.fromfile(stored, dtype, count * row)
                checksum = crc32(rows.data, checksum)
                yield rows.reshape(count, *shape)
        if checksum != found.checksum:
            raise not_here(file, found.worker)

    def finish(self) -> tuple[str, ...]:
        """Complete the file and rename it to its final name."""
        self._unfinished.remove()
        self._sink.finish()
        return self._sink.remarks

    def fail(self, error: BaseException) -> None:
        """Remove everything."""
        self._sink.abandon()
        self._unfinished.remove()


def _file_of(found: BlockResult) -> str:
    assert found.file is not None
    return found.file


Target = ToZarr | ToTiff
"""Takes the blocks of all planes."""
