"""Small real runs: every peer and engine does the same work, and who cannot says so."""

from dataclasses import replace

import numpy as np
import pytest

from convtool.bench import contenders, measure, oracle
from convtool.bench.cells import WORKS, Cell
from convtool.bench.contenders import Contender
from convtool.bench.measure import Effort, measure_all
from convtool.bench.peers import PEERS
from convtool.bench.results import as_row, read_rows
from convtool.bench.task import task
from convtool.convolution.engines import ENGINES
from convtool.errors import EngineError, OptionError

ONCE = Effort(rounds=1, longest=100.0)


def cells_of(work, channels, dtype):
    base = Cell(work.name, 37, 45, channels, dtype, 3 if work.sizes else 5, threads=2)
    return work.cells(base)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
def test_every_peer_does_the_same_work(work, channels, dtype):
    for cell in cells_of(work, channels, dtype):
        job = task(cell)
        for name in work.peers:
            answer = PEERS[name].prepare(job)()
            assert answer.shape == cell.out_shape
            assert answer.dtype == dtype
            assert oracle.error(job, answer) <= oracle.tolerated(job, False), name


@pytest.mark.parametrize("name", PEERS)
def test_peer_takes_other_types_or_says_no(name):
    work = next((w for w in WORKS.values() if name in w.peers), WORKS["dense"])
    for dtype in ("uint16", "float64", "int32"):
        job = task(cells_of(work, 1, dtype)[0])
        if dtype == "int32" and name.startswith("cv2"):
            with pytest.raises(EngineError, match="OpenCV filters no int32"):
                PEERS[name].prepare(job)
        else:
            assert oracle.error(job, PEERS[name].prepare(job)()) <= oracle.tolerated(job, False)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("work", ["dense", "strided", "sobel"])
def test_every_engine_does_it(name, work):
    for cell in cells_of(WORKS[work], 3, "uint8"):
        job = task(cell)
        answer = contenders.engine(name).prepare(job)()
        assert oracle.error(job, answer) <= oracle.tolerated(job, True)


def test_entries_hold_time_and_error():
    cell = Cell("dense", 40, 50, kernel=5, threads=1)
    both = [contenders.engine("direct"), contenders.peer("cv2.filter2D")]
    entries = measure.measure(cell, both, Effort(rounds=2))
    assert [(e.contender, e.own) for e in entries] == [("direct", True), ("cv2.filter2D", False)]
    for entry in entries:
        assert len(entry.timing.seconds) == 2
        assert entry.timing.median > 0
        assert 0 < entry.error < 1e-5
        assert entry.roofline is None


def test_auto_says_what_it_took():
    cell = Cell("gaussian", 40, 50, kernel=5)
    (entry,) = measure.measure(cell, [contenders.engine("auto")], ONCE)
    assert entry.note.split(":")[0] in ENGINES


def contender(prepare, name="odd", like=None):
    return Contender(name, prepare, True, like)


def test_who_cannot_is_wrong_or_too_slow_says_so():
    def cannot(job):
        raise EngineError("kernels are too large")

    def wrong(job):
        return lambda: np.zeros(job.cell.out_shape, job.cell.dtype)

    def hungry(job):
        raise MemoryError

    cell = Cell("dense", 40, 50)
    odd = [
        contender(cannot, "cannot"),
        contender(wrong, "wrong"),
        contender(hungry, "hungry"),
        contender(wrong, "slow", "direct"),
    ]
    entries = measure.measure(cell, odd, Effort(rounds=1, longest=0.0))
    assert all(entry.timing is None for entry in entries)
    notes = [entry.note for entry in entries]
    assert notes[0] == "cannot: kernels are too large"
    assert notes[1].startswith("wrong: its error is ")
    assert notes[2] == "cannot: not enough memory"
    assert notes[3].startswith("left out: would take ")
    rows = [as_row(entry) for entry in entries]
    assert [row["median"] for row in rows] == [None] * 4


def test_a_failing_opencv_call_becomes_a_sentence():
    job = task(Cell("gaussian", 20, 20, 5, "uint8", 3))
    broken = replace(job, image=job.image[:, :, :, None])
    with pytest.raises(EngineError, match="OpenCV"):
        PEERS["cv2.filter2D"].prepare(broken)


def test_rows_can_be_read_again():
    cells = [Cell("box", 20, 20, threads=1), Cell("box", 20, 30, threads=1)]
    entries = list(measure_all(cells, lambda cell: [contenders.engine("direct")], ONCE))
    report = {"schema": "convtool.bench/1", "entries": [as_row(entry) for entry in entries]}
    rows = read_rows(report, "x.json")
    assert [row.cell for row in rows] == cells
    assert [row.median for row in rows] == [entry.timing.median for entry in entries]


@pytest.mark.parametrize(
    "report",
    [
        None,
        [],
        {},
        {"schema": "convtool.filter/1"},
        {"schema": "convtool.bench/1"},
        {"schema": "convtool.bench/1", "entries": [{"contender": "x"}]},
        {"schema": "convtool.bench/1", "entries": 3},
    ],
)
def test_other_reports_are_refused(report):
    with pytest.raises(OptionError, match=r"x\.json: "):
        read_rows(report, "x.json")


def test_unknown_engine_names_the_known_ones():
    with pytest.raises(OptionError, match="one of auto, direct"):
        contenders.engine("nix")
