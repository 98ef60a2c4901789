"""Filtering a picture: kernels in order, alpha, tone; what ``convtool filter`` does."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.convolution import api, gradient
from convtool.convolution.geometry import Geometry, geometry
from convtool.errors import OptionError
from convtool.images import alpha as transparency
from convtool.images import light, tone
from convtool.images.image import Image, Pixels, peak_of
from convtool.images.tone import Values
from convtool.kernels.spec import KernelSpec, parse

CLIPPED_WORTH_A_WARNING = 0.01
"""The share of clipped values from which on there is a warning."""


@dataclass(frozen=True)
class FilterOptions:
    """How a picture is filtered.

    Parameters
    ----------
    mode, border, cval, padding, engine, threads
        As for `convtool.convolve`, for each kernel.
    stride : int or (int, int)
        Every S-th row and column of the last kernel's answer is kept.
    bias : float
        Added after the last kernel, in the units of the input's pixels.
    correlate : bool
        Do not flip the kernels.
    gray : bool
        Filter the luma of a colour picture.
    direction : bool
        Give the angle of the last kernel's gradient instead of its magnitude, of the luma.
    range : str
        How values reach the output's range, see `tone.RANGES`.
    depth : str
        The output's depth, see `tone.OUTPUT_DEPTHS`.
    alpha : str
        ``premultiply`` or ``keep``, see `alpha.RULES`.
    linear : bool
        Filter light: undo the transfer function of sRGB first and redo it last, but for formats
        whose values are light already.
    """

    mode: str = "same"
    border: str | None = None
    cval: float = 0.0
    padding: int | tuple[int, int] | None = None
    stride: int | tuple[int, int] = 1
    engine: str = "auto"
    threads: int | None = None
    bias: float = 0.0
    correlate: bool = False
    gray: bool = False
    direction: bool = False
    range: str = "clip"
    depth: str = "keep"
    alpha: str = "premultiply"
    linear: bool = False

    @property
    def border_name(self) -> str:
        """The border that `convtool.convolve` takes."""
        if self.border is not None:
            return self.border
        return "constant" if self.mode == "full" and self.padding is None else "reflect"


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
        step_options = _step_options(options, last)
        plan = api.planned((*size, colours), working, _matrices(kernel), **step_options)
        size = _layout(size, kernel, options, last).shape
        working = np.dtype(np.float64 if dtype == np.float64 else np.float32)
        shown = (*size, colours)
        steps.append(Step(kernel.text, plan.engine, plan.rank, plan.costs, plan.reason, shown))
    total = colours + int(has_alpha)
    result = size if total == 1 else (*size, total)
    return Outline(tuple(steps), result, tone.output_dtype(options.depth, dtype))


def filter_image(
    image: Image,
    kernels: Sequence[KernelSpec | str],
    options: FilterOptions | None = None,
    plan: Outline | None = None,
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
    plan : Outline, optional
        What `outline` says of such a picture, if that is known.

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
    plan = plan or outline(image.pixels.shape, source, image.has_alpha, specs, options)
    if options.linear:
        options = _in_light(image, options)
    colours, alpha = _split(image, options)
    if alpha is None and _stays_in_range(specs, options, source, colours):
        pixels, taken = _timed(colours, specs[0], options, True, source)
        step = replace(plan.steps[0], seconds=taken)
        return FilterResult(replace(image, pixels=pixels), (step,), 0.0, image.notes)
    bleeds = alpha is not None and _bleeds(alpha, specs, options, image.peak)
    finisher = None if bleeds else _finisher(options, source)
    values, alpha, seconds = _filtered(colours, alpha, specs, options, image.peak, bleeds, finisher)
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
        (*image.notes, *_warnings(share, toned.nans)),
    )


def _finisher(options: FilterOptions, source: np.dtype[Any]) -> tone.Finisher | None:
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
    if options.direction:
        values = _angles_as_values(values, peak)
    elif options.linear:
        values = light.to_encoded(values, peak)
    if options.bias:
        values += options.bias
    return tone.finish(
        values, source=source, depth=options.depth, range=options.range, threads=options.threads
    )


def check_options(kernels: Sequence[KernelSpec], options: FilterOptions) -> None:
    """Check what can be without a picture.

    Raises
    ------
    OptionError
        If an option cannot be so, or not with these kernels.
    """
    tone.check_range(options.range)
    if options.alpha not in transparency.RULES:
        rules = ", ".join(transparency.RULES)
        raise OptionError(f"alpha {options.alpha!r} is not known; one of {rules}")
    for name, value in (("bias", options.bias), ("cval", options.cval)):
        if not math.isfinite(value):
            raise OptionError(f"{name} must be a finite number, not {value}")
    if not kernels:
        raise OptionError("no kernel was given; name at least one")
    if options.direction and not kernels[-1].is_gradient:
        raise OptionError(
            f"direction needs a gradient as its last kernel, not '{kernels[-1].text}'; "
            "use sobel, prewitt or scharr"
        )


def _warnings(share: float, nans: int) -> list[str]:
    found = []
    if share > CLIPPED_WORTH_A_WARNING:
        found.append(
            f"{share:.1%} of the values were outside the output's range and were clipped; "
            "--range abs, offset or stretch keeps them, and so does --depth float"
        )
    if nans:
        found.append(f"{nans} values are not numbers (NaN) and became 0")
    return found


def _in_light(image: Image, options: FilterOptions) -> FilterOptions:
    """Take the border's value as light, too; leave what is light already."""
    if image.format in light.ALREADY_LINEAR:
        return replace(options, linear=False)
    outside = light.to_linear(np.array([options.cval]), image.peak)
    return replace(options, cval=float(outside[0]))


