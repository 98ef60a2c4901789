"""The plan of one picture: all decisions about filtering it, made once by `plan_filter`.

Filtering in memory, in part, in strips, in a batch and on a cluster executes the same `FilterPlan`;
What ``convtool filter`` explains and reports is taken from its steps, its part and its execution.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from convtool.convolution import dtypes, pictures
from convtool.convolution.planner import Plan
from convtool.errors import OptionError
from convtool.filtering import kernels as facts
from convtool.filtering.alpha import is_opaque, separate
from convtool.filtering.execution import (
    BLOCKS,
    IN_MEMORY,
    MEMORY,
    THIS_MACHINE,
    Execution,
    Machine,
    Sizes,
    Storage,
    execution_of,
    way_of,
)
from convtool.filtering.options import FilterOptions, check_options
from convtool.images import light
from convtool.images.codec import Header
from convtool.images.image import Image, PixelType, type_of
from convtool.images.tone import (
    FIXED_RANGES,
    MEASURED_RANGES,
    Finisher,
    Values,
    output_type,
    working_dtype,
)
from convtool.kernels.spec import KernelSpec
from convtool.notebook import milliseconds, table_html
from convtool.records import Record, replace

if TYPE_CHECKING:
    from convtool.filtering.part import Part
    from convtool.filtering.where import Place

DIRECT, IN_PIECES, AFTERWARDS, MEASURED = "direct", "in pieces", "afterwards", "measured"
"""When the last kernel's answer becomes pixels: it is pixels already, as it stays in their range; a
piece as soon as it is computed; rows, or all, when they are complete; when all of it has been seen,
since the range depends on it."""


class PictureKind(Record):
    """What a header says of a picture's pixels: all that the plan of a filter depends on."""

    shape: tuple[int, ...]
    """(H, W) or (H, W, C), alpha included."""
    dtype: np.dtype[Any]
    """The NumPy type of its pixels."""
    has_alpha: bool = False
    """Whether the last channel is alpha."""
    format: str = ""
    """The name of the file's format; empty where there was none."""
    bits: int = 0
    """How many bits of uint16 are used; 0 for all of any type."""
    nodata: float | None = None
    """The value of pixels that are missing."""

    @classmethod
    def of_header(cls, header: Header, format: str) -> "PictureKind":
        """Return the kind of picture that a header describes."""
        nodata = header.metadata.nodata
        return cls(
            header.shape, header.pixel_type, header.has_alpha, format, header.type.bits, nodata
        )

    @classmethod
    def of_image(cls, image: Image) -> "PictureKind":
        """Return the kind of an image."""
        pixels = image.pixels
        nodata = image.metadata.nodata
        return cls(pixels.shape, pixels.dtype, image.has_alpha, image.format, image.bits, nodata)

    @property
    def peak(self) -> float:
        """The value of white."""
        return self.type.peak

    @property
    def type(self) -> PixelType:
        """The type of the pixels."""
        return type_of(self.dtype, self.bits)

    @property
    def has_bands(self) -> bool:
        """Whether the channels are neither grey nor colour, with or without alpha."""
        return not self.has_alpha and len(self.shape) == 3 and self.shape[2] != 3


class Step(Record):
    """One kernel's part in it."""

    kernel: str
    """The kernel's text."""
    plan: Plan
    """Which engine is taken, how and why: it is what is done."""
    shape: tuple[int, ...]
    """The shape of what comes out."""
    seconds: float | None = None
    """What it took; None where it was only planned."""


