"""``kill -9`` at any moment, and two writers at once: old files or new ones, never a part."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import numpy as np
import pytest
from corpus.run import at_once, convtool

from convtool.images.write import write

ROOT = Path(__file__).parents[2]
KILLS, RACES, BATCHES = 200, 50, 6
WRITING = 5
"""So many of the kills, at least, are to come while the new file is being written."""

SIDE = 300
FILTER = ["filter", "-k", "identity"]


def strays(folder):
    return list(folder.rglob(".convtool-*"))


def noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


@pytest.fixture
def pair(tmp_path):
    """A folder with two pictures, and what the command makes of each."""
    results = []
    for seed, name in enumerate(("a.bmp", "b.bmp")):
        write(tmp_path / name, noise(seed))
        assert convtool([*FILTER, name, "out.bmp"], tmp_path, fork=True).code == 0
        results.append((tmp_path / "out.bmp").read_bytes())
        (tmp_path / "out.bmp").unlink()
    assert results[0] != results[1]
    return tmp_path, results


def test_killed_at_random_moments_it_leaves_the_old_file_or_the_new_one(pair):
    folder, (old, new) = pair
    target = folder / "out.bmp"
    rng = Random(20)
    writing = ended = replaced = 0
    seconds = 0.0
    for number in range(5 * KILLS):
        if number >= KILLS and writing >= WRITING:
            break
        if number % 5 == 0:  # the machine's pace changes
            seconds = convtool([*FILTER, "b.bmp", "out.bmp"], folder, fork=True).seconds
        target.write_bytes(old)
        moment = signal.SIGKILL, rng.uniform(0.6, 1.1) * seconds
        (ending,) = at_once([[*FILTER, "b.bmp", "out.bmp"]], folder, signal=moment)
        assert ending.code in (0, -signal.SIGKILL), ending
        there = target.read_bytes()
        assert there in (old, new)
        assert there == new or ending.code
        assert len(strays(folder)) <= 1
        writing += len(strays(folder))
        ended += ending.code == 0
        replaced += there == new
    # Otherwise the moments were none of writing, and this has shown nothing.
    assert writing >= WRITING
    assert replaced >= 1
    assert convtool([*FILTER, "a.bmp", "out.bmp"], folder, fork=True).code == 0
    assert target.read_bytes() == old
    assert strays(folder) == []


def test_two_writers_of_one_file_leave_a_whole_one(pair):
    folder, results = pair
    target = folder / "out.bmp"
    commands = [[*FILTER, name, "out.bmp"] for name in ("a.bmp", "b.bmp")]
    for number in range(RACES):
        target.write_bytes(results[number % 2])
        endings = at_once(commands, folder)
        assert [ending.code for ending in endings] == [0, 0]
        assert all(b"replaced a file that was no input: out.bmp" in e.said for e in endings)
        assert target.read_bytes() in results
        assert strays(folder) == []


@pytest.mark.parametrize("number", range(BATCHES))
def test_a_killed_batch_goes_on_where_it_was(tmp_path, number):
    (tmp_path / "in").mkdir()
    pictures = {f"{name:02}.bmp": noise(name) for name in range(16)}
    for name, pixels in pictures.items():
        write(tmp_path / "in" / name, pixels)
    options = ["--jobs", "2", "--journal", "journal", "in", "out/"]
    command = [sys.executable, "-m", "convtool", *FILTER, *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE
    ) as running:
        if number:
            wait_for_lines(tmp_path / "journal", number, running)
        running.kill()
        running.stderr.read()  # ends when the last worker has
    whole = {name: (tmp_path / "in" / name).read_bytes() for name in pictures}
    for path in (tmp_path / "out").glob("*.bmp"):
        assert path.read_bytes() == whole[path.name]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, check=False, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert (b"done before" in done.stderr) == (number > 0)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == whole


def wait_for_lines(path, count, running):
    """Wait until a file has a header and so many lines, or the process has ended."""
    while running.poll() is None:
        if path.exists() and path.read_bytes().count(b"\n") > count:
            return
        time.sleep(0.002)
