"""Filter multi-page TIFFs and Zarr stores as volumes, from file to file."""

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from convtool.convolution.threads import count
from convtool.errors import ImageReadError, OptionError, ShapeError
from convtool.filtering.execution import Machine
from convtool.filtering.job import FilterJob, Kind, Outcome
from convtool.filtering.picture import named
from convtool.filtering.plan import PictureKind
from convtool.filtering.strips.inputs import opened as opened_store
from convtool.filtering.strips.options import StoreOptions, check_urls
from convtool.filtering.strips.plan import StripJob
from convtool.filtering.strips.resume import ResumeState
from convtool.filtering.volume import (
    FilteredVolume,
    bytes_needed,
    check_alike,
    filter_volume,
    plan_volume,
    remarks,
)
from convtool.images.codecs.exif import tags_of
from convtool.images.codecs.tiff_pages import DESCRIPTION
from convtool.images.image import DEPTHS, Image, Pixels
from convtool.images.limits import check_memory
from convtool.images.paths import shown
from convtool.images.read import open_document
from convtool.images.remote import staged
from convtool.images.sources import STDIN
from convtool.images.stack_axes import Axes, axes_of, volumes_of
from convtool.images.stores.ome import axis_names
from convtool.images.stores.picture import Picture
from convtool.images.stores.progress import Remote, Unfinished, begin
from convtool.images.stores.zarr import ZarrImage, is_zarr
from convtool.images.stores.zarr_writer import ZarrStore
from convtool.images.write import STDOUT, check_writable, time_to_keep, write_document
from convtool.progress import Progress, silent
from convtool.records import replace

if TYPE_CHECKING:
    from convtool.filtering.plan import FilterPlan

Planned = Callable[["FilterPlan"], object]


def filter_stack(
    source: str,
    target: str,
    job: FilterJob,
    store: StoreOptions,
    *,
    planned: Planned,
    progress: Progress = silent,
    dry_run: bool = False,
) -> Outcome:
    """Read the pages of a file, filter them as volumes and write them.

    Pages lie along z unless the file names its axes (ImageJ, OME, tifffile; OME-Zarr): then those
    of each time and channel are a volume of their own. Of a Zarr store without names, the axis
    before rows and columns is z.

    Parameters
    ----------
    source, target, store, planned, progress, dry_run
        As for `.run.filter_picture`.
    job : FilterJob
        What to do; its kernels have three dimensions, see `.volume.volume_spec`.

    Returns
    -------
    Outcome
        What was done, or would be.

    Raises
    ------
    ConvtoolError
        If the file holds no volume, or cannot be read, filtered so, or written.
    """
    if job.reading.page is not None:
        raise OptionError("`page=` picks one page of a volume; leave it out")
    check_urls(source, target, store, keep_times=job.writing.keep_times)
    with staged(source, target, dry_run=dry_run) as (here, there):
        if is_zarr(here):
            return _filter_store(here, there, job, store, planned, progress, dry_run)
        return _filter_file(here, there, job, planned, dry_run)


def _volumes(axes: Axes) -> list[list[int]]:
    """Return the pages of each volume."""
    try:
        return volumes_of(axes)
    except ValueError as error:
        raise ShapeError(
            f"is no volume: its pages lie along {error}, none along z; filter it as pictures"
        ) from error


class _Counts:
    """What is counted over all volumes of a file."""

    def __init__(self) -> None:
        self.values = self.clipped = self.nans = 0
        self.seconds: list[float] = []

    def add(self, made: FilteredVolume) -> None:
        """Count a volume, too."""
        self.values += sum(page.size for page in made.pages)
        self.clipped += made.clipped
        self.nans += made.nans
        before = self.seconds or [0.0] * len(made.seconds)
        self.seconds = [old + new for old, new in zip(before, made.seconds, strict=True)]

    def outcome(self, planned: Outcome, notes: tuple[str, ...], start: float) -> Outcome:
        """Return what was done, given what was planned."""
        share = self.clipped / max(1, self.values)
        taken = self.seconds or [0.0] * len(planned.steps)
        steps = zip(planned.steps, taken, strict=True)
        return replace(
            planned,
            steps=tuple(replace(step, seconds=seconds) for step, seconds in steps),
            clipped_share=share,
            warnings=(*remarks(share, self.nans), *notes),
            seconds=time.perf_counter() - start,
        )


