"""Volumes without compiled code: padded parts, filtered by NumPy or SciPy."""

import math
from collections.abc import Callable
from itertools import product

import numpy as np

from convtool.convolution import borders
from convtool.convolution.types import Array, DType
from convtool.convolution.volume_layout import Axes

PART_BYTES = 1 << 25
"""Bytes of a padded part at the most, unless a single plane of output needs more."""

Correlate = Callable[[Array, Array], None]
"""``correlate(window, out)``: ``window`` has shape (d + KD - 1, h + KH - 1, w + KW - 1, C), ``out``
(d, h, w, C), both of the working type; writes the valid correlation."""


def direct(kernel: Array, dtype: DType) -> Correlate:
    """Return the correlation weight by weight, those of zero left out.

    The weights of each row are added up before rows are, and rows before planes.
    """
    weights = kernel.astype(dtype)
    groups = [
        [[(z, y, int(x)) for x in np.flatnonzero(row)] for y, row in enumerate(plane) if row.any()]
        for z, plane in enumerate(weights)
        if plane.any()
    ]

    def multiply(window: Array, place: tuple[int, int, int], out: Array) -> None:
        part = window[tuple(slice(k, k + n) for k, n in zip(place, out.shape[:3], strict=True))]
        np.multiply(part, weights[place], out=out)

    def run(window: Array, out: Array) -> None:
        out[...] = 0
        scratch, line, plane = (np.empty_like(out, order="C") for _ in range(3))
        for first_plane, rows in zip([True] + [False] * len(groups), groups, strict=False):
            total = out if first_plane else plane
            for first_row, places in zip([True] + [False] * len(rows), rows, strict=False):
                row = total if first_row else line
                multiply(window, places[0], row)
                for place in places[1:]:
                    multiply(window, place, scratch)
                    row += scratch
                if not first_row:
                    total += row
            if not first_plane:
                out += total

    return run


def by_lines(lines: tuple[Array, Array, Array], dtype: DType) -> Correlate:
    """Return the correlation by the lines of a kernel, one axis after the other."""
    typed = [line.astype(dtype) for line in lines]

    def run(window: Array, out: Array) -> None:
        for axis, line in enumerate(typed):
            count = out.shape[axis]
            made = np.zeros((*window.shape[:axis], count, *window.shape[axis + 1 :]), dtype)
            for k in np.flatnonzero(line):
                made += line[k] * np.take(window, np.arange(k, k + count), axis=axis)
            window = made
        out[...] = window

    return run


def by_scipy(kernel: Array, dtype: DType) -> Correlate:
    """Return SciPy's correlation."""
    from scipy import ndimage

    weights = kernel.astype(dtype)

    def run(window: Array, out: Array) -> None:
        places = tuple(
            slice(taps // 2, taps // 2 + count)
            for taps, count in zip(kernel.shape, out.shape, strict=False)
        )
        for channel in range(out.shape[3]):
            made = ndimage.correlate(window[..., channel], weights, mode="constant")
            out[..., channel] = made[places]

    return run


class Padded:
    """A volume that is readable at any position.

    Parameters
    ----------
    pixels : ndarray, shape (D, H, W, C)
        The volume, of any real type.
    axes : Axes
        Where the windows lie.
    rules : tuple of str
        The border's rule along each axis.
    cval : float
        The value beyond the edge, for ``constant``.
    dtype : dtype
        The type of the windows.
    """

    def __init__(
        self, pixels: Array, axes: Axes, rules: tuple[str, str, str], cval: float, dtype: DType
    ) -> None:
        self._pixels, self._cval, self._dtype, self._axes = pixels, cval, dtype, axes
        self._tables = [
            borders.table(axis.size, axis.start, axis.start + axis.dense + axis.taps - 1, rule)
            for axis, rule in zip(axes, rules, strict=True)
        ]

    def window(self, starts: tuple[int, ...], counts: tuple[int, ...]) -> Array:
        """Return what the windows of so many outputs from a place on read."""
        part, outside = self._pixels, []
        for axis, (start, count) in enumerate(zip(starts, counts, strict=True)):
            table = self._tables[axis][start : start + count + self._axes[axis].taps - 1]
            part = part.take(table, axis=axis, mode="clip")
            outside.append(table == borders.OUTSIDE)
        made = part.astype(self._dtype)
        for axis, places in enumerate(outside):
            if places.any():
                made[(slice(None),) * axis + (places,)] = self._cval
        return made


def run(
    correlate: Correlate, padded: Padded, axes: Axes, out: Array, tile: tuple[int, ...] | None
) -> None:
    """Make an answer of the working type part by part.

    Parameters
    ----------
    correlate : callable
        What filters a window.
    padded : Padded
        The volume.
    axes : Axes
        Where its windows lie.
    out : ndarray, shape (D', H', W', C)
        Where the answer goes.
    tile : tuple of int, optional
        The most outputs of a part along each axis; by default planes that fit `PART_BYTES`.
    """
    sizes = out.shape[:3]
    if tile is None:
        plane = math.prod(axis.dense + axis.taps - 1 for axis in axes[1:])
        planes = PART_BYTES // (plane * out.shape[3] * out.itemsize) - axes[0].taps + 1
        tile = (max(1, planes), *sizes[1:])
    starts = (range(0, size, step) for size, step in zip(sizes, tile, strict=True))
    with np.errstate(invalid="ignore", over="ignore"):
        for z, y, x in product(*starts):
            part = out[z : z + tile[0], y : y + tile[1], x : x + tile[2]]
            correlate(padded.window((z, y, x), part.shape[:3]), part)
