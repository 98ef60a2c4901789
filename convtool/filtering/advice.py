"""Advice that keeps values in the output's range, from the kernels' sums, signs and reach.

Values are in units of white. A kernel whose positive weights sum to p and whose negative ones to n
turns values from a to b into values from pa + nb to pb + na.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.filtering.kernels import matrices
from convtool.filtering.plan import FilterPlan
from convtool.kernels.spec import KernelSpec

CLIPPED_WORTH_A_WARNING = 0.01
"""The share of clipped values from which on there is a warning …"""

CLIPPED_BY_SHARPENING = 0.05
"""… and that where kernels only smooth or sharpen, which clips a little at every strong edge."""

Interval = tuple[float, float]
"""The smallest and the largest value that there can be."""

_ANGLES = 256
_ROUNDING = 1e-9


def clipping_warning(plan: FilterPlan, share: float) -> str | None:
    """Return the warning about a share of clipped values; None where it is not worth one.

    Examples
    --------
    >>> from convtool.filtering.options import FilterOptions
    >>> from convtool.filtering.plan import PictureKind, plan_filter
    >>> from convtool.kernels.spec import parse
    >>> kind = PictureKind((4, 6), np.dtype("uint8"))
    >>> clipping_warning(plan_filter(kind, [parse("cross")], FilterOptions()), 0.5).split("; ")[1:]
    ["the weights of 'cross' sum to 5", "`kernels='cross:normalize=sum'`, `range='stretch'` or \
`depth='float'` (in a TIFF) keeps them"]
    """
    sharpens = all(_sum(spec) is not None and _is_one(spec) for spec in plan.kernels)
    if share <= (CLIPPED_BY_SHARPENING if sharpens else CLIPPED_WORTH_A_WARNING):
        return None
    words = f"{share:.1%} of the values were outside the output's range and were clipped"
    for spec in _too_large(plan):
        words += f"; the weights of '{spec.text}' sum to {_sum(spec):.4g}"
    *others, last = [*remedies(plan), "`depth='float'` (in a TIFF)"]
    return f"{words}; {', '.join(others) + ' or ' if others else ''}{last} keeps them"


def remedies(plan: FilterPlan) -> list[str]:
    """Return options after which no value is clipped, those that change the picture least first.

    Examples
    --------
    >>> from convtool.filtering.options import FilterOptions
    >>> from convtool.filtering.plan import PictureKind, plan_filter
    >>> from convtool.kernels.spec import parse
    >>> kind = PictureKind((4, 6), np.dtype("uint8"))
    >>> remedies(plan_filter(kind, [parse("laplacian-4")], FilterOptions()))
    ["`kernels='laplacian-4:scale=1/4', range='abs'`", \
"`kernels='laplacian-4:scale=1/8', range='offset'`", "`range='stretch'`"]
    >>> remedies(plan_filter(kind, [parse("sobel")], FilterOptions()))
    ["`kernels='sobel:scale=1/5'`", "`range='stretch'`"]
    >>> remedies(plan_filter(kind, [parse("unsharp")], FilterOptions()))
    ["`range='stretch'`"]
    """
    if plan.part is not None and plan.part.chosen.luminance:
        return []  # the change of the luminance is added to all colours, which can leave the range
    found = [] if plan.options.range == "stretch" else [_options(range="stretch")]
    given = _given(plan)
    if given is None:
        return found
    return [*_normalized(plan, given), *_scaled(plan, given), *found]


def _given(plan: FilterPlan) -> Interval | None:
    """Return which values the first kernel can be given; None where nothing bounds the answer."""
    options = plan.options
    negative = any(bool(spec.weights.min() < 0) for spec in plan.kernels)
    if plan.kind.dtype.kind != "u" or options.bias or (plan.mixes and negative):
        return None
    outside = options.cval / plan.kind.peak if options.border_name == "constant" else 0.0
    return min(0.0, outside), max(1.0, outside)


def _normalized(plan: FilterPlan, given: Interval) -> list[str]:
    """Return the kernels so that none makes values larger, where that alone helps."""
    large = _too_large(plan)
    if not large or not all(_takes(spec) for spec in large):
        return []
    for spec in plan.kernels:
        low, high = _after(spec, given)
        total = _sum(spec) if spec in large else None
        given = (low / total, high / total) if total else (low, high)
    if given[0] < -_ROUNDING or given[1] > 1 + _ROUNDING or plan.options.range == "offset":
        return []
    return [_options(**_kernels(plan, {spec.text: "normalize=sum" for spec in large}))]


def _scaled(plan: FilterPlan, given: Interval) -> list[str]:
    """Return scales of a last kernel that finds edges, and the ranges for which they are meant."""
    *before, edges = plan.kernels
    if not _finds_edges(edges) or not _takes(edges):
        return []
    for spec in before:
        given = _after(spec, given)
    low, high = _after(edges, given)
    largest = max(-low, high)

    def scaled(range_name: str, times: float) -> str:
        divisor = math.ceil(times - _ROUNDING)
        changed = _kernels(plan, {edges.text: f"scale=1/{divisor}"}) if divisor > 1 else {}
        if plan.options.range != range_name:
            changed["range"] = range_name
        return _options(**changed) if changed else ""

    if low >= 0:
        found = [scaled("abs" if plan.options.range == "abs" else "clip", largest)]
    else:
        found = [scaled("abs", largest)]
        if not plan.options.linear:  # half of white is not half of its light
            found.append(scaled("offset", 2 * largest))
    return [one for one in found if one]


def _options(**changed: Any) -> str:
    """Return options as a message names them."""
    return f"`{', '.join(f'{name}={value!r}' for name, value in changed.items())}`"


def _kernels(plan: FilterPlan, changes: dict[str, str]) -> dict[str, Any]:
    """Return the option that names a plan's kernels, some with one parameter more."""
    texts = []
    for spec in plan.kernels:
        text, change = spec.text, changes.get(spec.text)
        if change:
            text += ("," if ":" in text else ":") + change
        texts.append(text)
    return {"kernels": texts if len(texts) > 1 else texts[0]}


