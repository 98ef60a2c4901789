"""Filters along several axes of an array: kernels that are products of 1-D factors."""

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from convtool.convolution import borders
from convtool.convolution.api import correlate
from convtool.convolution.types import Array
from convtool.errors import OptionError, ShapeError
from convtool.filters.values import Values
from convtool.kernels.weights import Weights

MODES = borders.BORDERS | {
    "grid-constant": "constant",
    "grid-mirror": "reflect",
    "grid-wrap": "wrap",
}
"""Border names by those that SciPy's filters take."""

MOST_CHANNELS = 4
"""Last axes up to here are passed on as channels; longer ones are filtered plane by plane."""

LONGEST_FUSED = 129
"""Factors of more taps than this are applied one axis at a time: their product would be large."""


def borders_of(mode: str | Sequence[str], ndim: int) -> tuple[str, ...]:
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
    return tuple(MODES[name] for name in modes)


def product_correlated(
    values: Values,
    factors: Mapping[int, Weights],
    rules: Sequence[str],
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
    steps = _steps(factors, rules) if pixels.size else []
    for axes in steps:
        kernel = unit * (
            np.outer(factors[axes[0]], factors[axes[1]]) if len(axes) == 2 else factors[axes[0]]
        )
        last = axes is steps[-1] and out is not None and out.dtype == dtype
        place = out if last and out is not None else np.empty(pixels.shape, dtype)
        apply = _planes if len(axes) == 2 else _lines
        apply(answer, kernel, axes, rules[axes[0]], outside, place)
        answer, unit = place, 1.0
        outside *= float(kernel.sum())
    if not steps:
        answer = np.multiply(pixels, unit, dtype=dtype)
    if out is None or answer is out:
        return answer
    np.copyto(out, answer)
    return out


def _steps(factors: Mapping[int, Weights], rules: Sequence[str]) -> list[tuple[int, ...]]:
    """Return the axes of each step: the last two at once where they can be, others one by one."""
    axes = sorted(factors)
    if len(axes) < 2:
        return [(axis,) for axis in axes]
    pair = axes[-2:]
    alike = rules[pair[0]] == rules[pair[1]]
    if alike and all(factors[axis].size <= LONGEST_FUSED for axis in pair):
        return [tuple(pair), *((axis,) for axis in axes[:-2])]
    return [(axis,) for axis in axes]


def _planes(
    pixels: Array, kernel: Weights, axes: tuple[int, ...], rule: str, cval: float, out: Array
) -> None:
    """Correlate the planes of two axes into ``out``."""
    if pixels.ndim == 2 or _has_channels(pixels.shape, axes):
        correlate(pixels, kernel, border=rule, cval=cval, out=out)
        return
    stack, place = (np.moveaxis(array, axes, (-2, -1)) for array in (pixels, out))
    for index in np.ndindex(stack.shape[:-2]):
        correlate(stack[index], kernel, border=rule, cval=cval, out=place[index])


def _has_channels(shape: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    return len(shape) == 3 and axes == (0, 1) and shape[2] <= MOST_CHANNELS


def _lines(
    pixels: Array, taps: Weights, axes: tuple[int, ...], rule: str, cval: float, out: Array
) -> None:
    """Correlate the lines of one axis into ``out``."""
    (axis,) = axes
    shape = pixels.shape
    before, count, after = prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])
    answer = out if out.flags.c_contiguous else np.empty(shape, out.dtype)
    block, place = pixels.reshape(before, count, after), answer.reshape(before, count, after)
    if after <= MOST_CHANNELS:
        correlate(block, taps[np.newaxis], border=rule, cval=cval, out=place)
    else:
        for plane, into in zip(block, place, strict=True):
            correlate(plane, taps[:, np.newaxis], border=rule, cval=cval, out=into)
    if answer is not out:
        np.copyto(out, answer)


def plane_correlated(values: Values, kernel: Weights, rule: str, cval: float = 0.0) -> Array:
    """Correlate an image of two dimensions with a kernel, shape (KH, KW)."""
    pixels, unit, dtype = values
    return correlate(pixels, unit * kernel, border=rule, cval=cval / unit, dtype=dtype)
