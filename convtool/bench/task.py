"""The input of a contender: a cell with its image and kernel in memory."""

from collections.abc import Callable

import numpy as np

from convtool.bench.cells import Array, Cell, drawn_image, work_named
from convtool.records import Record


class Task(Record, eq=False):
    """A cell with its data."""

    cell: Cell
    """The benchmark case."""
    image: Array
    """The pixels. Shape ``cell.shape``."""
    kernel: Array
    """float64, shape (K, K), or (2, K, K) for a gradient's pair: weights to correlate with."""

    def memory(self) -> Array:
        """Allocate an output array and touch its pages, so that no contender pays page faults."""
        return np.zeros(self.cell.out_shape, self.cell.dtype)


Ready = Callable[[], Array]
"""Runs a task once and returns the output."""

Prepare = Callable[[Task], Ready]
"""Performs the one-time setup, such as output memory, and returns the callable to time."""


def task(cell: Cell, image: Array | None = None) -> Task:
    """Return a cell with its data; the image is noise unless one is given.

    Examples
    --------
    >>> task(Cell("box", 4, 5)).kernel.shape
    (3, 3)
    """
    if image is None:
        pixels = drawn_image(cell.shape, cell.dtype)
    else:
        pixels = image.astype(cell.dtype, copy=False)
    return Task(cell, pixels, work_named(cell.work).kernels(cell))
