"""The worker's side of a block: read it with its halo, filter it, write it."""

import os
import uuid
from collections.abc import Iterator
from functools import lru_cache
from zlib import crc32

import numpy as np

from convtool.convolution import calibration
from convtool.convolution.planner import Calibration
from convtool.distributed.verification import Probe, name_of
from convtool.errors import ClusterError, ConvtoolError
from convtool.filtering.job import FilterJob
from convtool.filtering.plan import FilterPlan
from convtool.filtering.strips.chain import Chain, Counts, consumers_of
from convtool.filtering.strips.inputs import Input, opened
from convtool.filtering.strips.job import answer_rows, measured_rows
from convtool.filtering.strips.options import StoreOptions
from convtool.filtering.strips.rows import Ahead, Kept
from convtool.filtering.strips.steps import AssumptionViolated
from convtool.images.image import Pixels
from convtool.images.options import ReadOptions
from convtool.images.paths import shown
from convtool.images.stores.ome import Scales
from convtool.images.stores.picture import Strips, Wanted
from convtool.images.stores.progress import Place
from convtool.images.stores.zarr_writer import ZarrStore
from convtool.images.tone import Extent
from convtool.images.write import cannot_be_written
from convtool.records import Record
from convtool.work.worker import limit_opencv


class Block(Record):
    """Some rows of the answer."""

    plane: int
    """Of which picture of the input."""
    first: int
    last: int
    """The first row and the one after the last."""

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.last - self.first


class Order(Record, eq=False):
    """The settings of a worker for one picture, the same for all blocks of a pass."""

    source: str
    identity: str
    """The input, and its fingerprint when the client opened it."""
    job: FilterJob
    """The kernels and options."""
    store: StoreOptions
    """The options for stores."""
    place: Place
    """The place of the output."""
    wanted: Wanted | None
    """The settings of a Zarr output; None for files of rows."""
    scales: Scales | None
    """The pixel sizes of an OME-Zarr image."""
    plan: FilterPlan
    """The plan that each worker executes."""
    calibration: Calibration
    """The calibration for the plans of alpha's kernels."""
    probe: Probe
    """What the worker must share with the client."""
    extent: tuple[float, float] | None = None
    """The smallest and the largest value, if measured."""


class BlockResult(Record):
    """The result of a block."""

    counts: Counts = Counts()
    """The counts of clipped values."""
    extent: tuple[float, float] | None = None
    """The smallest and the largest value, if requested."""
    file: str | None = None
    """The file with its rows, if there is one."""
    checksum: int = 0
    """The CRC-32 of that file."""
    worker: str = ""
    """The worker that has written it."""
    violated: bool = False
    """Whether the plan's assumption does not hold; there is no output then."""


class _Opened:
    """A picture that stays open for the next block and closes when it is garbage-collected."""

    def __init__(self, source: str, reading: ReadOptions, store: StoreOptions) -> None:
        self._context = opened(source, reading, store, 1)
        self.given: Input = self._context.__enter__()


@lru_cache(maxsize=1)
def _open(source: str, identity: str, reading: ReadOptions, store: StoreOptions) -> _Opened:
    found = _Opened(source, reading, store)
    if found.given.pictures[0].identity() != identity:
        raise ClusterError(
            f"{shown(source)}: worker {name_of()} sees another picture there than this machine "
            "does, or it has changed; all must see the same files"
        )
    return found


def measure(order: Order, block: Block) -> BlockResult:
    """Measure the smallest and the largest value of a block."""
    given = _given(order)
    try:
        with _Rows(order, given, block) as chain:
            for _ in measured_rows(chain, (block.first, block.last), order.plan.execution.step):
                pass
    except AssumptionViolated:
        return BlockResult(violated=True)
    return BlockResult(extent=(chain.extent.low, chain.extent.high))


def make(order: Order, block: Block) -> BlockResult:
    """Filter a block and write it."""
    given = _given(order)
    background = order.job.writing.background
    try:
        with _Rows(order, given, block) as chain:
            if order.extent is not None:
                chain.stretch(Extent(*order.extent))
            span, step = (block.first, block.last), order.plan.execution.step
            rows = answer_rows(chain, span, step, background)
            file, checksum = _write(order, given, block, rows)
    except AssumptionViolated:
        return BlockResult(violated=True)
    return BlockResult(chain.counts, file=file, checksum=checksum, worker=name_of())


def _given(order: Order) -> Input:
    order.probe.check()
    limit_opencv(order.job)
    return _open(order.source, order.identity, order.job.reading, order.store).given


class _Rows:
    """The filter chain of a block, without read-ahead."""

    def __init__(self, order: Order, given: Input, block: Block) -> None:
        self._ahead = Ahead(given.pictures[block.plane], 0, 1)
        with calibration.held(order.calibration):
            rows = Kept(self._ahead.make, consumers_of(order.plan))
            self._chain = Chain(rows, order.plan)

    def __enter__(self) -> Chain:
        return self._chain

    def __exit__(self, *what: object) -> None:
        self._ahead.close()


def _write(
    order: Order, given: Input, block: Block, rows: Iterator[Pixels]
) -> tuple[str | None, int]:
    """Write a block's rows; return the name and the checksum of the file of rows, if any."""
    if order.wanted is None:
        return _to_file(order.place, block, rows)
    made = ZarrStore(order.place, order.wanted, given.zarr, order.scales, 1)
    strips, written = Strips(made.unit), block.first
    for pixels in rows:
        for strip in strips.cut(pixels):
            written = _put(order.place, made, block.plane, written, strip)
    rest = strips.rest()
    if rest is not None:
        _put(order.place, made, block.plane, written, rest)
    made.flush()
    return None, 0


def _put(place: Place, made: ZarrStore, plane: int, first: int, rows: Pixels) -> int:
    """Write rows to a store that still belongs to this run; return the row after the last."""
    place.check()
    made.put(0, plane, first, rows)
    return first + len(rows)


def _to_file(place: Place, block: Block, rows: Iterator[Pixels]) -> tuple[str, int]:
    """Write rows to a file with a unique name, as a retried block may be written twice."""
    path, checksum = os.path.join(place.folder, f"rows-{block.first}-{uuid.uuid4().hex}"), 0
    try:
        place.check()
        with open(path, "xb") as file:
            for pixels in rows:
                data = np.ascontiguousarray(pixels).data
                checksum = crc32(data, checksum)
                file.write(data)
    except ConvtoolError:
        raise
    except OSError as error:
        raise cannot_be_written(place.path, error) from error
    return path, checksum
