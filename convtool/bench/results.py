"""Measurements: one entry for each contender in each cell."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from convtool.bench.cells import Cell
from convtool.bench.timing import Timing
from convtool.errors import OptionError
from convtool.jsontext import record_of
from convtool.records import Record

SCHEMA = "convtool.bench/1"
"""The schema of the report."""

LEFT_OUT, CANNOT, WRONG = "left out: ", "cannot: ", "wrong: "
"""Prefixes of the notes of entries without a timing."""

CELL_FIELDS = tuple(Cell.__dataclass_fields__)


class Entry(Record):
    """The measurement of a contender in a cell."""

    cell: Cell
    """The benchmark case."""
    contender: str
    """The contender's name."""
    own: bool
    """Whether the contender is convtool."""
    timing: Timing | None = None
    """The timing; None if it was not timed."""
    error: float | None = None
    """Its error against float64, see `oracle.error`."""
    note: str = ""
    """The chosen engine, or the reason for a missing timing."""
    roofline: float | None = None
    """A lower bound in seconds by the roofline model, if measured."""


def fastest(entries: Iterable[Entry]) -> Entry | None:
    """Return the entry with the smallest median, None if nothing was timed."""
    timed = [entry for entry in entries if entry.timing is not None]
    return min(timed, key=_median, default=None)


def _median(entry: Entry) -> float:
    assert entry.timing is not None
    return entry.timing.median


def by_cell(entries: Iterable[Entry]) -> dict[Cell, list[Entry]]:
    """Group entries by cell, in their order."""
    cells: dict[Cell, list[Entry]] = {}
    for entry in entries:
        cells.setdefault(entry.cell, []).append(entry)
    return cells


def as_row(entry: Entry) -> dict[str, Any]:
    """Return an entry as JSON values, times in seconds; unknown values are None."""
    timing = entry.timing
    lower, upper = timing.quartiles if timing else (None, None)
    return {
        **asdict(entry.cell),
        "contender": entry.contender,
        "own": entry.own,
        "median": timing.median if timing else None,
        "lower": lower,
        "upper": upper,
        "rounds": len(timing.seconds) if timing else 0,
        "error": entry.error,
        "roofline": entry.roofline,
        "note": entry.note,
    }


class Row(Record):
    """An entry of a saved report: its cell, contender, and median in seconds or None."""

    cell: Cell
    contender: str
    own: bool
    median: float | None


def read_rows(report: object, name: str) -> list[Row]:
    """Parse and validate the entries of a saved report.

    Parameters
    ----------
    report : object
        The parsed JSON.
    name : str
        The file's name, for the message.

    Raises
    ------
    OptionError
        If it is not a benchmark report.
    """
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        raise OptionError(
            f"{name}: is no report of convtool bench ({SCHEMA}); convtool bench --json makes one"
        )
    try:
        return [
            Row(
                record_of(Cell, {field: row[field] for field in CELL_FIELDS}),
                str(row["contender"]),
                bool(row["own"]),
                None if row["median"] is None else float(row["median"]),
            )
            for row in report["entries"]
        ]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise OptionError(f"{name}: the report is damaged ({error}); make it again") from error
