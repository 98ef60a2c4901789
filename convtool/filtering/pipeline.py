"""The kernels' way over a picture's values: colours and alpha, one kernel after the other."""

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.convolution import api
from convtool.convolution.geometry import Geometry, geometry
from convtool.convolution.planner import Plan
from convtool.filtering import alpha as transparency
from convtool.filtering import nonfinite
from convtool.filtering.options import FilterOptions
from convtool.images import light, tone
from convtool.images.alpha import divide, premultiply
from convtool.images.image import Image, Pixels, peak_of
from convtool.images.tone import Values
from convtool.kernels.spec import KernelSpec
from convtool.kernels.weights import is_even
from convtool.records import replace


def in_light(options: FilterOptions, format: str, peak: float) -> FilterOptions:
    """Take the border's value as light, too; leave what is light already, by its file's format."""
    if format in light.ALREADY_LINEAR:
        return replace(options, linear=False)
    outside = light.to_linear(np.array([options.cval]), peak)
    return replace(options, cval=float(outside[0]))


def separate(image: Image, options: FilterOptions) -> tuple[Pixels, Values | None]:
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


def run_alpha(
    alpha: Values,
    specs: Sequence[KernelSpec],
    options: FilterOptions,
    peak: float,
    plans: Sequence[Plan],
) -> tuple[Values, list[float]]:
    """Run the kernels over alpha alone, as planned; return what each took, too."""
    seconds = []
    if options.nan == "fill":
        alpha = nonfinite.replaced(alpha)
    for index, spec in enumerate(specs):
        start = time.perf_counter()
        alpha = alpha_after(alpha, spec, options, index == len(specs) - 1, peak, plans[index])
        seconds.append(time.perf_counter() - start)
    return alpha, seconds


def colours_bleed(
    alpha: Values, specs: Sequence[KernelSpec], options: FilterOptions, peak: float
) -> bool:
    """Tell whether transparent pixels would bleed: pixels meet, and not all are opaque."""
    return pixels_meet(specs, options) and not is_opaque(alpha, peak)


def pixels_meet(specs: Sequence[KernelSpec], options: FilterOptions) -> bool:
    """Tell whether colours of pixels would mix that alpha should keep apart."""
    return options.alpha != "keep" and any(
        spec.is_group or not transparency.is_pointwise(spec.weights, not options.correlate)
        for spec in specs
    )


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
        and not kernel.is_group
        and source.kind == "u"
        and colours == source
        and tone.output_dtype(options.depth, source) == source
        and options.range in ("clip", "abs")
        and options.bias == 0
        and 0 <= options.cval <= peak_of(source)
        and _averages(kernel)
    )


@lru_cache(maxsize=64)
def _averages(kernel: KernelSpec) -> bool:
    """Tell whether no answer of a kernel is beyond what it is given."""
    return bool(kernel.weights.min() >= 0) and bool(kernel.weights.sum() <= 1 + 1e-9)


def is_opaque(alpha: Values, peak: float) -> bool:
    """Tell whether every pixel is opaque."""
    return bool((alpha >= peak).all())


def run(
    colours: Pixels,
    alpha: Values | None,
    specs: Sequence[KernelSpec],
    options: FilterOptions,
    peak: float,
    bleeds: bool,
    finisher: tone.Finisher | None,
    plans: Sequence[Plan],
    overwrite: bool = False,
) -> tuple[Values, Values | None, list[float]]:
    """Run the kernels over colours and alpha, as planned for the colours of an opaque picture.

    What each took over the colours is returned, too. Colours come back as pixels where there is a
    finisher. They may lie where those given were if ``overwrite`` says so.
    """
    if alpha is not None and options.nan == "fill":
        colours, alpha = nonfinite.replaced(colours), nonfinite.replaced(alpha)
    values: Pixels = colours
    seconds = []
    if alpha is not None and bleeds:
        cube = tone.to_working(colours).reshape(*alpha.shape, -1)
        values = premultiply(cube, alpha, peak).reshape(colours.shape)
    for index, spec in enumerate(specs):
        last = index == len(specs) - 1
        if alpha is not None:
            alpha = alpha_after(alpha, spec, options, last, peak)
        values, taken = timed(
            values,
            spec,
            options,
            last,
            plans[index],
            finisher=finisher if last else None,
            overwrite=overwrite or index > 0,
        )
        seconds.append(taken)
    if alpha is not None and bleeds and not options.direction:
        cube = values.reshape(*alpha.shape, -1)
        values = divide(cube, alpha, peak).reshape(values.shape)
    return values, alpha, seconds


