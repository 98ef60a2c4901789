"""A picture larger than memory, beside one that fits: time a pixel and the memory of the process.

``python benchmarks/huge.py`` makes a picture of 20000×20000 RGB pixels of 8 bits and one of
3000×4000, filters both by the command line with a 15×15 kernel, same format in and out, and prints
a line for each. ``--gray --side 60000`` is the larger test. The pictures are noise and ramps, tiled
and deflated as TIFF; they stay in ``--folder`` for the next run.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

TILE = 512


def tiles(height, width, channels):
    """Yield tiles of a picture, from left to right and from top to bottom."""
    rng = np.random.default_rng(7)
    ramp = np.add.outer(np.arange(TILE), np.arange(TILE)) // 4
    for _ in range(0, height, TILE):
        for _ in range(0, width, TILE):
            noise = rng.integers(0, 8, (TILE, TILE, channels), np.uint8)
            tile = (ramp[:, :, None] % 240 + noise).astype(np.uint8)
            yield tile if channels > 1 else tile[:, :, 0]


def make(path, height, width, channels):
    """Write a tiled BigTIFF, unless it is there."""
    import tifffile

    if path.exists():
        return
    shape = (height, width, channels) if channels > 1 else (height, width)
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        file.write(
            tiles(height, width, channels),
            shape=shape,
            dtype=np.uint8,
            tile=(TILE, TILE),
            photometric="rgb" if channels > 1 else "minisblack",
            compression="zlib",
            compressionargs={"level": 1},
            predictor=True,
            metadata=None,
        )


def run(source, target, options):
    """Filter a file by the command; return its seconds and the most memory it took, in MB."""
    command = [sys.executable, "-m", "convtool", "filter", *options, str(source), str(target)]
    start = time.perf_counter()
    with subprocess.Popen(command) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"the command ended with {process.returncode}")
    return seconds, used.ru_maxrss / (1 if sys.platform == "darwin" else 1024) / 1.024


def main():
    """Make, filter, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=20000)
    parser.add_argument("--gray", action="store_true")
    parser.add_argument("--kernel", default="gaussian:sigma=3,size=15")
    parser.add_argument(
        "--repeats", type=int, default=3, help="of the small picture; the best counts"
    )
    parser.add_argument("--ending", default=".tif", help="of the outputs: .tif or .zarr")
    parser.add_argument("--folder", type=Path, default=Path("benchmarks-huge"))
    asked = parser.parse_args()
    asked.folder.mkdir(exist_ok=True)
    channels = 1 if asked.gray else 3
    sizes = {"small": (3000, 4000), "huge": (asked.side, asked.side)}
    found = {}
    for name, size in sizes.items():
        source = asked.folder / f"{name}-{size[0]}x{size[1]}x{channels}.tif"
        make(source, *size, channels)
        how = ["-k", asked.kernel]
        if name == "huge":
            how += (
                ["--max-memory", "400M", "--overwrite"]
                if asked.ending == ".zarr"
                else ["--max-memory", "400M"]
            )
        ending = asked.ending if name == "huge" else ".tif"
        target = asked.folder / f"{name}-out{ending}"
        runs = [run(source, target, how) for _ in range(asked.repeats if name == "small" else 1)]
        seconds, memory = min(runs)[0], max(used for _, used in runs)
        pixels = size[0] * size[1]
        found[name] = seconds / pixels
        print(
            f"{name}: {size[1]}×{size[0]}×{channels}, {asked.kernel}: {seconds:.2f} s, "
            f"{seconds / pixels * 1e9:.1f} ns a pixel, {memory:.0f} MB at most",
            flush=True,
        )
    print(f"time a pixel, huge to small: {found['huge'] / found['small']:.2f}")


if __name__ == "__main__":
    main()
