"""Running an engine over an image, piece by piece, on threads.

Engines of tiles are given windows: views of the image where they lie inside it and need no
conversion, else small copies through the border table; type, channels and stride are seen to here.
Engines of strips do that themselves, from the same tables. Pieces are cut the same way whatever
the number of threads, so the answer does not depend on it. Sums that overflow, or that add inf to
-inf, become inf and NaN silently, as in ``scipy.ndimage``.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from convtool.convolution import dtypes, threads
from convtool.convolution.engines import Array, Job, Span, StripCorrelator, TileCorrelator
from convtool.convolution.geometry import Axis
from convtool.convolution.source import Source, is_packed

Store = Callable[[Array, Array], None]
"""``store(values, out)`` writes computed values, which it may change, into a piece of the answer.
Several threads call it at once, each piece of the answer is written once."""

STORED_BYTES = 1 << 20
"""Bytes of the values that are computed at once where they are not the answer itself: a core's
cache holds them until they are stored."""

LEAST_STORED_ROWS = 16
"""And so many rows at least, since each strip reads the rows beyond its edges again."""


def _spans(count: int, longest: int) -> list[Span]:
    return [(n, min(n + longest, count)) for n in range(0, count, longest)]


def _kept(axis: Axis, span: Span) -> tuple[slice, slice]:
    """Return which windows of a span the stride keeps, and where they go in the output."""
    first = -(-span[0] // axis.stride)
    offset = first * axis.stride - span[0]
    count = len(range(offset, span[1] - span[0], axis.stride))
    return slice(offset, None, axis.stride), slice(first, first + count)


def run_tiles(
    correlator: TileCorrelator, source: Source, job: Job, out: Array, store: Store = dtypes.store
) -> None:
    """Correlate the image into ``out``, shape (rows.count, columns.count, C), tile by tile."""
    rows, columns = job.layout.rows, job.layout.columns
    channels = source.pixels.shape[2]
    reading = source.as_it_is() if source.pixels.dtype in correlator.reads else source
    strided = (rows.stride, columns.stride) != (1, 1)
    direct = not strided and out.dtype == source.dtype and store is dtypes.store
    tiles = [
        (span_y, span_x)
        for span_y in _spans(rows.dense, correlator.tile[0])
        for span_x in _spans(columns.dense, correlator.tile[1])
    ]

    @np.errstate(all="ignore")
    def work(index: int) -> None:
        span_y, span_x = tiles[index]
        keep_y, to_y = _kept(rows, span_y)
        keep_x, to_x = _kept(columns, span_x)
        target = out[to_y, to_x]
        if target.size == 0:
            return
        window = reading.window(
            (span_y[0] + rows.start, span_y[1] + rows.start + rows.taps - 1),
            (span_x[0] + columns.start, span_x[1] + columns.start + columns.taps - 1),
        )
        if direct:
            correlator.run(window, target)
            return
        dense = np.empty((span_y[1] - span_y[0], span_x[1] - span_x[0], channels), source.dtype)
        correlator.run(window, dense)
        store(dense[keep_y, keep_x], target)

    threads.for_each(work, range(len(tiles)), min(job.threads, len(tiles)))


@lru_cache(maxsize=32)
def _strips(size: tuple[int, int], tile: tuple[int, int]) -> Array:
    """Return first and last line, first and last window of each strip; read-only, since kept."""
    strips = np.array(
        [
            (*lines, *windows)
            for lines in _spans(size[0], tile[0])
            for windows in _spans(size[1], tile[1])
        ]
    )
    strips.flags.writeable = False
    return strips


def run_strips(
    correlator: StripCorrelator, source: Source, job: Job, out: Array, store: Store = dtypes.store
) -> None:
    """Correlate the image into ``out``, shape (rows.count, columns.count, C), strip by strip."""
    source = source.packed()
    columns = job.layout.columns
    written = out.dtype == source.dtype or out.dtype in correlator.writes
    direct = written and is_packed(out) and store is dtypes.store
    longest = correlator.tile[0]
    if not direct:
        width = min(correlator.tile[1], columns.dense) * out.shape[2]
        line = max(1, width * source.dtype.itemsize)
        longest = min(longest, max(LEAST_STORED_ROWS, STORED_BYTES // line))
    strips = _strips((job.layout.rows.count, columns.dense), (longest, correlator.tile[1]))
    workers = min(job.threads, len(strips))
    if direct:
        correlator.run(source, out, (0, 0), strips, workers)
        return

    @np.errstate(all="ignore")
    def work(index: int) -> None:
        first, last, *windows = strips[index]
        _, target = _kept(columns, (int(windows[0]), int(windows[1])))
        part = out[first:last, target]
        made = np.empty(part.shape, source.dtype)
        one = strips[index : index + 1]
        correlator.run(source, made, (int(first), target.start), one, 1)
        store(made, part)

    threads.for_each(work, range(len(strips)), workers)
