"""Charts of time against kernel size, with the sizes at which the planner switches engines."""

from collections.abc import Sequence

from convtool.bench.cells import Cell, work_named
from convtool.bench.contenders import planned
from convtool.bench.results import Entry
from convtool.records import replace
from convtool.report.line_chart import Panel


def switches(cell: Cell, smallest: int, largest: int) -> list[tuple[float, str]]:
    """Return the kernel sizes at which the planner switches to another engine, and which.

    Parameters
    ----------
    cell : Cell
        Work, image and threads.
    smallest, largest : int
        The range of odd kernel sizes to examine.

    Returns
    -------
    list of (float, str)
        The midpoint between two sizes, and the engine for larger ones.
    """
    found: list[tuple[float, str]] = []
    before: str | None = None
    for size in range(smallest | 1, largest + 1, 2):
        one = replace(cell, kernel=size)
        taken = planned(one, work_named(cell.work).kernels(one)).engine
        if before is not None and taken != before:
            found.append((size - 1.0, f"planner: {taken}"))
        before = taken
    return found


def panels(entries: Sequence[Entry]) -> list[Panel]:
    """Return a panel for each measured image and work."""
    groups: dict[Cell, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(replace(entry.cell, kernel=0), []).append(entry)
    return [_panel(group) for group in groups.values()]


def _panel(entries: Sequence[Entry]) -> Panel:
    lines: dict[str, list[tuple[float, float]]] = {}
    for entry in entries:
        if entry.timing is not None:
            point = (float(entry.cell.kernel), entry.timing.median * 1e3)
            lines.setdefault(entry.contender, []).append(point)
    sizes = [entry.cell.kernel for entry in entries]
    first = entries[0].cell
    return Panel(
        replace(first, kernel=0).title.rpartition(",")[0] + f", {first.threads} threads",
        "side of the kernel",
        "milliseconds",
        {name: sorted(points) for name, points in lines.items()},
        switches(first, min(sizes), max(sizes)),
    )
