"""Filtering a picture: kernels in order, alpha, tone; what ``convtool filter`` does."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from convtool.convolution import api, dtypes
from convtool.convolution.planner import Plan
from convtool.filtering import finishing, nonfinite, pipeline
from convtool.filtering.finishing import Made
from convtool.filtering.options import FilterOptions, check_options
from convtool.images import tone
from convtool.images.image import Image
from convtool.images.kernels import kernel_spec
from convtool.kernels.spec import KernelSpec
from convtool.records import Record, replace

if TYPE_CHECKING:
    from convtool.filtering.partial import Part

__all__ = [
    "FilterOptions",
    "FilterResult",
    "Outline",
    "Step",
    "check_options",
    "filter_image",
    "outline",
]


class Step(Record):
    """One kernel's part in it.

    Parameters
    ----------
    kernel : str
        The kernel's text.
    plan : Plan
        Which engine is taken, how and why: it is what is done.
    shape : tuple of int
        The shape of what comes out.
    seconds : float or None
        What it took; None where it was only planned.
    """

    kernel: str
    plan: Plan
    shape: tuple[int, ...]
    seconds: float | None = None


class Outline(Record):
    """What filtering would do, and the picture it would give.

    Parameters
    ----------
    steps : tuple of Step
        One for each kernel, planned for colours that are opaque.
    shape : tuple of int
        The shape of the picture.
    dtype : dtype
        The type of its pixels.
    part : Part, optional
        Which of them are filtered, if not all.
    """

    steps: tuple[Step, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    part: "Part | None" = None

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plan of each kernel."""
        return tuple(step.plan for step in self.steps)

    @property
    def channels(self) -> int:
        """Channels of the result, alpha included."""
        return 1 if len(self.shape) == 2 else self.shape[2]


class FilterResult(Record, eq=False):
    """A filtered picture and what is to be known about it.

    Parameters
    ----------
    image : Image
        The result; format and metadata are the input's.
    steps : tuple of Step
        How it was made.
    clipped_share : float
        The share, 0 to 1, of colour values that were outside the output's range.
    warnings : tuple of str
        What a user should know: clipped values, NaN, remarks of the reader.
    """

    image: Image
    steps: tuple[Step, ...]
    clipped_share: float
    warnings: tuple[str, ...]


def outline(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    has_alpha: bool,
    kernels: Sequence[KernelSpec],
    options: FilterOptions,
) -> Outline:
    """Say what filtering a picture of a kind would do, without doing it.

    Parameters
    ----------
    shape : tuple of int
        (H, W) or (H, W, C) of the picture.
    dtype : dtype
        Its type: uint8, uint16, float32 or float64.
    has_alpha : bool
        Whether its last channel is alpha.
    kernels : sequence of KernelSpec
        The kernels, in order; at least one.
    options : FilterOptions
        How.

    Returns
    -------
    Outline
        The plan of each step, and shape and type of the result.

    Raises
    ------
    OptionError, ShapeError, KernelError, EngineError
        If these cannot be combined.

    Examples
    --------
    >>> options = FilterOptions(stride=2)
    >>> plan = outline((480, 640, 3), np.dtype("uint8"), False, [kernel_spec("box")], options)
    >>> plan.shape, plan.dtype
    ((240, 320, 3), dtype('uint8'))
    """
    check_options(kernels, options)
    sample = Image(np.zeros((1, 1, *shape[2:]), dtype), has_alpha)
    part, size = None, (shape[0], shape[1])
    if options.is_partial:
        from convtool.filtering.partial import given, plan_part

        part = plan_part(shape, has_alpha, kernels, options)
        size, values = part.read, given(sample, options)
    else:
        values = pipeline.separate(sample, options)[0]
    colours, working = values.shape[2:], values.dtype
    answer_type = _answer_type(kernels, options, dtype, working, has_alpha=has_alpha)
    steps = []
    for index, kernel in enumerate(kernels):
        last = index == len(kernels) - 1
        plan = api.planned(
            (*size, *colours),
            working,
            pipeline.matrices(kernel),
            pipeline.is_flipped(kernel, options),
            out_dtype=answer_type if last else None,
            **pipeline.step_arguments(options, last),
        )
        size = pipeline.layout_of(size, kernel, options, last).shape
        working = dtypes.output_type(working, None)
        steps.append(Step(kernel.text, plan, (*size, *(colours or (1,)))))
    if part is not None:
        result = shape
    else:
        channels = math.prod(colours) + int(has_alpha)
        result = size if channels == 1 else (*size, channels)
    return Outline(tuple(steps), result, tone.output_dtype(options.depth, dtype), part)