def alpha_after(
    alpha: Values,
    spec: KernelSpec,
    options: FilterOptions,
    last: bool,
    peak: float,
    plan: Plan | None = None,
) -> Values:
    """Return alpha after a kernel: smoothed with it, as planned if it was, or cut and strided."""
    if not smooths_alpha(spec, options):
        layout = layout_of(alpha.shape, spec, options, last)
        flipped = is_flipped(spec, options)
        return transparency.carried(alpha, layout, flipped, options.border_name, peak)
    opaque_outside = replace(options, cval=0.0)
    missing = _convolve(peak - alpha, spec, opaque_outside, last, plan)
    return alpha_without(missing, spec, peak)


def smooths_alpha(spec: KernelSpec, options: FilterOptions) -> bool:
    """Tell whether alpha is filtered with a kernel, too."""
    return not (
        options.alpha == "keep"
        or spec.is_group
        or not transparency.smooths(spec.weights)
        or transparency.is_pointwise(spec.weights, is_flipped(spec, options))
    )


def alpha_without(missing: Values, spec: KernelSpec, peak: float) -> Values:
    """Return alpha from a kernel's answer to what was missing to opaque, which is changed."""
    missing /= spec.weights.sum()
    return np.clip(peak - missing, 0, peak)


def matrices(spec: KernelSpec) -> tuple[NDArray[np.float64], ...]:
    """Return the kernel, or all of a group."""
    return tuple(spec.weights) if spec.is_group else (spec.weights,)


def is_flipped(spec: KernelSpec, options: FilterOptions) -> bool:
    """Tell whether a kernel is flipped: not where that is not wanted, nor for a gradient's sign."""
    signed = spec.is_gradient and (options.direction or not is_even(spec.weights))
    return not (options.correlate or signed)


def layout_of(
    shape: tuple[int, ...], spec: KernelSpec, options: FilterOptions, last: bool
) -> Geometry:
    """Return where a kernel's windows lie on a plane of a shape."""
    height, width = spec.weights.shape[-2:]
    return geometry(
        (shape[0], shape[1]),
        (height, width),
        mode=options.mode,
        padding=options.padding,
        stride=options.stride if last else 1,
        flipped=is_flipped(spec, options),
    )


def reach(specs: Sequence[KernelSpec], options: FilterOptions) -> tuple[int, int]:
    """Return how far the windows of all kernels together reach, in rows and columns.

    To each side alike: where the picture ends on one side, the border may look as far back.
    """
    rows = columns = 0
    for spec in specs:
        windows = layout_of(spec.weights.shape[-2:], spec, options, False)
        rows += max(-windows.rows.start, windows.rows.taps - 1 + windows.rows.start)
        columns += max(-windows.columns.start, windows.columns.taps - 1 + windows.columns.start)
    return rows, columns


def step_arguments(options: FilterOptions, last: bool) -> dict[str, Any]:
    """Return what `convtool.plan` and `convtool.convolve` take, but for the border's value."""
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
    plan: Plan | None,
    dtype: np.dtype[Any] | None = None,
    finisher: tone.Finisher | None = None,
    overwrite: bool = False,
) -> Values:
    how = step_arguments(options, last) | {"cval": options.cval, "dtype": dtype, "plan": plan}
    holes = nonfinite.missing(values) if options.nan == "fill" else None
    if holes is not None and nonfinite.averages(spec):

        def plain(known: Values, cval: float) -> Values:
            weights, turned = matrices(spec), is_flipped(spec, options)
            return api.filtered(known, weights, turned, **how | {"cval": cval})

        return nonfinite.normalised(plain, values, holes, spec.weights.sum(), options.cval)
    if holes is not None:
        values = nonfinite.replaced(values)
    if options.direction and last:
        from convtool.convolution.gradient import angles

        down, right = (api.filtered(values, (one,), False, **how) for one in matrices(spec))
        return angles(down, right)
    if finisher is not None:
        how |= {"dtype": finisher.dtype, "store": finisher}
    if spec.combination is not None:
        how["combination"] = spec.combination
    return api.filtered(
        values, matrices(spec), is_flipped(spec, options), **how, overwrite=overwrite
    )


def timed(
    values: Pixels,
    spec: KernelSpec,
    options: FilterOptions,
    last: bool,
    plan: Plan,
    dtype: np.dtype[Any] | None = None,
    finisher: tone.Finisher | None = None,
    overwrite: bool = False,
) -> tuple[Values, float]:
    """Convolve as planned, in the memory of ``values`` if that may be; return the seconds, too."""
    start = time.perf_counter()
    answer = _convolve(values, spec, options, last, plan, dtype, finisher, overwrite)
    return answer, time.perf_counter() - start
