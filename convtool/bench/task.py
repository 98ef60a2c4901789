"""A cell with its image and kernel in memory: what a contender is given."""

from collections.abc import Callable

import numpy as np

from convtool.bench.cells import Array, Cell, drawn_image, work_named
from convtool.records import Record


class Task(Record, eq=False):
    """A cell with its data.

    Attributes
    ----------
    cell : Cell
        What is to be done.
    image : ndarray, shape ``cell.shape``
        The pixels.
    kernel : ndarray of float64, shape (K, K), or (2, K, K) for a gradient's pair
        Weights to correlate with.
    """

    cell: Cell
    image: Array
    kernel: Array

    def memory(self) -> Array:
        """Return memory for an answer; it is touched, so that no contender pays for its pages."""
        return np.zeros(self.cell.out_shape, self.cell.dtype)


Ready = Callable[[], Array]
"""Does the work of a task once and returns the answer."""

Prepare = Callable[[Task], Ready]
"""Makes everything that a call needs but a user would make only once: memory for the answer."""


def task(cell: Cell, image: Array | None = None) -> Task:
    """Return a cell with its data; the image is noise unless it is given, of any type.

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
