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
"""Largest size of a block's output in bytes, which limits the loss when a worker ends."""

BLOCKS_A_WORKER = 4
"""Smallest number of blocks per worker, if the picture is high enough, for load balancing."""

BANDS_A_BLOCK = 2
"""Chunk rows of the input that a block reads completely, beyond its own rows."""

LEAST_STEP = 16
"""Smallest number of rows at a time: engines process about as many together."""

WORKER_BYTES = 200 << 20
"""Memory of an idle worker."""


class Block(Record):
    """A range of output rows.

    Parameters
    ----------
    plane : int
        The input's plane.
    first, last : int
        Half-open range of rows.
    step : int
        Number of rows filtered at a time.
    """

    plane: int
    first: int
    last: int
    step: int

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.last - self.first

    def is_least(self, unit: int) -> bool:
        """Return whether smaller blocks would hardly need less memory."""
        return self.step == 1 or (self.step <= LEAST_STEP and self.rows <= unit)

    def halves(self, unit: int) -> list["Block"]:
        """Divide into one or two blocks of whole units with a quarter of the step.

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
    """The division of a picture into blocks for the workers of a cluster.

    Parameters
    ----------
    height : int
        Rows of the output.
    workers : int
        Number of blocks filtered in parallel.
    rows : int
        Rows of a block, a multiple of ``unit``.
    step : int
        Number of rows filtered at a time.
    unit : int
        Rows of a chunk of the output.
    halo : int
        Rows that a block reads beyond its own.
    raised : bool
        Whether blocks are larger because of the halo.
    """

    height: int
    workers: int
    rows: int
    step: int
    unit: int
    halo: int
    raised: bool = False

    def like(self, block: Block) -> "BlockPlan":
        """Return a plan with blocks no larger than this one.

        Examples
        --------
        >>> BlockPlan(256, 2, 192, 90, 64, 2).like(Block(0, 64, 192, 45))
        BlockPlan(height=256, workers=2, rows=128, step=45, unit=64, halo=2, raised=False)
        """
        rows = min(self.rows, _in_units(block.rows, self.unit))
        return replace(self, rows=rows, step=min(self.step, block.step))

    def block(self, plane: int, rows: Span) -> Block:
        """Return the first block of a range of rows.

        Examples
        --------
        >>> BlockPlan(11, 1, 4, 2, 2, 0).block(0, (6, 11))
        Block(plane=0, first=6, last=10, step=2)
        """
        return Block(plane, rows[0], min(rows[0] + self.rows, rows[1]), self.step)

    def explained(self) -> str:
        """Describe the division."""
        count = -(-self.height // self.rows)
        blocks = "1 block" if count == 1 else f"{count} blocks"
        who = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        words = f"filtered in {blocks} of {self.rows} rows by {who}, about {self.step} at a time"
        if self.halo:
            words += f", with a halo of {self.halo} rows"
        if self.raised:
            words += "; blocks are larger, so that the halo is the smaller part"
        return words


def plan_blocks(one: StripJob, unit: int, workers: int, memory: int | None) -> BlockPlan:
    """Plan the blocks of a picture for a number of workers.

    Parameters
    ----------
    one : StripJob
        The job.
    unit : int
        Rows of a chunk of the output.
    workers : int
        Number of blocks filtered in parallel.
    memory : int, optional
        The memory limit of each worker in bytes.

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
            f"worker, whose limit is {(left + WORKER_BYTES) / 1e6:.3g} MB; raise --worker-memory, "
            "or the --memory-limit of a dask worker"
        )
    even = -(-height // (BLOCKS_A_WORKER * workers))
    tallest = max(last - first for first, last in one.given.pictures[0].bands)
    wanted = max(1, min(even, BLOCK_BYTES // row), BANDS_A_BLOCK * tallest)
    rows = min(_in_units(max(wanted, one.halo + 1), unit), _in_units(height, unit))
    step = min(rows, budget.rows_at_once(one.row_bytes, one.halo, left))
    return BlockPlan(height, workers, rows, step, unit, one.halo, raised=wanted <= one.halo)


def _in_units(rows: int, unit: int) -> int:
    """Round rows up to a multiple of a unit."""
    return -(-rows // unit) * unit
