"""The normal equations of a kernel, accumulated without storing the windows.

Each window is a row of a design matrix, of which least squares needs only the products of columns.
A column is the shifted picture, so the product of two columns depends mainly on the lag between
them. A kernel of 7×7 has 1,225 pairs of columns and 85 lags.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.convolution.threads import count, for_each
from convtool.records import Record

Plane = NDArray[np.float64]

_STRIP = 1 << 17
_LINE = 8
_WINDOW_BYTES = 1 << 25
_SLABS = 8


class Sums(Record, eq=False):
    """Sums over windows x, with an appended 1, and their target values y."""

    gram: NDArray[np.float64]
    """Σ x xᵀ, float64, shape (n + 1, n + 1) for n weights; the last row and column belong to the
    bias."""
    moment: NDArray[np.float64]
    """Σ x y, shape (n + 1,)."""
    square: float
    """Σ y²."""

    @property
    def count(self) -> int:
        """Number of windows."""
        return round(float(self.gram[-1, -1]))

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.gram + other.gram, self.moment + other.moment, self.square + other.square)

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(self.gram - other.gram, self.moment - other.moment, self.square - other.square)


def lag_sums(before: NDArray[Any], after: NDArray[Any], size: tuple[int, int]) -> Sums:
    """Return the sums over all windows inside a picture, by lags.

    Parameters
    ----------
    before : ndarray, shape (H, W)
        The picture with the windows, at least twice the kernel's size on each side.
    after : ndarray, shape (H - KH + 1, W - KW + 1)
        The target value of each window.
    size : (int, int)
        Rows and columns of the kernel.

    Notes
    -----
    For a lag d the products P(q) = f(q) f(q + d) are summed over rectangles that differ by less
    than the kernel's size. The rows common to all rectangles are summed once, by BLAS in strips;
    the other KH - 1 rows at the top and at the bottom are stored separately, and so are the
    columns. Each rectangle is then a small sub-array of these partial sums.

    Examples
    --------
    >>> f = np.arange(48.0).reshape(6, 8) % 7
    >>> by_lags = lag_sums(f, f[1:-1, 1:-1], (3, 3))
    >>> by_windows = window_sums(f, f[1:-1, 1:-1], (3, 3))
    >>> np.array_equal(by_lags.gram, by_windows.gram)
    True
    """
    rows, columns = size
    gram = np.empty((rows * columns + 1,) * 2)
    products = _banded(before, _lags(size), size)
    places = np.arange(rows * columns).reshape(size)
    for (down, right), bands in products.items():
        boxes = _boxes(bands, size)
        left, stop = max(0, -right), columns - max(0, right)
        first = places[: rows - down, left:stop].ravel()
        second = places[down:, left + right : stop + right].ravel()
        gram[first, second] = gram[second, first] = boxes[: rows - down, left:stop].ravel()
    sums = _boxes(_bands(np.asarray(before), size), size).ravel()
    gram[-1, :-1] = gram[:-1, -1] = sums
    gram[-1, -1] = after.size
    return Sums(gram, *_with_after(before, after, size))


def window_sums(
    before: NDArray[Any],
    after: NDArray[Any],
    size: tuple[int, int],
    chosen: NDArray[np.bool_] | None = None,
) -> Sums:
    """Return the sums over explicitly built windows, a strip at a time.

    Parameters
    ----------
    before, after, size
        As for `lag_sums`, the picture at least as large as the kernel.
    chosen : ndarray of bool, optional
        Mask of the windows to use, in the shape of `after`; by default all.
    """
    n = size[0] * size[1]
    views = np.lib.stride_tricks.sliding_window_view(before, size)
    total = Sums(np.zeros((n + 1, n + 1)), np.zeros(n + 1), 0.0)
    strip = max(1, _WINDOW_BYTES // (8 * (n + 1) * after.shape[1]))
    for top in range(0, after.shape[0], strip):
        place = slice(top, top + strip)
        kept = np.ones(after[place].shape, bool) if chosen is None else chosen[place]
        values = after[place][kept].astype(np.float64)
        windows = np.ones((len(values), n + 1))
        windows[:, :-1] = views[place][kept].reshape(-1, n)
        square = float(values @ values)
        total += Sums(windows.T @ windows, windows.T @ values, square)
    return total


def _lags(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the lags between positions of a kernel, one of each opposite pair."""
    rows, columns = size
    return [
        (down, right)
        for down in range(rows)
        for right in range(1 - columns if down else 0, columns)
    ]


def _bands(values: NDArray[Any], size: tuple[int, int]) -> Plane:
    """Sum the rows and columns common to all rectangles, and keep the others separate.

    Returns shape (2 KH - 1, 2 KW - 1): the middle row and column hold the shared sums.
    """
    for axis, side in enumerate(size):
        edge = side - 1
        stop = values.shape[axis] - edge
        parts = np.split(values, [edge, stop], axis)
        middle = parts[1].sum(axis, keepdims=True, dtype=np.float64)
        values = np.concatenate([parts[0], middle, parts[2]], axis)
    return values.astype(np.float64)


def _boxes(bands: Plane, size: tuple[int, int]) -> Plane:
    """Return the sum over each rectangle, shape (KH, KW), from the result of `_bands`."""
    for axis, side in enumerate(size):
        bands = np.lib.stride_tricks.sliding_window_view(bands, side, axis).sum(axis=-1)
    return bands


