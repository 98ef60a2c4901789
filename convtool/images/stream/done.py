"""What an earlier run has left: read from the journal of an unfinished store."""

from typing import Any

from convtool.images.stream.chain import Assumptions
from convtool.images.tone import Extent


class Done:
    """What a journal says is there."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self._rows: dict[int, int] = {}
        self._extents: dict[int, Extent] = {}
        self._assumptions: dict[int, Assumptions] = {}
        self.planes: set[int] = set()
        for entry in entries[1:]:
            plane = entry["plane"]
            if "anew" in entry:
                self._rows.pop(plane, None)
                self._extents.pop(plane, None)
                known = entry["anew"]
                self._assumptions[plane] = Assumptions(known["opaque"], tuple(known["finite"]))
            elif "extent" in entry:
                self._extents[plane] = Extent(*entry["extent"])
            elif "done" in entry:
                self.planes.add(plane)
            else:
                self._rows[plane] = entry["rows"]

    @property
    def rows(self) -> int:
        """How many rows are there, of all planes."""
        return sum(self._rows.values())

    def rows_of(self, plane: int) -> int:
        """Return how many rows of a plane are there."""
        return self._rows.get(plane, 0)

    def extent(self, plane: int) -> Extent | None:
        """Return what a plane was measured to be."""
        return self._extents.get(plane)

    def assumptions(self, plane: int, kernels: int) -> Assumptions:
        """Return what is known of a plane."""
        return self._assumptions.get(plane, Assumptions(finite=(True,) * kernels))
