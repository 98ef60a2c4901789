"""Many pictures in one process: its memory, open files and threads stay what they were.

``python growth.py WAY WARM PICTURES`` works in the current folder, which is empty. WAY is ``api``,
``command`` (``convtool.cli.run``, again and again in this process) or ``batch`` (one ``convtool
filter -r``, watched from here while it runs, its workers included). Prints JSON: kilobytes, files
and threads after the first WARM pictures and at the end.
"""

import json
import os
import subprocess
import sys
import time
import warnings
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import psutil

import convtool
from convtool.cli import run
from convtool.errors import ConvtoolWarning
from convtool.filtering import FilterOptions, filter_image

ENDINGS = (".png", ".jpg", ".tif", ".webp", ".ppm", ".bmp", ".jp2", ".npy")
KERNELS = ("gaussian:sigma=2", "sobel", "disk:radius=9", "box", "unsharp", "laplacian-8")


def state(*processes):
    """Return the memory in kB, the files and the threads of processes together."""
    found = [(one.memory_info().rss, one.num_fds(), one.num_threads()) for one in processes]
    rss, files, threads = (sum(column) for column in zip(*found, strict=True))
    return {"kilobytes": rss >> 10, "files": files, "threads": threads}


def pictures():
    """Make a picture of each format; return the files."""
    rng = np.random.default_rng(2)
    names = [f"in{ending}" for ending in ENDINGS]
    for name in names:
        convtool.write(name, rng.integers(0, 256, (200, 220, 3), np.uint8))
    return names


def by_api(name, kernel):
    """Read, filter, convolve and write."""
    picture = convtool.read(name)
    convtool.convolve(picture.pixels, kernel if kernel != "sobel" else "prewitt-vertical")
    convtool.write(f"out{Path(name).suffix}", filter_image(picture, [kernel], OPTIONS).image)


def by_command(name, kernel):
    """Filter, and now and then look at and compress the picture."""
    output = f"out{Path(name).suffix}"
    assert run(["filter", "-k", kernel, name, output]) == 0
    if kernel == "box":
        assert run(["svd", name, "--k", "5", "--save", "out.ctsvd", "--json", "out.json"]) == 0
    if kernel == "sobel":
        assert run(["filter", "-k", "box", "missing.png", output]) == 1


OPTIONS = FilterOptions()


def one_by_one(work, warm, count):
    """Work on pictures in this process; return its state early and late."""
    own, files = psutil.Process(), pictures()
    tasks = zip(cycle(files), cycle(k for k in KERNELS for _ in files), strict=False)
    for task in islice(tasks, warm):
        work(*task)
    first = state(own)
    for task in islice(tasks, count):
        work(*task)
    return first, state(own)


def one_batch(warm, count):
    """Filter a folder; return the state of its processes when some are done, and near the end."""
    Path("in").mkdir()
    rng = np.random.default_rng(2)
    for number in range(count):
        place = f"in/{number:05}{ENDINGS[number % len(ENDINGS)]}"
        convtool.write(place, rng.integers(0, 256, (200, 220, 3), np.uint8))
    line = ["filter", "-k", "gaussian:sigma=2", "--jobs", "1", "-r", "in", "out"]
    with subprocess.Popen([sys.executable, "-m", "convtool", *line]) as running:
        states = []
        for least in (warm, count - warm // 2):
            while len(os.listdir("out") if os.path.isdir("out") else ()) < least:
                time.sleep(0.002)
            own = psutil.Process(running.pid)
            states.append(state(own, *own.children(recursive=True)))
    assert running.returncode == 0
    return states


def main(way, warm, count):
    """Run, and print both states."""
    warnings.simplefilter("ignore", ConvtoolWarning)
    if way == "batch":
        first, last = one_batch(int(warm), int(count))
    else:
        work = {"api": by_api, "command": by_command}[way]
        first, last = one_by_one(work, int(warm), int(count))
    print(json.dumps({"first": first, "last": last}))


if __name__ == "__main__":
    main(*sys.argv[1:])
