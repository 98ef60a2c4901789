"""Streamed TIFF, factors, model and journal, killed before each call of their writing in turn.

``python tests/faults/kills.py KIND --kills 200`` kills at random moments; it is run by hand.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("kills.py")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
WRITING = {"tiff": "replace", "factors": "write", "model": "write", "journal": "fsync"}
"""A call that each makes while there is a part of what it writes."""


@pytest.mark.parametrize("kind", WRITING)
def test_it_leaves_the_old_file_or_the_new_one(kind, tmp_path):
    done = subprocess.run(
        [sys.executable, SCRIPT, kind],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    seen = found["seen"]
    assert seen["kills"] >= 4
    assert seen["writing"] >= 3
    assert seen[f"before {WRITING[kind]}"] >= 1
    assert (seen["old"], seen["before none"]) >= (1, 1)
    assert seen["new"] >= 1
