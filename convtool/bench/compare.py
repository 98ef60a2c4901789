"""Compare a report with an earlier one."""

from collections.abc import Iterable

from convtool.bench.cells import Cell
from convtool.bench.results import Row
from convtool.records import Record


class Change(Record):
    """A contender's time in a cell, before and now."""

    cell: Cell
    """The cell."""
    contender: str
    """The contender's name."""
    own: bool
    """Whether the contender is convtool."""
    before: float
    now: float
    """Medians in seconds."""

    @property
    def ratio(self) -> float:
        """The new time divided by the old one."""
        return self.now / self.before


class Comparison(Record):
    """The comparison of two reports."""

    changes: tuple[Change, ...]
    """All cells and contenders in both reports, in the order of the new one."""
    tolerance: float
    """The relative difference up to which times count as equal."""
    lost: tuple[Row, ...]
    """Rows that are missing in the new report, of cells that both have."""

    @property
    def slower(self) -> list[Change]:
        """Slowdowns beyond the tolerance, the largest first."""
        found = [change for change in self.changes if change.ratio > 1 + self.tolerance]
        return sorted(found, key=lambda change: -change.ratio)

    @property
    def faster(self) -> list[Change]:
        """Speedups beyond the tolerance, the largest first."""
        found = [change for change in self.changes if change.ratio < 1 / (1 + self.tolerance)]
        return sorted(found, key=lambda change: change.ratio)

    @property
    def failed(self) -> bool:
        """Whether convtool became slower, or a measurement of it is missing."""
        return any(change.own for change in self.slower) or any(row.own for row in self.lost)


def compare(before: Iterable[Row], now: Iterable[Row], tolerance: float) -> Comparison:
    """Compare the medians of two reports.

    Parameters
    ----------
    before, now : iterable of Row
        The rows of the reports.
    tolerance : float
        The accepted relative difference, at least 0.
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
