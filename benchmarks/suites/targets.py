"""What convtool is to reach in each kind of work, against OpenCV and SciPy."""

from collections.abc import Callable

from convtool.bench.cells import Cell
from convtool.records import Record


class Target(Record):
    """What a work is to reach.

    Attributes
    ----------
    mean, ceiling : float
        The largest geometric mean of the time relative to the best peer, and the largest of any
        cell.
    steps : callable
        ``steps(cell)`` returns the multiply-adds that a sample of the answer needs at least.
    """

    mean: float
    ceiling: float
    steps: Callable[[Cell], float]


def _area(cell: Cell) -> float:
    return float(cell.kernel**2)


TARGETS = {
    "dense": Target(0.7, 1.0, _area),
    "dense-uint8": Target(0.5, 1.0, _area),
    "gaussian": Target(0.8, 1.2, lambda cell: 2.0 * cell.kernel),
    "box": Target(1.0, 1.3, lambda cell: 4.0),
    "sobel": Target(0.5, 0.8, lambda cell: 10.0),
    "rank": Target(0.5, 1.0, lambda cell: 2.0 * cell.kernel * (cell.rank or 2)),
    "strided": Target(0.5, 0.8, _area),
}
"""The target of each work of `convtool.bench.cells.WORKS`."""
