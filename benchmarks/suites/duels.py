"""The suites ``peers`` and ``auto``: the planner's choice against others, cell by cell."""

import statistics
from collections.abc import Callable, Sequence

from convtool.bench.cells import WORKS, Cell, Grid, work_named
from convtool.bench.contenders import AUTO, Contender, engine, peers_of, warm
from convtool.bench.machine import describe, in_words
from convtool.bench.measure import Effort, measure_all
from convtool.bench.results import LEFT_OUT, Entry, by_cell, fastest
from convtool.bench.run import Outcome, Request, grid
from convtool.bench.timing import Timing
from convtool.convolution.engines import ENGINES
from convtool.progress import Progress, tracked
from convtool.records import Record, replace
from convtool.report.matrix import table
from suites.roofline import Machine
from suites.targets import TARGETS
from suites.verdicts import Verdict, verdict_lines

SIZES = ((1080, 1920, 1), (1080, 1920, 3), (3000, 4000, 1), (3000, 4000, 3))
KERNELS = (3, 5, 7, 9, 11, 15, 21, 31, 63)
"""The suite's images (height, width, channels) and kernels."""

AUTO_WITHIN, AUTO_SHARE, AUTO_WORST = 1.1, 0.95, 1.5
"""``auto`` takes at most 1.1 of the fastest engine's time in 95% of the cells, 1.5 in any."""

FARTHEST = 10.0
"""The suite ``auto`` leaves out engines that should take so many times the fastest."""

ROOFLINE_KERNELS, ROOFLINE_WITHIN = (3, 5, 7, 9, 11), 2.0
"""Dense kernels of these sizes are to be within twice of what the machine needs."""


def own_engines() -> tuple[str, ...]:
    """Return the engines that this project wrote.

    Examples
    --------
    >>> own_engines()
    ('direct', 'separable', 'fft', 'numba', 'numba-fft')
    """
    return tuple(name for name, known in ENGINES.items() if known.own)


def suited(grid: Grid) -> Grid:
    """Return the grid without the works that are not meant for its types."""
    if not grid.dtypes:
        return grid
    works = [name for name in grid.works if set(grid.dtypes) & set(work_named(name).dtypes)]
    return replace(grid, works=tuple(works))


def against_peers(cell: Cell) -> list[Contender]:
    """Return who takes part in the suite ``peers``: the planner's choice, and the opponents."""
    return [engine(AUTO), *peers_of([cell])]


def against_engines(cell: Cell) -> list[Contender]:
    """Return who takes part in the suite ``auto``: the planner's choice, and each own engine."""
    return [engine(AUTO), *map(engine, own_engines())]


def ratios(timing: Timing, other: Timing) -> tuple[float, ...]:
    """Return how long one took, measured by the other, in each round that both had.

    Examples
    --------
    >>> ratios(Timing((1.0, 3.0)), Timing((2.0, 2.0)))
    (0.5, 1.5)
    """
    return tuple(a / b for a, b in zip(timing.seconds, other.seconds, strict=True))


class Ratio(Record):
    """The time of one relative to that of another, over the rounds.

    Attributes
    ----------
    median, lower, upper : float
        Median and quartiles.
    """

    median: float
    lower: float
    upper: float


def ratio(entry: Entry, other: Entry) -> Ratio:
    """Return how long one took, measured by the other, round by round."""
    assert entry.timing is not None
    assert other.timing is not None
    by_round = Timing(ratios(entry.timing, other.timing))
    return Ratio(by_round.median, *by_round.quartiles)


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


def peer_verdicts(found: Sequence[Duel]) -> list[Verdict]:
    """Judge the suite ``peers``: for each work its geometric mean and its worst cell."""
    verdicts = []
    for name, target in TARGETS.items():
        mine = [duel for duel in found if duel.cell.work == name]
        if not mine:
            continue
        worst = max(mine, key=lambda duel: duel.ratio.median)
        above = sum(duel.ratio.median > target.ceiling for duel in mine)
        mean = statistics.geometric_mean([duel.ratio.median for duel in mine])
        verdicts += [
            Verdict.at_most(f"{name}: geometric mean", len(mine), mean, target.mean),
            Verdict.at_most(
                f"{name}: worst cell",
                len(mine),
                worst.ratio.median,
                target.ceiling,
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


def duel_lines(duels: Sequence[Duel], notes: Sequence[Entry]) -> list[str]:
    """Return a line for each duel, and one for each contender that could not, or was wrong."""
    head = ["CELL", "TOOK", "MS", "BEST OTHER", "MS", "RATIO", "QUARTILES", "ROOFLINE"]
    rows = [head]
    for duel in duels:
        mine, best = duel.entry.timing, duel.best.timing
        assert mine is not None
        assert best is not None
        limit = duel.to_roofline
        rows.append(
            [
                duel.cell.title,
                duel.entry.note,
                f"{mine.median * 1e3:.3g}",
                duel.best.contender,
                f"{best.median * 1e3:.3g}",
                f"{duel.ratio.median:.2f}",
                f"{duel.ratio.lower:.2f}-{duel.ratio.upper:.2f}",
                "" if limit is None else f"{limit:.1f}",
            ]
        )
    missing = [
        f"{entry.cell.title}: {entry.contender}: {entry.note}"
        for entry in notes
        if entry.timing is None and not entry.note.startswith(LEFT_OUT)
    ]
    return [*table(rows), *missing]


def _run(
    title: str,
    versus: Callable[[Cell], Sequence[Contender]],
    judge: Callable[[Sequence[Duel]], list[Verdict]],
    effort: Effort,
    request: Request,
    progress: Progress,
) -> Outcome:
    warm()
    cells = suited(grid(request, Grid(SIZES, KERNELS, tuple(WORKS)))).cells()
    machine = Machine()
    entries = [
        replace(entry, roofline=machine.bound(entry.cell))
        for entry in measure_all(tracked(progress, title, cells), versus, effort)
    ]
    found = duels(entries)
    verdicts = judge(found)
    lines = [*duel_lines(found, entries), "", *verdict_lines(verdicts), ""]
    return Outcome(
        lines + in_words(describe(request.threads)),
        entries,
        {"verdicts": [one.as_dict() for one in verdicts], "limits": machine.as_dict()},
    )


def run_peers(request: Request, progress: Progress) -> Outcome:
    """Run the suite ``peers``: every work against what OpenCV and SciPy have for it."""
    effort = Effort(request.rounds)
    return _run("peers", against_peers, peer_verdicts, effort, request, progress)


def run_auto(request: Request, progress: Progress) -> Outcome:
    """Run the suite ``auto``: the planner's choice against each engine."""
    effort = Effort(request.rounds, farthest=FARTHEST)
    return _run("auto", against_engines, auto_verdicts, effort, request, progress)