def _filter_file(
    source: str, target: str, job: FilterJob, planned: Planned, dry_run: bool
) -> Outcome:
    start = time.perf_counter()
    opened = open_document(source, job.reading)
    how = job.writing
    if how.format is None and target == STDOUT:
        how = replace(how, format=opened.format.name)
    headers, name = opened.headers, opened.format.name
    if len(headers) == 1 or opened.is_animation:
        what = "an animation" if opened.is_animation else "one page"
        where = "standard input" if source == STDIN else shown(source)
        raise ImageReadError(f"{where}: holds {what}, no volume; filter it as pictures")
    modified = time_to_keep(source, target, how)
    with named(source):
        kind = check_alike([PictureKind.of_header(header, name) for header in headers])
        volumes = _volumes(axes_of(_description_of(headers[0].metadata.exif), len(headers)))
        plan = plan_volume(kind, len(volumes[0]), job.kernels, job.filtering)
        stored = len(headers) * _page_bytes(plan)
        size = 0 if source == STDIN else os.path.getsize(source)
        check_memory(size + stored + bytes_needed(plan), Machine.of(job.reading).allowed)
    entry = check_writable(
        target,
        plan.channels,
        plan.type,
        format=how.format,
        quality=how.quality,
        pages=len(headers),
        bands=kind.has_bands and plan.channels > 1,
    )
    planned(plan)
    outcome = Outcome(
        Kind(name, kind.shape, DEPTHS[headers[0].dtype], len(headers)),
        Kind(entry.name, plan.shape, plan.type.depth, len(headers)),
        plan.steps,
        execution=plan.execution,
    )
    if dry_run:
        return outcome
    document = opened.decode()
    pages, counts = list(document.pages), _Counts()
    for numbers in volumes:
        with named(source):
            made = filter_volume(plan, [pages[number] for number in numbers])
        counts.add(made)
        for number, pixels in zip(numbers, made.pages, strict=True):
            pages[number] = replace(pages[number], pixels=pixels, bits=plan.type.bits)
    notes = tuple(dict.fromkeys(note for page in document.pages for note in page.notes))
    filtered = replace(document, pages=tuple(pages))
    lost = write_document(target, filtered, how, modified=modified)
    return counts.outcome(outcome, (*notes, *lost), start)


def _description_of(exif: bytes) -> str:
    entry = tags_of(exif)[0].get(DESCRIPTION) if exif else None
    return entry.content.rstrip(b"\0").decode("utf-8", "replace") if entry else ""


def _page_bytes(plan: "FilterPlan") -> int:
    """Return how many bytes a page takes, decoded and filtered."""
    read, made = plan.kind.shape, plan.shape
    samples = [size[0] * size[1] * (size[2] if len(size) == 3 else 1) for size in (read, made)]
    return samples[0] * plan.kind.dtype.itemsize + samples[1] * plan.dtype.itemsize


def _store_axes(image: ZarrImage) -> Axes:
    """Return the axes that the planes of a Zarr image lie along."""
    names: list[str | None] = [None] * len(image.leading)
    if image.ome is not None:
        names[:] = axis_names({"ome": image.ome})[: len(image.leading)]
    elif names:
        names[-1] = "z"
    return tuple(
        (name or f"axis {place}", size)
        for place, (name, size) in enumerate(zip(names, image.leading, strict=True))
    )


def _filter_store(
    source: str,
    target: str,
    job: FilterJob,
    store: StoreOptions,
    planned: Planned,
    progress: Progress,
    dry_run: bool,
) -> Outcome:
    start = time.perf_counter()
    machine = Machine.of(job.reading)
    with opened_store(source, job.reading, store, count(job.filtering.threads)) as given:
        assert given.zarr is not None
        if not given.zarr.leading:
            raise ImageReadError(
                f"{shown(source)}: holds one plane, no volume; filter it as pictures"
            )
        with named(source):
            volumes = _volumes(_store_axes(given.zarr))
            plan = plan_volume(given.kind, len(volumes[0]), job.kernels, job.filtering)
            check_memory(bytes_needed(plan) + len(volumes[0]) * _page_bytes(plan), machine.allowed)
        one = StripJob(source, target, job, store, given, machine, plan)
        planned(plan)
        outcome = one.outcome()
        if dry_run:
            return outcome
        counts = _write_store(one, volumes, progress)
        return counts.outcome(outcome, (*given.header.notes, *one.remarks), start)


def _write_store(one: StripJob, volumes: list[list[int]], progress: Progress) -> _Counts:
    """Filter the volumes of a Zarr image that are not there yet, and write their planes."""
    unfinished = begin(one.target, one.fingerprint(), resume=one.store.resume)
    counts, made = _Counts(), None
    try:
        made = ZarrStore(unfinished.place, one.wanted(), one.given.zarr, one.scales(), one.threads)
        state = ResumeState(unfinished.entries)
        height, width = one.plan.shape[:2]
        tell = progress(height * width * sum(map(len, volumes)))
        for numbers in volumes:
            if not state.planes.issuperset(numbers):
                with named(one.source):
                    pages = [_page(one.given.pictures[number]) for number in numbers]
                    filtered = filter_volume(one.plan, pages)
                counts.add(filtered)
                for number, pixels in zip(numbers, filtered.pages, strict=True):
                    _write_plane(made, unfinished, state, number, pixels)
            tell(height * width * len(numbers))
        made.complete()
        unfinished.commit()
    except BaseException:
        if made is not None:
            made.remove()
        unfinished.leave()
        raise
    return counts


def _page(picture: Picture) -> Image:
    """Read a plane."""
    header = picture.header
    return Image(picture.window((0, header.height)), header.has_alpha, metadata=header.metadata)


def _write_plane(
    store: ZarrStore,
    unfinished: Unfinished | Remote,
    state: ResumeState,
    number: int,
    pixels: Pixels,
) -> None:
    """Write the rows of a plane that are not there yet."""
    if number in state.planes:
        return
    first = state.rows_of(number)
    sink = store.sink(number, lambda rows: unfinished.note({"plane": number, "rows": rows}), first)
    try:
        sink.append(pixels[first:])
        sink.finish()
    except BaseException:
        sink.abandon()
        raise
    unfinished.note({"plane": number, "done": True})
