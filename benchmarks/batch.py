"""Pictures a second of a batch: one process against two, large pictures and thumbnails.

    python benchmarks/batch.py [--repeats 5] [--json results.json]

Draws 200 pictures of 2 megapixels (noisy JPEG files) and 5,000 thumbnails of 64×64 pixels in a
temporary folder, then runs the command ``convtool filter`` on them as a user would, start-up, fsync
and all. Turns are interleaved, and the median of each is shown. What a turn has written is emptied
and removed at the end only: where many files were removed a moment ago, some file systems (ext4
without a journal) look at each of them whenever a file is made. Targets: two jobs do at least 1.7
times the pictures of one; more than 1,500 thumbnails a second on two cores. Ends with 1 where one
is missed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from convtool.images.write import write

LEAST_GAIN = 1.7
LEAST_THUMBNAILS = 1500
LARGE, THUMBNAILS = 200, 5000


def draw(folder: Path, count: int, shape: tuple[int, ...], ending: str) -> None:
    """Write pictures that differ: smooth colours with noise, as a camera gives."""
    folder.mkdir()
    rng = np.random.default_rng(6)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    smooth = 127 + 90 * np.sin(rows / 37)[..., None] * np.cos(columns[..., None] / 53)
    noise = rng.normal(0, 8, (shape[0] + 64, shape[1] + 64, 3))
    for number in range(count):
        y, x = rng.integers(0, 65, 2)
        pixels = np.clip(smooth + noise[y : y + shape[0], x : x + shape[1]], 0, 255)
        write(folder / f"{number:04}{ending}", pixels.astype(np.uint8))


def pictures_a_second(source: Path, count: int, jobs: int, turn: int) -> float:
    """Run the command once on a folder, and check that it has made every picture."""
    target = source.with_name(f"{source.name}-{jobs}-{turn}")
    arguments = ["filter", "-k", "gaussian:sigma=2", "--jobs", str(jobs), source, f"{target}/"]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "convtool", *map(str, arguments)], capture_output=True, check=False
    )
    taken = time.perf_counter() - began
    if done.returncode or len(os.listdir(target)) != count:
        sys.exit(f"the batch failed: {done.stderr.decode()}")
    for file in target.iterdir():
        os.truncate(file, 0)
    return count / taken


def measure(place: Path, large: int, thumbnails: int, repeats: int) -> dict[str, list[float]]:
    """Return the pictures a second of each kind of run, turn by turn."""
    draw(place / "large", large, (1155, 1732), ".jpg")
    draw(place / "thumbnails", thumbnails, (64, 64), ".png")
    turns = {
        "2 megapixels, --jobs 1": (place / "large", large, 1),
        "2 megapixels, --jobs 2": (place / "large", large, 2),
        "64×64, --jobs 1": (place / "thumbnails", thumbnails, 1),
        "64×64, --jobs 2": (place / "thumbnails", thumbnails, 2),
    }
    rates: dict[str, list[float]] = {name: [] for name in turns}
    for repeat in range(repeats):
        for name, turn in turns.items():
            rates[name].append(pictures_a_second(*turn, repeat))
    return rates


def main() -> int:
    """Measure, print, and compare with the targets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--large", type=int, default=LARGE, help="how many pictures")
    parser.add_argument("--thumbnails", type=int, default=THUMBNAILS, help="how many")
    parser.add_argument("--place", help="a folder to work in, instead of a temporary one")
    parser.add_argument("--json", metavar="FILE")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.place) as name:
        rates = measure(Path(name), chosen.large, chosen.thumbnails, chosen.repeats)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    for name, values in rates.items():
        print(
            f"{name:24} {medians[name]:8.1f} pictures a second "
            f"({min(values):.1f} to {max(values):.1f} in {len(values)} turns)"
        )
    gain = medians["2 megapixels, --jobs 2"] / medians["2 megapixels, --jobs 1"]
    small = medians["64×64, --jobs 2"]
    print(f"two jobs do {gain:.2f} times the pictures of one (target: {LEAST_GAIN})")
    print(f"{small:.0f} thumbnails a second with two jobs (target: {LEAST_THUMBNAILS})")
    if chosen.json:
        results = {"rates": rates, "medians": medians, "gain": gain}
        Path(chosen.json).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0 if gain >= LEAST_GAIN and small > LEAST_THUMBNAILS else 1


if __name__ == "__main__":
    sys.exit(main())
