"""The order in which a Zarr store reaches the disk: chunks, their names, then the journal of them.

A loss of power keeps what was flushed, and perhaps no more. So when a line of the journal is
flushed, all that it names must have been before: the content of the files, and the folders in which
they have their names.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import zarr

from convtool.cli import run
from convtool.filtering import execution

JOURNAL = "convtool-progress.jsonl"
SHAPE = (2, 150, 110)


class Disk:
    """What is on the disk, by the calls of fsync; a file that changes is not any more."""

    def __init__(self, monkeypatch):
        self.flushed, self.lines, self.renamed = {}, [], []
        self._fsync, self._rename = os.fsync, os.rename
        monkeypatch.setattr(os, "fsync", self.fsync)
        monkeypatch.setattr(os, "rename", self.rename)

    def fsync(self, handle):
        """Remember what a file or folder held when it was flushed."""
        self._fsync(handle)
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        self.flushed[path] = _state(path)
        if path.name == JOURNAL:
            entry = json.loads(path.read_bytes().splitlines()[-1])
            if "plane" in entry:
                self.lines.append(entry)
                self.check(path.parent)

    def check(self, store):
        """All files of a store but the journal are on the disk, and each folder names them."""
        for path in [store, *store.rglob("*")]:
            if path.name != JOURNAL:
                assert self.flushed.get(path) == _state(path), f"{path} is not on the disk"

    def rename(self, old, new):
        """Check a store before it takes its place."""
        if str(old).endswith(".incomplete"):
            self.check(Path(old))
            self.renamed.append(Path(new))
        self._rename(old, new)


def _state(path):
    """Return what a folder lists, or the time at which a file changed."""
    if path.is_dir():
        return sorted(name for name in os.listdir(path) if name != JOURNAL)
    return path.stat().st_mtime_ns


@pytest.mark.parametrize(
    "options", [[], ["--pyramid"], ["--range", "stretch"]], ids=["array", "levels", "measured"]
)
def test_chunks_are_on_the_disk_before_the_journal_names_them(options, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(execution, "STEP_BYTES", 1 << 14)
    pixels = np.random.default_rng(1).integers(0, 256, SHAPE, np.uint8)
    made = zarr.create_array("in.zarr", shape=SHAPE, chunks=(1, 32, 48), dtype="u1")
    made[:] = pixels
    disk = Disk(monkeypatch)
    assert run(["filter", "-k", "identity", *options, "in.zarr", "out.zarr"]) == 0
    rows = [32, 64, 96, 128, 150]
    assert [one["rows"] for one in disk.lines if "rows" in one] == rows * 2
    assert [one["plane"] for one in disk.lines if "done" in one] == [0, 1]
    assert disk.renamed == [tmp_path / "out.zarr"]
    assert "out.zarr" in disk.flushed[tmp_path]
    found = zarr.open("out.zarr", mode="r")
    first = found["0"][:] if "--pyramid" in options else found[:]
    assert np.array_equal(first, pixels)


def test_a_worker_of_a_cluster_flushes_its_block_before_it_is_noted(monkeypatch, tmp_path):
    from convtool.distributed.huge import targets, work
    from convtool.distributed.verification import Probe
    from convtool.filtering.execution import Machine
    from convtool.filtering.job import FilterJob
    from convtool.filtering.strips.inputs import opened
    from convtool.filtering.strips.options import StoreOptions
    from convtool.filtering.strips.plan import StripJob
    from convtool.images.options import ReadOptions
    from convtool.kernels.spec import parse

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(work, "name_of", lambda: "worker")  # there is no cluster here
    monkeypatch.setattr(Probe, "check", lambda self: [])
    probe = Probe("probe", b"", "in.zarr", -1, {})
    made = zarr.create_array("in.zarr", shape=SHAPE[1:], chunks=(32, 48), dtype="u1")
    made[:] = 7
    disk = Disk(monkeypatch)
    job, store = FilterJob((parse("box"),)), StoreOptions()
    with opened("in.zarr", ReadOptions(), store, 1) as given:
        one = StripJob("in.zarr", "out.zarr", job, store, given, Machine(workers=1))
        target = targets.ToZarr(one)
        order = work.Order(
            str(tmp_path / "in.zarr"),
            given.pictures[0].identity(),
            job,
            store,
            target.place,
            target.wanted,
            one.scales(),
            one.plan,
            work.calibration.load(),
            probe,
        )
        for first in (96, 0):
            block = work.Block(0, first, min(first + 96, SHAPE[1]))
            target.take(block, work.make(order, block))
        target.finish()
    assert [one["block"] for one in disk.lines if "block" in one] == [[96, 150], [0, 96]]
    assert disk.renamed == [tmp_path / "out.zarr"]
    assert (zarr.open("out.zarr", mode="r")[:] == 7).all()