def _split(image: Image, options: FilterOptions) -> tuple[Pixels, Values | None]:
    """Separate colours, made grey where asked for, and alpha as floats."""
    pixels, alpha = image.pixels, None
    if image.has_alpha:
        alpha = tone.to_working(pixels[:, :, -1])
        pixels = pixels[:, :, 0] if pixels.shape[2] == 2 else pixels[:, :, :-1]
    if options.linear:
        pixels = light.to_linear(pixels, image.peak)
    if pixels.ndim == 3 and (options.gray or options.direction):
        pixels = tone.to_gray(pixels, threads=options.threads)
    return pixels, alpha


def _stays_in_range(
    specs: Sequence[KernelSpec], options: FilterOptions, source: np.dtype[Any], colours: Pixels
) -> bool:
    """Tell whether no value can leave the range, so that pixels can be computed as they are."""
    kernel = specs[0]
    return (
        len(specs) == 1
        and not kernel.is_gradient
        and source.kind == "u"
        and colours.dtype == source
        and tone.output_dtype(options.depth, source) == source
        and options.range in ("clip", "abs")
        and options.bias == 0
        and 0 <= options.cval <= peak_of(source)
        and bool(kernel.weights.min() >= 0)
        and bool(kernel.weights.sum() <= 1 + 1e-9)
    )


def _filtered(
    colours: Pixels,
    alpha: Values | None,
    specs: Sequence[KernelSpec],
    options: FilterOptions,
    peak: float,
    bleeds: bool,
    finisher: tone.Finisher | None,
) -> tuple[Values, Values | None, list[float]]:
    """Run the kernels over colours and alpha; return what each took over the colours, too.

    Colours come back as pixels where there is a finisher.
    """
    values: Pixels = colours
    seconds = []
    if alpha is not None and bleeds:
        cube = tone.to_working(colours).reshape(*alpha.shape, -1)
        values = transparency.premultiply(cube, alpha, peak).reshape(colours.shape)
    for index, spec in enumerate(specs):
        last = index == len(specs) - 1
        if alpha is not None:
            alpha = _alpha_after(alpha, spec, options, last, peak)
        values, taken = _timed(values, spec, options, last, finisher=finisher if last else None)
        seconds.append(taken)
    if alpha is not None and bleeds and not options.direction:
        cube = values.reshape(*alpha.shape, -1)
        values = transparency.divide(cube, alpha, peak).reshape(values.shape)
    return values, alpha, seconds


