"""Filtering the pages of a volume together: plan, kernels of three dimensions, tone."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from convtool.convolution import borders, dtypes
from convtool.convolution.volume import volume_filtered, volume_plan
from convtool.errors import OptionError, ShapeError
from convtool.filtering import finishing, nonfinite
from convtool.filtering.alpha import is_opaque, separate
from convtool.filtering.execution import MEMORY, Execution
from convtool.filtering.options import FilterOptions, check_options
from convtool.filtering.plan import AFTERWARDS, MEASURED, FilterPlan, PictureKind, Step, resolved
from convtool.images import tone
from convtool.images.image import Image, Pixels
from convtool.images.tone import MEASURED_RANGES, Values, output_type, working_dtype
from convtool.kernels.spec import KernelSpec
from convtool.kernels.volumes import volume_kernel
from convtool.records import Record

_REFUSED: dict[str, Callable[[FilterOptions], bool]] = {
    "direction": lambda options: options.direction,
    "region": lambda options: options.region is not None,
    "mask": lambda options: options.mask is not None,
    "channels": lambda options: options.channels is not None,
    "mode": lambda options: options.mode != "same",
    "padding": lambda options: options.padding is not None,
    "stride": lambda options: options.stride not in (1, (1, 1)),
    "nodata": lambda options: options.nodata is not None,
    "nan": lambda options: options.nan == "fill",
}
"""Options that volumes do not take, and when they are given."""

_CLIPPED = 0.01
"""The share of clipped values from which on there is a warning."""


def volume_spec(text: str) -> KernelSpec:
    """Return the kernel of three dimensions that a text describes, as those of filters are.

    Raises
    ------
    KernelError
        If it describes none.

    Examples
    --------
    >>> volume_spec("gaussian:sigma=1,2,2").weights.shape
    (9, 17, 17)
    """
    return KernelSpec(text, text.partition(":")[0], volume_kernel(text))


def plan_volume(
    kind: PictureKind, depth: int, kernels: Sequence[KernelSpec], options: FilterOptions
) -> FilterPlan:
    """Plan the filtering of a volume.

    Parameters
    ----------
    kind : PictureKind
        What each page is.
    depth : int
        How many pages the volume has.
    kernels : sequence of KernelSpec
        The kernels, in order, each of three dimensions.
    options : FilterOptions
        How they are applied.

    Raises
    ------
    OptionError, EngineError
        If these cannot be combined.

    Examples
    --------
    >>> kind = PictureKind((64, 48), np.dtype("uint8"))
    >>> plan_volume(kind, 9, [volume_spec("box")], FilterOptions()).steps[0].shape
    (9, 64, 48, 1)
    """
    check_options(kernels, options)
    options = resolved(options, kind)
    for name, given in _REFUSED.items():
        if given(options):
            words = f"`{name}=` is for pictures, not for volumes; leave it out"
            wanted = ", or `nodata=float('nan')`" if name == "nodata" else ""
            raise OptionError(words + wanted)
    if kind.has_bands and options.gray:
        raise OptionError(f"`gray=` needs grey or colour; the pages have {kind.shape[2]} bands")
    sample = Image(np.zeros((1, 1, *kind.shape[2:]), kind.dtype), kind.has_alpha, bits=kind.bits)
    values = separate(sample, options)[0]
    shape, dtype, steps = (depth, *kind.shape[:2], *values.shape[2:]), values.dtype, []
    for kernel in kernels:
        plan = volume_plan(
            shape,
            dtype,
            kernel.weights,
            not options.correlate,
            engine=options.engine,
            threads=options.threads,
        )
        steps.append(Step(kernel.text, plan, shape if len(shape) == 4 else (*shape, 1)))
        dtype = dtypes.output_type(dtype, None)
    channels = steps[-1].shape[3] + int(kind.has_alpha)
    return FilterPlan(
        kind,
        tuple(kernels),
        options,
        shape,
        values.dtype,
        tuple(steps),
        kind.shape[:2] + ((channels,) if channels > 1 else ()),
        output_type(options.depth, kind.type),
        MEASURED if options.range in MEASURED_RANGES else AFTERWARDS,
        execution=Execution(MEMORY),
    )


def bytes_needed(plan: FilterPlan) -> int:
    """Return how many bytes the pages of a volume take while they are filtered."""
    samples = int(np.prod(plan.given_shape))
    working = working_dtype(plan.kind.type).itemsize
    return samples * (plan.kind.dtype.itemsize + 3 * working + plan.dtype.itemsize)


class FilteredVolume(Record, eq=False):
    """A filtered volume."""

    pages: list[Pixels]
    """The pixels of each page, alpha included."""
    seconds: Sequence[float]
    """What each kernel took."""
    clipped: int
    """How many values were outside the output's range."""
    nans: int
    """How many values were NaN and became 0."""


