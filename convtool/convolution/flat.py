"""Flat windows: all pixels are equal and the weights sum to zero, so that rounding alone is left.

Transforms, factors and long sums round, and what should be 0 becomes 1e-7 of the pixels. Such
windows are found, and answered by their value times the sum of the weights, which is rounded once.

A window of K pixels holds two neighbouring points of a lattice that is K // 2 wide, along both
axes. So equal neighbours on the lattice tell where to look; elsewhere no pixel is read.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convtool.convolution import borders, dtypes, threads
from convtool.convolution.borders import Indices
from convtool.convolution.source import Source
from convtool.convolution.types import Array, DType, Span
from convtool.records import Record

FEW_WEIGHTS = 49
"""Sums of so many weights round little enough by themselves."""

LARGEST_WHOLE = (1 << 16) - 1
"""Whole numbers up to here are exact in those sums, if the weights are whole numbers too."""

CANCELS = 2.0**-20
"""Weights sum to zero where their sum is at most so much of their magnitudes' sum."""

ROUNDING = 1e-6
"""The most that an engine leaves of a flat window, relative to its value and the weights."""

CHUNK_SCALARS = 1 << 17
"""Scalars that are compared at once: they stay in the cache."""

LEAST_LINES = 4
"""And so many rows of the lattice at least, since each chunk reads a window's rows beyond them."""

PROBES = ((0.5, 0.5), (0.25, 0.75), (0.75, 0.25), (0.1, 0.4), (0.6, 0.9), (0.9, 0.1))
"""Where within a lattice's cell pixels are compared before whole windows are."""

RARE = 32
"""One cell in so many at the most, for looking at single pixels of them to be worth its while."""

Mask = NDArray[np.bool_]


class Level(NamedTuple):
    """What a flat window's value is multiplied by."""

    gain: float
    """The sum of the weights; of a pair, the length of both sums."""
    pair: bool
    """Whether the value's magnitude is multiplied."""
    most: float
    """The sum of the weights' magnitudes, the larger one of a pair."""


def level_for(kernels: tuple[Array, ...], working: DType, summed: bool) -> Level | None:
    """Return what flat windows are multiplied by, or None where sums need no such help.

    Parameters
    ----------
    kernels : tuple of ndarray
        One or two, of float64.
    working : dtype
        The type of the sums.
    summed : bool
        Whether the engine sums products of pixels and weights as they are.

    Examples
    --------
    >>> single = np.dtype(np.float32)
    >>> level_for((np.outer([-1.0, 0, 1], [1, 2, 1]),), single, False)
    Level(gain=0.0, pair=False, most=8.0)
    >>> level_for((np.outer([-1.0, 0, 1], [1, 2, 1]),), single, True) is None
    True
    >>> level_for((np.ones((9, 9)),), single, False) is None
    True
    """
    most = 0.0
    for kernel in kernels:
        magnitude = float(np.abs(kernel).sum())
        if magnitude == 0 or abs(float(kernel.sum())) > CANCELS * magnitude:
            return None
        most = max(most, magnitude)
    if summed and all(_round_little(kernel, working) for kernel in kernels):
        return None
    gains = [math.fsum(kernel.ravel().tolist()) for kernel in kernels]
    pair = len(gains) > 1
    return Level(math.hypot(*gains) if pair else gains[0], pair, most)


def _round_little(kernel: Array, working: DType) -> bool:
    largest = float(np.abs(kernel).sum()) * LARGEST_WHOLE
    exact = largest <= 2.0 ** (np.finfo(working).nmant + 1)
    return kernel.size <= FEW_WEIGHTS and (exact or not np.array_equal(kernel, np.rint(kernel)))


