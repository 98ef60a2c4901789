"""The same call gives the same bits by the same engine, whatever its process has done before."""

import json
import subprocess
import sys
from pathlib import Path

import histories
import pytest

SCRIPT = Path(histories.__file__)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What each history has made; their processes run at once."""
    home, running = tmp_path_factory.mktemp("histories"), {}
    for history in histories.HISTORIES:
        (home / history).mkdir()
        histories.write_inputs(home / history)
        running[history] = subprocess.Popen(
            [sys.executable, "-W", "error", SCRIPT, history, home / history],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=SCRIPT.parents[1],
        )
    found = {}
    for history, process in running.items():
        answer, complaints = process.communicate()
        assert process.returncode == 0, complaints.decode()
        found[history] = json.loads(answer)
    return found


@pytest.fixture(scope="module")
def fresh(made):
    return made["fresh"]


def test_the_engine_that_runs_is_the_one_that_was_named(fresh):
    assert len(fresh) == len(histories.cases())
    for one in fresh:
        if "library" in one:
            assert one["library"]["ran"] == [one["library"]["named"]], one
        assert one["command"]["named"] == 4 * one["command"]["ran"], one


def test_the_cases_need_several_engines_and_ranks(fresh):
    taken = {tuple(one["command"]["ran"][0]) for one in fresh}
    assert {engine for engine, _ in taken} >= {"numba", "numba-fft"}
    assert {rank for _, rank in taken} >= {None, 1}


@pytest.mark.parametrize("history", sorted(set(histories.HISTORIES) - {"fresh"}))
def test_histories_change_nothing(history, made, fresh):
    for one, other in zip(made[history], fresh, strict=True):
        assert one == other
