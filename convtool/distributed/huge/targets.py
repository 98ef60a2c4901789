"""Where the blocks of a huge picture go: into a Zarr store, or through files into a TIFF."""

import os
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from convtool.distributed.huge.work import Block, BlockResult
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

STRIP_BYTES = 1 << 24
"""Rows that a worker has made are read back so many bytes at a time."""


class ToZarr:
    """Workers write their chunks into the store themselves; a journal says which are there."""

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
        """Return the journal's entries of a plane."""
        return self._state.plan_for(plane, self._one.plan), self._state.extent(plane)

    def missing(self, plane: int, height: int) -> list[Span]:
        """Return what the journal does not know to be there, in whole chunks."""
        if plane in self._state.planes:
            return []
        missing, unit = self._state.missing(plane, height), self._made.unit
        return [(first - first % unit, last) for first, last in missing]

    def restart(self, plane: int) -> None:
        """Note that all rows of a plane are void."""
        self._note({"plane": plane, "anew": RESTARTED})
        self._state.forget(plane)

    def measured(self, plane: int, extent: Extent) -> None:
        """Note the extent."""
        self._note({"plane": plane, "extent": [extent.low, extent.high]})

    def take(self, block: Block, found: BlockResult) -> None:
        """Note that a block is there."""
        self._note({"plane": block.plane, "block": [block.first, block.last]})

    def _note(self, entry: dict[str, object]) -> None:
        with self._made.in_words():
            self._unfinished.note(entry)

    def finish(self) -> tuple[str, ...]:
        """Make the smaller levels, and give the store its name."""
        for plane in range(len(self._one.given.pictures)):
            if plane not in self._state.planes:
                self._made.make_levels(plane)
                self._note({"plane": plane, "done": True})
        self._unfinished.commit()
        rows = self._state.rows
        return (f"went on with {rows} rows that were there",) if rows else ()

    def fail(self, error: BaseException) -> None:
        """Keep the unfinished store for a resumed run; remove it if the input is damaged."""
        if isinstance(error, ImageReadError):
            self._unfinished.remove()
        else:
            self._unfinished.leave()


class ToTiff:
    """Workers write rows into files beside the TIFF; they are put into it in their order.

    A TIFF is one file, which one process writes. It reads the rows a few at a time and removes each
    file afterwards, so that neither memory nor disk hold more than some blocks.
    """

    wanted: Wanted | None = None

    def __init__(self, one: StripJob) -> None:
        self._one = one
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
        """Blocks that are made and wait for those before them."""
        return len(self._waiting)

    def state(self, plane: int) -> tuple[FilterPlan, Extent | None]:
        """Return the plan of any picture."""
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
        """Do nothing: an unfinished TIFF is not gone on with."""

    def take(self, block: Block, found: BlockResult) -> None:
        """Write the block, and those after it that have waited for it."""
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
        """Write the rest of the file, and put it in its place."""
        self._unfinished.remove()
        self._sink.finish()
        return self._sink.remarks

    def fail(self, error: BaseException) -> None:
        """Remove everything."""
        self._sink.abandon()
        self._unfinished.remove()


Target = ToZarr | ToTiff
"""Takes the blocks of all planes."""
