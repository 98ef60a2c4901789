"""Dask arrays and kernels of any dimensions: blocks that overlap by the kernel's reach."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convtool.convolution import borders, dtypes
from convtool.convolution.api import convolve, correlate
from convtool.convolution.arranged import rules_for
from convtool.convolution.dimensions import made
from convtool.convolution.geometry import Axis, geometry, numbers
from convtool.convolution.prepared import Options
from convtool.convolution.types import Array, DType, Span
from convtool.distributed import blocks


def filtered_by_overlaps(
    image: Any, weights: Array, kernel_axes: Sequence[int], options: Options
) -> Any:
    """Convolve a Dask array lazily: add the pixels beyond the edges, then filter its blocks.

    Each block takes as many pixels of its neighbours as the kernel reaches, and is filtered in mode
    ``valid``.

    Parameters
    ----------
    image : dask.array.Array
        Of any dimensions.
    weights : ndarray, shape (K,), (KH, KW) or (KD, KH, KW)
        The kernel.
    kernel_axes : sequence of int
        The axis of the image that each of the kernel's axes lies on.
    options : Options
        Those of the whole convolution.
    """
    from dask.array import map_blocks
    from dask.array.overlap import overlap

    where = [
        _windows(image.shape[axis], number, weights.shape, options)
        for number, axis in enumerate(kernel_axes)
    ]
    outside = _outside(image.dtype, options, weights.ndim)
    answer_type = _answer_type(image.dtype, weights, options)
    image = _holding(image, [value for rule, value in outside if rule == "constant"], answer_type)
    depths: dict[int, tuple[int, int]] = dict.fromkeys(range(image.ndim), (0, 0))
    sizes, extended = list(image.chunks), list(image.chunks)
    for axis, windows, (rule, value) in zip(kernel_axes, where, outside, strict=True):
        reach, anchor = windows.taps - 1, _anchor(windows, options)
        cut = blocks.spans(windows, image.chunks[axis], anchor)
        sizes[axis] = tuple(last - first for first, last in cut)
        first, *rest = sizes[axis]
        within = [first + anchor, *rest]
        within[-1] += reach - anchor
        extended[axis] = tuple(within)
        depths[axis] = (anchor, reach - anchor)
        image = _extended(image, axis, windows, rule, value)
    overlapping = overlap(
        image.rechunk(tuple(extended)), depth=depths, boundary="none", allow_rechunk=False
    )
    answer = map_blocks(
        _computed,
        overlapping,
        weights=weights,
        options=options._replace(
            mode="valid",
            border=None,
            cval=0.0,
            padding=None,
            stride=1,
            origin=0,
            axis=None,
            axes=tuple(kernel_axes),
            channel_axis=None,
            dtype=answer_type,
            threads=1 if options.threads is None else options.threads,
        ),
        dtype=answer_type,
        chunks=tuple(sizes),
        meta=np.empty((0,) * image.ndim, answer_type),
    )
    strides = numbers(options.stride, "stride", weights.ndim, 1)
    steps = dict(zip(kernel_axes, strides, strict=True))
    if set(strides) == {1}:
        return answer
    return answer[tuple(slice(None, None, steps.get(axis, 1)) for axis in range(image.ndim))]


def _windows(size: int, number: int, shape: tuple[int, ...], options: Options) -> Axis:
    """Return where the windows lie along one of the kernel's axes, at stride 1."""
    dims, padding = len(shape), options.padding
    return geometry(
        (size, 1),
        (shape[number], 1),
        mode=options.mode,
        padding=None if padding is None else (numbers(padding, "padding", dims, 0)[number], 0),
        flipped=options.flipped,
        origin=(numbers(options.origin, "origin", dims)[number], 0),
    ).rows


def _anchor(windows: Axis, options: Options) -> int:
    """Return the position of the output pixel in its window."""
    if options.mode == "same" and options.padding is None:
        return -windows.start
    return (windows.taps - 1) // 2 if options.flipped else windows.taps // 2


def _outside(dtype: DType, options: Options, dims: int) -> list[tuple[str, complex]]:
    """Return the border's rule along each axis of the kernel, and the value beyond the edge."""
    if dtype.kind != "c":
        return [*rules_for(options, dims)]
    number = complex(options.cval)
    real, imag = (
        rules_for(options._replace(cval=part), dims) for part in (number.real, number.imag)
    )
    return [(rule, complex(one, two)) for (rule, one), (_, two) in zip(real, imag, strict=True)]


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


def _holding(image: Any, values: Sequence[complex], answer: DType) -> Any:
    """Return an image whose type holds these values."""
    if image.dtype.kind in "fc":
        return image
    limits = (0, 1) if image.dtype.kind == "b" else _limits(image.dtype)
    if all(value == round(value.real) and limits[0] <= value.real <= limits[1] for value in values):
        return image
    return image.astype(dtypes.working_type(image.dtype, answer, np.ones((1, 1))))


def _limits(dtype: DType) -> tuple[int, int]:
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def _extended(image: Any, axis: int, windows: Axis, rule: str, value: complex) -> Any:
    """Return an image with the pixels beyond its edges that windows reach, or cut to them."""
    from dask.array import concatenate

    size = windows.size
    end = windows.start + windows.dense + windows.taps - 1
    kept = slice(max(0, windows.start), min(size, end))
    parts = [image[(slice(None),) * axis + (kept,)]]
    if windows.start < 0:
        parts.insert(0, _beyond(image, axis, (windows.start, 0), rule, value))
    if end > size:
        parts.append(_beyond(image, axis, (size, end), rule, value))
    return concatenate(parts, axis=axis) if len(parts) > 1 else parts[0]


def _beyond(image: Any, axis: int, span: Span, rule: str, value: complex) -> Any:
    """Return the pixels at positions beyond an edge."""
    from dask.array import full, take

    if rule != "constant":
        return take(image, borders.table(image.shape[axis], *span, rule), axis=axis)
    count = span[1] - span[0]
    shape, chunks = list(image.shape), list(image.chunks)
    shape[axis], chunks[axis] = count, (count,)
    return full(tuple(shape), value, dtype=image.dtype, chunks=tuple(chunks))


def _computed(block: Array, *, weights: Array, options: Options) -> Array:
    """Filter one block, on a worker."""
    how = options._asdict()
    function = convolve if how.pop("flipped") else correlate
    return function(np.asarray(block), weights, **how)