def _answer_type(
    kernels: Sequence[KernelSpec],
    options: FilterOptions,
    source: np.dtype[Any],
    colours: np.dtype[Any],
    *,
    has_alpha: bool,
) -> np.dtype[Any] | None:
    """Return the type that the last kernel's answer is asked for in, of an opaque picture."""
    if not has_alpha and pipeline.stays_in_range(kernels, options, source, colours):
        return source
    finisher = None if options.is_partial else finishing.finisher(options, source)
    return None if finisher is None else finisher.dtype


def filter_image(
    image: Image,
    kernels: Sequence[KernelSpec | str],
    options: FilterOptions | None = None,
    plan: Outline | None = None,
    *,
    overwrite: bool = False,
) -> FilterResult:
    """Filter a picture with kernels, one after the other, and bring the result to its depth.

    Between kernels values stay floats, however negative or large. Alpha is filtered premultiplied
    unless told otherwise.

    Parameters
    ----------
    image : Image
        The picture; it is not changed unless ``overwrite`` says so.
    kernels : sequence of KernelSpec or str
        The kernels; a gradient pair gives the gradient's magnitude, a group such as ``kirsch`` the
        largest of its answers.
    options : FilterOptions, optional
        How.
    plan : Outline, optional
        What `outline` says of such a picture, if that is known: it is what is done.
    overwrite : bool
        Whether the result may take the memory of the picture's pixels, where it fits: that halves
        what is needed.

    Returns
    -------
    FilterResult
        The picture, with the report.

    Raises
    ------
    OptionError, ShapeError, KernelError, EngineError
        If picture, kernels and options cannot be combined.

    Notes
    -----
    Alpha is divided by the kernel's sum, so that an opaque picture stays opaque; a kernel whose sum
    is not positive, such as a gradient, leaves alpha as it is. Outside the picture everything is
    opaque where the border is a constant. The direction of a gradient is angle / 2π, modulo 1,
    times white: 0 to the right, a quarter of white downwards.

    Examples
    --------
    >>> picture = Image(np.full((8, 8), 100, np.uint8))
    >>> filter_image(picture, ["sharpen-5"]).image.pixels[0, :3]
    array([100, 100, 100], dtype=uint8)
    """
    options = options or FilterOptions()
    specs = [kernel_spec(kernel) if isinstance(kernel, str) else kernel for kernel in kernels]
    source = image.pixels.dtype
    plan = plan or outline(image.pixels.shape, source, image.has_alpha, specs, options)
    if options.linear:
        options = pipeline.in_light(options, image.format, image.peak)
    if options.is_partial:
        from convtool.filtering.partial import filter_part

        made = filter_part(image, specs, options, plan.plans)
    else:
        made = _filter_whole(image, specs, options, plan.plans, overwrite)
    steps = tuple(
        replace(step, seconds=taken) for step, taken in zip(plan.steps, made.seconds, strict=True)
    )
    filtered = replace(image, pixels=made.pixels)
    return FilterResult(filtered, steps, made.clipped_share, (*image.notes, *made.remarks))


def _filter_whole(
    image: Image,
    specs: Sequence[KernelSpec],
    options: FilterOptions,
    plans: Sequence[Plan],
    overwrite: bool,
) -> Made:
    """Filter all pixels and channels of a picture."""
    source = image.pixels.dtype
    if options.nan == "refuse":
        nonfinite.refuse(image.pixels)
    colours, alpha = pipeline.separate(image, options)
    if alpha is None and pipeline.stays_in_range(specs, options, source, colours.dtype):
        pixels, taken = pipeline.timed(
            colours, specs[0], options, True, plans[0], source, overwrite=overwrite
        )
        return Made(pixels, (taken,))
    bleeds = alpha is not None and pipeline.colours_bleed(alpha, specs, options, image.peak)
    finisher = None if bleeds else finishing.finisher(options, source)
    values, alpha, seconds = pipeline.run(
        colours, alpha, specs, options, image.peak, bleeds, finisher, plans, overwrite
    )
    if finisher is not None:
        toned = tone.Toned(values, finisher.clipped, finisher.nans)
    else:
        toned = tone.finish(
            finishing.prepared(values, options, image.peak),
            source=source,
            depth=options.depth,
            range=options.range,
            threads=options.threads,
        )
    share = toned.clipped / toned.pixels.size
    holes = nonfinite.missing(toned.pixels) if options.nan == "fill" else None
    left = 0 if holes is None else int(np.count_nonzero(holes))
    remarks = finishing.remarks(share, toned.nans, left, options)
    if alpha is None:
        return Made(toned.pixels, seconds, share, remarks)
    opacity = tone.finish(alpha, source=source, depth=options.depth).pixels
    return Made(np.dstack([toned.pixels, opacity]), seconds, share, remarks)
