"""A store's run, killed before any change that it makes to the disk: resumed, it ends the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr

SCRIPT = Path(__file__).with_name("moments.py")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
TARGETS = {"out.zarr": [], "out.ome.zarr": ["--pyramid"]}


def store(name, pixels):
    made = zarr.create_array(name, shape=pixels.shape, chunks=(128, 300), dtype=pixels.dtype)
    made[:] = pixels


@pytest.mark.parametrize("target", TARGETS)
def test_a_run_that_was_killed_at_any_moment_is_gone_on_with(tmp_path, target):
    rng = np.random.default_rng(8)
    store(tmp_path / "in.zarr", rng.integers(0, 256, (400, 300), np.uint8))
    store(tmp_path / "before" / target, rng.integers(0, 256, (30, 40), np.uint8))
    options = ["--range", "stretch", "--engine", "direct", "--overwrite", *TARGETS[target]]
    done = subprocess.run(
        [sys.executable, SCRIPT, "filter", "-k", "laplacian-8", *options, "in.zarr", target],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one for one in found if one["code"] or not one["same"]] == []
    left = {tuple(one["left"]) for one in found}
    incomplete, replaced = f"{target}.incomplete", f"{target}.replaced"
    assert left >= {(target,), (target, incomplete), (incomplete, replaced), (target, replaced)}
    assert any(one["before"].startswith("open zarr.") for one in found)
