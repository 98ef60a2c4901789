"""Running an engine over an image, tile by tile: border, type, channels and stride live here.

Each tile's window is a view of the image where it lies inside it and needs no conversion, else a
small copy through the border table. Tiles are cut the same way whatever the number of threads, so
the answer does not depend on it.
"""

from dataclasses import dataclass, replace

import numpy as np

from convtool.convolution import borders, dtypes, threads
from convtool.convolution.engines import Array, Correlator, DType
from convtool.convolution.geometry import Axis, Geometry

Span = tuple[int, int]
"""First position, and the one after the last."""


@dataclass(frozen=True)
class Source:
    """An image as the engines see it: readable at any position.

    Attributes
    ----------
    pixels : ndarray, shape (H, W, C)
        The image, of any real type.
    rule : str
        The border's rule.
    cval : float
        The value outside, for the rule ``constant``.
    dtype : dtype
        The type of the windows.
    """

    pixels: Array
    rule: str
    cval: float
    dtype: DType

    def window(self, rows: Span, columns: Span) -> Array:
        """Return the pixels at these positions (start, stop), shape (rows, columns, C)."""
        height, width, channels = self.pixels.shape
        if rows[0] >= 0 and rows[1] <= height and columns[0] >= 0 and columns[1] <= width:
            view = self.pixels[rows[0] : rows[1], columns[0] : columns[1]]
            if view.dtype == self.dtype and _is_packed(view):
                return view
            return np.ascontiguousarray(view, dtype=self.dtype)
        y = borders.table(height, *rows, self.rule)
        x = borders.table(width, *columns, self.rule)
        inside = slice(max(0, columns[0]), min(width, columns[1]))
        copy = np.empty((len(y), len(x), channels), self.dtype)
        lines = self.pixels if rows[0] == 0 and rows[1] == height else self.pixels[y]
        first, last = inside.start - columns[0], inside.stop - columns[0]
        if first < last:
            copy[:, first:last] = lines[:, inside]
        for outside in (slice(0, max(0, first)), slice(max(0, last, first), None)):
            copy[:, outside] = lines[:, x[outside]]
        if self.rule == "constant":
            copy[y == borders.OUTSIDE] = self.cval
            copy[:, x == borders.OUTSIDE] = self.cval
        return copy


def _is_packed(view: Array) -> bool:
    """Return whether each row's scalars lie side by side, rows any whole number of them apart."""
    size, channels = view.itemsize, view.shape[2]
    packed = view.strides[1:] == (size * channels, size)
    return packed and view.strides[0] % size == 0 and view.flags.aligned


def _spans(axis: Axis, tile: int, frames: bool) -> list[Span]:
    """Cut an axis into spans of at most ``tile`` windows, those at the border apart if asked."""
    if not frames:
        return [(n, min(n + tile, axis.dense)) for n in range(0, axis.dense, tile)]
    first = min(max(0, -axis.start), axis.dense)
    last = max(first, min(axis.dense, axis.size - axis.taps + 1 - axis.start))
    inner = [(n, min(n + tile, last)) for n in range(first, last, tile)]
    outer = [(0, first), (last, axis.dense)]
    return [span for span in (outer[0], *inner, outer[1]) if span[0] < span[1]]


def _tiles(layout: Geometry, correlator: Correlator) -> list[tuple[Span, Span]]:
    """Cut the windows into tiles; with frames, those at the left and right are whole columns."""
    tall, wide = correlator.tile
    if not correlator.frames:
        return [
            (y, x)
            for y in _spans(layout.rows, tall, False)
            for x in _spans(layout.columns, wide, False)
        ]
    height, width = layout.rows.dense, layout.columns.dense
    rows = _spans(layout.rows, height, True)
    tiles: list[tuple[Span, Span]] = []
    for y in rows:
        touching = y[0] + layout.rows.start < 0 or (
            y[1] - 1 + layout.rows.start + layout.rows.taps > layout.rows.size
        )
        if touching:
            tiles.append((y, (0, width)))
            continue
        for x in _spans(layout.columns, width, True):
            start = x[0] + layout.columns.start
            stop = x[1] - 1 + layout.columns.start + layout.columns.taps
            if start < 0 or stop > layout.columns.size:
                tiles.append((y, x))
                continue
            tiles += [
                ((top, min(top + tall, y[1])), (left, min(left + wide, x[1])))
                for top in range(y[0], y[1], tall)
                for left in range(x[0], x[1], wide)
            ]
    return tiles


def _kept(axis: Axis, span: Span) -> tuple[slice, slice]:
    """Return which windows of a span the stride keeps, and where they go in the output."""
    first = -(-span[0] // axis.stride)
    offset = first * axis.stride - span[0]
    count = len(range(offset, span[1] - span[0], axis.stride))
    return slice(offset, None, axis.stride), slice(first, first + count)


def run(
    correlator: Correlator,
    source: Source,
    kernel_shape: tuple[int, int],
    layout: Geometry,
    out: Array,
    workers: int,
) -> None:
    """Correlate the whole image into ``out``, shape (rows.count, columns.count, C)."""
    working = source.dtype
    native = source.pixels.dtype in correlator.types
    reader = replace(source, dtype=source.pixels.dtype) if native else source
    channels = source.pixels.shape[2]
    tiles = _tiles(layout, correlator)
    strided = (layout.rows.stride, layout.columns.stride) != (1, 1)
    direct = not strided and (out.dtype == working or out.dtype in correlator.types)

    def work(index: int) -> None:
        span_y, span_x = tiles[index]
        keep_y, to_y = _kept(layout.rows, span_y)
        keep_x, to_x = _kept(layout.columns, span_x)
        target = out[to_y, to_x]
        if target.size == 0:
            return
        start_y, start_x = layout.rows.start, layout.columns.start
        window = reader.window(
            (span_y[0] + start_y, span_y[1] + start_y + kernel_shape[0] - 1),
            (span_x[0] + start_x, span_x[1] + start_x + kernel_shape[1] - 1),
        )
        if direct and _is_packed(target):
            correlator.run(window, target)
            return
        dense = np.empty((span_y[1] - span_y[0], span_x[1] - span_x[0], channels), working)
        correlator.run(window, dense)
        dtypes.store(dense[keep_y, keep_x], target)

    threads.for_each(work, range(len(tiles)), min(workers, len(tiles)))
