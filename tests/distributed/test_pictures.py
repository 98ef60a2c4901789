"""Folders on real local clusters: the same bytes, whatever becomes of workers."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from processes import ENVIRONMENT

from convtool.convolution import calibration
from convtool.distributed import connected, filter_files, local_cluster, pictures
from convtool.distributed.pictures import Spread
from convtool.distributed.verification import probed
from convtool.errors import ClusterError, ImageReadError, WorkerError
from convtool.filtering.job import FilterJob
from convtool.filtering.memory import FilterOptions
from convtool.images.write import write
from convtool.kernels.spec import parse
from convtool.work.journal import stamp
from convtool.work.naming import Task
from convtool.work.run import Interrupted, WorkerConfig
from convtool.work.run import filter_files as filter_here

BLUR = FilterJob((parse("gaussian:sigma=3"),))
SLOW = FilterJob((parse("disk:radius=15"),), FilterOptions(engine="direct"))


def tasks_into(name):
    sources = sorted(path for path in Path("in").rglob("*") if path.is_file())
    Path(name).mkdir()
    return [Task(str(path), f"{name}/{path.name}") for path in sources]


def contents(name):
    return {path.name: path.read_bytes() for path in Path(name).iterdir()}


def done_here(job, name):
    for done in filter_here(tasks_into(name), job, WorkerConfig(1)):
        assert done.error is None
    return contents(name)


def test_two_workers_give_the_bytes_of_one_process(client, folder):
    expected = done_here(BLUR, "one")
    assert len(expected) == 12
    results = list(filter_files(iter(tasks_into("two")), BLUR, client))
    assert {task.target for task, _ in results} == {f"two/{name}" for name in expected}
    assert all(done.error is None for _, done in results)
    assert contents("two") == expected


def test_an_unreadable_picture_fails_alone_and_stamps_are_those_of_the_files(client, folder):
    Path("in/bad.png").write_bytes(b"no picture")
    results = dict(filter_files(tasks_into("out"), BLUR, client, stamped=True))
    failed = {task.source: done.error for task, done in results.items() if done.error}
    assert failed.keys() == {"in/bad.png"}
    assert isinstance(failed["in/bad.png"], ImageReadError)
    assert "in/bad.png" in str(failed["in/bad.png"])
    for task, done in results.items():
        if done.error is None:
            assert done.stamps == (stamp(task.source), stamp(task.target))


def test_a_worker_that_is_killed_costs_its_tasks_only(folder):
    expected = done_here(SLOW, "one")
    spread = Spread(SLOW)
    with local_cluster(2) as client:
        victim, _ = client.run(os.getpid).values()
        killed = False
        results = []
        for some in spread.over(client, tasks_into("two")):
            results += some
            if not killed:
                os.kill(victim, signal.SIGKILL)
                killed = True

    spread.sweep()
    assert len(results) == 12
    assert all(done.error is None for _, done in results)
    assert contents("two") == expected


def test_a_picture_that_needs_more_memory_than_a_worker_has_is_named(folder):
    write("in/huge.tiff", np.zeros((9000, 9000), np.uint8))
    spread = Spread(FilterJob((parse("gaussian:sigma=3"),), FilterOptions(range="stretch")))
    with local_cluster(2, memory_limit="450MiB") as client:
        results = dict(pair for some in spread.over(client, tasks_into("out")) for pair in some)
    spread.sweep()
    failed = {task.source: done.error for task, done in results.items() if done.error}
    assert failed.keys() == {"in/huge.tiff"}
    assert isinstance(failed["in/huge.tiff"], WorkerError)
    assert "in/huge.tiff: it needs more than a worker's limit of 450 MiB" in str(
        failed["in/huge.tiff"]
    )
    assert len(contents("out")) == 12


def test_a_picture_done_by_two_workers_at_once_is_whole(client, folder):
    task = Task("in/0.png", "0.png")
    with probed(client, str(folder), task.source) as probe:
        order = pictures._Order(SLOW, False, calibration.load(), os.getcwd(), probe)
        both = [
            client.submit(pictures._work, order, [(0, task)], pure=False, workers=worker)
            for worker in client.nthreads()
        ]
        assert [one.error for done in client.gather(both) for one in done.results] == [None] * 2
    assert Path("0.png").read_bytes() == done_here(SLOW, "one")["0.png"]
    assert not list(folder.glob(".convtool-*"))


def test_a_stop_breaks_it_off_and_leaves_no_file(folder):
    reading, writing = os.pipe()
    spread = Spread(SLOW)
    with local_cluster(2) as client:
        results = spread.over(client, tasks_into("out"), stop=reading)
        next(results)
        os.write(writing, b"!")
        with pytest.raises(Interrupted):
            list(results)
    spread.sweep()
    os.close(reading)
    os.close(writing)
    assert 0 < len(contents("out")) < 12
    assert all(not name.startswith(".") for name in contents("out"))


def test_a_scheduler_that_ends_is_missed(folder):
    from distributed import LocalCluster

    cluster = LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    )
    with cluster, connected(cluster.scheduler_address) as client:
        results = Spread(SLOW).over(client, tasks_into("out"))
        next(results)
        cluster.close()
        with pytest.raises(ClusterError, match="scheduler"):
            list(results)


def test_what_a_killed_worker_left_is_swept_even_if_another_did_its_chunk(folder):
    """What it was writing stays beside the outputs, and no chunk failed that would tell of it."""
    left = Path("two/.convtool-0123456789abcdef")
    spread = Spread(SLOW)
    with local_cluster(2) as client:
        victim, _ = client.run(os.getpid).values()
        results = spread.over(client, tasks_into("two"))
        next(results)
        os.kill(victim, signal.SIGKILL)
        list(results)
        left.write_bytes(b"half a picture")
    spread.sweep()
    assert not left.exists()
    assert len(contents("two")) == 12


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read memory from")
def test_what_the_client_takes_does_not_grow_with_the_pictures(tmp_path, monkeypatch):
    """20,000 pictures that are there, read, filtered and written, beside 1,000 of them.

    The scheduler is part of the client's process. One task that is kept takes some 300 bytes:
    19,000 of them would show.
    """
    monkeypatch.chdir(tmp_path)
    few, many = (_peak_of_the_client(count) for count in (1_000, 20_000))
    assert many < few + 4_000_000


CLIENT = """
import sys
from convtool.cli import run
code = run(sys.argv[1:])
with open("/proc/self/status") as file:
    print(*(line.split()[1] for line in file if line.startswith("VmHWM:")))
sys.exit(code)
"""


def _peak_of_the_client(count):
    """Filter so many pictures by the command with two workers; return the most bytes it took.

    Its own, not those of its workers, which it waits for.
    """
    source, target = Path(f"in{count}"), Path(f"out{count}")
    source.mkdir()
    write(source / "0.pgm", np.arange(64, dtype=np.uint8).reshape(8, 8))
    for number in range(1, count):
        os.link(source / "0.pgm", source / f"{number}.pgm")
    line = ["filter", "-k", "box", str(source), str(target), "--workers", "2"]
    ran = subprocess.run(
        [sys.executable, "-c", CLIENT, *line],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert f"{count} pictures: {count} done;" in ran.stderr
    assert sum(1 for _ in os.scandir(target)) == count
    return int(ran.stdout) * 1024
