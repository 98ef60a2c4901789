"""The machine's limits, from made-up ones."""

from dataclasses import replace

import pytest

from convtool.bench.cells import Cell
from suites.roofline import Machine, copy_seconds, multiply_adds


def limits():
    """Return a machine that copies anything in 1 ms and does 1e9 multiply-adds a second."""
    return Machine(copy=lambda read, written, threads: 1e-3, peak=lambda threads: 1e9)


def test_roofline_is_the_slower_of_copying_and_computing():
    machine = limits()
    small = Cell("dense", 100, 100, kernel=3)
    assert machine.bound(small) == 1e-3
    assert machine.bound(replace(small, kernel=31)) == pytest.approx(31 * 31 * 1e4 / 1e9)
    assert machine.bound(Cell("gaussian", 100, 100, kernel=101)) == pytest.approx(2.02e-3)
    assert machine.as_dict()["copy_bytes_per_second"] == {"80000": pytest.approx(8e7)}


def test_machine_measures_each_limit_once():
    asked = []
    machine = Machine(
        copy=lambda *key: asked.append(key) or 1.0, peak=lambda threads: asked.append(threads) or 1
    )
    for kernel in (3, 5):
        machine.bound(Cell("box", 10, 10, 3, "uint8", kernel, threads=2))
    assert asked == [(300, 300, 2), 2]


def test_limits_are_measured():
    assert copy_seconds(1000, 1000, threads=2) > 0
    assert multiply_adds(threads=1) > 0
