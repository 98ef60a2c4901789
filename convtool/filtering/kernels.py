"""How options apply to a kernel: its flip, its windows, its rule for alpha."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from convtool.convolution.geometry import Geometry, geometry
from convtool.filtering import alpha_rules
from convtool.filtering.options import FilterOptions
from convtool.kernels.spec import KernelSpec
from convtool.kernels.weights import is_even


def matrices(spec: KernelSpec) -> tuple[NDArray[Any], ...]:
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


def mix_pixels(specs: Sequence[KernelSpec], options: FilterOptions) -> bool:
    """Tell whether colours of several pixels are mixed, which alpha has to weight."""
    return options.alpha != "keep" and any(
        spec.is_group or not alpha_rules.is_pointwise(spec.weights, not options.correlate)
        for spec in specs
    )


def smooths_alpha(spec: KernelSpec, options: FilterOptions) -> bool:
    """Tell whether alpha is filtered with a kernel, too."""
    return not (
        options.alpha == "keep"
        or spec.is_group
        or not alpha_rules.smooths(spec.weights)
        or alpha_rules.is_pointwise(spec.weights, is_flipped(spec, options))
    )


def never_exceeds(spec: KernelSpec) -> bool:
    """Tell whether no answer of a kernel lies beyond what it is given.

    Examples
    --------
    >>> from convtool.kernels.spec import parse
    >>> never_exceeds(parse("box")), never_exceeds(parse("box:scale=2"))
    (True, False)
    """
    weights = spec.weights
    return not spec.is_group and bool(weights.min() >= 0) and bool(weights.sum() <= 1 + 1e-9)
