"""The suite ``peers``: every work against its opponents, and whether it reaches its targets."""

from collections.abc import Sequence
from typing import Any

from convtool.bench.cells import WORKS, Cell, work_named
from convtool.bench.contenders import AUTO, Contender, engine, own_engines, peers_of
from convtool.bench.results import Entry, Ratio, by_cell, fastest, geometric_mean, ratio
from convtool.records import Record, replace

SIZES = ((1080, 1920, 1), (1080, 1920, 3), (3000, 4000, 1), (3000, 4000, 3))
KERNELS = (3, 5, 7, 9, 11, 15, 21, 31, 63)
"""The suite's images (height, width, channels) and kernels."""

AUTO_WITHIN, AUTO_SHARE, AUTO_WORST = 1.1, 0.95, 1.5
"""``auto`` takes at most 1.1 of the fastest engine's time in 95% of the cells, 1.5 in any."""

ROOFLINE_KERNELS, ROOFLINE_WITHIN = (3, 5, 7, 9, 11), 2.0
"""Dense kernels of these sizes are to be within twice of what the machine needs."""


class Grid(Record):
    """Which cells are measured.

    Attributes
    ----------
    sizes : tuple of (int, int, int)
        Heights, widths and channels.
    kernels, works, dtypes : tuple
        The others; no dtypes means each work's own.
    threads : int
        Threads.
    """

    sizes: tuple[tuple[int, int, int], ...] = SIZES
    kernels: tuple[int, ...] = KERNELS
    works: tuple[str, ...] = tuple(WORKS)
    dtypes: tuple[str, ...] = ()
    threads: int = 1

    def cells(self) -> list[Cell]:
        """Return the cells: by work, size, channels, type, kernel."""
        return [
            cell
            for work in map(work_named, self.works)
            for height, width, channels in self.sizes
            for dtype in self.dtypes or work.dtypes
            for kernel in self.kernels
            for cell in work.cells(
                Cell(work.name, height, width, channels, dtype, kernel, threads=self.threads)
            )
        ]

    def suited(self) -> "Grid":
        """Return the grid without the works that are not meant for its types."""
        if not self.dtypes:
            return self
        works = [name for name in self.works if set(self.dtypes) & set(work_named(name).dtypes)]
        return replace(self, works=tuple(works))


def against_peers(cell: Cell) -> list[Contender]:
    """Return who takes part in the suite ``peers``: the planner's choice, and the opponents."""
    return [engine(AUTO), *peers_of([cell])]


def against_engines(cell: Cell) -> list[Contender]:
    """Return who takes part in the suite ``auto``: the planner's choice, and each own engine."""
    return [engine(AUTO), *map(engine, own_engines())]


class Duel(Record):
    """A cell in which convtool met others.

    Attributes
    ----------
    entry, best : Entry
        Convtool's and that of the fastest other.
    ratio : Ratio
        Convtool's time relative to it.
    """

    entry: Entry
    best: Entry
    ratio: Ratio

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.entry.cell

    @property
    def to_roofline(self) -> float | None:
        """Convtool's time relative to the least that the machine needs."""
        if self.entry.roofline is None or self.entry.timing is None:
            return None
        return self.entry.timing.median / self.entry.roofline


def duels(entries: Sequence[Entry]) -> list[Duel]:
    """Return each cell's duel between ``auto`` and the fastest of the others; none without two."""
    found = []
    for group in by_cell(entries).values():
        mine = next((e for e in group if e.contender == AUTO and e.timing is not None), None)
        best = fastest(e for e in group if e.contender != AUTO)
        if mine is not None and best is not None:
            found.append(Duel(mine, best, ratio(mine, best)))
    return found


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


def peer_verdicts(found: Sequence[Duel]) -> list[Verdict]:
    """Judge the suite ``peers``: for each work its geometric mean and its worst cell."""
    verdicts = []
    for work in WORKS.values():
        mine = [duel for duel in found if duel.cell.work == work.name]
        if not mine:
            continue
        worst = max(mine, key=lambda duel: duel.ratio.median)
        above = sum(duel.ratio.median > work.ceiling for duel in mine)
        mean = geometric_mean([duel.ratio.median for duel in mine])
        verdicts += [
            Verdict.at_most(f"{work.name}: geometric mean", len(mine), mean, work.mean),
            Verdict.at_most(
                f"{work.name}: worst cell",
                len(mine),
                worst.ratio.median,
                work.ceiling,
                f"{worst.cell.title}; {above} above",
            ),
        ]
    return verdicts + _roofline_verdicts(found)


def _roofline_verdicts(found: Sequence[Duel]) -> list[Verdict]:
    near = [
        (limit, duel)
        for duel in found
        if duel.cell.work in ("dense", "dense-uint8")
        and duel.cell.kernel in ROOFLINE_KERNELS
        and (limit := duel.to_roofline) is not None
    ]
    if not near:
        return []
    limit, worst = max(near, key=lambda pair: pair[0])
    name = "dense 3×3 to 11×11: times the roofline"
    return [Verdict.at_most(name, len(near), limit, ROOFLINE_WITHIN, worst.cell.title)]


def auto_verdicts(found: Sequence[Duel]) -> list[Verdict]:
    """Judge the suite ``auto``: the share of cells near the fastest engine, and the worst cell."""
    if not found:
        return []
    worst = max(found, key=lambda duel: duel.ratio.median)
    far = sum(duel.ratio.median > AUTO_WITHIN for duel in found) / len(found)
    detail = f"{worst.cell.title}: {worst.entry.note}, fastest {worst.best.contender}"
    return [
        Verdict.at_most(
            f"auto: share of cells above {AUTO_WITHIN} of the fastest engine",
            len(found),
            far,
            round(1 - AUTO_SHARE, 12),
        ),
        Verdict.at_most("auto: worst cell", len(found), worst.ratio.median, AUTO_WORST, detail),
    ]
