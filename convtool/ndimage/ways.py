"""Each function of SciPy, as passes of compiled code in its order and by its types.

A function takes SciPy's arguments and returns the answer and the steps that it took. What it
cannot do it leaves to SciPy, before it has written anything: see :mod:`~.dispatch`.
"""

import math
import operator
from typing import Any

import numpy as np

from convtool.ndimage.arguments import (
    LONGEST,
    Arrays,
    arrays,
    axes_of,
    axis_of,
    check,
    each,
    origin_of,
    rule,
    weights_of,
)
from convtool.ndimage.compute import Pass, correlate_3d, filter_apart, filter_axes
from convtool.ndimage.jit.job import ADD, ADD_SQUARE, MAGNITUDE, SQUARE, WRITE
from convtool.ndimage.terms import Array, gaussian_weights, uniform, weighted

_ROOTS = ("float32", "float64", "uint8")
"""The types whose roots compiled code takes."""

Answer = tuple[Array, list[str]]

_NEGLIGIBLE = 1e-15
"""A Gaussian of no larger sigma is none."""


def _whole(given: Arrays, passes: list[Pass]) -> Answer:
    """Return the answer of passes one after another."""
    filter_axes(given.source, given.work, given.work, passes, WRITE)
    return given.finish(), [str(each_pass) for each_pass in passes]


def _sum(given: Arrays, chains: list[list[Pass]], hows: list[int]) -> list[str]:
    """Do several chains of passes, of which each writes its answers in a way of its own."""
    passes = [each_pass for chain in chains for each_pass in chain]
    if len(passes) == len(chains):
        filter_apart(given.source, given.work, passes, hows)
    else:
        between = np.empty_like(given.work)
        for chain, how in zip(chains, hows, strict=True):
            filter_axes(given.source, between, given.work, chain, how)
    return [str(each_pass) for each_pass in passes]


def _weighted(
    weights: Any, axis: Any, mode: Any, cval: Any, origin: Any, rank: int, *, flips: bool = False
) -> Pass:
    values = weights_of(weights)
    shift = operator.index(origin)
    if flips:
        values, shift = np.ascontiguousarray(values[::-1]), -shift
        shift -= 1 - len(values) % 2
    found = weighted(values, origin_of(shift, len(values)), rule(mode), float(cval))
    return Pass(axis_of(axis, rank), found)


def correlate1d(
    pixels: Any, weights: Any, axis: Any, output: Any, mode: Any, cval: Any, origin: Any
) -> Answer:
    """Do what :func:`scipy.ndimage.correlate1d` does."""
    given = arrays(pixels, output, in_place=True)
    return _whole(given, [_weighted(weights, axis, mode, cval, origin, given.work.ndim)])


def convolve1d(
    pixels: Any, weights: Any, axis: Any, output: Any, mode: Any, cval: Any, origin: Any
) -> Answer:
    """Do what :func:`scipy.ndimage.convolve1d` does."""
    given = arrays(pixels, output, in_place=True)
    rank = given.work.ndim
    return _whole(given, [_weighted(weights, axis, mode, cval, origin, rank, flips=True)])


