"""Filtering a picture: kernels in order, alpha, tone; what ``convtool filter`` does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convtool.convolution import api
from convtool.images import light, passes, tone
from convtool.images.filter_options import FilterOptions, check_options
from convtool.images.image import Image, peak_of
from convtool.images.tone import Values
from convtool.kernels.spec import KernelSpec, parse

__all__ = [
    "FilterOptions",
    "FilterResult",
    "Outline",
    "Step",
    "check_options",
    "filter_image",
    "outline",
]

CLIPPED_WORTH_A_WARNING = 0.01
"""The share of clipped values from which on there is a warning."""


@dataclass(frozen=True)
class Step:
    """One kernel's part in it.

    Parameters
    ----------
    kernel : str
        The kernel's text.
    engine : str
        The engine that the planner takes.
    rank : int or None
        How many factors it uses.
    costs : dict of str to float
        Seconds that each engine would take.
    reason : str
        Why this engine.
    shape : tuple of int
        The shape of what comes out.
    seconds : float or None
        What it took; None where it was only planned.
    """

    kernel: str
    engine: str
    rank: int | None
    costs: Mapping[str, float]
    reason: str
    shape: tuple[int, ...]
    seconds: float | None = None


@dataclass(frozen=True)
class Outline:
    """What filtering would do, and the picture it would give."""

    steps: tuple[Step, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def channels(self) -> int:
        """Channels of the result, alpha included."""
        return 1 if len(self.shape) == 2 else self.shape[2]


@dataclass(frozen=True, eq=False)
class FilterResult:
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
    >>> plan = outline((480, 640, 3), np.dtype("uint8"), False, [parse("box")], options)
    >>> plan.shape, plan.dtype
    ((240, 320, 3), dtype('uint8'))
    """
    check_options(kernels, options)
    channels = shape[2] if len(shape) == 3 else 1
    colours = channels - int(has_alpha)
    if options.gray or options.direction:
        colours = 1
    size, working = (shape[0], shape[1]), dtype
    steps = []
    for index, kernel in enumerate(kernels):
        last = index == len(kernels) - 1
        step_options = passes.step_arguments(options, last)
        plan = api.planned((*size, colours), working, passes.matrices(kernel), **step_options)
        size = passes.layout_of(size, kernel, options, last).shape
        working = np.dtype(np.float64 if dtype == np.float64 else np.float32)
        shown = (*size, colours)
        steps.append(Step(kernel.text, plan.engine, plan.rank, plan.costs, plan.reason, shown))
    total = colours + int(has_alpha)
    result = size if total == 1 else (*size, total)
    return Outline(tuple(steps), result, tone.output_dtype(options.depth, dtype))


