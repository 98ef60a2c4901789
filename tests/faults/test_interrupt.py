"""Ctrl-C and ``kill`` at random moments: over within two seconds, 130, one line, no stray file."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import numpy as np
import pytest
from corpus.run import at_once

from convtool.images.read import read
from convtool.images.write import write

ROOT = Path(__file__).parents[2]
SECONDS = 2
SIGNALS = [signal.SIGINT, signal.SIGTERM]
LARGE = {
    "full rank": ["filter", "-k", "kernel.txt", "large.pgm", "out.pgm"],
    "FFT": ["filter", "-k", "kernel.txt", "--engine", "fft", "large.pgm", "out.pgm"],
    "JPEG": ["filter", "-k", "identity", "large.jpg", "out.jpg"],
    "PNG": ["filter", "-k", "identity", "large.pgm", "out.png"],
    "several engines": ["filter", "-k", "box", "-k", "sobel", "large.pgm", "out.webp"],
    "SVD": ["svd", "--k", "40", "--method", "full", "small.pgm", "-o", "out.png"],
    "comparison": ["compare", "large.pgm", "large.jpg", "--diff", "out.png"],
    "least squares": ["learn", "large.pgm", "large.pgm", "--out", "out.csv"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of 30 and 9 megapixels, and a kernel that no factors make cheaper."""
    place = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(9)
    write(place / "large.pgm", rng.integers(0, 256, (5000, 6000), np.uint8))
    write(place / "large.jpg", np.tile(rng.integers(0, 256, (500, 600), np.uint8), (10, 10)))
    write(place / "small.pgm", rng.integers(0, 256, (3000, 3000), np.uint8))
    np.savetxt(place / "kernel.txt", rng.normal(size=(63, 63)))
    return place


REPLACED = (
    "convtool: note: replaced a file that was no input: out.png; "
    "--no-clobber keeps existing files\n"
)


def check(folder, ending):
    """Check that a run which was told to stop did, or was over before."""
    assert not ending.hung, ending
    assert ending.code in (0, 130), ending
    if ending.code:
        said = ending.said.decode().removeprefix(REPLACED)
        assert said.split("\n") in (
            ["convtool: error: interrupted", ""],
            ["", "convtool: error: interrupted", ""],  # click begins a new line behind ^C
        )
    assert not [name for name in os.listdir(folder) if name.startswith(".convtool-")]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("name", LARGE)
def test_in_the_middle_of_large_work(folder, name, number):
    rng = Random(f"{name} {number}")
    codes = []
    for longest in (0.1, 0.4, 1.6):
        moment = number, rng.uniform(0, longest)
        (ending,) = at_once([LARGE[name]], folder, signal=moment, patience=SECONDS)
        check(folder, ending)
        codes.append(ending.code)
    assert 130 in codes


@pytest.mark.parametrize("number", SIGNALS)
def test_at_random_moments_of_a_short_run(tmp_path, number):
    rng = Random(number)
    write(tmp_path / "in.bmp", np.arange(30_000, dtype=np.uint8).reshape(100, 300))
    command = ["filter", "-k", "box", "in.bmp", "out.png"]
    seconds = at_once([command], tmp_path)[0].seconds
    whole = (tmp_path / "out.png").read_bytes()
    codes = set()
    for _ in range(30):
        (tmp_path / "out.png").write_bytes(b"old")
        moment = number, rng.uniform(0, 1.2 * seconds)
        (ending,) = at_once([command], tmp_path, signal=moment, patience=SECONDS)
        check(tmp_path, ending)
        there = (tmp_path / "out.png").read_bytes()
        assert there == whole or (there == b"old" and ending.code == 130)
        codes.add(ending.code)
    assert 130 in codes


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("group", [False, True], ids=["alone", "with its workers"])
def test_a_batch_at_random_moments(folder, tmp_path, number, group):
    rng = Random(f"{number} {group}")
    names = ["large.pgm", "large.jpg", "small.pgm"]
    command = ["filter", "-k", str(folder / "kernel.txt"), "--jobs", "2"]
    command += [*(str(folder / name) for name in names), "out/"]
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-m", "convtool", *command],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=hear,  # noqa: PLW1509
        )
        try:
            wait_for(tmp_path / "out", process)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(rng.uniform(0.01, 0.6))
            send = os.killpg if group else os.kill
            send(process.pid, number)
            # Its end is that of standard error, which the workers have, too.
            _, said = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        assert process.returncode == 130, said
        assert said.decode().endswith("convtool: error: interrupted\n")
        assert "Traceback" not in said.decode()
        for path in (tmp_path / "out").iterdir():  # what was finished before is whole
            assert read(path).pixels.shape == read(folder / path.name).pixels.shape
            path.unlink()
        (tmp_path / "out").rmdir()


def hear():
    """Let a process know Ctrl-C, even where this one was started without."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_for(folder, process):
    """Wait until a batch has made the folder of its outputs: its work begins."""
    while not folder.exists():
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)


STARTING = """
import os, signal, sys
number, moment = map(int, sys.argv[1:])
seen = 0

def count(frame, event, argument):
    global seen
    if event == "call":
        seen += 1
        if seen == moment:
            os.kill(os.getpid(), number)

from convtool.__main__ import main
sys.argv[1:] = ["kernels"]
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.setprofile(count)
main()
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_while_it_starts(number):
    codes = []
    for moment in (200, 1000, 3000, 10_000, 30_000, 100_000):
        done = subprocess.run(
            [sys.executable, "-c", STARTING, str(int(number)), str(moment)],
            cwd=ROOT,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode in (0, 130), done.stderr
        assert done.returncode == 0 or done.stderr.strip() == b"convtool: error: interrupted"
        codes.append(done.returncode)
    assert codes[:3] == [130] * 3


BREEDING = """
import subprocess, sys, threading
import psutil
from convtool.cli._signals import ending

CHILD = [sys.executable, "-S", "-c", "import time; time.sleep(1); raise SystemExit('too late')"]

def breed():
    while True:
        subprocess.Popen(CHILD)

with ending("the cluster"):
    threading.Thread(target=breed, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()
"""


def test_processes_that_are_started_until_the_end_say_nothing():
    running = subprocess.Popen(
        [sys.executable, "-c", BREEDING],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=hear,  # noqa: PLW1509
    )
    assert running.stdout.readline() == b"ready\n"
    time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said == b"convtool: error: interrupted\n"