class FilterPlan(Record, eq=False):
    """How one picture is filtered."""

    kind: PictureKind
    """The picture."""
    kernels: tuple[KernelSpec, ...]
    """The kernels, in order."""
    options: FilterOptions
    """How they are applied to this picture: ``linear`` is off where its values are light already,
    ``cval`` is light where light is filtered, and ``nodata`` is the value of missing pixels."""
    given_shape: tuple[int, ...]
    given_dtype: np.dtype[Any]
    """Shape and type of what the first kernel is given."""
    steps: tuple[Step, ...]
    """One for each kernel, planned for colours that are opaque."""
    shape: tuple[int, ...]
    """The shape of the result."""
    type: PixelType
    """The type of its pixels."""
    tone: str
    """When the last answer becomes pixels: `DIRECT`, `IN_PIECES`, `AFTERWARDS` or `MEASURED`."""
    mixes: bool = False
    """Whether colours of pixels are mixed that alpha has to weight."""
    opaque: bool = True
    """Whether every pixel is taken to be opaque; whoever executes the plan finds out, and goes on
    with `for_transparency`."""
    part: "Part | None" = None
    """Which pixels and channels are filtered, if not all."""
    place: "Place | None" = None
    """Where these pixels lie."""
    execution: Execution = Execution(MEMORY)
    """Whether it is filtered in memory, in part, in strips or in blocks, and the rows at once."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the kernels and their engines."""
        rows = [
            (
                step.kernel,
                step.plan.engine,
                milliseconds(step.plan.costs[step.plan.engine]),
                step.plan.reason,
            )
            for step in self.steps
        ]
        size = "×".join(map(str, self.shape))
        return table_html(["kernel", "engine", "estimate", "reason"], rows, f"{size} pixels")

    @property
    def channels(self) -> int:
        """Channels of the result, alpha included."""
        return 1 if len(self.shape) == 2 else self.shape[2]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy type of the result's pixels."""
        return self.type.dtype

    @property
    def must_be_opaque(self) -> bool:
        """Whether the plan holds only if every pixel is opaque."""
        return self.mixes and self.opaque

    @property
    def premultiplies(self) -> bool:
        """Whether colours are multiplied by alpha before the first kernel."""
        return self.mixes and not self.opaque

    def holds(self, alpha: Values | None) -> bool:
        """Return whether the plan holds for a picture with this alpha."""
        return alpha is None or not self.must_be_opaque or is_opaque(alpha, self.kind.peak)

    def for_transparency(self) -> "FilterPlan":
        """Return the plan of the same picture if not every pixel is opaque."""
        dtype = working_dtype(self.given_dtype)
        return replace(self.toned_afterwards(), opaque=False, given_dtype=dtype)

    def toned_afterwards(self) -> "FilterPlan":
        """Return the plan for rows that are computed more than once and must count once."""
        return replace(self, tone=AFTERWARDS) if self.tone == IN_PIECES else self

    def finisher(self) -> Finisher | None:
        """Return what makes pixels of each piece of the last answer, where that is planned."""
        if self.tone != IN_PIECES:
            return None
        fit = FIXED_RANGES[self.options.range](self.kind.peak)
        return Finisher(self.kind.type, self.type, fit, self.options.bias)

    @property
    def missing(self) -> float | None:
        """The value that missing pixels are written with; None where NaN says so, or none is."""
        return self.options.nodata if self.type == self.kind.type else None

    def timed(self, seconds: Sequence[float]) -> tuple[Step, ...]:
        """Return the steps with what each took."""
        pairs = zip(self.steps, seconds, strict=True)
        return tuple(replace(step, seconds=taken) for step, taken in pairs)


def plan_filter(
    kind: PictureKind,
    kernels: Sequence[KernelSpec],
    options: FilterOptions,
    storage: Storage = IN_MEMORY,
    machine: Machine = THIS_MACHINE,
) -> FilterPlan:
    """Plan the filtering of a picture.

    Parameters
    ----------
    kind : PictureKind
        What the picture's header says.
    kernels : sequence of KernelSpec
        The kernels, in order; at least one.
    options : FilterOptions
        How they are applied.
    storage : Storage, optional
        How picture and answer are stored; both are in memory unless given.
    machine : Machine, optional
        The memory that may be used, and the workers.

    Returns
    -------
    FilterPlan
        It depends on these, on the calibration and on what is installed.

    Raises
    ------
    OptionError, ShapeError, KernelError, EngineError
        If these cannot be combined.
    ImageTooLargeError
        If even the fewest rows need more memory than may be used.

    Examples
    --------
    >>> from convtool.kernels.spec import parse
    >>> kind = PictureKind((480, 640, 3), np.dtype("uint8"))
    >>> plan = plan_filter(kind, [parse("box")], FilterOptions(stride=2))
    >>> plan.shape, plan.dtype, plan.tone
    ((240, 320, 3), dtype('uint8'), 'direct')
    """
    check_options(kernels, options)
    if kind.has_bands and (options.gray or options.direction or options.channels):
        name = "gray" if options.gray else "direction" if options.direction else "channels"
        count = kind.shape[2]
        raise OptionError(f"`{name}=` needs grey or colour; the picture has {count} bands")
    options = resolved(options, kind)
    way = way_of(kind.shape[0] * kind.shape[1], options, storage, machine)
    part = place = None
    size: tuple[int, int] = (kind.shape[0], kind.shape[1])
    sample = Image(np.zeros((1, 1, *kind.shape[2:]), kind.dtype), kind.has_alpha, bits=kind.bits)
    if options.is_partial:
        from convtool.filtering.part import given, plan_part

        part, place = plan_part(kind.shape, kind.has_alpha, kernels, options)
        size, values = place.size, given(sample, options)
    else:
        values = separate(sample, options)[0]
    colours = values.shape[2:]
    when = _tone(kind, kernels, options, values.dtype)
    made = output_type(options.depth, kind.type)
    steps = _steps(
        (*size, *colours), values.dtype, kernels, options, _answer(when, kind, made.dtype)
    )
    shape = kind.shape
    if part is None:
        channels = math.prod(colours) + int(kind.has_alpha)
        shape = steps[-1].shape[:2] + ((channels,) if channels > 1 else ())
    execution = execution_of(
        way, _sizes(kind, kernels, shape, made.dtype, storage.background), storage, machine
    )
    if execution.way == BLOCKS:  # each worker has one thread, and neighbours compute rows twice
        options = replace(options, threads=options.threads or 1)
        when = AFTERWARDS if when == IN_PIECES else when
    return FilterPlan(
        kind,
        tuple(kernels),
        options,
        (*size, *colours),
        values.dtype,
        steps,
        shape,
        made,
        when,
        kind.has_alpha and facts.mix_pixels(kernels, options),
        part=part,
        place=place,
        execution=execution,
    )


