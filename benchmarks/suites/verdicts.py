"""Whether a target is reached."""

from collections.abc import Sequence
from typing import Any

from convtool.records import Record
from convtool.report.matrix import table


class Verdict(Record):
    """Whether a target is reached.

    Attributes
    ----------
    name : str
        What it is about.
    cells : int
        Of how many cells it speaks.
    reached, target : float
        What was measured and what it may be at most.
    met : bool
        Whether it is.
    detail : str
        The worst cell, or a remark.
    """

    name: str
    cells: int
    reached: float
    target: float
    met: bool
    detail: str = ""

    @classmethod
    def at_most(
        cls, name: str, cells: int, reached: float, target: float, detail: str = ""
    ) -> "Verdict":
        """Return a verdict for a quantity that has an upper limit."""
        return cls(name, cells, reached, target, reached <= target, detail)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return dict(vars(self))


def verdict_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """Return a line for each target: reached or not, and the worst cell."""
    rows = [["TARGET", "CELLS", "REACHED", "ASKED", "", ""]]
    rows += [
        [
            verdict.name,
            str(verdict.cells),
            f"{verdict.reached:.3g}",
            f"{verdict.target:.3g}",
            "met" if verdict.met else "MISSED",
            verdict.detail,
        ]
        for verdict in verdicts
    ]
    return table(rows)
