"""Hundreds of pictures in one process: no growth of memory, open files or threads.

``python tests/faults/growth.py`` does the same with thousands, and with a batch, by hand.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("growth.py")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
WARM, PICTURES = 60, 240
KILOBYTES = 12_000
"""Less than half of what the pictures would take if each left one copy of 132 kB behind."""


@pytest.mark.parametrize("way", ["api", "command"])
def test_nothing_grows(way, tmp_path):
    done = subprocess.run(
        [sys.executable, SCRIPT, way, str(WARM), str(PICTURES)],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout.splitlines()[-1])
    first, last = found["first"], found["last"]
    assert last["kilobytes"] - first["kilobytes"] < KILOBYTES
    assert (last["files"], last["threads"]) == (first["files"], first["threads"])