def _too_large(plan: FilterPlan) -> list[KernelSpec]:
    """Return the kernels without negative weights that make values larger."""
    return [
        spec
        for spec in plan.kernels
        if spec.weights.min() >= 0 and (_sum(spec) or 0.0) > 1 + _ROUNDING
    ]


def _takes(spec: KernelSpec) -> bool:
    """Tell whether a parameter more decides how large a kernel's weights are."""
    return "scale=" not in spec.text and "normalize=" not in spec.text


def _sum(spec: KernelSpec) -> float | None:
    """Return the sum of a kernel's weights; None for a group."""
    return None if spec.is_group else float(spec.weights.sum())


def _is_one(spec: KernelSpec) -> bool:
    return abs(float(spec.weights.sum()) - 1) < 1e-3


def _finds_edges(spec: KernelSpec) -> bool:
    """Tell whether a kernel answers 0 to a picture of one colour."""
    sums = np.abs(spec.weights.sum(axis=(-2, -1)))
    return bool((sums <= 1e-6 * np.abs(spec.weights).sum(axis=(-2, -1))).all())


def _after(spec: KernelSpec, given: Interval) -> Interval:
    """Return which values a kernel, or a group, can answer."""
    kernels = matrices(spec)
    if spec.is_gradient:
        return 0.0, _largest_magnitude(kernels, given)
    bounds = [_bounds(kernel, given) for kernel in kernels]
    low, high = max(one[0] for one in bounds), max(one[1] for one in bounds)
    if spec.is_group and np.allclose(sum(kernels), 0):
        low = max(low, 0.0)  # the answers sum to 0, so that the largest is not negative
    return low, high


def _bounds(kernel: NDArray[Any], given: Interval) -> Interval:
    positive = float(kernel[kernel > 0].sum())
    negative = float(kernel[kernel < 0].sum())
    low, high = given
    return positive * low + negative * high, positive * high + negative * low


def _largest_magnitude(kernels: tuple[NDArray[Any], ...], given: Interval) -> float:
    """Return a little more than the largest magnitude: the largest answer along any direction."""
    down, right = kernels
    turns = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    answers = (_bounds(np.cos(turn) * down + np.sin(turn) * right, given)[1] for turn in turns)
    return max(answers) / math.cos(math.pi / _ANGLES)
