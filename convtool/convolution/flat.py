"""Flat windows: all pixels are equal and the weights sum to zero, so that rounding alone is left.

Transforms, factors and long sums round, and what should be 0 becomes 1e-7 of the pixels. Such
windows are found, and answered by their value times the sum of the weights, which is rounded once.

A window of K pixels holds two neighbouring points of a lattice that is K // 2 wide, along both
axes. So equal neighbours on the lattice tell where to look; elsewhere no pixel is read.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convtool.convolution import borders, dtypes, threads
from convtool.convolution.borders import Indices
from convtool.convolution.engines import Array, DType, Span
from convtool.convolution.source import Source
from convtool.records import Record

FEW_WEIGHTS = 25
"""Sums of so many weights round little enough by themselves."""

LARGEST_WHOLE = (1 << 16) - 1
"""Whole numbers up to here are exact in those sums, if the weights are whole numbers too."""

CANCELS = 2.0**-20
"""Weights sum to zero where their sum is at most so much of their magnitudes' sum."""

CHUNK_SCALARS = 1 << 18
"""Scalars that are compared at once: they stay in the cache."""

PROBES = ((0.5, 0.5), (0.25, 0.75), (0.75, 0.25), (0.1, 0.4), (0.6, 0.9), (0.9, 0.1))
"""Where within a lattice's cell pixels are compared before whole windows are."""

Mask = NDArray[np.bool_]


class Level(NamedTuple):
    """What a flat window's value is multiplied by; of a pair, its magnitude."""

    gain: float
    pair: bool


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
    Level(gain=0.0, pair=False)
    >>> level_for((np.outer([-1.0, 0, 1], [1, 2, 1]),), single, True) is None
    True
    >>> level_for((np.ones((9, 9)),), single, False) is None
    True
    """
    for kernel in kernels:
        magnitude = float(np.abs(kernel).sum())
        if magnitude == 0 or abs(float(kernel.sum())) > CANCELS * magnitude:
            return None
    if summed and all(_round_little(kernel, working) for kernel in kernels):
        return None
    gains = [math.fsum(kernel.ravel().tolist()) for kernel in kernels]
    return Level(math.hypot(*gains) if len(gains) > 1 else gains[0], len(gains) > 1)


def _round_little(kernel: Array, working: DType) -> bool:
    largest = float(np.abs(kernel).sum()) * LARGEST_WHOLE
    exact = largest <= 2.0 ** (np.finfo(working).nmant + 1)
    return kernel.size <= FEW_WEIGHTS and (exact or not np.array_equal(kernel, np.rint(kernel)))


class Places(Record):
    """Which windows a piece of an answer is made from, along one axis.

    Attributes
    ----------
    start : int
        Position of the first window's first pixel.
    stride : int
        How far the next one is.
    taps : int
        Pixels of a window.
    count : int
        Number of windows.
    """

    start: int
    stride: int
    taps: int
    count: int

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
    cells = _cells(source, rows, columns)
    if cells is None:
        return
    chunks = _chunks(*cells, rows, columns, out.shape[2])

    @np.errstate(all="ignore")
    def work(index: int) -> None:
        down, across = chunks[index]
        window = source.window(rows.part(down), columns.part(across))
        flat = _is_flat(window, rows, columns)
        values = window[: window.shape[0] - rows.taps + 1 : rows.stride]
        values = values[:, : window.shape[1] - columns.taps + 1 : columns.stride][flat]
        if not values.size:
            return
        made = np.abs(values) if level.pair else values
        answers = np.empty(made.shape, out.dtype)
        dtypes.store(made * made.dtype.type(level.gain), answers)
        out[slice(*down), slice(*across)][flat] = answers

    threads.for_each(work, range(len(chunks)), min(workers, len(chunks)))


def _cells(source: Source, rows: Places, columns: Places) -> tuple[Array, Array] | None:
    """Return row and column of the lattice's cells whose pixels may be equal, or None."""
    y = source.rows_at(rows.start, rows.stop)
    x = borders.table(source.pixels.shape[1], columns.start, columns.stop, source.rule)

    def pixels(down: Indices, across: Indices) -> Array:
        values: Array = source.pixels[y[down], x[across]].astype(source.dtype)
        if source.rule == "constant":
            outside = (y[down] == borders.OUTSIDE) | (x[across] == borders.OUTSIDE)
            values[outside] = source.cval
        return values

    down = np.arange(0, len(y), rows.step)[:, np.newaxis]
    across = np.arange(0, len(x), columns.step)
    points = pixels(down, across)
    same = np.ones(points.shape, np.bool_)
    if columns.taps > 1:
        same = points[:, :-1] == points[:, 1:]
    if rows.taps > 1:
        inside = points[:, : len(same[0])]
        same = same[:-1] & same[1:] & (inside[:-1] == inside[1:])
    i, j = np.nonzero(same.any(axis=2))
    for below, beside in PROBES if min(rows.step, columns.step) > 1 else ():
        if not i.size:
            break
        place = (
            i * rows.step + int(below * rows.step),
            j * columns.step + int(beside * columns.step),
        )
        likely = (same[i, j] & (pixels(*place) == points[i, j])).any(axis=1)
        i, j = i[likely], j[likely]
    return (i, j) if i.size else None


def _chunks(
    i: Array, j: Array, rows: Places, columns: Places, channels: int
) -> list[tuple[Span, Span]]:
    """Return the windows to look at as spans of rows and columns, a cache's fill at a time."""
    most = max(1, CHUNK_SCALARS // ((columns.stop - columns.start) * channels * rows.step))
    chunks = []
    breaks = np.flatnonzero(np.diff(i)) + 1
    starts = [0, *breaks.tolist(), len(i)]
    lines = [(int(i[a]), int(j[a:b].min()), int(j[a:b].max())) for a, b in pairwise(starts)]
    while lines:
        first, left, right = lines[0]
        last, taken = first, 1
        for line, low, high in lines[1:most]:
            if line != last + 1:
                break
            last, taken, left, right = line, taken + 1, min(left, low), max(right, high)
        del lines[:taken]
        down, across = rows.between((first, last + 1)), columns.between((left, right + 1))
        if down[0] < down[1] and across[0] < across[1]:
            chunks.append((down, across))
    return chunks


def _runs(same: Mask, length: int) -> Mask:
    """Return where so many true values begin, along the first axis."""
    span = 1
    while span < length:
        step = min(span, length - span)
        same = same[:-step] & same[step:]
        span += step
    return same


def _is_flat(window: Array, rows: Places, columns: Places) -> Mask:
    """Return which windows hold one finite value."""
    flat = np.isfinite(window)
    if columns.taps > 1:
        same = (window[:, :-1] == window[:, 1:]) & flat[:, :-1]
        flat = _runs(same.swapaxes(0, 1), columns.taps - 1).swapaxes(0, 1)
    if rows.taps > 1:
        inside = window[:, : flat.shape[1]]
        same = flat[:-1] & flat[1:] & (inside[:-1] == inside[1:])
        flat = _runs(same, rows.taps - 1)
    return flat[:: rows.stride, :: columns.stride]