def _banded(
    image: NDArray[Any], lags: list[tuple[int, int]], size: tuple[int, int]
) -> dict[tuple[int, int], Plane]:
    """Return the bands of the products of a picture with its shifted self, for each lag."""
    height, width = image.shape
    rows, columns = size
    edges = _edge_products(image, lags, size)
    inner = slice(columns - 1, width - columns + 1)

    def lay(strip: Plane, top: int, bottom: int) -> None:
        strip[:, inner] = image[top:bottom, inner]

    span = rows - 1, height - rows + 1
    shared = _shared_sums(image, lay, span, rows, range(1 - columns, columns))
    for down, right in lags:
        edges[down, right][rows - 1, columns - 1] = shared[down, right + columns - 1]
    return edges


def _edge_products(
    image: NDArray[Any], lags: list[tuple[int, int]], size: tuple[int, int]
) -> dict[tuple[int, int], Plane]:
    """Return the bands of each lag with a middle of 0."""
    height, width = image.shape
    rows, columns = size
    around = np.zeros((height + rows - 1, width + 2 * (columns - 1)), image.dtype)
    around[:height, columns - 1 : columns - 1 + width] = image

    def moved(place: tuple[slice, slice], lag: tuple[int, int]) -> Plane:
        y, x = place
        shifted: Plane = around[
            y.start + lag[0] : y.stop + lag[0],
            x.start + lag[1] + columns - 1 : x.stop + lag[1] + columns - 1,
        ]
        products: Plane = image[place].astype(np.float64) * shifted
        return products

    spans = [
        (slice(0, side - 1), slice(side - 1, total - side + 1), slice(total - side + 1, total))
        for side, total in zip(size, image.shape, strict=True)
    ]
    found = {}
    for lag in lags:
        bands = np.zeros((2 * rows - 1, 2 * columns - 1))
        for i, y in enumerate(spans[0]):
            for j, x in enumerate(spans[1]):
                if i == j == 1:
                    continue
                part = moved((y, x), lag)
                part = part.sum(0, keepdims=True) if i == 1 else part
                part = part.sum(1, keepdims=True) if j == 1 else part
                bands[_target(i, rows), _target(j, columns)] = part
        found[lag] = bands
    return found


def _target(part: int, side: int) -> slice:
    return (slice(0, side - 1), slice(side - 1, side), slice(side, 2 * side - 1))[part]


def _with_after(
    before: NDArray[Any], after: NDArray[Any], size: tuple[int, int]
) -> tuple[NDArray[np.float64], float]:
    """Return Σ x y and Σ y²."""
    height, width = after.shape

    def lay(strip: Plane, top: int, bottom: int) -> None:
        strip[:, :width] = after[top:bottom]

    found = _shared_sums(before, lay, (0, height), size[0], range(size[1]))
    high = max(1, _STRIP // width)
    parts = (after[top : top + high].astype(np.float64) for top in range(0, height, high))
    square = sum(float(np.vdot(part, part)) for part in parts)
    return np.append(found.ravel(), after.sum(dtype=np.float64)), square


def _shared_sums(
    image: NDArray[Any],
    lay: Callable[[Plane, int, int], None],
    span: tuple[int, int],
    downs: int,
    rights: range,
) -> Plane:
    """Return Σ g(q) f(q + d) for the lags d of a rectangle, over a range of rows.

    `lay` writes rows of g into zeros, except where q + d may leave the row, so a lag is an offset
    into the flat picture. Divided into short lines, the flat g and the flat f shifted by whole
    lines are matrices, and the sums for neighbouring lags are on the diagonals of their product.

    Returns shape (downs, len(rights)).
    """
    width = image.shape[1]
    before = max(0, -rights.start)
    slabs = slabs_of(*span)
    high = max(1, min(_STRIP // width, slabs[0][1] - slabs[0][0]))
    lines = -(-high * width // _LINE)
    blocks = 1 - (-(len(rights) - 1) // _LINE)
    totals = np.zeros((len(slabs), downs, _LINE, blocks * _LINE))

    def add_slab(i: int) -> None:
        first, last = slabs[i]
        mine = np.zeros(lines * _LINE)
        strip = mine[: high * width].reshape(high, width)
        turned = mine.reshape(lines, _LINE).T
        other = np.zeros(before + (downs - 1) * width + (lines + blocks) * _LINE + before)
        for top in range(first, last, high):
            bottom = min(top + high, last)
            lay(strip[: bottom - top], top, bottom)
            strip[bottom - top :] = 0
            rows = image[top : bottom + downs - 1]
            seen = other[before : before + rows.size]
            seen.reshape(rows.shape)[...] = rows
            for down in range(downs):
                for block in range(blocks):
                    start = before + down * width + rights.start + block * _LINE
                    moved = other[start : start + mine.size].reshape(lines, _LINE)
                    # `dot` releases the GIL, `@` does not.
                    part = np.dot(turned, moved)
                    totals[i, down, :, block * _LINE : (block + 1) * _LINE] += part

    for_each(add_slab, range(len(slabs)), min(len(slabs), count()))
    total = totals.sum(axis=0)
    diagonals = [np.trace(total, offset, axis1=1, axis2=2) for offset in range(len(rights))]
    return np.stack(diagonals, axis=1)


def slabs_of(start: int, stop: int) -> list[tuple[int, int]]:
    """Divide rows into parts for threads, independent of the number of threads.

    Examples
    --------
    >>> slabs_of(3, 20)
    [(3, 6), (6, 9), (9, 12), (12, 15), (15, 18), (18, 20)]
    """
    high = max(1, -(-(stop - start) // _SLABS))
    return [(top, min(top + high, stop)) for top in range(start, stop, high)]
