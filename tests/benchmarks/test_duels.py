"""The suites ``peers`` and ``auto``: their cells, and verdicts from made-up times."""

import pytest

from convtool.bench.cells import WORKS, Cell, Grid
from convtool.bench.results import Entry
from convtool.bench.timing import Timing
from convtool.records import replace
from suites import duels
from suites.duels import KERNELS, SIZES, duel_lines, own_engines, ratios, suited
from suites.targets import TARGETS
from suites.verdicts import verdict_lines

GRID = Grid(SIZES, KERNELS, tuple(WORKS))


def entry(cell, name, *seconds, **more):
    timing = Timing(seconds) if seconds else None
    return Entry(cell, name, name == "auto", timing, **more)


SMALL, LARGE = Cell("dense", 100, 100, kernel=3), Cell("dense", 100, 100, kernel=15)
FIELD = [
    entry(SMALL, "auto", 1.0, 2.0, 3.0, roofline=1.0, note="numba"),
    entry(SMALL, "cv2.filter2D", 2.0, 4.0, 6.0),
    entry(SMALL, "scipy.signal.oaconvolve", 9.0, 9.0, 9.0),
    entry(LARGE, "auto", 2.0, 2.0, 2.0, roofline=1.0, note="fft"),
    entry(LARGE, "cv2.filter2D", 1.0, 1.0, 1.0),
    entry(LARGE, "scipy.signal.oaconvolve", note="cannot: why not"),
]


def test_duel_is_with_the_fastest_of_the_others_round_by_round():
    small, large = duels.duels(FIELD)
    assert small.best.contender == large.best.contender == "cv2.filter2D"
    assert (small.ratio.median, small.ratio.lower, small.ratio.upper) == (0.5, 0.5, 0.5)
    assert large.ratio.median == 2.0
    assert (small.to_roofline, large.to_roofline) == (2.0, 2.0)


def test_cells_without_two_sides_are_no_duel():
    alone = [entry(SMALL, "auto", 1.0), entry(SMALL, "cv2.filter2D", note="cannot: no")]
    assert duels.duels(alone) == []
    assert duels.duels([entry(SMALL, "auto", note="wrong: 1"), entry(SMALL, "x", 1.0)]) == []


def test_verdicts_of_the_peers():
    mean, worst, roofline = duels.peer_verdicts(duels.duels(FIELD))
    assert (mean.name, mean.cells, mean.target) == ("dense: geometric mean", 2, 0.7)
    assert mean.reached == pytest.approx(1.0)
    assert not mean.met
    assert (worst.reached, worst.target, worst.met) == (2.0, 1.0, False)
    assert worst.detail == "dense, 100×100 float32, 15×15; 1 above"
    assert (roofline.cells, roofline.reached, roofline.met) == (1, 2.0, True)


def test_verdicts_of_auto():
    cells = [Cell("box", 100, 100 + i) for i in range(20)]
    field = []
    for index, cell in enumerate(cells):
        field += [entry(cell, "auto", 1.4 if index == 0 else 1.05), entry(cell, "fft", 1.0)]
    share, worst = duels.auto_verdicts(duels.duels(field))
    assert (share.reached, share.met) == (0.05, True)
    assert (worst.reached, worst.met) == (1.4, True)
    field[2] = entry(cells[1], "auto", 1.6)
    share, worst = duels.auto_verdicts(duels.duels(field))
    assert (share.reached, share.met) == (0.1, False)
    assert (worst.reached, worst.met) == (1.6, False)
    assert duels.auto_verdicts([]) == []


def test_duels_and_verdicts_as_lines():
    found = duels.duels(FIELD)
    lines = duel_lines(found, FIELD)
    assert "0.50" in lines[1]
    assert "0.50-0.50" in lines[1]
    assert lines[-1] == "dense, 100×100 float32, 15×15: scipy.signal.oaconvolve: cannot: why not"
    words = [line.split() for line in verdict_lines(duels.peer_verdicts(found))]
    assert words[1][-1] == "MISSED"
    assert words[3][-6:-5] == ["met"] or "met" in words[3]


def test_ratio_is_taken_round_by_round():
    drifting, steady = Timing((1.0, 2.0, 4.0)), Timing((2.0, 4.0, 8.0))
    assert ratios(drifting, steady) == (0.5, 0.5, 0.5)


def test_full_grid_is_the_one_of_the_targets():
    cells = GRID.cells()
    per_size = 9 + 9 + 2 * 9 + 2 * 9 + 2 + 2 * (9 + 9 + 8) + 2 * 2 * 9
    assert len(cells) == len(set(cells)) == per_size * len(SIZES)
    assert {cell.kernel for cell in cells} == set(KERNELS)
    assert {cell.dtype for cell in cells if cell.work == "dense"} == {"float32"}
    assert {cell.dtype for cell in cells if cell.work == "dense-uint8"} == {"uint8"}
    assert {cell.stride for cell in cells if cell.work == "strided"} == {2, 4}
    assert {cell.rank for cell in cells if cell.work == "rank"} == {2, 3, 4}
    assert {cell.kernel for cell in cells if cell.work == "sobel"} == {3}


def test_suite_leaves_out_works_of_other_types():
    grid = suited(replace(GRID, dtypes=("uint8",)))
    assert "dense" not in grid.works
    assert "dense-uint8" in grid.works
    assert {cell.dtype for cell in grid.cells()} == {"uint8"}


def test_every_work_has_a_target():
    assert list(TARGETS) == list(WORKS)
    assert all(0 < target.mean <= target.ceiling for target in TARGETS.values())


def test_own_engines_are_those_that_no_library_gives():
    assert own_engines() == ("direct", "separable", "fft", "numba", "numba-fft")
