"""What became faster or slower since an earlier report."""

from collections.abc import Iterable

from convtool.bench.cells import Cell
from convtool.bench.results import Row
from convtool.records import Record


class Change(Record):
    """A contender's time in a cell, then and now.

    Attributes
    ----------
    cell : Cell
        The cell.
    contender : str
        Who.
    own : bool
        Whether that is convtool.
    before, now : float
        Medians in seconds.
    """

    cell: Cell
    contender: str
    own: bool
    before: float
    now: float

    @property
    def ratio(self) -> float:
        """The time now relative to the time then."""
        return self.now / self.before


class Comparison(Record):
    """Two reports side by side.

    Attributes
    ----------
    changes : tuple of Change
        Everything that both timed, in the order of the new one.
    tolerance : float
        By which share a time may differ and still be the same.
    lost : tuple of Row
        What only the old one timed, of the cells that both have.
    """

    changes: tuple[Change, ...]
    tolerance: float
    lost: tuple[Row, ...]

    @property
    def slower(self) -> list[Change]:
        """What takes longer by more than the tolerance, the worst first."""
        found = [change for change in self.changes if change.ratio > 1 + self.tolerance]
        return sorted(found, key=lambda change: -change.ratio)

    @property
    def faster(self) -> list[Change]:
        """What takes less by more than the tolerance, the best first."""
        found = [change for change in self.changes if change.ratio < 1 / (1 + self.tolerance)]
        return sorted(found, key=lambda change: change.ratio)

    @property
    def failed(self) -> bool:
        """Whether convtool became slower, or can no longer do what it did."""
        return any(change.own for change in self.slower) or any(row.own for row in self.lost)


def compare(before: Iterable[Row], now: Iterable[Row], tolerance: float) -> Comparison:
    """Compare the medians of two reports.

    Parameters
    ----------
    before, now : iterable of Row
        Their entries.
    tolerance : float
        By which share a time may differ, at least 0.

    Returns
    -------
    Comparison
    """
    old = {(row.cell, row.contender): row for row in before if row.median is not None}
    changes, lost = [], []
    for row in now:
        earlier = old.get((row.cell, row.contender))
        if earlier is None or earlier.median is None:
            continue
        if row.median is None:
            lost.append(row)
        else:
            changes.append(Change(row.cell, row.contender, row.own, earlier.median, row.median))
    return Comparison(tuple(changes), tolerance, tuple(lost))