def _sizes(
    kind: PictureKind,
    kernels: Sequence[KernelSpec],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    background: str | None,
) -> Sizes:
    """Return the sizes that the rows of a picture and its answer are divided by."""
    channels = math.prod(shape[2:])
    if background is not None and kind.has_alpha:
        from convtool.images.background import channels_on

        channels = channels_on(channels, background)
    written = shape[1] * channels
    samples = max(math.prod(kind.shape[1:]), written)
    return Sizes(
        shape[0],
        samples * working_dtype(kind.type).itemsize,
        written * dtype.itemsize,
        samples * kind.dtype.itemsize,
        sum(spec.weights.shape[-2] - 1 for spec in kernels),
        len(kernels),
    )


def resolved(options: FilterOptions, kind: PictureKind) -> FilterOptions:
    """Resolve the options that depend on the file: missing pixels, values that are light."""
    nodata = kind.nodata if options.nodata is None else options.nodata
    nodata = None if nodata is None or math.isnan(nodata) else nodata
    nan = "fill" if nodata is not None and options.nan == "keep" else options.nan
    options = replace(options, nodata=nodata, nan=nan)
    if not options.linear:
        return options
    if kind.format in light.ALREADY_LINEAR:
        return replace(options, linear=False)
    outside = light.to_linear(np.array([options.cval], np.float64), kind.peak)
    return replace(options, cval=float(outside[0]))


def _tone(
    kind: PictureKind,
    kernels: Sequence[KernelSpec],
    options: FilterOptions,
    given: np.dtype[Any],
) -> str:
    """Return when the last answer of an opaque picture becomes pixels."""
    if _stays_in_range(kind, kernels, options, given):
        return DIRECT
    if options.range in MEASURED_RANGES:
        return MEASURED
    filled = options.nan == "fill" and given.kind == "f"
    if options.is_partial or options.direction or options.linear or filled:
        return AFTERWARDS
    return IN_PIECES


def _stays_in_range(
    kind: PictureKind,
    kernels: Sequence[KernelSpec],
    options: FilterOptions,
    given: np.dtype[Any],
) -> bool:
    """Tell whether no answer can leave the range, so that pixels are computed as they are."""
    source = kind.dtype
    return (
        len(kernels) == 1
        and not kind.has_alpha
        and source.kind == "u"
        and given == source
        and output_type(options.depth, kind.type) == kind.type
        and options.range in ("clip", "abs")
        and options.bias == 0
        and 0 <= options.cval <= kind.peak
        and facts.never_exceeds(kernels[0])
    )


def _answer(when: str, kind: PictureKind, dtype: np.dtype[Any]) -> np.dtype[Any] | None:
    """Return the type of the last output; None for the type it is computed in."""
    return {DIRECT: kind.dtype, IN_PIECES: dtype}.get(when)


def _steps(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    kernels: Sequence[KernelSpec],
    options: FilterOptions,
    answer: np.dtype[Any] | None,
) -> tuple[Step, ...]:
    steps = []
    for number, kernel in enumerate(kernels, 1):
        last = number == len(kernels)
        plan = pictures.planned(
            shape,
            dtype,
            facts.matrices(kernel),
            facts.is_flipped(kernel, options),
            out_dtype=answer if last else None,
            **facts.step_arguments(options, last),
        )
        shape = facts.layout_of(shape, kernel, options, last).shape + shape[2:]
        dtype = dtypes.output_type(dtype, None)
        steps.append(Step(kernel.text, plan, shape if len(shape) == 3 else (*shape, 1)))
    return tuple(steps)
