"""The suite ``scaling``, on small pictures."""

import json

import pytest

from convtool.bench.measure import Effort
from convtool.bench.timing import Timing
from suites import command, scaling
from suites.scaling import exponent


def test_scaling_runs_its_parts(capsys, monkeypatch):
    monkeypatch.setattr(scaling, "PIXELS", ((20, 30), (40, 60)))
    monkeypatch.setattr(scaling, "KERNELS", (3,))
    monkeypatch.setattr(scaling, "THREADED", ())
    monkeypatch.setattr(scaling, "own_engines", lambda: ("direct",))
    monkeypatch.setattr(scaling, "MEMORY_CELL", scaling.Cell("dense", 500, 600, 1, "float32", 3))
    arguments = ["--repeats", "1", "--json", "-"]
    assert command.main("scaling", scaling.run_scaling, None, arguments, cells=False) == 0
    report = json.loads(capsys.readouterr().out)
    growth, memory = report["verdicts"]
    assert growth["name"].startswith("3×3: power")
    assert memory["name"].startswith("engine direct")
    assert 0 < memory["reached"] < 64
    assert memory["met"]


@pytest.mark.parametrize(("alone", "met"), [(4.0, True), (3.0, False)])
def test_speed_up_is_told_beside_the_machine_s_own(monkeypatch, alone, met):
    taken = {"auto 1": alone, "auto 2": 2.0, f"{scaling.MACHINE} 1": 3.0}
    monkeypatch.setattr(
        scaling,
        "interleave",
        lambda calls, **_: {name: Timing((taken.get(name, 2.0),)) for name in calls},
    )
    findings, verdict = scaling.speedup(3, 2, Effort(1))
    assert [finding.value for finding in findings] == [alone / 2, 1.5]
    assert (verdict.reached, verdict.target, verdict.met) == (alone / 2, 1.8, met)
    assert verdict.detail == f"1.50 at {scaling.MACHINE}"


def test_growth_is_the_power_of_the_pixels():
    assert exponent([1e5, 1e6, 1e7], [1e-3, 1e-1, 1e1]) == pytest.approx(2.0)
