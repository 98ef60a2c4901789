"""SciPy's own tests of its filters, run against ``convtool.ndimage``."""

import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from ndimage_cases import CALLS

HERE = Path(__file__).parent
MODULE = "scipy.ndimage.tests.test_filters"
FEWEST = 1000
"""Tests of SciPy's that call these filters, at the least."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Run SciPy's tests in a process of their own; return what became of each."""
    if importlib.util.find_spec(MODULE) is None:
        pytest.skip("this SciPy was installed without its tests")
    folder = tmp_path_factory.mktemp("peer")
    report = folder / "report.json"
    paths = (HERE, HERE.parents[1], os.environ.get("PYTHONPATH"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-p", "scipy_ndimage_plugin", "--pyargs", MODULE],
        env={
            **os.environ,
            "PYTEST_ADDOPTS": "",
            "CONVTOOL_PEER_REPORT": str(report),
            "PYTHONPATH": os.pathsep.join(str(path) for path in paths if path),
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.is_file(), done.stdout + done.stderr
    return json.loads(report.read_text())


def test_all_of_scipys_tests_pass(outcomes):
    others = {name: (entry["outcome"], entry["reason"]) for name, entry in outcomes.items()}
    others = {name: entry for name, entry in others.items() if entry[0] != "passed"}
    assert others == {}


def test_so_many_of_them_call_these_filters(outcomes):
    ours = [name for name, entry in outcomes.items() if entry["calls"].keys() & CALLS.keys()]
    assert len(ours) >= FEWEST


def test_compiled_code_answers_most_calls_of_each_filter(outcomes):
    """SciPy itself does complex pixels, and wrong arguments, whose errors are its own."""
    routes = Counter()
    for entry in outcomes.values():
        for name, counts in entry["calls"].items():
            routes.update({(name, route): count for route, count in counts.items()})
    for name in CALLS:
        assert routes[name, "compiled"] > 0, name
        assert routes[name, "compiled"] > 0.7 * routes[name, "scipy"], name
