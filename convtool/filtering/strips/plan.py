"""The plan of a picture that is filtered in strips, with all checks that need no pixels."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np

from convtool.convolution.threads import count as thread_count
from convtool.errors import ImageFormatError, ImageTooLargeError, OptionError
from convtool.filtering import finishing
from convtool.filtering.job import FilterJob, Kind, Outcome
from convtool.filtering.plan import FilterPlan, PictureKind, plan_filter
from convtool.filtering.strips import budget
from convtool.filtering.strips.chain import Counts
from convtool.filtering.strips.inputs import Input
from convtool.filtering.strips.options import TIFF_ENDINGS, ZARR_ENDING, StoreOptions
from convtool.filtering.strips.steps import AssumptionViolated
from convtool.images.background import channels_on
from convtool.images.carry import carried
from convtool.images.codec import Header
from convtool.images.formats import FORMATS
from convtool.images.image import DEPTHS, Image, Metadata
from convtool.images.paths import shown
from convtool.images.stores.ome import Scales
from convtool.images.stores.picture import Wanted
from convtool.images.stores.progress import check_store
from convtool.images.tone import working_dtype
from convtool.images.write import check_writable
from convtool.records import Record, replace


def _check_filtering(source: str, job: FilterJob) -> None:
    """Refuse what looks at more of a picture than strips of it."""
    how = job.filtering
    named = [name for name in ("region", "mask", "channels") if getattr(how, name) is not None]
    if how.nan != "keep":
        named.append("nan")
    if named:
        raise OptionError(
            f"{shown(source)}: is filtered strip by strip, which --{named[0]} cannot be; "
            "a larger --max-memory filters it as a whole"
        )


class StripPlan(Record):
    """The rows of a picture that one process filters strip by strip.

    Parameters
    ----------
    step : int
        How many rows are worked on at once.
    halo : int
        How many rows beyond its own a row of the answer needs.
    """

    step: int
    halo: int

    def explained(self) -> str:
        """Say how the rows are divided."""
        words = f"filtered strip by strip, about {self.step} rows at a time"
        if self.halo:
            words += f", with {self.halo} rows more that the kernels reach"
        if self.step == self.halo:
            words += "; strips are as large as these, so that more of them is new than is kept"
        return words


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
    """

    def __init__(
        self, source: str, target: str, job: FilterJob, store: StoreOptions, given: Input
    ) -> None:
        self.source, self.target, self.job, self.store = source, target, job, store
        self.given = given
        _check_filtering(source, job)
        self.threads = thread_count(job.filtering.threads)
        header, limit = given.header, store.max_pixels
        if limit is not None and header.width * header.height > limit:
            raise ImageTooLargeError(
                f"{shown(source)}: claims {header.width}×{header.height} pixels, more than the "
                f"limit of {limit}; --max-pixels raises it"
            )
        kind = PictureKind.of_header(header, given.format)
        self.plan = plan_filter(kind, job.kernels, job.filtering)
        if self.plan.options.nodata is not None:
            raise OptionError(
                f"{shown(source)}: is filtered strip by strip, which does not fill missing pixels "
                f"(nodata {self.plan.options.nodata:g}); --nodata none takes them as values, a "
                "larger --max-memory filters it as a whole"
            )
        self.to_zarr = target.rstrip(os.sep).lower().endswith(ZARR_ENDING)
        channels = self.plan.channels
        if kind.has_alpha:
            channels = channels_on(channels, job.writing.background)
        self.shape = self.plan.shape[:2] + ((channels,) if channels > 1 else ())
        self.kept, self.remarks = self._metadata(header)
        if self.to_zarr:
            check_store(target, overwrite=store.overwrite)
        else:
            self._check_tiff(channels)
        self.plan = replace(self.plan, rows=self._strips())

    def _check_tiff(self, channels: int) -> None:
        if not self.target.lower().endswith(TIFF_ENDINGS):
            raise ImageFormatError(
                f"{shown(self.target)}: a picture that is filtered strip by strip is written as "
                "TIFF (.tif, .tiff, .btf) or Zarr (.zarr, .ome.zarr)"
            )
        if self.plan.type.bits:
            raise ImageFormatError(
                f"{shown(self.target)}: {self.plan.type.depth} bits are not written strip by strip;"
                " use --depth 16, or a larger --max-memory"
            )
        bands = self.plan.kind.has_bands
        check_writable(self.target, channels, self.plan.type, format="tiff", bands=bands)
        if len(self.given.pictures) > 1:
            raise ImageFormatError(
                f"{shown(self.target)}: a TIFF that is written strip by strip holds one picture, "
                f"not {len(self.given.pictures)} planes; write a .zarr, or pick one with --page N"
            )

    def _metadata(self, header: Header) -> tuple[Header, tuple[str, ...]]:
        """Return the header that the answer has, and remarks on what is lost."""
        blank = np.broadcast_to(np.zeros((), self.plan.dtype), self.shape)
        has_alpha = len(self.shape) == 3 and self.shape[2] in (2, 4) and header.has_alpha
        image = Image(blank, has_alpha, self.given.format, header.metadata)
        metadata, remarks = carried(image, FORMATS["tiff"], self.job.writing)
        if self.to_zarr:
            lost = [name for name in ("icc", "exif", "xmp") if getattr(metadata, name)]
            names = {"icc": "colour profile", "exif": "EXIF", "xmp": "XMP"}
            words = ", ".join(names[name] for name in lost)
            remarks = (f"Zarr holds no {words}; they are left out",) if lost else ()
            metadata = Metadata(resolution=metadata.resolution)
        return replace(header, has_alpha=has_alpha, metadata=metadata), remarks

    @property
    def halo(self) -> int:
        """How many rows beyond its own a row of the answer needs: the sum of the kernels'."""
        return sum(spec.weights.shape[-2] - 1 for spec in self.job.kernels)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row in the type that is computed in."""
        return int(self._samples * working_dtype(self.given.header.type).itemsize)

    @property
    def _samples(self) -> int:
        header = self.given.header
        return max(header.width * header.channels, int(np.prod(self.shape[1:])))

    @property
    def band_bytes(self) -> int:
        """Bytes of the rows of the input that are read together."""
        tallest = max(last - first for first, last in self.given.pictures[0].bands)
        return tallest * self.given.header.pixel_type.itemsize * self._samples

    def _strips(self) -> StripPlan:
        limit = self.job.reading.max_memory
        rows = budget.rows_at_once(self.row_bytes, self.halo, limit)
        budget.check((rows + self.halo) * self.row_bytes + self.band_bytes, limit)
        return StripPlan(rows, self.halo)

    def wanted(self) -> Wanted:
        """Return the output's description for the writer."""
        layout = self.given.pictures[0].layout
        return Wanted(self.shape, self.plan.dtype, self.kept, layout, self.store.pyramid)

    def fingerprint(self) -> str:
        """Return what differs wherever the answer, or how it is stored, might."""
        chosen = asdict(self.store)
        for name in ("resume", "overwrite", "max_pixels"):
            del chosen[name]
        picture = self.given.pictures[0]
        where = os.path.realpath(self.source)
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
        named = self.target.rstrip(os.sep).lower().endswith(".ome.zarr")
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
            return Outcome(*self.kinds, plan.steps, rows=plan.rows)
        share = counts.clipped / max(1, counts.values)
        found = finishing.remarks(plan, share, counts.nans)
        warnings = (*self.given.header.notes, *found, *self.remarks, *remarks)
        # Of a store that was complete but for its name no kernel computed anything.
        steps = plan.timed(counts.seconds or (0.0,) * len(plan.steps))
        return Outcome(*self.kinds, steps, share, warnings, seconds, rows=plan.rows)


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
