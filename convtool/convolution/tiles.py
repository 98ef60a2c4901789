"""Running an engine over an image, tile by tile: border, type, channels and stride live here.

Each tile's window is a view of the image where it lies inside it and needs no conversion, else a
small copy through the border table. Tiles are cut the same way whatever the number of threads, so
the answer does not depend on it. Sums that overflow, or that add inf to -inf, become inf and NaN
silently, as in ``scipy.ndimage``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from convtool.convolution import borders, dtypes, threads
from convtool.convolution.engines import Array, Correlator, DType
from convtool.convolution.geometry import Axis, Geometry


@dataclass(frozen=True)
class Source:
    """An image as the engines see it: readable at any position, in the working type.

    Attributes
    ----------
    pixels : ndarray, shape (H, W, C)
        The image, of any real type.
    rule : str
        The border's rule.
    cval : float
        The value outside, for the rule ``constant``.
    dtype : dtype
        The working type.
    """

    pixels: Array
    rule: str
    cval: float
    dtype: DType

    def window(self, rows: tuple[int, int], columns: tuple[int, int]) -> Array:
        """Return the pixels at these positions (start, stop), shape (rows, columns, C)."""
        height, width, channels = self.pixels.shape
        inside = rows[0] >= 0 and rows[1] <= height and columns[0] >= 0 and columns[1] <= width
        if inside:
            view = self.pixels[rows[0] : rows[1], columns[0] : columns[1]]
            size = self.pixels.itemsize
            packed = view.strides[1:] == (size * channels, size)
            aligned = view.strides[0] % size == 0 and self.pixels.flags.aligned
            if view.dtype == self.dtype and packed and aligned:
                return view
            return np.ascontiguousarray(view, dtype=self.dtype)
        y = borders.table(height, *rows, self.rule)
        x = borders.table(width, *columns, self.rule)
        copy = self.pixels[y[:, None], x].astype(self.dtype)
        if self.rule == "constant":
            copy[y == borders.OUTSIDE] = self.cval
            copy[:, x == borders.OUTSIDE] = self.cval
        return copy


def _spans(axis: Axis, tile: int) -> Iterator[tuple[int, int]]:
    for first in range(0, axis.dense, tile):
        yield first, min(first + tile, axis.dense)


def _kept(axis: Axis, span: tuple[int, int]) -> tuple[slice, slice]:
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
    channels = source.pixels.shape[2]
    tiles = [
        (span_y, span_x)
        for span_y in _spans(layout.rows, correlator.tile[0])
        for span_x in _spans(layout.columns, correlator.tile[1])
    ]
    strided = (layout.rows.stride, layout.columns.stride) != (1, 1)

    @np.errstate(all="ignore")
    def work(index: int) -> None:
        span_y, span_x = tiles[index]
        keep_y, to_y = _kept(layout.rows, span_y)
        keep_x, to_x = _kept(layout.columns, span_x)
        target = out[to_y, to_x]
        if target.size == 0:
            return
        start_y, start_x = layout.rows.start, layout.columns.start
        window = source.window(
            (span_y[0] + start_y, span_y[1] + start_y + kernel_shape[0] - 1),
            (span_x[0] + start_x, span_x[1] + start_x + kernel_shape[1] - 1),
        )
        size = target.itemsize
        packed = target.strides[1:] == (size * channels, size) and target.flags.aligned
        if not strided and target.dtype == source.dtype and packed:
            correlator.run(window, target)
            return
        dense = np.empty((span_y[1] - span_y[0], span_x[1] - span_x[0], channels), source.dtype)
        correlator.run(window, dense)
        dtypes.store(dense[keep_y, keep_x], target)

    threads.for_each(work, range(len(tiles)), min(workers, len(tiles)))
