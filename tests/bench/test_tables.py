"""Tables and comparisons, from made-up times."""

from convtool.bench.cells import Cell
from convtool.bench.compare import compare
from convtool.bench.results import Entry, Row
from convtool.bench.tables import comparison_lines, engine_tables
from convtool.bench.timing import Timing

SMALL, LARGE = Cell("dense", 100, 100, kernel=3), Cell("dense", 100, 100, kernel=15)


def entry(cell, name, *seconds, **more):
    timing = Timing(seconds) if seconds else None
    return Entry(cell, name, name == "auto", timing, **more)


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
