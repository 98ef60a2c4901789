"""Apply the kernels to colours and alpha, one kernel after the other."""

import time
from typing import Any

import numpy as np

from convtool.convolution import pictures
from convtool.convolution.planner import Plan
from convtool.filtering import alpha as transparency
from convtool.filtering import kernels as facts
from convtool.filtering import nonfinite
from convtool.filtering.options import FilterOptions
from convtool.filtering.plan import DIRECT, FilterPlan
from convtool.images import tone
from convtool.images.alpha import divide, premultiply
from convtool.images.image import Pixels
from convtool.images.tone import Values
from convtool.kernels.spec import KernelSpec
from convtool.records import replace


def run_alpha(plan: FilterPlan, alpha: Values) -> tuple[Values, list[float]]:
    """Run the kernels over alpha alone, as planned; return what each took, too."""
    seconds = []
    if plan.options.nan == "fill":
        alpha = nonfinite.replaced(alpha)
    for number in range(len(plan.steps)):
        start = time.perf_counter()
        alpha = _alpha_after(plan, number, alpha, plan.steps[number].plan)
        seconds.append(time.perf_counter() - start)
    return alpha, seconds


def run(
    plan: FilterPlan,
    colours: Pixels,
    alpha: Values | None,
    finisher: tone.Finisher | None = None,
    *,
    overwrite: bool = False,
) -> tuple[Values, Values | None, list[float]]:
    """Run the kernels over colours and alpha as planned; return what each took over the colours.

    Colours come back as pixels where there is a finisher. They may lie where those given were if
    ``overwrite`` says so.
    """
    options, peak = plan.options, plan.kind.peak
    if alpha is not None and options.nan == "fill":
        colours, alpha = nonfinite.replaced(colours), nonfinite.replaced(alpha)
    values: Pixels = colours
    seconds = []
    if alpha is not None and plan.premultiplies:
        cube = tone.to_working(colours).reshape(*alpha.shape, -1)
        values = premultiply(cube, alpha, peak).reshape(colours.shape)
    for number, step in enumerate(plan.steps):
        if alpha is not None:
            alpha = _alpha_after(plan, number, alpha)
        start = time.perf_counter()
        last = number == len(plan.steps) - 1
        values = _convolve(
            values,
            plan.kernels[number],
            options,
            last,
            step.plan,
            plan.kind.dtype if plan.tone == DIRECT else None,
            finisher if last else None,
            overwrite or number > 0,
        )
        seconds.append(time.perf_counter() - start)
    if alpha is not None and plan.premultiplies and not options.direction:
        cube = values.reshape(*alpha.shape, -1)
        values = divide(cube, alpha, peak).reshape(values.shape)
    return values, alpha, seconds


def _alpha_after(
    plan: FilterPlan, number: int, alpha: Values, planned: Plan | None = None
) -> Values:
    """Return alpha after a kernel: smoothed with it, as planned if it was, or cut and strided."""
    spec, options, peak = plan.kernels[number], plan.options, plan.kind.peak
    last = number == len(plan.kernels) - 1
    if not facts.smooths_alpha(spec, options):
        layout = facts.layout_of(alpha.shape, spec, options, last)
        flipped = facts.is_flipped(spec, options)
        return transparency.carried(alpha, layout, flipped, options.border_name, peak)
    opaque_outside = replace(options, cval=0.0)
    missing = _convolve(peak - alpha, spec, opaque_outside, last, planned)
    return alpha_without(missing, spec, peak)


def alpha_without(missing: Values, spec: KernelSpec, peak: float) -> Values:
    """Return alpha from a kernel's answer to what was missing to opaque, which is changed."""
    missing /= spec.weights.sum()
    return np.clip(peak - missing, 0, peak)


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
    how = facts.step_arguments(options, last)
    how |= {"cval": options.cval, "dtype": dtype, "plan": plan}
    holes = nonfinite.missing(values) if options.nan == "fill" else None
    if holes is not None and nonfinite.averages(spec):

        def plain(known: Values, cval: float) -> Values:
            weights, turned = facts.matrices(spec), facts.is_flipped(spec, options)
            return pictures.filtered(known, weights, turned, **how | {"cval": cval})

        return nonfinite.normalised(plain, values, holes, spec.weights.sum(), options.cval)
    if holes is not None:
        values = nonfinite.replaced(values)
    if options.direction and last:
        from convtool.convolution.gradient import angles

        down, right = (
            pictures.filtered(values, (one,), False, **how) for one in facts.matrices(spec)
        )
        return angles(down, right)
    if finisher is not None:
        how |= {"dtype": finisher.dtype, "store": finisher}
    if spec.combination is not None:
        how["combination"] = spec.combination
    weights, turned = facts.matrices(spec), facts.is_flipped(spec, options)
    return pictures.filtered(values, weights, turned, **how, overwrite=overwrite)
