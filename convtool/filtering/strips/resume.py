"""The state of an earlier run, read from the journal of an unfinished store."""

from typing import Any

from convtool.filtering.plan import FilterPlan
from convtool.images.stores.picture import Span
from convtool.images.tone import Extent


class ResumeState:
    """What a journal says is there already.

    Examples
    --------
    >>> blocks = [{"plane": 0, "block": block} for block in ([0, 4], [8, 12], [4, 6])]
    >>> done = ResumeState(blocks)
    >>> done.rows_of(0), done.missing(0, 20)
    (6, [(6, 8), (12, 20)])
    """

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self._spans: dict[int, list[Span]] = {}
        self._extents: dict[int, Extent] = {}
        self._transparent: set[int] = set()
        self.planes: set[int] = set()
        for entry in entries:
            plane = entry["plane"]
            if "anew" in entry:
                self.forget(plane)
                self._transparent.add(plane)
            elif "extent" in entry:
                self._extents[plane] = Extent(*entry["extent"])
            elif "done" in entry:
                self.planes.add(plane)
            else:
                first, last = entry.get("block") or (0, entry["rows"])
                self._add(plane, first, last)

    def forget(self, plane: int) -> None:
        """Forget the rows of a plane and what they were measured to be."""
        self._spans.pop(plane, None)
        self._extents.pop(plane, None)

    def _add(self, plane: int, first: int, last: int) -> None:
        """Take rows that are there; runs of them that meet become one."""
        runs: list[Span] = []
        for one in sorted([*self._spans.get(plane, []), (first, last)]):
            if runs and one[0] <= runs[-1][1]:
                runs[-1] = runs[-1][0], max(runs[-1][1], one[1])
            else:
                runs.append(one)
        self._spans[plane] = runs

    @property
    def rows(self) -> int:
        """How many rows are there, of all planes."""
        return sum(last - first for runs in self._spans.values() for first, last in runs)

    def rows_of(self, plane: int) -> int:
        """Return how many rows of a plane are there from the first on, without a gap."""
        runs = self._spans.get(plane, [])
        return runs[0][1] if runs and runs[0][0] == 0 else 0

    def missing(self, plane: int, height: int) -> list[Span]:
        """Return the missing rows of a plane."""
        ends = [0, *(end for run in self._spans.get(plane, []) for end in run), height]
        gaps = zip(ends[0::2], ends[1::2], strict=True)
        return [(first, last) for first, last in gaps if first < last]

    def extent(self, plane: int) -> Extent | None:
        """Return the measured range of a plane."""
        return self._extents.get(plane)

    def plan_for(self, plane: int, plan: FilterPlan) -> FilterPlan:
        """Return the plan of a plane: another where it was found not to be opaque."""
        return plan.for_transparency() if plane in self._transparent else plan


RESTARTED = {"opaque": False}
"""What a journal says of a plane that was found not to be opaque."""
