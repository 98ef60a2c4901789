"""Measurements as lines of text."""

from collections.abc import Sequence

from convtool.bench.cells import Cell
from convtool.bench.compare import Change, Comparison
from convtool.bench.results import CANNOT, LEFT_OUT, WRONG, Entry, by_cell, fastest
from convtool.records import replace
from convtool.report.matrix import table
from convtool.report.units import seconds_text

FASTEST = "*"
"""The mark of the fastest time of a cell."""

_WHY = {LEFT_OUT: "-", CANNOT: "cannot", WRONG: "wrong"}


def _title(cell: Cell) -> str:
    """Return a cell's title without its kernel."""
    return replace(cell, kernel=0).title.rpartition(",")[0]


def engine_tables(entries: Sequence[Entry]) -> list[str]:
    """Return a table for each image and work: contenders × kernel sizes.

    Each cell contains the median in milliseconds, the fastest marked, and the error against
    float64. Notes below explain missing values.
    """
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(_title(entry.cell), []).append(entry)
    lines: list[str] = []
    for title, group in groups.items():
        lines += [*_one_table(title, group), ""]
    return lines[:-1]


def _one_table(title: str, entries: Sequence[Entry]) -> list[str]:
    cells = by_cell(entries)
    best = {cell: fastest(group) for cell, group in cells.items()}
    names = list(dict.fromkeys(entry.contender for entry in entries))
    known = {(entry.cell, entry.contender): entry for entry in entries}
    rows = [["", *(f"{cell.kernel}×{cell.kernel}" for cell in cells)]]
    for name in names:
        row = [known.get((cell, name)) for cell in cells]
        rows.append([name, *(_place(e, e is not None and e is best[e.cell]) for e in row)])
    notes = [
        f"{entry.contender}, {entry.cell.kernel}×{entry.cell.kernel}: {entry.note}"
        for entry in entries
        if entry.timing is None
    ]
    spreads = [entry for entry in entries if entry.timing is not None]
    lines = [
        f"{title}: milliseconds, {FASTEST} fastest, error against float64",
        *table(rows, right=True, words=(0,)),
    ]
    lines += [f"  {note}" for note in notes]
    if spreads:
        lines.append(_spread(spreads))
    return lines


def _place(entry: Entry | None, is_best: bool) -> str:
    if entry is None:
        return ""
    if entry.timing is None:
        return next(word for why, word in _WHY.items() if entry.note.startswith(why))
    mark = FASTEST if is_best else ""
    return f"{mark}{entry.timing.median * 1e3:.3g} {_error(entry)}"


def _error(entry: Entry) -> str:
    return "" if entry.error is None else f"{entry.error:.0e}".replace("e-0", "e-")


def _spread(entries: Sequence[Entry]) -> str:
    spreads = sorted((e.timing.spread, e.contender, e.cell.kernel) for e in entries if e.timing)
    middle, (largest, name, kernel) = spreads[len(spreads) // 2][0], spreads[-1]
    return (
        f"  spread (between the quartiles): mostly {middle:.0%}, "
        f"largest {largest:.0%} ({name}, {kernel}×{kernel})"
    )


def comparison_lines(comparison: Comparison) -> list[str]:
    """Return the slowdowns, the speedups, and the number of comparisons as lines."""

    def line(change: Change) -> list[str]:
        return [
            f"{change.contender}, {change.cell.title}",
            seconds_text(change.before),
            seconds_text(change.now),
            f"×{change.ratio:.2f}",
        ]

    lines = []
    for title, changes in (("slower", comparison.slower), ("faster", comparison.faster)):
        if changes:
            lines += [f"{title}:", *(f"  {text}" for text in table([line(c) for c in changes]))]
    lines += [f"no longer timed: {row.contender}, {row.cell.title}" for row in comparison.lost]
    same = len(comparison.changes) - len(comparison.slower) - len(comparison.faster)
    lines.append(
        f"{len(comparison.changes)} compared; {same} the same within {comparison.tolerance:.0%}"
    )
    return lines
