"""Verdicts, comparisons and tables, from made-up times."""

import pytest

from convtool.bench import suites
from convtool.bench.cells import Cell
from convtool.bench.compare import compare
from convtool.bench.results import Entry, Row
from convtool.bench.scaling import exponent
from convtool.bench.tables import (
    comparison_lines,
    duel_lines,
    engine_tables,
    verdict_lines,
)
from convtool.bench.timing import Timing


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
    small, large = suites.duels(FIELD)
    assert small.best.contender == large.best.contender == "cv2.filter2D"
    assert (small.ratio.median, small.ratio.lower, small.ratio.upper) == (0.5, 0.5, 0.5)
    assert large.ratio.median == 2.0
    assert (small.to_roofline, large.to_roofline) == (2.0, 2.0)


def test_cells_without_two_sides_are_no_duel():
    alone = [entry(SMALL, "auto", 1.0), entry(SMALL, "cv2.filter2D", note="cannot: no")]
    assert suites.duels(alone) == []
    assert suites.duels([entry(SMALL, "auto", note="wrong: 1"), entry(SMALL, "x", 1.0)]) == []


def test_verdicts_of_the_peers():
    mean, worst, roofline = suites.peer_verdicts(suites.duels(FIELD))
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
    share, worst = suites.auto_verdicts(suites.duels(field))
    assert (share.reached, share.met) == (0.05, True)
    assert (worst.reached, worst.met) == (1.4, True)
    field[2] = entry(cells[1], "auto", 1.6)
    share, worst = suites.auto_verdicts(suites.duels(field))
    assert (share.reached, share.met) == (0.1, False)
    assert (worst.reached, worst.met) == (1.6, False)
    assert suites.auto_verdicts([]) == []


def test_table_marks_the_fastest_and_says_why_places_are_empty():
    field = [
        entry(SMALL, "numba", 0.002, error=1.2e-7),
        entry(SMALL, "fft", 0.001, error=3e-7),
        entry(LARGE, "numba", note="cannot: it is tired"),
        entry(LARGE, "fft", 0.004, error=0.5),
    ]
    lines = engine_tables(field)
    assert lines[0].startswith("dense, 100×100 float32: milliseconds")
    assert [line.split() for line in lines[1:4]] == [
        ["3×3", "15×15"],
        ["numba", "2", "1e-7", "cannot"],
        ["fft", "*1", "3e-7", "*4", "5e-1"],
    ]
    assert "  numba, 15×15: cannot: it is tired" in lines
    assert "spread" in lines[-1]


def test_table_of_nothing_timed():
    (title, _, row, note) = engine_tables([entry(SMALL, "fft", note="left out: would take 9 s")])
    assert title.startswith("dense")
    assert row.split() == ["fft", "-"]
    assert note == "  fft, 3×3: left out: would take 9 s"


def test_duels_and_verdicts_as_lines():
    found = suites.duels(FIELD)
    lines = duel_lines(found, FIELD)
    assert "0.50" in lines[1]
    assert "0.50-0.50" in lines[1]
    assert lines[-1] == "dense, 100×100 float32, 15×15: scipy.signal.oaconvolve: cannot: why not"
    words = [line.split() for line in verdict_lines(suites.peer_verdicts(found))]
    assert words[1][-1] == "MISSED"
    assert words[3][-6:-5] == ["met"] or "met" in words[3]


def rows(**seconds):
    return [Row(SMALL, name, name != "cv2", value) for name, value in seconds.items()]


def test_comparison_fails_only_for_convtool_beyond_the_tolerance():
    found = compare(rows(numba=1.0, fft=1.0, cv2=1.0), rows(numba=1.09, fft=0.5, cv2=3.0), 0.1)
    assert [change.contender for change in found.slower] == ["cv2"]
    assert [change.contender for change in found.faster] == ["fft"]
    assert not found.failed
    assert compare(rows(numba=1.0), rows(numba=1.11), 0.1).failed


def test_what_is_no_longer_timed_fails_and_what_is_new_does_not():
    found = compare(rows(numba=1.0), rows(numba=None, fft=1.0), 0.1)
    assert found.failed
    assert [row.contender for row in found.lost] == ["numba"]
    assert not compare(rows(numba=None), rows(numba=1.0), 0.1).failed


def test_comparison_in_lines():
    lines = comparison_lines(compare(rows(numba=1e-3, fft=1.0), rows(numba=2e-3, fft=1.0), 0.1))
    assert lines[0] == "slower:"
    assert " ".join(lines[1].split()) == "numba, dense, 100×100 float32, 3×3 1 ms 2 ms ×2.00"
    assert lines[-1] == "2 compared; 1 the same within 10%"


def test_growth_is_the_power_of_the_pixels():
    assert exponent([1e5, 1e6, 1e7], [1e-3, 1e-1, 1e1]) == pytest.approx(2.0)
