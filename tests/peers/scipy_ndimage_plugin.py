"""A plugin of pytest: SciPy's tests of filters, with ``convtool.ndimage`` in place of SciPy's.

Writes to the file named in ``CONVTOOL_PEER_REPORT`` what became of each test and which functions
it called, and how these were done.
"""

import json
import os
from pathlib import Path

import scipy.ndimage

import convtool.ndimage
from convtool import compiled
from convtool.ndimage import arguments, dispatch

tests = {}
now = {"calls": {}}


class Door:
    """SciPy's module, but for what convtool has."""

    def __getattr__(self, name):
        source = scipy.ndimage if name.startswith("_") else convtool.ndimage
        return getattr(source, name)


def note(explanation, before=dispatch.note):
    routes = now["calls"].setdefault(explanation.function, {})
    routes[explanation.route] = routes.get(explanation.route, 0) + 1
    before(explanation)


def pytest_configure():
    arguments.SMALLEST = 1
    compiled.is_ready = lambda: True
    dispatch.note = note


def pytest_collection_modifyitems(items):
    """Put our functions in the place of SciPy's: in the modules and in the parameters of tests."""
    names = scipy.ndimage.__all__
    ours = {getattr(scipy.ndimage, name): getattr(convtool.ndimage, name) for name in names}
    for item in items:
        item.module.ndimage = Door()
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        for name, value in parameters.items():
            if callable(value) and value in ours:
                parameters[name] = ours[value]


def pytest_runtest_setup(item):
    now["calls"] = {}


def pytest_runtest_logreport(report):
    entry = tests.setdefault(report.nodeid, {"outcome": "passed", "reason": "", "calls": {}})
    if report.outcome != "passed":
        entry["outcome"] = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        entry["reason"] = str(report.longrepr)[-2000:]
    if report.when == "call":
        entry["calls"] = now["calls"]


def pytest_sessionfinish():
    Path(os.environ["CONVTOOL_PEER_REPORT"]).write_text(json.dumps(tests))
