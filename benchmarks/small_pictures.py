"""How many tiny pictures ``convtool filter`` filters a second, from folder to folder.

Run ``python benchmarks/small_pictures.py`` (``pip install 'convtool[cluster]'``). It draws 20,000
pictures of 8×8, whose cost is that of finding, planning, writing and flushing files, and filters
them with one and two processes, with one and two workers, and with a journal. Each run starts the
command anew, so the time of starting the workers is part of it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np

from convtool.images.write import write

DIFFERENT = 64
WAYS = (
    ("--jobs", "1"),
    ("--jobs", "2"),
    ("--workers", "1"),
    ("--workers", "2"),
    ("--workers", "2", "--resume"),
)


def draw(folder, count):
    """Write a few different pictures, and name ``count`` of them."""
    os.mkdir(folder)
    rng = np.random.default_rng(1)
    names = [os.path.join(folder, f"{number:06}.png") for number in range(count)]
    for number, name in enumerate(names):
        if number < DIFFERENT:
            write(name, rng.integers(0, 256, (8, 8), np.uint8))
        else:
            os.link(names[number % DIFFERENT], name)


def rate(source, target, way):
    """Return the pictures a second that one run reports, starting included."""
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "convtool", "filter", "-k", "box", *way, source, target]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True)
    return float(re.search(r"([\d.e+]+) a second", done.stderr)[1])


def main():
    """Print the rate of each way."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--folder", help="where the pictures are, on the disk to be measured")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        source, target = os.path.join(folder, "in"), os.path.join(folder, "out")
        draw(source, asked.pictures)
        for way in WAYS:
            print(
                f"{' '.join(way):24}{rate(source, target, way):8.0f} pictures a second", flush=True
            )


if __name__ == "__main__":
    main()