def _bleeds(
    alpha: Values, specs: Sequence[KernelSpec], options: FilterOptions, peak: float
) -> bool:
    """Tell whether transparent pixels would bleed: pixels meet, and not all are opaque."""
    if options.alpha == "keep" or bool((alpha >= peak).all()):
        return False
    return any(
        spec.is_gradient or not transparency.is_pointwise(spec.weights, not options.correlate)
        for spec in specs
    )


def _alpha_after(
    alpha: Values, spec: KernelSpec, options: FilterOptions, last: bool, peak: float
) -> Values:
    """Return alpha after a kernel: smoothed with it, or cut and strided alike."""
    flipped = _flipped(spec, options)
    if (
        options.alpha == "keep"
        or spec.is_gradient
        or not transparency.smooths(spec.weights)
        or transparency.is_pointwise(spec.weights, flipped)
    ):
        layout = _layout(alpha.shape, spec, options, last)
        return transparency.carried(alpha, layout, flipped, options.border_name, peak)
    opaque_outside = replace(options, cval=0.0)
    missing = _convolve(peak - alpha, spec, opaque_outside, last)
    missing /= spec.weights.sum()
    return np.clip(peak - missing, 0, peak)


def _matrices(spec: KernelSpec) -> tuple[NDArray[np.float64], ...]:
    """Return the kernel, or both of a gradient."""
    return tuple(spec.weights) if spec.is_gradient else (spec.weights,)


def _flipped(spec: KernelSpec, options: FilterOptions) -> bool:
    return not (options.correlate or spec.is_gradient)


def _layout(
    shape: tuple[int, ...], spec: KernelSpec, options: FilterOptions, last: bool
) -> Geometry:
    height, width = spec.weights.shape[-2:]
    return geometry(
        (shape[0], shape[1]),
        (height, width),
        mode=options.mode,
        padding=options.padding,
        stride=options.stride if last else 1,
        flipped=_flipped(spec, options),
    )


def _step_options(options: FilterOptions, last: bool) -> dict[str, Any]:
    return {
        "mode": options.mode,
        "border": options.border,
        "padding": options.padding,
        "stride": options.stride if last else 1,
        "engine": options.engine,
        "threads": options.threads,
    }


def _convolve(
    values: Pixels,
    spec: KernelSpec,
    options: FilterOptions,
    last: bool,
    dtype: np.dtype[Any] | None = None,
    finisher: tone.Finisher | None = None,
) -> Values:
    how = _step_options(options, last) | {"cval": options.cval, "dtype": dtype}
    if options.direction and last:
        return gradient.gradient_direction(values, spec.weights, **how)
    if finisher is not None:
        how |= {"dtype": finisher.dtype, "store": finisher}
    return api.filtered(values, _matrices(spec), _flipped(spec, options), **how)


def _timed(
    values: Pixels,
    spec: KernelSpec,
    options: FilterOptions,
    last: bool,
    dtype: np.dtype[Any] | None = None,
    finisher: tone.Finisher | None = None,
) -> tuple[Values, float]:
    """Convolve, and return the seconds that it took."""
    start = time.perf_counter()
    answer = _convolve(values, spec, options, last, dtype, finisher)
    return answer, time.perf_counter() - start


def _angles_as_values(angles: Values, peak: float) -> Values:
    """Map angles onto 0 to peak: a full turn is peak, and both ends are the same direction."""
    turns: Values = angles / angles.dtype.type(2 * np.pi)
    np.mod(turns, 1, out=turns)
    turns *= angles.dtype.type(peak)
    return turns
