"""Where a filter applies: a region, a mask, and the pixels to read for them.

Only the pixels that are asked for are computed, from those that their windows reach: the real
neighbours outside the region, and the border's only beyond the picture's own edge.
"""

from functools import cached_property
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.errors import OptionError, ShapeError
from convtool.filtering.mask import Mask, Weights
from convtool.records import Record, replace

Region = tuple[int, int, int, int]
"""Left, top, width and height, in pixels."""

Box = tuple[slice, slice]
"""Rows and columns of a picture, with whole numbers from 0 on."""

Lines = slice | NDArray[np.intp]
"""Which rows, or columns, are read."""


def check_region(region: Region) -> None:
    """Check a region as far as that goes without a picture.

    Raises
    ------
    OptionError
        If it is not four whole numbers, or without a pixel.
    """
    whole = len(region) == 4 and all(isinstance(n, int | np.integer) for n in region)
    if not whole or region[2] < 1 or region[3] < 1:
        numbers = ",".join(map(str, region))
        raise OptionError(
            f"region {numbers}: X,Y,WIDTH,HEIGHT are whole numbers, width and height at least 1"
        )


class Place(Record, eq=False):
    """The pixels of one picture that a filter changes."""

    box: Box
    """The smallest rectangle that holds them."""
    lines: tuple[Lines, Lines]
    """The rows and columns that are read for it."""
    inner: Box
    """Where the box lies in what is read."""
    mask: Mask | None
    """How much of the filter each pixel of the box gets; None: all of it."""
    is_empty: bool = False
    """Whether no pixel is changed."""
    notes: tuple[str, ...] = ()
    """What a user should know."""

    @cached_property
    def inside(self) -> NDArray[np.bool_] | EllipsisType:
        """Which pixels of the box are changed; all where there is no mask."""
        return ... if self.mask is None else self.mask.pixels[self.box] > 0

    @cached_property
    def weights(self) -> Weights | None:
        """How much of the filter each of these gets, one after the other; None: all of it."""
        return None if self.mask is None else self.mask.weights(self.box)[self.inside]

    def strips(self, rows: int) -> list["Place"]:
        """Cut the box into strips."""
        spans = range(self.box[0].start, self.box[0].stop, rows)
        return [self._strip(start, min(start + rows, self.box[0].stop)) for start in spans]

    def _strip(self, start: int, stop: int) -> "Place":
        shift = self.inner[0].start - self.box[0].start
        inner = slice(start + shift, stop + shift), self.inner[1]
        return replace(self, box=(slice(start, stop), self.box[1]), inner=inner)

    def read(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return the part of a picture that is read."""
        part: NDArray[Any] = pixels[self.lines[0]][:, self.lines[1]]
        return part

    def picked(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Return the pixels that are changed, of an array as large as what is read."""
        part: NDArray[Any] = plane[self.inner][self.inside]
        return part

    def positions(self, height: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return which rows and columns of a picture of a size are read."""
        return np.arange(height)[self.lines[0]], np.arange(width)[self.lines[1]]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what is read."""
        height, width = (_count(lines) for lines in self.lines)
        return height, width


def place(
    size: tuple[int, int],
    region: Region | None,
    mask: Mask | None,
    reach: tuple[int, int],
    *,
    wraps: bool,
) -> Place:
    """Find the pixels of a picture that change, and those that must be read for them.

    Parameters
    ----------
    size : (int, int)
        Height and width of the picture.
    region : Region or None
        The part that is asked for. What lies outside the picture is left out, with a note.
    mask : Mask or None
        A mask of the picture's size.
    reach : (int, int)
        How far the windows reach to each side, in rows and columns.
    wraps : bool
        Whether beyond the picture's edge lies its other side.

    Raises
    ------
    ShapeError
        If the region lies outside the picture, or the mask is of another size.

    Examples
    --------
    >>> found = place((100, 200), (190, 0, 20, 10), None, (2, 2), wraps=False)
    >>> found.box, found.lines
    ((slice(0, 10, None), slice(190, 200, None)), (slice(0, 12, None), slice(188, 200, None)))
    >>> found.notes
    ('the region 190,0,20,10 reaches out of the picture of 200×100; 190,0,10,10 was filtered',)
    """
    box, notes = _within(size, region)
    is_empty = False
    if mask is not None:
        if mask.pixels.shape != size:
            raise ShapeError(
                f"{mask.name}: the mask is {mask.pixels.shape[1]}×{mask.pixels.shape[0]} pixels, "
                f"the picture {size[1]}×{size[0]}; they must be of one size"
            )
        lit = mask.extent(box)
        if lit is None:
            notes += (f"{mask.name}: the mask is black wherever it applies; nothing was filtered",)
            lit = _span(box[0].start, 1), _span(box[1].start, 1)
            is_empty = True
        box = lit
        if mask.is_white(box):
            mask = None
    rows, columns = (
        _needed(line, total, far, wraps) for line, total, far in zip(box, size, reach, strict=True)
    )
    inner = (
        slice(rows[1], rows[1] + _length(box[0])),
        slice(columns[1], columns[1] + _length(box[1])),
    )
    return Place(box, (rows[0], columns[0]), inner, mask, is_empty, notes)


def _count(lines: Lines) -> int:
    return _length(lines) if isinstance(lines, slice) else len(lines)


def _span(start: int, length: int) -> slice:
    return slice(start, start + length)


def _length(line: slice) -> int:
    return int(line.stop - line.start)


def _within(size: tuple[int, int], region: Region | None) -> tuple[Box, tuple[str, ...]]:
    """Return the part of a region that lies in a picture."""
    height, width = size
    if region is None:
        return (slice(0, height), slice(0, width)), ()
    left, top, across, down = region
    box = (
        slice(max(0, top), min(height, top + down)),
        slice(max(0, left), min(width, left + across)),
    )
    asked = ",".join(map(str, region))
    if min(map(_length, box)) < 1:
        raise ShapeError(f"the region {asked} lies outside the picture of {width}×{height}")
    if (_length(box[0]), _length(box[1])) == (down, across):
        return box, ()
    kept = f"{box[1].start},{box[0].start},{_length(box[1])},{_length(box[0])}"
    return box, (
        f"the region {asked} reaches out of the picture of {width}×{height}; {kept} was filtered",
    )


def _needed(line: slice, size: int, reach: int, wraps: bool) -> tuple[Lines, int]:
    """Return which lines are read for a span of them, and where among these it begins."""
    start, stop = line.start - reach, line.stop + reach
    if wraps and (start < 0 or stop > size):
        if stop - start >= size:
            return slice(0, size), int(line.start)
        return np.arange(start, stop) % size, reach
    start = max(0, start)
    return slice(start, min(size, stop)), int(line.start - start)
