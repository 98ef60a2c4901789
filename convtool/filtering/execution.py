"""The execution of a plan: in memory, in part, in strips or in blocks, and the rows of each.

`.plan.plan_filter` has it decided here from sizes alone: those of the picture, of what is stored
together, of the kernels and of the memory that may be used.
"""

import os
from itertools import pairwise

from convtool.errors import ImageTooLargeError, OptionError
from convtool.filtering.options import FilterOptions
from convtool.images.options import MAX_PIXELS, ReadOptions
from convtool.records import Record

MEMORY, PARTIAL, STRIPS, BLOCKS = "memory", "partial", "strips", "blocks"
"""The whole picture at once; the pixels and channels that are chosen; some rows after the other;
runs of rows by the workers of a cluster."""

STEP_BYTES = 1 << 24
"""Bytes of output that are made at once where memory does not ask for less."""

SHARE = 16
"""So many times what is made at once fits the memory that was allowed."""

BLOCK_BYTES = 1 << 28
"""A block has at most about so many bytes of the answer: what a worker that ends costs."""

BLOCKS_A_WORKER = 4
"""So many or more, where the picture is high enough, so that all workers end together."""

BANDS_A_BLOCK = 2
"""Rows of the input that are stored together are read as a whole, those of neighbours too."""

LEAST_STEP = 16
"""Fewer rows at once save nothing: engines make about so many together in any case."""

WORKER_BYTES = 200 << 20
"""What a worker takes before it has read a pixel."""

WORKER_SHARE = 0.95
"""The share of its memory limit at which a worker is ended."""

STORED_COPIES = 5
"""How often rows that are stored together are in memory while they are read or written: compressed,
decoded, assembled, and what the allocator keeps. Measured with Zarr chunks of 3 MB."""


class Machine(Record):
    """The memory and the workers for one picture."""

    memory: int | None = None
    """The bytes that a picture may need before it is filtered in strips; a quarter of what this
    machine has unless given."""
    max_pixels: int = MAX_PIXELS
    """The most pixels of a picture that is filtered as a whole."""
    workers: int = 0
    """How many tasks a cluster works on at once; 0 for this process alone."""
    worker_memory: int | None = None
    """The bytes that each of them may take."""

    @classmethod
    def of(
        cls, reading: ReadOptions, workers: int = 0, worker_memory: int | None = None
    ) -> "Machine":
        """Return this machine within the limits for reading, with the workers of a cluster."""
        return cls(reading.max_memory, reading.max_pixels, workers, worker_memory)

    @property
    def allowed(self) -> int:
        """How many bytes a picture may need.

        Examples
        --------
        >>> Machine(10**9).allowed
        1000000000
        """
        if self.memory is not None:
            return self.memory
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4


class Storage(Record):
    """How a picture and its answer are stored: how they can be read and written."""

    whole: int | None = 0
    """The bytes that reading and filtering it as a whole takes, as far as that has to be known;
    None where the answer is written row by row in any case."""
    band: int | None = None
    """How many rows of the picture are read together; None where it is read as a whole only."""
    unit: int = 1
    """How many rows of the answer are stored together."""
    background: str | None = None
    """The colour that takes the place of transparency when the answer is written."""


IN_MEMORY, THIS_MACHINE = Storage(), Machine()
"""A picture that is in memory or read as a whole, and no limit but the machine's own."""


class Sizes(Record):
    """The sizes that rows are divided by."""

    height: int
    """Rows of the answer."""
    row: int
    stored: int
    read: int
    """Bytes of a row in the type that is computed in, as it is written, and as it is read."""
    halo: int
    """How many rows beyond its own a row of the answer needs: the sum of the kernels'."""
    kernels: int
    """How many kernels there are."""


