"""A worker's part of a batch, in this process: tasks in, results out."""

import errno
import multiprocessing
import os
import stat

import numpy as np

from convtool.errors import ImageReadError
from convtool.filtering.job import FilterJob
from convtool.images.read import read
from convtool.images.write import write
from convtool.kernels.spec import parse
from convtool.work.journal import stamp
from convtool.work.naming import Task
from convtool.work.worker import do, work


def test_every_task_is_reported_and_one_failure_costs_one_picture(tmp_path):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    write(tmp_path / "a.png", pixels)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    names = [("a.png", "out-a.png"), ("bad.png", "out-b.png"), ("a.png", "out-c.bmp")]
    chunk = [
        (number, Task(str(tmp_path / source), str(tmp_path / target)))
        for number, (source, target) in enumerate(names)
    ]
    ours, theirs = multiprocessing.Pipe()
    ours.send(chunk)
    ours.send(None)
    work(theirs, FilterJob((parse("identity"),)), True)
    done = []
    while ours.poll():
        done += ours.recv()
    results = {one.number: one for one in done}
    assert sorted(results) == [0, 1, 2]
    assert isinstance(results[1].error, ImageReadError)
    assert not (tmp_path / "out-b.png").exists()
    for number in (0, 2):
        source, target = (tmp_path / name for name in names[number])
        np.testing.assert_array_equal(read(target).pixels, pixels)
        assert results[number].stamps == (stamp(str(source)), stamp(str(target)))
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_files_of_a_group_are_flushed_before_the_first_gets_its_name(tmp_path, monkeypatch):
    write(tmp_path / "a.png", np.arange(12, dtype=np.uint8).reshape(3, 4))
    events = []
    fsync, rename = os.fsync, os.replace

    def recorded_fsync(handle):
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        events.append("folder" if is_folder else "file")
        fsync(handle)

    def recorded_rename(old, new):
        events.append("name")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_rename)
    source = str(tmp_path / "a.png")
    tasks = [(number, Task(source, str(tmp_path / f"{number}.png"))) for number in range(5)]
    job = FilterJob((parse("identity"),))
    assert all(one.error is None for one in do(tasks, job, False))
    assert events == ["file"] * 5 + ["name"] * 5
    events.clear()
    assert all(one.stamps is not None for one in do(tasks, job, True))
    assert events == ["file"] * 5 + ["name"] * 5 + ["folder"]


def test_a_file_that_cannot_be_flushed_costs_itself_only(tmp_path, monkeypatch):
    write(tmp_path / "a.png", np.arange(12, dtype=np.uint8).reshape(3, 4))
    fsync, seen = os.fsync, []

    def second_fails(handle):
        seen.append(handle)
        if len(seen) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", second_fails)
    source = str(tmp_path / "a.png")
    tasks = [(number, Task(source, str(tmp_path / f"{number}.png"))) for number in range(3)]
    done = do(tasks, FilterJob((parse("identity"),)), True)
    assert [one.error is None for one in done] == [True, False, True]
    assert str(done[1].error).endswith("1.png: cannot be written: Input/output error")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.png", "2.png", "a.png"]


def test_results_keep_the_order_of_the_tasks_among_failures(tmp_path):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    write(tmp_path / "good.png", pixels)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "folder.png").mkdir()
    tasks, fails = [], []
    for number in range(70):  # more than are flushed together
        source = "bad.png" if number % 7 == 3 else "good.png"
        target = "folder.png" if number % 7 == 5 else f"out-{number}.png"
        tasks.append((number, Task(str(tmp_path / source), str(tmp_path / target))))
        fails.append(number % 7 in (3, 5))
    done = do(tasks, FilterJob((parse("identity"),)), False)
    assert [one.number for one in done] == list(range(70))
    assert [one.error is not None for one in done] == fails
    for number, failed in enumerate(fails):
        assert (tmp_path / f"out-{number}.png").exists() is not failed
    assert not list(tmp_path.glob(".convtool-*"))
