"""One picture that is filtered in strips or blocks, with all checks that need no pixels."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np

from convtool.convolution.threads import count as thread_count
from convtool.errors import ImageFormatError, ImageTooLargeError, OptionError
from convtool.filtering import finishing
from convtool.filtering.execution import Machine
from convtool.filtering.job import FilterJob, Kind, Outcome
from convtool.filtering.picture import named
from convtool.filtering.plan import FilterPlan, plan_filter
from convtool.filtering.strips.chain import Counts
from convtool.filtering.strips.inputs import Input
from convtool.filtering.strips.options import TIFF_ENDINGS, StoreOptions, is_zarr_wanted
from convtool.filtering.strips.steps import AssumptionViolated
from convtool.images.background import channels_on
from convtool.images.carry import carried, words_for
from convtool.images.codec import Header
from convtool.images.codecs.tiff_pages import with_true_descriptions
from convtool.images.formats import FORMATS
from convtool.images.image import DEPTHS, Image, Metadata
from convtool.images.paths import shown
from convtool.images.remote import is_url
from convtool.images.stores.ome import Scales
from convtool.images.stores.picture import Wanted
from convtool.images.stores.progress import check_store
from convtool.images.write import check_writable, time_to_keep
from convtool.records import replace


class StripJob:
    """One picture to be filtered strip by strip, with all checks made.

    Parameters
    ----------
    source, target : str
        Where it is, and where the answer goes.
    job : FilterJob
        What to do.
    store : StoreOptions
        How stores are treated.
    given : Input
        What is read.
    machine : Machine
        The memory that may be used, and the workers.
    plan : FilterPlan, optional
        The plan, if it is made already.
    """

    def __init__(
        self,
        source: str,
        target: str,
        job: FilterJob,
        store: StoreOptions,
        given: Input,
        machine: Machine,
        plan: FilterPlan | None = None,
    ) -> None:
        self.source, self.target, self.job, self.store = source, target, job, store
        self.given = given
        self.threads = thread_count(job.filtering.threads)
        header, limit = given.header, store.max_pixels
        if limit is not None and header.width * header.height > limit:
            raise ImageTooLargeError(
                f"{shown(source)}: claims {header.width}×{header.height} pixels, more than the "
                f"limit of {limit}; `max_pixels=` raises it"
            )
        with named(source):
            self.plan = plan or plan_filter(
                given.kind, job.kernels, job.filtering, given.storage(target, job), machine
            )
        self.to_zarr = is_zarr_wanted(target)
        channels = self.plan.channels
        if given.header.has_alpha:
            channels = channels_on(channels, job.writing.background)
        self.shape = self.plan.shape[:2] + ((channels,) if channels > 1 else ())
        self.kept, self.remarks = self._metadata(header)
        if self.to_zarr:
            check_store(target, overwrite=store.overwrite)
            if store.resume and given.zarr is not None and not given.zarr.is_listed:
                raise OptionError(
                    f"{shown(source)}: `resume=True` cannot tell whether a store has changed whose "
                    "server lists no objects; fetch it first"
                )
            if job.writing.keep_times:
                raise OptionError(
                    "`keep_times=True` is for files; a Zarr store is a folder of many"
                )
        else:
            self._check_tiff(channels)

    def _check_tiff(self, channels: int) -> None:
        if not self.target.lower().endswith(TIFF_ENDINGS):
            raise ImageFormatError(
                f"{shown(self.target)}: a picture that is filtered strip by strip is written as "
                "TIFF (.tif, .tiff, .btf) or Zarr (.zarr, .ome.zarr)"
            )
        if self.plan.type.bits:
            raise ImageFormatError(
                f"{shown(self.target)}: {self.plan.type.depth} bits are not written strip by strip;"
                " use `depth='16'`, or a larger `max_memory=`"
            )
        bands = self.plan.kind.has_bands
        check_writable(self.target, channels, self.plan.type, format="tiff", bands=bands)
        if len(self.given.pictures) > 1:
            raise ImageFormatError(
                f"{shown(self.target)}: a TIFF that is written strip by strip holds one picture, "
                f"not {len(self.given.pictures)} planes; write a .zarr, or pick one with `page=N`"
            )

    def _metadata(self, header: Header) -> tuple[Header, tuple[str, ...]]:
        """Return the header that the answer has, and remarks on what is lost."""
        blank = np.broadcast_to(np.zeros((), self.plan.dtype), self.shape)
        has_alpha = len(self.shape) == 3 and self.shape[2] in (2, 4) and header.has_alpha
        image = Image(blank, has_alpha, self.given.format, header.metadata)
        metadata, remarks = carried(image, FORMATS["tiff"], self.job.writing)
        if self.to_zarr:
            words = words_for(replace(metadata, resolution=None), self.given.format)
            remarks = (f"Zarr holds no {', '.join(words)}; they are left out",) if words else ()
            metadata = Metadata(resolution=metadata.resolution)
        else:
            pages, stale = with_true_descriptions(
                [replace(image, metadata=metadata)], pyramid=self.store.pyramid
            )
            metadata, remarks = pages[0].metadata, (*remarks, *stale)
        return replace(header, has_alpha=has_alpha, metadata=metadata), remarks

    def wanted(self) -> Wanted:
        """Return the output's description for the writer."""
        layout = self.given.pictures[0].layout
        modified = time_to_keep(self.source, self.target, self.job.writing)
        return Wanted(self.shape, self.plan.dtype, self.kept, layout, self.store.pyramid, modified)

    def fingerprint(self) -> str:
        """Return what differs wherever the answer, or how it is stored, might."""
        chosen = asdict(self.store)
        for name in ("resume", "overwrite", "max_pixels"):
            del chosen[name]
        picture = self.given.pictures[0]
        where = self.source if is_url(self.source) else os.path.realpath(self.source)
        return f"{self.job.fingerprint()} {chosen} {where} {picture.identity()}"

    @property
    def kinds(self) -> tuple[Kind, Kind]:
        """What is read and what is written."""
        header, count = self.given.header, len(self.given.pictures)
        depth = self.plan.type.depth
        written = "tiff"
        if self.to_zarr:
            written = "ome-zarr" if self.scales() is not None else "zarr"
        return (
            Kind(self.given.format, header.shape, DEPTHS[header.dtype], count),
            Kind(written, self.shape, depth, count),
        )

    def scales(self) -> Scales | None:
        """Return the pixel sizes for an OME-Zarr output."""
        named = self.target.rstrip(os.sep).lower().endswith((".ome.zarr", ".ome.zarr.zip"))
        if not (named or self.store.pyramid or self.given.format == "ome-zarr"):
            return None
        stride = self.job.filtering.stride
        down, across = stride if isinstance(stride, tuple) else (stride, stride)
        return Scales(down, across, self.kept.metadata.resolution)

    def outcome(
        self, counts: Counts | None = None, remarks: Sequence[str] = (), seconds: float = 0.0
    ) -> Outcome:
        """Return what was done, or will be where nothing is counted yet."""
        plan = self.plan
        if counts is None:
            return Outcome(*self.kinds, plan.steps, execution=plan.execution)
        share = counts.clipped / max(1, counts.values)
        found = finishing.remarks(plan, share, counts.nans)
        warnings = (*self.given.header.notes, *found, *self.remarks, *remarks)
        # Of a store that was complete but for its name no kernel computed anything.
        steps = plan.timed(counts.seconds or (0.0,) * len(plan.steps))
        return Outcome(*self.kinds, steps, share, warnings, seconds, execution=plan.execution)


def execute(
    plan: FilterPlan,
    attempt: Callable[[FilterPlan], object],
    restart: Callable[[], object] = lambda: None,
) -> None:
    """Execute a plan; start again with that for transparency where a picture is not opaque.

    Parameters
    ----------
    plan : FilterPlan
        The plan.
    attempt : callable
        Executes a plan, or raises `AssumptionViolated`.
    restart : callable
        Called before the second attempt.
    """
    try:
        attempt(plan)
    except AssumptionViolated:
        restart()
        attempt(plan.for_transparency())