class Execution(Record):
    """How a plan is executed."""

    way: str
    """`MEMORY`, `PARTIAL`, `STRIPS` or `BLOCKS`."""
    step: int = 0
    """How many rows are worked on at once; 0 for all."""
    halo: int = 0
    """How many rows beyond its own a row of the answer needs."""
    rows: int = 0
    """Rows of a block, a multiple of those that are stored together; 0 where there are none."""
    height: int = 0
    """Rows of the answer."""
    workers: int = 0
    """How many blocks are worked on at once."""
    raised: bool = False
    """Whether strips or blocks are larger for the halo's sake."""

    @property
    def by_rows(self) -> bool:
        """Whether some rows are worked on after the other."""
        return self.way in (STRIPS, BLOCKS)

    def blocks(self, first: int, last: int) -> list[tuple[int, int]]:
        """Cut rows into blocks: the first row of each, and the one after its last.

        Examples
        --------
        >>> Execution(BLOCKS, step=2, rows=4).blocks(6, 11)
        [(6, 10), (10, 11)]
        """
        return list(pairwise([*range(first, last, self.rows), last]))

    def explained(self) -> str:
        """Say how the rows are divided; nothing where they are not."""
        if not self.by_rows:
            return ""
        words = f"filtered strip by strip, about {self.step} rows at a time"
        larger = "; strips are as large as these, so that more of them is new than is kept"
        if self.way == BLOCKS:
            count = -(-self.height // self.rows)
            blocks = "1 block" if count == 1 else f"{count} blocks"
            who = "1 worker" if self.workers == 1 else f"{self.workers} workers"
            words = (
                f"filtered in {blocks} of {self.rows} rows by {who}, about {self.step} at a time"
            )
            larger = "; blocks are larger, so that the halo is the smaller part"
        if self.halo:
            words += f", with a halo of {self.halo} rows"
        return words + (larger if self.raised else "")


def way_of(pixels: int, options: FilterOptions, storage: Storage, machine: Machine) -> str:
    """Return in which way a picture of so many pixels is filtered.

    Raises
    ------
    OptionError
        If an option looks at more of a picture than the rows that are there at once.

    Examples
    --------
    >>> tiff = Storage(whole=10**6, band=8)
    >>> [way_of(1000, FilterOptions(), tiff, Machine(memory)) for memory in (10**6, 10**5)]
    ['memory', 'strips']
    """
    if storage.band is None:
        fits = True
    elif machine.workers:
        fits = False
    else:
        fits = (
            storage.whole is not None
            and storage.whole <= machine.allowed
            and pixels <= machine.max_pixels
        )
    if fits:
        return PARTIAL if options.is_partial else MEMORY
    named = [name for name in ("region", "mask", "channels") if getattr(options, name) is not None]
    if options.nodata is not None:
        raise OptionError(
            "is filtered strip by strip, which does not fill missing pixels (nodata "
            f"{options.nodata:g}); `nodata=float('nan')` takes them as values, a larger "
            "`max_memory=` filters it as a whole"
        )
    if options.nan != "keep":
        named.append("nan")
    if named:
        raise OptionError(
            f"is filtered strip by strip, which `{named[0]}=` cannot be; a larger `max_memory=` "
            "filters it as a whole"
        )
    return BLOCKS if machine.workers else STRIPS


def execution_of(way: str, sizes: Sizes, storage: Storage, machine: Machine) -> Execution:
    """Return how many rows are worked on at once in this way.

    Raises
    ------
    ImageTooLargeError
        If even the fewest need more memory than there is.

    Examples
    --------
    >>> sizes = Sizes(2000, 1 << 16, 1 << 14, 1 << 14, 14, 1)
    >>> execution_of(STRIPS, sizes, Storage(band=1), Machine(10**9)).step
    256
    """
    if way not in (STRIPS, BLOCKS):
        return Execution(way)
    band = (storage.band or 0) * sizes.read
    step = _rows_at_once(sizes, machine.allowed)
    needed = (step + sizes.halo) * sizes.row + band
    if needed > machine.allowed:
        raise ImageTooLargeError(
            f"needs about {needed / 1e6:.3g} MB even strip by strip, more than the limit of "
            f"{machine.allowed / 1e6:.3g} MB; `max_memory=` raises it"
        )
    if way == BLOCKS:
        return _blocks(sizes, storage, machine)
    return Execution(way, step, sizes.halo, raised=step == sizes.halo)


def _rows_at_once(sizes: Sizes, allowed: int) -> int:
    """Return how many rows of the answer are made at a time.

    No fewer than the halo, or more of the work would be to move the rows that are kept.
    """
    return max(1, min(STEP_BYTES, allowed // SHARE) // sizes.row, sizes.halo)


def _blocks(sizes: Sizes, storage: Storage, machine: Machine) -> Execution:
    """Divide a picture into blocks that a worker's memory holds."""
    height, halo, unit = sizes.height, sizes.halo, min(storage.unit, sizes.height)
    band, memory = storage.band or 1, machine.worker_memory
    even = -(-height // (BLOCKS_A_WORKER * machine.workers))
    wanted = max(1, min(even, BLOCK_BYTES // sizes.stored), BANDS_A_BLOCK * band)
    rows = min(_in_units(max(wanted, halo + 1), unit), _in_units(height, unit))
    left = None if memory is None else max(0, int(WORKER_SHARE * memory) - WORKER_BYTES)
    step = min(rows, _rows_at_once(sizes, Machine(left).allowed))
    if memory is not None and left is not None:
        # The first input, a copy within an engine, and of each answer the rows before, too.
        each = (2 + 2 * sizes.kernels) * sizes.row + sizes.read + sizes.stored
        fixed = halo * each + STORED_COPIES * (band * sizes.read + unit * sizes.stored)
        needed = fixed + min(rows, LEAST_STEP, max(1, STEP_BYTES // sizes.row)) * each
        if needed > left:
            enough = -(-(WORKER_BYTES + needed) // int(WORKER_SHARE * 1e6))
            raise ImageTooLargeError(
                f"needs {enough} MB of each worker, for {band} rows that are stored together and "
                f"{unit} that are written together, and a worker may take {memory / 1e6:.0f} MB; "
                f"`worker_memory='{enough}M'`, or `memory_limit='{enough}M'` of a dask worker, "
                "is enough"
            )
        step = min(step, (left - fixed) // each)
    return Execution(BLOCKS, step, halo, rows, height, machine.workers, raised=wanted <= halo)


def _in_units(rows: int, unit: int) -> int:
    """Return as many rows or a few more: a multiple of a unit."""
    return -(-rows // unit) * unit
