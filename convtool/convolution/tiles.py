"""Running an engine over an image, piece by piece, on threads.

Engines of tiles are given windows: views of the image where they lie inside it and need no
conversion, else small copies through the border table; type, channels and stride are seen to here.
Engines of strips do that themselves, from the same tables. Pieces are cut the same way whatever
the number of threads, so the answer does not depend on it. Sums that overflow, or that add inf to
-inf, become inf and NaN silently, as in ``scipy.ndimage``.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from convtool.convolution import dtypes, flat, scratch, threads
from convtool.convolution.engines import Correlator, Job, StripCorrelator, TileCorrelator
from convtool.convolution.flat import Places
from convtool.convolution.geometry import Axis
from convtool.convolution.source import Source, is_packed
from convtool.convolution.types import Array, DType, Span

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


class Band(NamedTuple):
    """Rows of the answer that are made alone, and the positions of the padded image they need."""

    rows: Span
    positions: Span


def bands(
    correlator: Correlator, job: Job, width: int, dtype: DType, store: Store = dtypes.store
) -> list[Band]:
    """Return all bands of an answer: none of the pieces that it is cut into reaches out of one.

    Parameters
    ----------
    width : int
        Scalars of a row of the answer.
    dtype : dtype
        The answer's type.
    """
    axis = job.layout.rows
    if isinstance(correlator, StripCorrelator):
        written = _writes(correlator, dtype, job.dtype, store)
        longest = (
            correlator.tile[0] if written else _longest(correlator, job.dtype, width, job.channels)
        )
        cut = [
            (rows, (rows[0] * axis.stride, (rows[1] - 1) * axis.stride + 1))
            for rows in _spans(axis.count, longest)
        ]
    else:
        cut = [
            ((kept.start, kept.stop), span)
            for span in _spans(axis.dense, correlator.tile[0])
            if (kept := _kept(axis, span)[1]).start < kept.stop
        ]
    return [
        Band(rows, (dense[0] + axis.start, dense[1] + axis.start + axis.taps - 1))
        for rows, dense in cut
    ]


def _writes(correlator: StripCorrelator, dtype: DType, working: DType, store: Store) -> bool:
    """Return whether an engine of strips writes the output type itself."""
    return (dtype == working or dtype in correlator.writes) and store is dtypes.store


def _is_direct(correlator: StripCorrelator, out: Array, working: DType, store: Store) -> bool:
    """Return whether an engine of strips writes the answer where it belongs."""
    return _writes(correlator, out.dtype, working, store) and is_packed(out)


def _longest(correlator: StripCorrelator, working: DType, width: int, channels: int) -> int:
    """Return how many rows are computed before they are stored."""
    line = max(1, min(width, correlator.tile[1] * channels) * working.itemsize)
    return min(correlator.tile[0], max(LEAST_STORED_ROWS, STORED_BYTES // line))


def run(
    correlator: Correlator,
    source: Source,
    job: Job,
    out: Array,
    store: Store = dtypes.store,
    first: int = 0,
) -> None:
    """Correlate the image into ``out``, shape (rows, columns.count, C), piece by piece.

    ``out`` holds the answer's rows from ``first`` on, all unless told otherwise. It begins and ends
    as some of the `bands` do.
    """
    if isinstance(correlator, StripCorrelator):
        _run_strips(correlator, source, job, out, store, first)
    else:
        _run_tiles(correlator, source, job, out, store, first)


def _run_tiles(
    correlator: TileCorrelator, source: Source, job: Job, out: Array, store: Store, first: int
) -> None:
    rows, columns = job.layout.rows, job.layout.columns
    channels = source.pixels.shape[2]
    reading = source.as_it_is() if source.pixels.dtype in correlator.reads else source
    strided = (rows.stride, columns.stride) != (1, 1)
    native = reading.dtype in correlator.reads and out.dtype in correlator.writes
    wanted = (out.dtype == source.dtype or native) and store is dtypes.store
    direct = wanted and not strided
    tiles = [
        (span_y, span_x)
        for span_y in _spans(rows.dense, correlator.tile[0])
        if first <= _kept(rows, span_y)[1].start < first + len(out)
        for span_x in _spans(columns.dense, correlator.tile[1])
    ]

    def run(window: Array, into: Array, span_y: Span, span_x: Span) -> None:
        correlator.run(window, into)
        if job.level is not None:
            down = Places(span_y[0] + rows.start, 1, rows.taps, len(into))
            across = Places(span_x[0] + columns.start, 1, columns.taps, into.shape[1])
            flat.fill(source, job.level, down, across, into)

    @np.errstate(all="ignore")
    def work(index: int) -> None:
        span_y, span_x = tiles[index]
        keep_y, to_y = _kept(rows, span_y)
        keep_x, to_x = _kept(columns, span_x)
        target = out[to_y.start - first : to_y.stop - first, to_x]
        if target.size == 0:
            return
        window = reading.window(
            (span_y[0] + rows.start, span_y[1] + rows.start + rows.taps - 1),
            (span_x[0] + columns.start, span_x[1] + columns.start + columns.taps - 1),
        )
        if direct:
            run(window, target, span_y, span_x)
            return
        size = span_y[1] - span_y[0], span_x[1] - span_x[0], channels
        dense = scratch.take("dense", size, source.dtype)
        run(window, dense, span_y, span_x)
        store(dense[keep_y, keep_x], target)

    threads.for_each(work, range(len(tiles)), min(job.threads, len(tiles)))


def strips_of(correlator: StripCorrelator, job: Job) -> Array:
    """Return the strips of a whole answer that an engine writes where it belongs."""
    rows = job.layout.rows.count
    return _strips((rows, job.layout.columns.dense), correlator.tile, (0, rows))


@lru_cache(maxsize=32)
def _strips(size: Span, tile: Span, within: Span) -> Array:
    """Return first and last line, first and last window of each strip that begins within lines.

    It is read-only, since it is kept.
    """
    strips = np.array(
        [
            (*lines, *windows)
            for lines in _spans(size[0], tile[0])
            if within[0] <= lines[0] < within[1]
            for windows in _spans(size[1], tile[1])
        ]
    )
    strips.flags.writeable = False
    return strips


def _run_strips(
    correlator: StripCorrelator, source: Source, job: Job, out: Array, store: Store, first: int
) -> None:
    columns = job.layout.columns
    direct = _is_direct(correlator, out, source.dtype, store)
    longest = correlator.tile[0]
    if not direct:
        longest = _longest(correlator, source.dtype, out[:1].size, job.channels)
    size, tile = (job.layout.rows.count, columns.dense), (longest, correlator.tile[1])
    strips = _strips(size, tile, (first, first + len(out)))
    workers = min(job.threads, len(strips))
    if direct:
        correlator.wake(workers)
    source = source.packed()

    def run(into: Array, origin: Span, strips: Array, workers: int) -> None:
        correlator.run(source, into, origin, strips, workers)
        if job.level is not None:
            rows = job.layout.rows
            down, across = (
                Places(axis.start + begin * axis.stride, axis.stride, axis.taps, count)
                for axis, begin, count in zip((rows, columns), origin, into.shape, strict=False)
            )
            flat.fill(source, job.level, down, across, into, workers)

    if direct:
        run(out, (first, 0), strips, workers)
        return

    @np.errstate(all="ignore")
    def work(index: int) -> None:
        start, stop, *windows = strips[index]
        _, target = _kept(columns, (int(windows[0]), int(windows[1])))
        part = out[start - first : stop - first, target]
        made = scratch.take("dense", part.shape, source.dtype)
        one = strips[index : index + 1]
        run(made, (int(start), target.start), one, 1)
        store(made, part)

    threads.for_each(work, range(len(strips)), workers)
