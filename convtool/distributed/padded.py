"""Dask arrays and kernels of any dimensions: each block with its halo, padded and planned alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convtool.convolution import borders, dtypes
from convtool.convolution.api import convolve, correlate
from convtool.convolution.arranged import rules_for
from convtool.convolution.dimensions import made
from convtool.convolution.geometry import Axis, geometry, numbers
from convtool.convolution.prepared import Options
from convtool.convolution.types import Array, DType
from convtool.distributed.graph import Pieces, array_of_blocks, joined
from convtool.records import Record


class _Padded(Record, eq=False):
    """The settings of all blocks, shared as one object of the graph."""

    weights: Array
    """The kernel."""
    axes: tuple[int, ...]
    """The axis of the array that each of the kernel's axes lies on."""
    outside: tuple[tuple[str, complex], ...]
    """The border's rule along each of the kernel's axes, and the value beyond the edge."""
    working: DType
    """The type of blocks whose own does not hold that value."""
    options: Options
    """Those of a block that has been padded."""


def filtered_by_padding(
    image: Any, weights: Array, kernel_axes: tuple[int, ...], options: Options
) -> Any:
    """Convolve a Dask array of any dimensions lazily; each block is planned by itself.

    A block is joined with what the kernel reaches of its neighbours, padded beyond the image's
    edges, and filtered in mode ``valid``.

    Parameters
    ----------
    image : dask.array.Array
        Of any dimensions.
    weights : ndarray, shape (K,), (KH, KW) or (KD, KH, KW)
        The kernel.
    kernel_axes : tuple of int
        The axis of the image that each of the kernel's axes lies on.
    options : Options
        Those of the whole convolution.
    """
    from dask.base import tokenize

    windows = {
        axis: _windows(image.shape[axis], number, weights.shape, options)
        for number, axis in enumerate(kernel_axes)
    }
    outside = _outside(image.dtype, options, weights.ndim)
    answer_type = _answer_type(image.dtype, weights, options)
    of_blocks = Options(
        options.flipped,
        mode="valid",
        stride=numbers(options.stride, "stride", weights.ndim, 1),
        engine=options.engine,
        dtype=answer_type,
        threads=1 if options.threads is None else options.threads,
        axes=kernel_axes,
        delta=options.delta,
    )
    working = dtypes.working_type(image.dtype, answer_type, np.ones((1, 1)))
    job = _Padded(weights, kernel_axes, outside, working, of_blocks)
    token = tokenize(image.name, weights, outside, tuple(of_blocks), sorted(windows.items()))
    rules = {axis: rule for axis, (rule, _) in zip(kernel_axes, outside, strict=True)}
    return array_of_blocks(
        f"convtool-{'convolve' if options.flipped else 'correlate'}-{token}",
        image,
        _computed,
        job,
        windows={axis: windows[axis] for axis in sorted(windows)},
        rules=rules,
        anchors={axis: _anchor(line, options) for axis, line in windows.items()},
        dtype=answer_type,
    )


def _computed(job: _Padded, windows: Sequence[Axis], pieces: Pieces) -> Array:
    """Compute one block, on a worker."""
    axes = sorted(job.axes)
    block = joined(pieces, axes)
    where = dict(zip(axes, windows, strict=True))
    for axis, (rule, value) in zip(job.axes, job.outside, strict=True):
        block = _padded(block, axis, where[axis], rule, value, job.working)
    how = job.options._asdict()
    function = convolve if how.pop("flipped") else correlate
    return function(block, job.weights, **how)


def _padded(
    block: Array, axis: int, windows: Axis, rule: str, value: complex, working: DType
) -> Array:
    """Return a block with what windows reach beyond its edges, or cut to the windows."""
    start, end = windows.start, windows.start + windows.dense + windows.taps - 1
    low = min(max(0, start), end)
    inside = slice(low, min(max(windows.size, low), end))
    if inside == slice(start, end):
        return _along(block, axis, inside)
    held = rule != "constant" or _holds(block.dtype, value)
    shape = list(block.shape)
    shape[axis] = end - start
    padded = np.empty(shape, block.dtype if held else working)
    _along(padded, axis, slice(inside.start - start, inside.stop - start))[...] = _along(
        block, axis, inside
    )
    for first, last in ((start, inside.start), (inside.stop, end)):
        beyond = _along(padded, axis, slice(first - start, last - start))
        if rule == "constant":
            beyond[...] = value
        elif first < last:
            beyond[...] = block.take(borders.table(windows.size, first, last, rule), axis=axis)
    return padded


def _along(array: Array, axis: int, part: slice) -> Array:
    """Return a part of an array along one axis."""
    return array[(slice(None),) * axis + (part,)]


def _holds(dtype: DType, value: complex) -> bool:
    """Return whether an array's type holds a value."""
    if dtype.kind in "fc":
        return True
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return value == np.rint(value.real) and low <= value.real <= high


def _windows(size: int, number: int, shape: tuple[int, ...], options: Options) -> Axis:
    """Return where the windows lie along one of the kernel's axes."""
    dims, padding = len(shape), options.padding
    return geometry(
        (size, 1),
        (shape[number], 1),
        mode=options.mode,
        padding=None if padding is None else (numbers(padding, "padding", dims, 0)[number], 0),
        stride=(numbers(options.stride, "stride", dims, 1)[number], 1),
        flipped=options.flipped,
        origin=(numbers(options.origin, "origin", dims)[number], 0),
    ).rows


def _anchor(windows: Axis, options: Options) -> int:
    """Return the position of the output pixel in its window."""
    if options.mode == "same" and options.padding is None:
        return -windows.start
    return (windows.taps - 1) // 2 if options.flipped else windows.taps // 2


def _outside(dtype: DType, options: Options, dims: int) -> tuple[tuple[str, complex], ...]:
    """Return the border's rule along each axis of the kernel, and the value beyond the edge."""
    if dtype.kind != "c":
        return rules_for(options, dims)
    number = complex(options.cval)
    real, imag = (
        rules_for(options._replace(cval=part), dims) for part in (number.real, number.imag)
    )
    return tuple(
        (rule, complex(one, two)) for (rule, one), (_, two) in zip(real, imag, strict=True)
    )


def _answer_type(dtype: DType, weights: Array, options: Options) -> DType:
    """Return the answer's type; engine, delta and dtype are validated with it."""
    small = Options(
        options.flipped,
        engine=options.engine,
        dtype=options.dtype,
        axes=tuple(range(weights.ndim)),
        delta=options.delta,
    )
    return made(weights.shape, dtype, weights, small).dtype