def filter_volume(plan: FilterPlan, pages: Sequence[Image]) -> FilteredVolume:
    """Filter a volume as planned.

    Parameters
    ----------
    plan : FilterPlan
        What `plan_volume` says of it.
    pages : sequence of Image
        Its pages, from the first plane to the last.

    Raises
    ------
    OptionError
        If pages are transparent, and colours are not to be filtered alone.
    NonFiniteError
        If values are not finite, and the options refuse them.
    """
    options, peak = plan.options, plan.kind.peak
    colours, alphas = [], []
    for page in pages:
        if options.nan == "refuse":
            nonfinite.refuse(nonfinite.marked(page.pixels, options.nodata))
        pixels, alpha = separate(page, options)
        if alpha is not None and options.alpha != "keep" and not is_opaque(alpha, peak):
            raise OptionError(
                "pages of volumes are not filtered by their transparency; "
                "`alpha='keep'` filters colours alone"
            )
        colours.append(pixels)
        alphas.append(alpha)
    values, seconds = _convolved(plan, np.stack(colours))
    flat = values.reshape(-1, *values.shape[2:])
    toned = tone.finish(
        finishing.prepared(flat, options, peak),
        source=plan.kind.type,
        depth=options.depth,
        range=options.range,
        missing=None,
        threads=options.threads,
    )
    made = list(toned.pixels.reshape(values.shape))
    for number, alpha in enumerate(alphas):
        if alpha is not None:
            opacity = tone.finish(alpha, source=plan.kind.type, depth=options.depth).pixels
            made[number] = np.dstack([made[number], opacity])
    return FilteredVolume(made, seconds, toned.clipped, toned.nans)


def _convolved(plan: FilterPlan, values: Pixels) -> tuple[Values, list[float]]:
    options, seconds = plan.options, []
    rule, cval = borders.resolve(options.border_name, options.cval)
    for kernel in plan.kernels:
        start = time.perf_counter()
        values = volume_filtered(
            values,
            kernel.weights,
            not options.correlate,
            borders=(rule, rule, rule),
            cval=cval,
            engine=options.engine,
            threads=options.threads,
        )
        seconds.append(time.perf_counter() - start)
    return values, seconds


def remarks(share: float, nans: int) -> list[str]:
    """Return the warnings about the values of filtered volumes."""
    found = []
    if share > _CLIPPED:
        found.append(
            f"{share:.1%} of the values were outside the output's range and were clipped; "
            "`range='stretch'` or `depth='float'` (in a TIFF) keeps them"
        )
    if nans:
        found.append(f"{nans} values are not numbers (NaN) and became 0")
    return found


def check_alike(kinds: Sequence[PictureKind]) -> PictureKind:
    """Return the kind of all pages of a volume.

    Raises
    ------
    ShapeError
        If they differ.
    """
    for number, kind in enumerate(kinds, 1):
        if kind != kinds[0]:
            first, other = ("×".join(map(str, each.shape)) for each in (kinds[0], kind))
            raise ShapeError(
                f"is no volume: page {number} is {other} of {kind.dtype}, page 1 {first} of "
                f"{kinds[0].dtype}"
            )
    return kinds[0]
