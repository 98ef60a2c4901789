"""Filters along several axes of an array: kernels that are products of 1-D factors."""

from collections.abc import Mapping, Sequence
from functools import reduce
from math import prod
from typing import Any, cast

import numpy as np

from convtool.convolution import borders
from convtool.convolution.api import correlate
from convtool.convolution.types import Array, Border
from convtool.errors import OptionError, ShapeError
from convtool.filters.values import Values
from convtool.kernels.weights import Weights

MODES = borders.BORDERS | {
    "grid-constant": "constant",
    "grid-mirror": "reflect",
    "grid-wrap": "wrap",
}
"""Border names by those that SciPy's filters take."""

MOST_FUSED = 1 << 14
"""Factors whose product has more weights than this are applied one axis at a time."""


def borders_of(mode: str | Sequence[str], ndim: int) -> tuple[Border, ...]:
    """Return the border of each axis.

    Raises
    ------
    OptionError
        If a name is not known, or there are not as many as axes.

    Examples
    --------
    >>> borders_of("grid-wrap", 2)
    ('wrap', 'wrap')
    """
    modes = (mode,) * ndim if isinstance(mode, str) else tuple(mode)
    if len(modes) != ndim:
        raise OptionError(f"mode has {len(modes)} names for an image of {ndim} dimensions")
    for name in modes:
        if name not in MODES:
            raise OptionError(f"mode {name!r} is not known; one of {', '.join(MODES)}")
    return tuple(cast(Border, MODES[name]) for name in modes)


def product_correlated(
    values: Values,
    factors: Mapping[int, Weights],
    rules: Sequence[Border],
    cval: float,
    out: Array | None = None,
) -> Array:
    """Correlate an array of any dimension with a kernel that is a product of 1-D factors.

    Parameters
    ----------
    values : Values
        The pixels and their unit.
    factors : mapping of int to ndarray
        For each axis that is filtered, the taps along it.
    rules : sequence of str
        The border of each axis of the array.
    cval : float
        The value beyond the edge for ``constant``.
    out : ndarray, optional
        Where to write the answer.

    Returns
    -------
    ndarray
        The shape of the pixels, the type of the values.

    Examples
    --------
    >>> ramp = Values(np.arange(5.0), 1.0, np.dtype(float))
    >>> product_correlated(ramp, {0: np.array([-1.0, 0, 1])}, ["nearest"], 0.0)
    array([1., 2., 2., 2., 1.])
    """
    pixels, unit, dtype = values
    if out is not None and out.shape != pixels.shape:
        raise ShapeError(f"out has shape {out.shape}, the image {pixels.shape}")
    answer, outside = pixels, cval / unit
    steps = _steps(factors, rules) if factors and pixels.size else []
    for axes in steps:
        kernel = unit * reduce(np.multiply.outer, [factors[axis] for axis in axes])
        how: dict[str, Any] = {"axes": axes, "border": rules[axes[0]], "cval": outside}
        last = axes is steps[-1] and out is not None and out.dtype == dtype
        answer = correlate(answer, kernel, **how, dtype=dtype, out=out if last else None)
        outside, unit = outside * float(kernel.sum()), 1.0
    if not steps:
        answer = np.multiply(pixels, unit, dtype=dtype)
    if out is None or answer is out:
        return answer
    np.copyto(out, answer)
    return out


def _steps(factors: Mapping[int, Weights], rules: Sequence[Border]) -> list[tuple[int, ...]]:
    """Return the axes of each step: as many of the last ones as go together, the others singly."""
    axes = sorted(factors)
    together = axes[-1:]
    for axis in reversed(axes[:-1][-2:]):
        fused = [axis, *together]
        weights = prod(factors[each].size for each in fused)
        if rules[axis] != rules[together[0]] or weights > MOST_FUSED:
            break
        together = fused
    return [tuple(together), *((axis,) for axis in axes[: len(axes) - len(together)])]