def _gaussian(
    sigma: Any, axis: Any, order: Any, mode: Any, cval: Any, truncate: Any, radius: Any
) -> Pass:
    reach = operator.index(int(truncate * float(sigma) + 0.5) if radius is None else radius)
    order = operator.index(order)
    check(0 <= reach <= LONGEST // 2 and order >= 0)
    weights = gaussian_weights(sigma, order, reach)
    return Pass(axis, weighted(weights, 0, rule(mode), float(cval)))


def gaussian_filter1d(
    pixels: Any,
    sigma: Any,
    axis: Any,
    order: Any,
    output: Any,
    mode: Any,
    cval: Any,
    truncate: Any,
    *,
    radius: Any = None,
) -> Answer:
    """Do what :func:`scipy.ndimage.gaussian_filter1d` does."""
    given = arrays(pixels, output, in_place=True)
    along = axis_of(axis, given.work.ndim)
    return _whole(given, [_gaussian(sigma, along, order, mode, cval, truncate, radius)])


def _gaussians(
    rank: int,
    sigma: Any,
    order: Any,
    mode: Any,
    cval: Any,
    truncate: Any = 4.0,
    radius: Any = None,
    axes: Any = None,
) -> list[Pass]:
    along = axes_of(axes, rank)
    options = zip(*(each(value, len(along)) for value in (sigma, order, mode, radius)), strict=True)
    passes = [
        _gaussian(sd, axis, number, border, cval, truncate, reach)
        for axis, (sd, number, border, reach) in zip(along, options, strict=True)
        if sd > _NEGLIGIBLE
    ]
    check(passes)
    return passes


def gaussian_filter(
    pixels: Any,
    sigma: Any,
    order: Any,
    output: Any,
    mode: Any,
    cval: Any,
    truncate: Any,
    *,
    radius: Any = None,
    axes: Any = None,
) -> Answer:
    """Do what :func:`scipy.ndimage.gaussian_filter` does."""
    given = arrays(pixels, output, in_place=True)
    passes = _gaussians(given.work.ndim, sigma, order, mode, cval, truncate, radius, axes)
    return _whole(given, passes)


def _derivatives(
    rank: int, sigma: Any, order: int, mode: Any, cval: Any, options: dict[str, Any]
) -> list[list[Pass]]:
    """Return the passes of the Gaussian's derivatives along each axis."""
    check(options.keys() <= {"truncate", "radius"})
    modes = each(mode, rank)
    return [
        _gaussians(
            rank, sigma, [order * (n == axis) for n in range(rank)], modes[axis], cval, **options
        )
        for axis in range(rank)
    ]


def gaussian_laplace(
    pixels: Any, sigma: Any, output: Any, mode: Any, cval: Any, **options: Any
) -> Answer:
    """Do what :func:`scipy.ndimage.gaussian_laplace` does along all axes."""
    given = arrays(pixels, output, in_place=False)
    chains = _derivatives(given.work.ndim, sigma, 2, mode, cval, options)
    steps = _sum(given, chains, [WRITE, *[ADD] * (len(chains) - 1)])
    return given.finish(), steps


def gaussian_gradient_magnitude(
    pixels: Any, sigma: Any, output: Any, mode: Any, cval: Any, **options: Any
) -> Answer:
    """Do what :func:`scipy.ndimage.gaussian_gradient_magnitude` does along all axes."""
    given = arrays(pixels, output, in_place=False)
    chains = _derivatives(given.work.ndim, sigma, 1, mode, cval, options)
    hows = [SQUARE, *[ADD_SQUARE] * (len(chains) - 1)]
    has_root = given.work.dtype.name in _ROOTS and len(chains) > 1
    if has_root:
        hows[-1] = MAGNITUDE
    steps = _sum(given, chains, hows)
    if not has_root:
        np.sqrt(given.work, given.work, casting="unsafe")
    return given.finish(), [*steps, "square root"]


def laplace(pixels: Any, output: Any, mode: Any, cval: Any, *, axes: Any = None) -> Answer:
    """Do what :func:`scipy.ndimage.laplace` does."""
    given = arrays(pixels, output, in_place=False)
    rank = given.work.ndim
    along = axes_of(axes, rank)
    chains = [
        [_weighted([1, -2, 1], axis, border, cval, 0, rank)]
        for axis, border in zip(along, each(mode, len(along)), strict=True)
    ]
    steps = _sum(given, chains, [WRITE, *[ADD] * (len(chains) - 1)])
    return given.finish(), steps


def _edges(pixels: Any, axis: Any, output: Any, mode: Any, cval: Any, smooth: list[int]) -> Answer:
    """Return differences along an axis, smoothed along all others."""
    given = arrays(pixels, output, in_place=True)
    rank = given.work.ndim
    along, modes = axis_of(axis, rank), each(mode, rank)
    passes = [_weighted([-1, 0, 1], along, modes[along], cval, 0, rank)]
    passes += [
        _weighted(smooth, other, modes[other], cval, 0, rank)
        for other in range(rank)
        if other != along
    ]
    return _whole(given, passes)


def sobel(pixels: Any, axis: Any, output: Any, mode: Any, cval: Any) -> Answer:
    """Do what :func:`scipy.ndimage.sobel` does."""
    return _edges(pixels, axis, output, mode, cval, [1, 2, 1])


def prewitt(pixels: Any, axis: Any, output: Any, mode: Any, cval: Any) -> Answer:
    """Do what :func:`scipy.ndimage.prewitt` does."""
    return _edges(pixels, axis, output, mode, cval, [1, 1, 1])


def _uniform(size: int, axis: int, mode: Any, cval: Any, origin: Any) -> Pass:
    check(1 <= size <= LONGEST)
    shift = operator.index(origin)
    check(0 <= size // 2 + shift < size)
    return Pass(axis, uniform(size, shift, rule(mode), float(cval)))


def uniform_filter1d(
    pixels: Any, size: Any, axis: Any, output: Any, mode: Any, cval: Any, origin: Any
) -> Answer:
    """Do what :func:`scipy.ndimage.uniform_filter1d` does."""
    given = arrays(pixels, output, in_place=True)
    along = axis_of(axis, given.work.ndim)
    return _whole(given, [_uniform(operator.index(size), along, mode, cval, origin)])


def uniform_filter(
    pixels: Any, size: Any, output: Any, mode: Any, cval: Any, origin: Any, *, axes: Any = None
) -> Answer:
    """Do what :func:`scipy.ndimage.uniform_filter` does."""
    given = arrays(pixels, output, in_place=True)
    along = axes_of(axes, given.work.ndim)
    options = zip(*(each(value, len(along)) for value in (size, mode, origin)), strict=True)
    passes = [
        _uniform(int(taps), axis, border, cval, shift)
        for axis, (taps, border, shift) in zip(along, options, strict=True)
        if taps > 1
    ]
    check(passes)
    return _whole(given, passes)


def _dense(
    pixels: Any,
    weights: Any,
    output: Any,
    mode: Any,
    cval: Any,
    origin: Any,
    axes: Any,
    *,
    flips: bool,
) -> Answer:
    given = arrays(pixels, output, in_place=True)
    rank = given.work.ndim
    along = axes_of(axes, rank)
    check(along == tuple(sorted(along)))
    values = weights_of(weights, len(along))
    shifts = [operator.index(shift) for shift in each(origin, len(along))]
    if flips:
        values = values[(slice(None, None, -1),) * values.ndim]
        shifts = [-shift - 1 + taps % 2 for shift, taps in zip(shifts, values.shape, strict=True)]
    before = dict.fromkeys(range(rank), 0)
    for axis, shift, taps in zip(along, shifts, values.shape, strict=True):
        before[axis] = taps // 2 + origin_of(shift, taps)
    values = np.expand_dims(values, tuple(axis for axis in range(rank) if axis not in along))
    work = given.work
    if np.may_share_memory(given.source, work):
        work = np.empty_like(work)
    _correlate(given.source, work, values, tuple(before.values()), rule(mode), float(cval))
    if work is not given.work:
        given.work[...] = work
    size = "×".join(map(str, values.shape))
    return given.finish(), [f"{size} weights, {np.count_nonzero(values)} of them not 0"]


def _correlate(
    source: Array, out: Array, weights: Array, before: tuple[int, ...], border: str, cval: float
) -> None:
    """Correlate arrays of any number of axes, three at a time.

    Neighbouring axes that the weights do not reach along are taken as one.
    """
    sizes, taps, reach = [1] * 3, [1] * 3, [0] * 3
    for size, length, start in zip(source.shape, weights.shape, before, strict=True):
        if length == taps[-1] == 1:
            sizes[-1] *= size
        else:
            sizes.append(size)
            taps.append(length)
            reach.append(start)
    check(max(taps[:-3], default=1) == 1, "the weights reach along too many axes")
    shape = (math.prod(sizes[:-3]), *sizes[-3:])
    sources, outs = source.reshape(shape), out.reshape(shape)
    for one, other in zip(sources, outs, strict=True):
        correlate_3d(one, other, weights.reshape(taps[-3:]), tuple(reach[-3:]), border, cval)


def correlate(
    pixels: Any,
    weights: Any,
    output: Any,
    mode: Any,
    cval: Any,
    origin: Any,
    *,
    axes: Any = None,
) -> Answer:
    """Do what :func:`scipy.ndimage.correlate` does."""
    return _dense(pixels, weights, output, mode, cval, origin, axes, flips=False)


def convolve(
    pixels: Any,
    weights: Any,
    output: Any,
    mode: Any,
    cval: Any,
    origin: Any,
    *,
    axes: Any = None,
) -> Answer:
    """Do what :func:`scipy.ndimage.convolve` does."""
    return _dense(pixels, weights, output, mode, cval, origin, axes, flips=True)