class Places(Record):
    """Which windows a piece of an answer is made from, along one axis."""

    start: int
    """Position of the first window's first pixel."""
    stride: int
    """How far the next one is."""
    taps: int
    """Pixels of a window."""
    count: int
    """Number of windows."""

    @property
    def step(self) -> int:
        """Width of the lattice."""
        return max(1, self.taps // 2)

    @property
    def stop(self) -> int:
        """Position after the last window's last pixel."""
        return self.start + (self.count - 1) * self.stride + self.taps

    def between(self, cells: Span) -> Span:
        """Return which windows begin in these cells of the lattice, from and up to."""
        first, last = ((cell - 1) * self.step // self.stride + 1 for cell in cells)
        return max(0, first), max(0, min(self.count, last))

    def part(self, span: Span) -> Span:
        """Return the positions that some windows cover."""
        first, last = (self.start + number * self.stride for number in span)
        return first, last - self.stride + self.taps


def fill(
    source: Source, level: Level, rows: Places, columns: Places, out: Array, workers: int = 1
) -> None:
    """Write the answers of flat windows into a piece of an answer.

    Parameters
    ----------
    source : Source
        The image.
    level : Level
        What their values are multiplied by.
    rows, columns : Places
        Which windows the piece is of.
    out : ndarray, shape (rows.count, columns.count, C)
        The piece; integers are rounded half to even and saturate.
    workers : int
        Number of threads.
    """
    if _is_rounded_away(source.pixels.dtype, out.dtype, level):
        return
    chunks = _chunks(_cells(source, rows, columns), rows, columns, out.shape[2])
    if not chunks:
        return

    reading = source.for_comparing()

    @np.errstate(all="ignore")
    def work(index: int) -> None:
        down, across = chunks[index]
        window = reading.window(rows.part(down), columns.part(across))
        flat = _is_flat(window, rows, columns)
        if not flat.any():
            return
        values = window[:: rows.stride, :: columns.stride][: flat.shape[0], : flat.shape[1]]
        answers: Array = np.multiply(values, level.gain, dtype=source.dtype)
        if level.pair:
            np.abs(answers, out=answers)
        if out.dtype != answers.dtype:
            answers, made = np.empty(flat.shape, out.dtype), answers
            dtypes.store(made, answers)
        whole = flat.all()
        np.copyto(out[slice(*down), slice(*across)], answers, where=True if whole else flat)

    threads.for_each(work, range(len(chunks)), min(workers, len(chunks)))


def _is_rounded_away(image: DType, answer: DType, level: Level) -> bool:
    """Return whether what rounding leaves of a flat window disappears in whole numbers."""
    if image.kind not in "ui" or answer.kind not in "ui":
        return False
    return ROUNDING * level.most * float(np.iinfo(image).max) < 0.25


def _cells(source: Source, rows: Places, columns: Places) -> Mask:
    """Return which of the lattice's cells may be of equal pixels."""
    y = source.rows_at(rows.start, rows.stop)
    x = borders.table(source.pixels.shape[1], columns.start, columns.stop, source.rule)

    def pixels(down: Indices, across: Indices) -> Array:
        values: Array = source.pixels[y[down], x[across]].astype(source.dtype)
        if source.rule == "constant":
            outside = (y[down] == borders.OUTSIDE) | (x[across] == borders.OUTSIDE)
            values[outside] = source.cval
        return values

    points = _points(source, y[:: rows.step], x[:: columns.step], (rows.step, columns.step))
    same = np.ones(points.shape, np.bool_)
    if columns.taps > 1:
        same = points[:, :-1] == points[:, 1:]
    if rows.taps > 1:
        inside = points[:, : len(same[0])]
        same = same[:-1] & same[1:] & (inside[:-1] == inside[1:])
    likely: Mask = np.logical_or.reduce(same, axis=2)
    if min(rows.step, columns.step) > 1:
        for below, beside in PROBES:
            i, j = np.nonzero(likely)
            if not 0 < len(i) < likely.size // RARE:
                break
            down, across = i * rows.step, j * columns.step
            probed = pixels(down + int(below * rows.step), across + int(beside * columns.step))
            likely[i, j] = (same[i, j] & (probed == points[i, j])).any(axis=1)
    return likely


def _points(source: Source, y: Indices, x: Indices, step: tuple[int, int]) -> Array:
    """Return the pixels at these rows and columns, most of which lie ``step`` apart."""
    points = np.empty((len(y), len(x), source.pixels.shape[2]), source.dtype)
    inside = _regular(y, step[0]), _regular(x, step[1])
    read = tuple(
        slice(max(0, n[i]), max(0, n[j - 1]) + 1, h)
        for n, (i, j), h in zip((y, x), inside, step, strict=True)
    )
    (top, bottom), (left, right) = inside
    points[top:bottom, left:right] = source.pixels[read]
    edges = (
        (slice(0, top), slice(None)),
        (slice(bottom, None), slice(None)),
        (slice(top, bottom), slice(0, left)),
        (slice(top, bottom), slice(right, None)),
    )
    for down, across in edges:
        points[down, across] = source.pixels[y[down, np.newaxis], x[across]]
    if source.rule == "constant":
        points[y == borders.OUTSIDE] = source.cval
        points[:, x == borders.OUTSIDE] = source.cval
    return points


def _regular(places: Indices, step: int) -> Span:
    """Return the longest part of places that lie ``step`` apart, from and up to."""
    broken = (np.diff(places) != step) | (places[:-1] == borders.OUTSIDE)
    breaks = np.flatnonzero(broken) + 1
    ends = np.concatenate(([0], breaks, [len(places)]))
    longest = int(np.diff(ends).argmax())
    return int(ends[longest]), int(ends[longest + 1])


def _chunks(cells: Mask, rows: Places, columns: Places, channels: int) -> list[tuple[Span, Span]]:
    """Return the windows to look at as spans of rows and columns, a cache's fill at a time."""
    lines = np.flatnonzero(cells.any(axis=1)).tolist()
    most = max(
        LEAST_LINES, CHUNK_SCALARS // ((columns.stop - columns.start) * channels * rows.step)
    )
    chunks = []
    while lines:
        first, taken = lines[0], 1
        while taken < min(most, len(lines)) and lines[taken] == first + taken:
            taken += 1
        del lines[:taken]
        there = np.flatnonzero(cells[first : first + taken].any(axis=0))
        down = rows.between((first, first + taken))
        across = columns.between((int(there[0]), int(there[-1]) + 1))
        if down[0] < down[1] and across[0] < across[1]:
            chunks.append((down, across))
    return chunks


def _runs(same: Mask, length: int, apart: int) -> Mask:
    """Return where so many true values begin that lie so far apart."""
    span = 1
    while span < length:
        step = min(span, length - span)
        same = same[: -step * apart] & same[step * apart :]
        span += step
    return same


def _is_flat(window: Array, rows: Places, columns: Places) -> Mask:
    """Return which windows hold one finite value.

    All rows are one line of scalars here, for NumPy to be fast; what begins in one row and ends in
    the next is left out at last.
    """
    height, width, channels = window.shape
    line = width * channels
    values = np.ascontiguousarray(window).reshape(-1)
    flat: Mask = np.isfinite(values)
    if columns.taps > 1:
        same = values[:-channels] == values[channels:]
        same = _runs(same, columns.taps - 1, channels)
        flat = flat[: len(same)] & same
    if rows.taps > 1 and height > 1:
        upper, lower = slice(0, len(flat) - line), slice(line, len(flat))
        same = flat[upper] & flat[lower]
        same &= values[upper] == values[lower]
        flat = _runs(same, rows.taps - 1, line)
    shape = height - rows.taps + 1, width - columns.taps + 1, channels
    windows: Mask = np.ndarray(shape, np.bool_, flat, strides=(line, channels, 1))
    return windows[:: rows.stride, :: columns.stride]
