"""An image as the engines see it."""

from collections.abc import Sequence

import numpy as np

from convtool.convolution import borders, scratch
from convtool.convolution.borders import Indices
from convtool.convolution.geometry import Axis
from convtool.convolution.types import Array, DType, Span
from convtool.records import Record, replace

Spans = tuple[Span, ...]
"""Rows of an image, as runs in ascending order that do not meet."""


def rows_named(table: Indices) -> Indices:
    """Return which rows a border's table names, each once, in ascending order.

    (``np.unique`` imports ``numpy.ma``, which takes 10 ms.)

    Examples
    --------
    >>> rows_named(np.array([1, 0, 0, 1, 2, -1])).tolist()
    [0, 1, 2]
    """
    return np.array(sorted(set(table.tolist()) - {borders.OUTSIDE}), np.intp)


def runs_of(rows: Indices) -> Spans:
    """Return which rows a border's table names, as runs; the first row where it names none.

    Examples
    --------
    >>> runs_of(np.array([1, 0, 0, 1, 2, 9, 8, -1]))
    ((0, 3), (8, 10))
    """
    named = rows_named(rows)
    if not named.size:
        return ((0, 1),)
    breaks = np.flatnonzero(np.diff(named) > 1) + 1
    parts = np.split(named, breaks)
    return tuple((int(part[0]), int(part[-1]) + 1) for part in parts)


class Held:
    """Which rows of an image are in memory, one run of them after the other.

    Parameters
    ----------
    height : int
        Rows of the whole image.
    spans : sequence of (int, int)
        The runs: first row and the one after the last, in ascending order.

    Examples
    --------
    >>> Held(10, [(0, 3), (8, 10)]).places(np.array([9, 0, -1, 2])).tolist()
    [4, 0, -1, 2]
    """

    def __init__(self, height: int, spans: Sequence[Span]) -> None:
        self.height = height
        self._place = np.full(height + 1, borders.OUTSIDE, np.intp)
        above = 0
        for first, last in spans:
            self._place[first:last] = np.arange(above, above + last - first)
            above += last - first

    def places(self, rows: Indices) -> Indices:
        """Return where rows of the image, or :data:`~.borders.OUTSIDE`, are among those held."""
        return self._place[rows]


class Source(Record):
    """An image as the engines see it: readable at any position."""

    pixels: Array
    """The image, of any real type; or those of its rows that are held. Shape (H, W, C)."""
    rule: str
    """The border's rule."""
    cval: float
    """The value outside, for the rule ``constant``."""
    dtype: DType
    """The type of the windows."""
    held: Held | None = None
    """Which rows those are; all unless given."""

    def packed(self) -> "Source":
        """Return the same with pixels side by side, of a type that compiled code knows.

        Only images that lie otherwise in memory, and half precision, are copied.
        """
        pixels = self.pixels
        if pixels.dtype == np.float16:
            pixels = pixels.astype(self.dtype)
        if not (is_packed(pixels) and pixels.dtype.isnative):
            pixels = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))
        if pixels.dtype == np.bool_:
            pixels = pixels.view(np.uint8)
        return self if pixels is self.pixels else replace(self, pixels=pixels)

    def as_it_is(self) -> "Source":
        """Return the same with windows of the image's integer type, if that can hold ``cval``."""
        dtype = self.pixels.dtype
        limits = np.iinfo(dtype)
        fits = float(self.cval).is_integer() and limits.min <= self.cval <= limits.max
        return replace(self, dtype=dtype) if fits or self.rule != "constant" else self

    def for_comparing(self) -> "Source":
        """Return the same with windows of the image's own short integers, which compare faster."""
        dtype = self.pixels.dtype
        short = dtype.kind in "ui" and dtype.itemsize <= 2
        return replace(self, dtype=dtype) if short and self.rule != "constant" else self

    @property
    def outside(self) -> float:
        """The value beyond the edge, 0 where the border repeats the image's own."""
        return self.cval if self.rule == "constant" else 0.0

    @property
    def height(self) -> int:
        """Rows of the whole image."""
        return len(self.pixels) if self.held is None else self.held.height

    def rows_at(self, first: int, last: int) -> Indices:
        """Return which of the pixels' rows are read at the positions ``first … last-1``."""
        rows = borders.table(self.height, first, last, self.rule)
        return rows if self.held is None else self.held.places(rows)

    def rows_of(self, axis: Axis) -> Indices:
        """Return which of the pixels' rows are read at each position of the windows' rows."""
        return self.rows_at(axis.start, axis.start + axis.dense + axis.taps - 1)

    def window(self, rows: Span, columns: Span) -> Array:
        """Return the pixels at these positions (start, stop), shape (rows, columns, C).

        They are the image's own, or a copy that lasts until this thread asks for the next.
        """
        width, channels = self.pixels.shape[1:]
        y = self.rows_at(*rows)
        inside = rows[0] >= 0 and rows[1] <= self.height
        if inside and columns[0] >= 0 and columns[1] <= width:
            view = self.pixels[y[0] : y[-1] + 1, columns[0] : columns[1]]
            if view.dtype == self.dtype and is_packed(view):
                return view
            copy = scratch.take("window", view.shape, self.dtype)
            copy[...] = view
            return copy
        x = borders.table(width, *columns, self.rule)
        within = slice(max(0, columns[0]), min(width, columns[1]))
        copy = scratch.take("window", (len(y), len(x), channels), self.dtype)
        lines = self.pixels[y[0] : y[-1] + 1] if inside else self.pixels.take(y, axis=0)
        first, last = within.start - columns[0], within.stop - columns[0]
        if first < last:
            copy[:, first:last] = lines[:, within]
        for outside in (slice(0, max(0, first)), slice(max(0, last, first), None)):
            if len(x[outside]):
                copy[:, outside] = lines.take(x[outside], axis=1)
        if self.rule == "constant":
            copy[y == borders.OUTSIDE] = self.cval
            copy[:, x == borders.OUTSIDE] = self.cval
        return copy


def is_packed(view: Array) -> bool:
    """Return whether each row's scalars lie side by side, rows any whole number of them apart."""
    size, channels = view.itemsize, view.shape[2]
    packed = view.strides[1:] == (size * channels, size)
    return packed and view.strides[0] % size == 0 and view.flags.aligned
