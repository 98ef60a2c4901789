"""Divide a huge picture into blocks: by its size, the kernels and the workers' memory."""

import math
from itertools import pairwise

from convtool.errors import ImageTooLargeError
from convtool.filtering.strips import budget
from convtool.filtering.strips.plan import StripJob
from convtool.images.paths import shown
from convtool.images.stores.picture import Span
from convtool.records import Record, replace

BLOCK_BYTES = 1 << 28
"""A block has at most about so many bytes of the answer: what a worker that ends costs."""

BLOCKS_A_WORKER = 4
"""So many or more, where the picture is high enough, so that all workers end together."""

BANDS_A_BLOCK = 2
"""Rows of the input that are stored together are read as a whole, those of neighbours too."""

LEAST_STEP = 16
"""Fewer rows at once are not tried: engines make about so many together in any case."""

WORKER_BYTES = 200 << 20
"""What a worker takes before it has read a pixel."""


class Block(Record):
    """Some rows of the answer.

    Parameters
    ----------
    plane : int
        Of which picture of the input.
    first, last : int
        The first row and the one after the last.
    step : int
        How many rows are worked on at once.
    """

    plane: int
    first: int
    last: int
    step: int

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.last - self.first

    def is_least(self, unit: int) -> bool:
        """Return whether smaller ones would hardly take less memory."""
        return self.step == 1 or (self.step <= LEAST_STEP and self.rows <= unit)

    def halves(self, unit: int) -> list["Block"]:
        """Return what takes less memory: two blocks of whole units, or one; a quarter of the step.

        Examples
        --------
        >>> Block(0, 64, 256, 90).halves(64)
        [Block(plane=0, first=64, last=192, step=22), Block(plane=0, first=192, last=256, step=22)]
        """
        middle = self.first + _in_units(-(-self.rows // 2), unit)
        ends = [self.first, *([middle] if middle < self.last else []), self.last]
        step = max(1, self.step // 4)
        return [Block(self.plane, first, last, step) for first, last in pairwise(ends)]


class BlockPlan(Record):
    """The rows of a picture that the workers of a cluster filter block by block.

    Parameters
    ----------
    height : int
        Rows of the answer.
    workers : int
        How many blocks are worked on at once.
    rows : int
        Of a block, a multiple of ``unit``.
    step : int
        How many of them are worked on at once.
    unit : int
        Rows that are stored together.
    halo : int
        Rows beyond its own that a block needs.
    raised : bool
        Whether blocks are larger for the halo's sake.
    """

    height: int
    workers: int
    rows: int
    step: int
    unit: int
    halo: int
    raised: bool = False

    def like(self, block: Block) -> "BlockPlan":
        """Return what makes blocks no larger than this one.

        Examples
        --------
        >>> BlockPlan(256, 2, 192, 90, 64, 2).like(Block(0, 64, 192, 45))
        BlockPlan(height=256, workers=2, rows=128, step=45, unit=64, halo=2, raised=False)
        """
        rows = min(self.rows, _in_units(block.rows, self.unit))
        return replace(self, rows=rows, step=min(self.step, block.step))

    def block(self, plane: int, rows: Span) -> Block:
        """Return the first block of some rows.

        Examples
        --------
        >>> BlockPlan(11, 1, 4, 2, 2, 0).block(0, (6, 11))
        Block(plane=0, first=6, last=10, step=2)
        """
        return Block(plane, rows[0], min(rows[0] + self.rows, rows[1]), self.step)

    def explained(self) -> str:
        """Say how the rows are divided."""
        count = -(-self.height // self.rows)
        blocks = "1 block" if count == 1 else f"{count} blocks"
        who = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        words = f"filtered in {blocks} of {self.rows} rows by {who}, about {self.step} at a time"
        if self.halo:
            words += f", with {self.halo} rows more that the kernels reach"
        if self.raised:
            words += "; blocks are larger than that, so that more is new than is read twice"
        return words


def plan_blocks(one: StripJob, unit: int, workers: int, memory: int | None) -> BlockPlan:
    """Divide a picture into blocks for a number of workers.

    Parameters
    ----------
    one : StripJob
        What is done.
    unit : int
        Rows of the output that are stored together.
    workers : int
        How many blocks are worked on at once.
    memory : int, optional
        The bytes that each may take.

    Raises
    ------
    ImageTooLargeError
        If even the smallest blocks need more.
    """
    height, row = one.shape[0], math.prod(one.shape[1:]) * one.plan.dtype.itemsize
    left = None if memory is None else memory - WORKER_BYTES
    least = (LEAST_STEP + one.halo) * one.row_bytes + unit * row + one.band_bytes
    if left is not None and least > left:
        raise ImageTooLargeError(
            f"{shown(one.source)}: needs about {(WORKER_BYTES + least) / 1e6:.3g} MB of each "
            f"worker, which may take {(left + WORKER_BYTES) / 1e6:.3g} MB; --worker-memory, or the "
            "--memory-limit of a dask worker, gives more"
        )
    even = -(-height // (BLOCKS_A_WORKER * workers))
    tallest = max(last - first for first, last in one.given.pictures[0].bands)
    wanted = max(1, min(even, BLOCK_BYTES // row), BANDS_A_BLOCK * tallest)
    rows = min(_in_units(max(wanted, one.halo + 1), unit), _in_units(height, unit))
    step = min(rows, budget.rows_at_once(one.row_bytes, one.halo, left))
    return BlockPlan(height, workers, rows, step, unit, one.halo, raised=wanted <= one.halo)


def _in_units(rows: int, unit: int) -> int:
    """Return as many rows or a few more: a multiple of a unit."""
    return -(-rows // unit) * unit