def filter_image(
    image: Image, kernels: Sequence[KernelSpec | str], options: FilterOptions | None = None
) -> FilterResult:
    """Filter a picture with kernels, one after the other, and bring the result to its depth.

    Between kernels values stay floats, however negative or large. Alpha is filtered premultiplied
    unless told otherwise.

    Parameters
    ----------
    image : Image
        The picture; it is not changed.
    kernels : sequence of KernelSpec or str
        The kernels; a gradient pair gives the gradient's magnitude.
    options : FilterOptions, optional
        How.

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
    specs = [parse(kernel) if isinstance(kernel, str) else kernel for kernel in kernels]
    source = image.pixels.dtype
    plan = outline(image.pixels.shape, source, image.has_alpha, specs, options)
    if options.linear:
        options = in_light(options, image.format, image.peak)
    colours, alpha = passes.separate(image, options)
    if alpha is None and stays_in_range(specs, options, source, colours.dtype):
        pixels, taken = passes.timed(colours, specs[0], options, True, source)
        step = replace(plan.steps[0], seconds=taken)
        return FilterResult(replace(image, pixels=pixels), (step,), 0.0, image.notes)
    bleeds = alpha is not None and passes.colours_bleed(alpha, specs, options, image.peak)
    finisher = None if bleeds else finisher_for(options, source)
    values, alpha, seconds = passes.run(
        colours, alpha, specs, options, image.peak, bleeds, finisher
    )
    steps = tuple(
        replace(step, seconds=taken) for step, taken in zip(plan.steps, seconds, strict=True)
    )
    if finisher is not None:
        toned = tone.Toned(values, finisher.clipped, finisher.nans)
    else:
        toned = _toned(values, options, source, image.peak)
    pixels = toned.pixels
    if alpha is not None:
        opacity = tone.finish(alpha, source=source, depth=options.depth).pixels
        pixels = np.dstack([pixels, opacity])
    share = toned.clipped / toned.pixels.size
    return FilterResult(
        replace(image, pixels=pixels),
        steps,
        share,
        (*image.notes, *remarks_on(share, toned.nans)),
    )


def finisher_for(options: FilterOptions, source: np.dtype[Any]) -> tone.Finisher | None:
    """Return what turns the last kernel's answer into pixels as soon as a piece of it is there.

    None where all of it must be there first, or the answer is an angle or light.
    """
    fit = tone.FIXED_RANGES.get(options.range)
    if fit is None or options.direction or options.linear:
        return None
    dtype = tone.output_dtype(options.depth, source)
    return tone.Finisher(source, dtype, fit(peak_of(source)), options.bias)


def _toned(
    values: Values, options: FilterOptions, source: np.dtype[Any], peak: float
) -> tone.Toned:
    return tone.finish(
        in_units(values, options, peak),
        source=source,
        depth=options.depth,
        range=options.range,
        threads=options.threads,
    )


def in_units(values: Values, options: FilterOptions, peak: float) -> Values:
    """Bring the last kernel's answers, which may be changed, to the units of a picture's pixels."""
    if options.direction:
        values = _angles_as_values(values, peak)
    elif options.linear:
        values = light.to_encoded(values, peak)
    if options.bias:
        values += options.bias
    return values


def remarks_on(share: float, nans: int) -> list[str]:
    """Say where values were clipped, a share from 0 to 1 of them, or were not numbers."""
    found = []
    if share > CLIPPED_WORTH_A_WARNING:
        found.append(
            f"{share:.1%} of the values were outside the output's range and were clipped; "
            "--range abs, offset or stretch keeps them, and so does --depth float"
        )
    if nans:
        found.append(f"{nans} values are not numbers (NaN) and became 0")
    return found


def in_light(options: FilterOptions, format: str, peak: float) -> FilterOptions:
    """Take the border's value as light, too; leave what is light already, by its file's format."""
    if format in light.ALREADY_LINEAR:
        return replace(options, linear=False)
    outside = light.to_linear(np.array([options.cval]), peak)
    return replace(options, cval=float(outside[0]))


def stays_in_range(
    specs: Sequence[KernelSpec],
    options: FilterOptions,
    source: np.dtype[Any],
    colours: np.dtype[Any],
) -> bool:
    """Tell whether no value can leave the range, so that pixels can be computed as they are.

    ``source`` is the picture's type, ``colours`` that of the values that the kernel is given.
    """
    kernel = specs[0]
    return (
        len(specs) == 1
        and not kernel.is_gradient
        and source.kind == "u"
        and colours == source
        and tone.output_dtype(options.depth, source) == source
        and options.range in ("clip", "abs")
        and options.bias == 0
        and 0 <= options.cval <= peak_of(source)
        and bool(kernel.weights.min() >= 0)
        and bool(kernel.weights.sum() <= 1 + 1e-9)
    )


def _angles_as_values(angles: Values, peak: float) -> Values:
    """Map angles onto 0 to peak: a full turn is peak, and both ends are the same direction."""
    turns: Values = angles / angles.dtype.type(2 * np.pi)
    np.mod(turns, 1, out=turns)
    turns *= angles.dtype.type(peak)
    return turns
