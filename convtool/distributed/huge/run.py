"""The client's side for one huge picture: plan and submit the blocks, finish the output."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from convtool.convolution import calibration
from convtool.convolution.threads import count
from convtool.distributed.huge.targets import Target, ToTiff, ToZarr
from convtool.distributed.huge.work import Block, BlockResult, Order, make, measure
from convtool.distributed.task_pool import TaskPool
from convtool.distributed.verification import Probe, probed
from convtool.errors import OptionError, WorkerError
from convtool.extras import need
from convtool.filtering.execution import Machine
from convtool.filtering.job import FilterJob, Outcome
from convtool.filtering.plan import MEASURED, FilterPlan
from convtool.filtering.strips.chain import Counts
from convtool.filtering.strips.inputs import is_store, opened
from convtool.filtering.strips.options import StoreOptions
from convtool.filtering.strips.plan import StripJob, execute
from convtool.filtering.strips.steps import AssumptionViolated
from convtool.images.paths import shown
from convtool.images.remote import is_store_url, is_url, local
from convtool.images.stores.picture import Span
from convtool.images.tone import Extent
from convtool.progress import Progress, silent
from convtool.records import replace
from convtool.work.dispatch import Dispatcher, Report

_BLOCKS_A_THREAD = 2


@contextmanager
def divided(
    source: str,
    target: str,
    job: FilterJob,
    store: StoreOptions,
    facts: Callable[[], tuple[int, int | None]],
) -> Iterator["Divided"]:
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
    facts : callable
        Returns the number of parallel tasks, and the memory limit of each.

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
    if is_url(target) or (is_url(source) and not is_store_url(source)):
        raise OptionError(
            f"{shown(target if is_url(target) else source)}: of URLs, a cluster only reads those "
            "of Zarr stores; it writes where all workers see the same files"
        )
    source, target = local(source), local(target)
    if not is_store(source):
        raise OptionError(
            f"{shown(source)}: its format can only be decoded as a whole; a cluster filters TIFF "
            "and Zarr block by block"
        )
    machine = Machine.of(job.reading, *facts())
    with opened(source, job.reading, store, count(job.filtering.threads)) as given:
        work = Divided(StripJob(source, target, job, store, given, machine))
        try:
            yield work
        except BaseException as error:
            work.fail(error)
            raise


class Divided:
    """One picture to filter block by block on a cluster.

    Attributes
    ----------
    plan : FilterPlan
        How it is filtered.
    outcome : Outcome
        The planned outcome, or the final one after `finish` has returned.
    """

    def __init__(self, one: StripJob) -> None:
        self._one, self._began = one, time.perf_counter()
        self.plan, self.outcome = one.plan, one.outcome()
        self._target: Target | None = None
        self._counts = Counts()

    def over(
        self,
        client: Any,
        *,
        progress: Progress = silent,
        stop: int | None = None,
    ) -> None:
        """Filter and write all blocks on the workers.

        Parameters
        ----------
        client : distributed.Client
            A client of the cluster.
        progress
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
            above = os.path.dirname(os.path.abspath(one.target))
            with probed(client, above, one.source, stop=stop) as probe:
                self._target = ToZarr(one) if one.to_zarr else ToTiff(one)
                work = _Blocks(pool, one, self._target, probe, stop)
                for plane in range(len(one.given.pictures)):
                    work.filter(plane, progress)
            self._counts = work.counts
        finally:
            pool.close()

    def finish(self) -> Outcome:
        """Write the pyramid, if any, and rename the output to its final name."""
        assert self._target is not None
        remarks = self._target.finish()
        self._target = None
        seconds = time.perf_counter() - self._began
        self.outcome = self._one.outcome(self._counts, remarks, seconds)
        return self.outcome

    def fail(self, error: BaseException) -> None:
        """Leave nothing that looks whole."""
        if self._target is not None:
            self._target.fail(error)


class _Blocks:
    """Submits the blocks plane by plane."""

    def __init__(
        self,
        pool: TaskPool[Block],
        one: StripJob,
        target: Target,
        probe: Probe,
        stop: int | None,
    ) -> None:
        self._pool, self._one, self._target, self._stop = pool, one, target, stop
        self._probe = probe
        self.counts = Counts()

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
        return Order(
            one.source if is_url(one.source) else os.path.abspath(one.source),
            one.given.pictures[0].identity(),
            replace(one.job, filtering=plan.options),
            one.store,
            target.place,
            target.wanted,
            one.scales() if target.wanted is not None else None,
            plan,
            calibration.load(),
            self._probe,
        )

    def _pass(
        self,
        function: Callable[[Order, Block], BlockResult],
        order: Order,
        plane: int,
        spans: list[Span],
    ) -> Iterator[tuple[Block, BlockResult]]:
        """Run all blocks; raise `AssumptionViolated` once no worker is busy."""
        cut = self._one.plan.execution.blocks
        left = iter([Block(plane, *rows) for span in spans for rows in cut(*span)])
        violated = False
        self._task = function, order

        def next_block() -> Block | None:
            return None if violated else next(left, None)

        for report in Dispatcher(self, next_block, lambda block: []).run(self._stop):
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
        """Wait briefly for finished blocks.

        Raises
        ------
        WorkerError
            If a block needs more memory than it was planned with, or ends every worker.
        """
        arrived = self._pool.wait(stop)
        if arrived is None:
            return []
        if arrived.killed is not None:
            raise self._failed(arrived.work, arrived.killed)
        try:
            return [Report(arrived.work, arrived.value())]
        except MemoryError as error:
            raise self._failed(arrived.work) from error
        except OSError as error:
            if error.errno == errno.ENOMEM:
                raise self._failed(arrived.work) from error
            raise

    def _failed(self, block: Block, killed: Any = None) -> WorkerError:
        """Return the error about a block that ended its workers or got no memory."""
        where = f"{shown(self._one.source)}: rows {block.first} to {block.last - 1}"
        if killed is not None and not self._pool.ended_by_memory(killed):
            return WorkerError(f"{where} ended every worker that took them; is it damaged?")
        memory = self._pool.memory
        most = "a worker has" if memory is None else f"the {memory >> 20} MiB a worker may take"
        return WorkerError(
            f"{where} need more memory than {most} and than was planned; give each more "
            "(`worker_memory=`, or `memory_limit=` of a dask worker)"
        )
