"""``convtool filter`` on one TIFF or Zarr picture with workers: commands from start to end."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from processes import finished, interrupted, started

from convtool.cli import run
from convtool.distributed import local_cluster


@pytest.fixture(autouse=True)
def picture(tmp_path, monkeypatch):
    """A tiled TIFF that is cut into several blocks."""
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(2).integers(0, 256, (2500, 2000), np.uint8)
    tifffile.imwrite("in.tif", pixels, metadata=None, tile=(128, 128), compression="zlib")


KERNEL = ["filter", "-k", "gaussian:sigma=2", "-k", "laplacian-8", "--range", "abs"]


def test_workers_write_what_one_process_writes():
    assert finished(*KERNEL, "in.tif", "one.btf").returncode == 0
    done = finished(*KERNEL, "--explain", "in.tif", "two.btf", "--workers", "2", "--json", "r.json")
    assert done.returncode == 0, done.stderr
    assert Path("two.btf").read_bytes() == Path("one.btf").read_bytes()
    assert b"rows by 2 workers" in done.stderr
    report = json.loads(Path("r.json").read_text())
    assert report["output"]["shape"] == [2500, 2000]
    assert [step["seconds"] > 0 for step in report["steps"]] == [True, True]
    assert sorted(path.name for path in Path().iterdir()) == [
        "in.tif",
        "one.btf",
        "r.json",
        "two.btf",
    ]


def test_a_scheduler_gives_what_one_process_gives_and_replaces_what_it_may(capsys):
    line = [*KERNEL, "--engine", "separable", "in.tif"]
    assert run([*line, "one.zarr"]) == 0
    with local_cluster(1) as client:
        line += ["two.zarr", "--scheduler", client.scheduler.address]
        assert run([*line, "--dry-run", "--explain"]) == 0
        assert "rows by 1 worker, about" in capsys.readouterr().err
        assert run(line) == 0
        assert run(line) == 1
        assert run([*line, "--overwrite"]) == 0
    first, second = (zarr.open(name, mode="r")[:] for name in ("one.zarr", "two.zarr"))
    assert np.array_equal(first, second)
    assert sorted(path.name for path in Path().iterdir()) == ["in.tif", "one.zarr", "two.zarr"]


def test_a_dry_run_says_how_it_would_be_cut_and_starts_nothing(capsys):
    line = ["filter", "-k", "box:size=601", "in.tif", "out.tif", "--workers", "3"]
    assert run([*line, "--dry-run", "--explain"]) == 0
    said = capsys.readouterr().err
    assert "rows by 3 workers" in said
    assert "with a halo of 600 rows" in said
    assert "would write out.tif" in said
    assert run([*line, "--worker-memory", "100M"]) == 1
    assert "--worker-memory 268M, or" in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["in.tif"]


@pytest.mark.parametrize("target", ["out.zarr", "out.tif"])
def test_ctrl_c_ends_workers_too_and_leaves_nothing_that_looks_whole(target):
    slow = ["filter", "-k", "disk:radius=40", "--engine", "scipy", "in.tif", target]
    interrupted(
        started(*slow, "--workers", "2"),
        signal.SIGINT,
        lambda: list(Path().glob("*.incomplete/*")),
    )
    left = {path.name for path in Path().iterdir()}
    assert left == {"in.tif"} | ({"out.zarr.incomplete"} if target == "out.zarr" else set())


def test_ctrl_c_while_the_cluster_starts():
    running = started(*KERNEL, "in.tif", "out.zarr", "--workers", "2")
    interrupted(running, signal.SIGINT, lambda: True)
    assert [path.name for path in Path().iterdir()] == ["in.tif"]
