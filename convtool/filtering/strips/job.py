"""Filter a picture from store to store in strips."""

import time
from collections.abc import Callable, Iterator

from convtool.convolution.threads import count
from convtool.errors import ImageReadError
from convtool.filtering.execution import Machine
from convtool.filtering.job import FilterJob, Outcome
from convtool.filtering.plan import FilterPlan
from convtool.filtering.strips.chain import Chain, Counts, consumers_of
from convtool.filtering.strips.inputs import opened
from convtool.filtering.strips.options import StoreOptions
from convtool.filtering.strips.plan import StripJob, execute
from convtool.filtering.strips.resume import RESTARTED, ResumeState
from convtool.filtering.strips.rows import Ahead, Kept
from convtool.images.background import flattened
from convtool.images.image import Image, Pixels
from convtool.images.stores.picture import Picture, Span
from convtool.images.stores.progress import Remote, Unfinished, begin
from convtool.images.stores.tiff_writer import TiffWriter
from convtool.images.stores.zarr_writer import PlaneSink, ZarrStore
from convtool.images.tone import Extent
from convtool.progress import Progress, silent

READ_AHEAD = 2
"""Bands that are read before they are asked for …"""

LARGE_BAND = 1 << 23
"""… but one, if it has more bytes than this."""


Sink = TiffWriter | PlaneSink
"""Takes the rows of an answer from the top to the bottom."""


def filter_stream(
    source: str,
    target: str,
    job: FilterJob,
    store: StoreOptions,
    *,
    plan: FilterPlan | None = None,
    planned: Callable[[FilterPlan], object] | None = None,
    progress: Progress = silent,
    dry_run: bool = False,
) -> Outcome:
    """Read, filter and write a picture strip by strip.

    Parameters are those of `.run.filter_picture`, and ``plan``, if it is made already. A picture
    that is neither a TIFF nor a Zarr store is read as a whole.

    Raises
    ------
    ConvtoolError
        If the picture cannot be read, filtered so, or written. No file is written then; a Zarr
        store that could not be read or written to the end is left unfinished, for ``resume``.
    """
    start = time.perf_counter()
    with opened(source, job.reading, store, count(job.filtering.threads)) as given:
        one = StripJob(source, target, job, store, given, Machine.of(job.reading), plan)
        if planned is not None:
            planned(one.plan)
        if dry_run:
            return one.outcome()
        work = _Work(one, progress)
        remarks = work.to_zarr() if one.to_zarr else work.to_tiff()
    return one.outcome(work.counts, remarks, time.perf_counter() - start)


class _Work:
    """The work itself, and what is counted on the way."""

    def __init__(self, one: StripJob, progress: Progress) -> None:
        self._one, self._progress, self.counts = one, progress, Counts()

    def to_tiff(self) -> tuple[str, ...]:
        """Write a TIFF."""
        one = self._one
        remarks: list[str] = []

        def attempt(plan: FilterPlan) -> None:
            sink = TiffWriter(one.target, one.wanted(), one.threads)
            self._filter(plan, one.given.pictures[0], sink)
            remarks.extend(sink.remarks)

        execute(one.plan, attempt)
        return tuple(remarks)

    def to_zarr(self) -> tuple[str, ...]:
        """Write a Zarr store, all planes of it."""
        one = self._one
        unfinished = begin(one.target, one.fingerprint(), resume=one.store.resume)
        made = None
        try:
            scales, given = one.scales(), one.given
            made = ZarrStore(unfinished.place, one.wanted(), given.zarr, scales, one.threads)
            state = ResumeState(unfinished.entries)
            for number, picture in enumerate(given.pictures):
                if number not in state.planes:
                    self._plane(made, unfinished, state, number, picture)
            made.complete()
            unfinished.commit()
        except BaseException as error:
            if made is not None:
                made.remove()
            if isinstance(error, ImageReadError):
                unfinished.remove()
            else:
                unfinished.leave()
            raise
        return (f"went on with {state.rows} rows that were there",) if state.rows else ()

    def _plane(
        self,
        made: ZarrStore,
        unfinished: Unfinished | Remote,
        state: ResumeState,
        number: int,
        picture: Picture,
    ) -> None:
        def note(**entry: object) -> None:
            unfinished.note({"plane": number, **entry})

        def attempt(plan: FilterPlan) -> None:
            first, extent = state.rows_of(number), state.extent(number)
            sink = made.sink(number, lambda rows: note(rows=rows), first)
            self._filter(
                plan, picture, sink, first, extent, lambda seen: note(extent=[seen.low, seen.high])
            )
            note(done=True)

        def restart() -> None:
            note(anew=RESTARTED)
            state.forget(number)

        execute(state.plan_for(number, self._one.plan), attempt, restart)

    def _filter(
        self,
        plan: FilterPlan,
        picture: Picture,
        sink: Sink,
        first: int = 0,
        extent: Extent | None = None,
        measured: Callable[[Extent], object] = lambda seen: None,
    ) -> None:
        """Filter one picture from a row on."""
        one, step = self._one, plan.execution.step
        ahead = Ahead(picture, _depth(picture), min(2, one.threads))
        try:
            chain = Chain(
                Kept(ahead.make, consumers_of(plan)), plan.toned_afterwards() if first else plan
            )
            rounds = 2 if chain.must_be_measured and extent is None else 1
            tell = self._progress((chain.height * rounds - first) * chain.width)
            if chain.must_be_measured:
                if extent is None:
                    for seen in measured_rows(chain, (0, chain.height), step):
                        tell(seen * chain.width)
                    extent = chain.extent
                    measured(extent)
                chain.stretch(extent)
            span = first, chain.height
            for pixels in answer_rows(chain, span, step, one.job.writing.background):
                sink.append(pixels)
                tell(len(pixels) * chain.width)
            sink.finish()
        except BaseException:
            sink.abandon()
            raise
        finally:
            ahead.close()
        self.counts += chain.counts


def _depth(picture: Picture) -> int:
    """Return how many bands are read ahead."""
    header, (first, last) = picture.header, picture.bands[0]
    samples = (last - first) * header.width * header.channels
    return 1 if samples * header.pixel_type.itemsize > LARGE_BAND else READ_AHEAD


def measured_rows(chain: Chain, span: Span, step: int) -> Iterator[int]:
    """Measure rows of the output, a number at a time; yield how many were measured.

    What lies beside them may be measured, too.
    """
    first, last = span
    while first < last:
        rows = chain.rows_from(first, min(step, last - first))
        chain.measure(rows)
        yield min(rows[1], last) - first
        first = rows[1]


def answer_rows(chain: Chain, span: Span, step: int, background: str | None) -> Iterator[Pixels]:
    """Compute rows of the output, a number at a time, and yield them from the top down.

    Parameters
    ----------
    chain : Chain
        What computes them.
    span : (int, int)
        The first and the one after the last.
    step : int
        About so many at a time.
    background : str, optional
        The colour that shows where they are transparent.
    """
    first, last = span
    while first < last:
        rows = first, min(chain.rows_from(first, min(step, last - first))[1], last)
        pixels = chain.pixels(rows)
        if background is not None:
            pixels = flattened(Image(pixels, chain.has_alpha), background).pixels
        yield pixels
        first = rows[1]
