"""The client's side for one huge picture: plan and submit the blocks, finish the output."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from convtool.convolution import calibration
from convtool.convolution.threads import count
from convtool.distributed.huge.cut import Block, BlockPlan, plan_blocks
from convtool.distributed.huge.targets import Target, ToTiff, ToZarr, unit_of
from convtool.distributed.huge.work import BlockResult, Order, make, measure
from convtool.distributed.task_pool import TaskPool
from convtool.errors import OptionError, WorkerError
from convtool.extras import need
from convtool.filtering.job import FilterJob, Outcome
from convtool.filtering.plan import MEASURED, FilterPlan
from convtool.filtering.strips.chain import Counts
from convtool.filtering.strips.inputs import is_store, opened
from convtool.filtering.strips.options import StoreOptions
from convtool.filtering.strips.plan import StripJob, execute
from convtool.filtering.strips.steps import AssumptionViolated
from convtool.images.paths import shown
from convtool.images.stores.picture import Span
from convtool.images.tone import Extent
from convtool.progress import Progress, silent
from convtool.records import replace
from convtool.work.dispatch import Dispatcher, Report

_BLOCKS_A_THREAD = 2


@contextmanager
def divided(source: str, target: str, job: FilterJob, store: StoreOptions) -> Iterator["Divided"]:
    """Open a huge picture for filtering on a cluster, and check everything except pixels.

    Parameters
    ----------
    source : str
        A TIFF or a Zarr store, which the workers can open under the same name.
    target : str
        A TIFF or a Zarr store, by its extension; likewise.
    job : FilterJob
        The kernels and options.
    store : StoreOptions
        The options for stores.

    Yields
    ------
    Divided
        The picture; call `Divided.over` and then `Divided.finish`.

    Raises
    ------
    ConvtoolError
        If it cannot be read, filtered, or written.
    """
    need("cluster", "distributed")
    if not is_store(source):
        raise OptionError(
            f"{shown(source)}: its format can only be decoded as a whole; a cluster filters TIFF "
            "and Zarr block by block"
        )
    with opened(source, job.reading, store, count(job.filtering.threads)) as given:
        yield Divided(StripJob(source, target, job, store, given))


class Divided:
    """One picture to filter block by block on a cluster.

    Attributes
    ----------
    outcome : Outcome
        The planned outcome, or the final one after `finish` has returned.
    """

    def __init__(self, one: StripJob) -> None:
        self._one, self._began = one, time.perf_counter()
        self.outcome = one.outcome()
        self._target: Target | None = None
        self._counts = Counts()

    def planned(self, workers: int, memory: int | None) -> FilterPlan:
        """Return the plan for a number of workers and their memory limit."""
        one = self._one
        return replace(one.plan, rows=plan_blocks(one, unit_of(one), workers, memory))

    def over(
        self,
        client: Any,
        *,
        planned: Callable[[FilterPlan], object] | None = None,
        progress: Progress = silent,
        stop: int | None = None,
    ) -> None:
        """Filter and write all blocks on the workers.

        Parameters
        ----------
        client : distributed.Client
            A client of the cluster.
        planned, progress
            As for `filter_stream`.
        stop : int, optional
            A file descriptor; the work is interrupted when it becomes readable.

        Raises
        ------
        Interrupted
            If ``stop`` becomes readable.
        ClusterError, WorkerError
            If the cluster fails.
        ConvtoolError
            As `filter_stream` does.
        """
        one = self._one
        pool: TaskPool[Block] = TaskPool(client, "convtool-blocks")
        try:
            target: Target = ToZarr(one) if one.to_zarr else ToTiff(one)
            self._target = target
            blocks = plan_blocks(one, target.unit, pool.threads, pool.memory)
            if planned is not None:
                planned(replace(one.plan, rows=blocks))
            work = _Blocks(pool, one, target, blocks, stop)
            try:
                for plane in range(len(one.given.pictures)):
                    work.filter(plane, progress)
            finally:
                self._counts = work.counts
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            pool.close()

    def finish(self) -> Outcome:
        """Write the pyramid, if any, and rename the output to its final name."""
        assert self._target is not None
        try:
            remarks = self._target.finish()
        except BaseException as error:
            self._fail(error)
            raise
        seconds = time.perf_counter() - self._began
        self.outcome = self._one.outcome(self._counts, remarks, seconds)
        return self.outcome

    def _fail(self, error: BaseException) -> None:
        if self._target is not None:
            self._target.fail(error)


class _Blocks:
    """Submits the blocks plane by plane, smaller ones after a worker ran out of memory."""

    def __init__(
        self,
        pool: TaskPool[Block],
        one: StripJob,
        target: Target,
        blocks: BlockPlan,
        stop: int | None,
    ) -> None:
        self._pool, self._one, self._target = pool, one, target
        self._plan, self._stop = blocks, stop
        self.counts = Counts()
        self._killed: Any = None
        filtering = replace(one.job.filtering, threads=one.job.filtering.threads or 1)
        self._job = replace(one.job, filtering=filtering)

    def filter(self, plane: int, progress: Progress) -> None:
        """Filter one plane."""
        first, _ = self._target.state(plane)

        def attempt(plan: FilterPlan) -> None:
            self._try(plan, plane, self._target.state(plane)[1], progress)

        execute(first, attempt, lambda: self._target.restart(plane))

    def _try(
        self,
        plan: FilterPlan,
        plane: int,
        extent: Extent | None,
        progress: Progress,
    ) -> None:
        one = self._one
        height, width = one.shape[:2]
        spans = self._target.missing(plane, height)
        if not spans:
            return
        order = self._order(plan)
        whole = [(0, height)]
        measuring = plan.tone == MEASURED and extent is None
        rows = sum(last - first for first, last in [*spans, *(whole if measuring else [])])
        tell = progress(rows * width)
        if measuring:
            extent = Extent()
            for block, found in self._pass(measure, order, plane, whole):
                low, high = found.extent or (extent.low, extent.high)
                extent = Extent(min(low, extent.low), max(high, extent.high))
                tell(block.rows * width)
            self._target.measured(plane, extent)
        if extent is not None:
            order = replace(order, extent=(extent.low, extent.high))
        for block, found in self._pass(make, order, plane, spans):
            self._target.take(block, found)
            self.counts += found.counts
            tell(block.rows * width)

    def _order(self, plan: FilterPlan) -> Order:
        one, target = self._one, self._target
        plan = plan.toned_afterwards()
        return Order(
            os.path.abspath(one.source),
            one.given.pictures[0].identity(),
            self._job,
            one.store,
            target.place,
            target.wanted,
            one.scales() if target.wanted is not None else None,
            replace(plan, options=replace(plan.options, threads=self._job.filtering.threads)),
            calibration.load(),
        )

    def _pass(
        self,
        function: Callable[[Order, Block], BlockResult],
        order: Order,
        plane: int,
        spans: list[Span],
    ) -> Iterator[tuple[Block, BlockResult]]:
        """Run all blocks; raise `AssumptionViolated` once no worker is busy."""
        left, violated = self._blocks(plane, spans), False
        self._task = function, order

        def next_block() -> Block | None:
            return None if violated else next(left, None)

        for report in Dispatcher(self, next_block, self._smaller).run(self._stop):
            found: BlockResult = report.value
            violated = violated or found.violated
            if not violated:
                yield report.work, found
        if violated:
            raise AssumptionViolated

    @property
    def busy(self) -> bool:
        """Whether any block is submitted and unfinished."""
        return bool(self._pool.out)

    def has_room(self, *, again: bool) -> bool:
        """Return whether to submit another block; retried blocks have priority."""
        out, most = len(self._pool.out), _BLOCKS_A_THREAD * self._pool.threads
        return out < most and (again or out + self._target.held < 2 * most)

    def give(self, work: Block, *, again: bool) -> None:
        """Submit a block."""
        function, order = self._task
        self._pool.give(work, function, order, work)

    def wait(self, stop: int | None) -> list[Report]:
        """Wait briefly for finished blocks; a block that exceeded the memory limit is a crash."""
        arrived = self._pool.wait(stop)
        if arrived is None:
            return []
        self._killed = arrived.killed
        if arrived.killed is not None:
            return [Report(arrived.work, crash=arrived.killed)]
        try:
            return [Report(arrived.work, arrived.value())]
        except MemoryError as error:
            return [Report(arrived.work, crash=error)]
        except OSError as error:
            if error.errno == errno.ENOMEM:
                return [Report(arrived.work, crash=error)]
            raise

    def _blocks(self, plane: int, spans: list[Span]) -> Iterator[Block]:
        """Yield blocks on submission, smaller ones if earlier blocks were too large."""
        for span in spans:
            top = span[0]
            while top < span[1]:
                block = self._plan.block(plane, (top, span[1]))
                yield block
                top = block.last

    def _smaller(self, block: Block) -> list[Block]:
        """Divide a block that ended its workers into blocks that need less memory.

        Raises
        ------
        WorkerError
            If it cannot be divided.
        """
        killed = self._killed
        if block.is_least(self._plan.unit):
            where = f"{shown(self._one.source)}: rows {block.first} to {block.last - 1}"
            if killed is not None and not self._pool.ended_by_memory(killed):
                raise WorkerError(f"{where} ended every worker that took them; is it damaged?")
            memory = self._pool.memory
            most = "a worker has" if memory is None else f"the {memory >> 20} MiB a worker may take"
            raise WorkerError(
                f"{where} alone need more memory than {most}; give each more (--worker-memory, or "
                "the --memory-limit of a dask worker)"
            )
        halves = block.halves(self._plan.unit)
        self._plan = self._plan.like(halves[0])
        return halves
