"""Whole processes: convtool against the other command lines that are installed.

Run ``python benchmarks/cli.py``. Every job reads a JPEG of 12 megapixels in colour and writes one:
as OpenCV writes it, chroma at half resolution; once with restart markers, as some cameras do. vips,
libvips by pyvips (``pip install pyvips pyvips-binary``), ImageMagick, GraphicsMagick and short
scripts with OpenCV and with scikit-image take part where they are there; all take turns. Then how
long ``convtool`` needs to start, and what the first run of all costs.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from convtool.bench.machine import describe, in_words
from convtool.convolution.threads import count
from convtool.images.samples import load
from convtool.kernels.export import export
from convtool.kernels.spec import parse
from convtool.report.matrix import table
from suites.verdicts import Verdict, verdict_lines

CONVTOOL = [sys.executable, "-m", "convtool"]
OPENCV = "import cv2, sys\nimport numpy as np\nimage = cv2.imread(sys.argv[1])\n"
OWN_KERNEL = "15x15"
SIGMA = 5
MARKED = 250
"""Blocks between restart markers: a row of them."""

PEERS = ("pyvips", "vips", "imagemagick", "graphicsmagick", "opencv", "scikit-image")

Command = list[str]


@dataclass(frozen=True)
class Job:
    """What is done to a picture, and the command of each that can do it.

    Attributes
    ----------
    name : str
        What it is.
    commands : dict of str to list of str
        The command of each; IN and OUT stand for the files.
    limits : dict of str to float
        The largest time of convtool relative to each.
    """

    name: str
    commands: dict[str, Command]
    limits: dict[str, float] = field(default_factory=dict)


def imagemagick() -> str | None:
    """Return ImageMagick's program: ``magick``, or ``convert`` if it is a program, no script."""
    for name in ("magick", "convert"):
        for folder in os.get_exec_path():
            found = shutil.which(name, path=folder)
            if found is None or Path(found).read_bytes()[:2] == b"#!":
                continue
            said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
            if "ImageMagick" in said.stdout:
                return found
    return None


def pyvips(line: str) -> Command:
    """Return the script that does one thing to a picture with libvips; none without pyvips."""
    if find_spec("pyvips") is None:
        return ["pyvips"]
    script = (
        "import sys, pyvips\n"
        'image = pyvips.Image.new_from_file(sys.argv[1], access="sequential")\n'
        f"({line}).jpegsave(sys.argv[2], Q=95)\n"
    )
    return [sys.executable, "-c", script, "IN", "OUT"]


def opencv(line: str) -> Command:
    """Return the four-line script that does one thing to a picture."""
    script = f"{OPENCV}image = {line}\ncv2.imwrite(sys.argv[2], image, [1, 95])\n"
    return [sys.executable, "-c", script, "IN", "OUT"]


def scikit_image(line: str) -> Command:
    """Return the script that does one thing to a picture with scikit-image; none without it."""
    if find_spec("skimage") is None:
        return ["skimage"]
    script = (
        "import sys\nimport numpy as np, skimage as ski\nfrom scipy import ndimage\n"
        f"image = ski.io.imread(sys.argv[1]).astype(np.float32)\nimage = {line}\n"
        "image = np.rint(image).clip(0, 255).astype(np.uint8)\n"
        "ski.io.imsave(sys.argv[2], image, check_contrast=False, quality=95)\n"
    )
    return [sys.executable, "-c", script, "IN", "OUT"]


def jobs(folder: Path) -> list[Job]:
    """Return the jobs; the kernel of one's own is written into a folder.

    ``-blur`` of ImageMagick and GraphicsMagick is the Gaussian in two passes. They have no Sobel
    magnitude in one step; ``-edge`` is what comes
    nearest. GraphicsMagick takes no option that is as long as a kernel of 15 × 15.
    """
    rng = np.random.default_rng(15)
    weights = rng.uniform(0, 1, (15, 15))
    own = folder / "own.txt"
    np.savetxt(own, weights / weights.sum(), fmt="%.8f")
    matrix = folder / "own.mat"
    matrix.write_text(export(parse(str(own)), "vips"))
    numbers = folder / "own.npy"
    np.save(numbers, np.loadtxt(own).astype(np.float32))
    magick_kernel = "15x15:" + " ".join(f"{w:.8f}" for w in np.loadtxt(own).ravel())
    magick, gm = imagemagick() or "convert", "gm"
    quality = ["-quality", "95"]
    edges = "cv2.magnitude(cv2.Sobel(image, 5, 1, 0), cv2.Sobel(image, 5, 0, 1))"
    sobel_gm = [gm, "convert", "IN", "-edge", "1", *quality, "OUT"]
    return [
        Job(
            f"Gaussian, sigma {SIGMA}",
            {
                "convtool": [*CONVTOOL, "filter", "-k", f"gaussian:sigma={SIGMA}", "IN", "OUT"],
                "pyvips": pyvips(f"image.gaussblur({SIGMA})"),
                "vips": ["vips", "gaussblur", "IN", "OUT[Q=95]", str(SIGMA)],
                "imagemagick": [magick, "IN", "-blur", f"0x{SIGMA}", *quality, "OUT"],
                "graphicsmagick": [gm, "convert", "IN", "-blur", f"0x{SIGMA}", *quality, "OUT"],
                "opencv": opencv(f"cv2.GaussianBlur(image, (0, 0), {SIGMA})"),
                "scikit-image": scikit_image(
                    f"ski.filters.gaussian(image, {SIGMA}, channel_axis=-1)"
                ),
            },
            {"pyvips": 1.3, "imagemagick": 1.0, "graphicsmagick": 1.0, "opencv": 0.8},
        ),
        Job(
            "Sobel magnitude",
            {
                "convtool": [*CONVTOOL, "filter", "-k", "sobel", "IN", "OUT"],
                "pyvips": pyvips("image.sobel()"),
                "vips": ["vips", "sobel", "IN", "OUT[Q=95]"],
                "imagemagick": [magick, "IN", "-edge", "1", *quality, "OUT"],
                "graphicsmagick": sobel_gm,
                "opencv": opencv(edges),
                "scikit-image": scikit_image("ski.filters.sobel(image, axis=(0, 1))"),
            },
            {"pyvips": 1.3, "imagemagick": 1.0, "graphicsmagick": 1.0, "opencv": 1.0},
        ),
        Job(
            f"kernel of one's own, {OWN_KERNEL}",
            {
                "convtool": [*CONVTOOL, "filter", "-k", str(own), "IN", "OUT"],
                "pyvips": pyvips(f"image.conv(pyvips.Image.new_from_file({str(matrix)!r}))"),
                "vips": ["vips", "conv", "IN", "OUT[Q=95]", str(matrix)],
                "imagemagick": [
                    *(magick, "IN", "-morphology", "Convolve", magick_kernel),
                    *(*quality, "OUT"),
                ],
                "opencv": opencv(f"cv2.filter2D(image, -1, np.load({str(numbers)!r}))"),
                "scikit-image": scikit_image(
                    f"ndimage.convolve(image, np.load({str(numbers)!r})[..., None])"
                ),
            },
            {"pyvips": 0.2, "imagemagick": 1.0},
        ),
    ]


def seconds(command: Command, files: dict[str, Path], environment: dict[str, str]) -> float | None:
    """Return how long a command takes, None where it fails; what it wrote is removed."""
    filled = [part.replace("IN", str(files["IN"])) if part == "IN" else part for part in command]
    filled = [
        str(files["OUT"]) + part[3:] if part in ("OUT", "OUT[Q=95]") else part for part in filled
    ]
    start = time.perf_counter()
    done = subprocess.run(filled, env=environment, capture_output=True, check=False)
    taken = time.perf_counter() - start
    files["OUT"].unlink(missing_ok=True)
    if done.returncode != 0:
        print(f"{filled[0]}: {done.stderr.decode(errors='replace').strip()[:200]}", file=sys.stderr)
        return None
    return taken


def race(
    commands: dict[str, Command],
    files: dict[str, Path],
    rounds: int,
    environment: dict[str, str],
) -> dict[str, float]:
    """Return the median seconds of each command; a first, unmeasured run warms the caches."""
    taken: dict[str, list[float]] = {}
    for name, command in commands.items():
        if seconds(command, files, environment) is not None:
            taken[name] = []
    for _ in range(rounds):
        for name, measured in taken.items():
            measured.append(seconds(commands[name], files, environment) or float("inf"))
    return {name: statistics.median(measured) for name, measured in taken.items()}


def whole_jobs(
    work: list[tuple[Job, dict[str, Path]]], rounds: int, environment: dict[str, str]
) -> tuple[list[list[str]], list[Verdict]]:
    """Race every job on its files; return the table and the verdicts."""
    rows, verdicts = [["JOB", "convtool", *PEERS]], []
    for job, files in work:
        there = {
            name: command
            for name, command in job.commands.items()
            if shutil.which(command[0]) is not None
        }
        medians = race(there, files, rounds, environment)
        shown = (f"{medians[name]:.3f} s" if name in medians else "-" for name in PEERS)
        rows.append([job.name, f"{medians['convtool']:.3f} s", *shown])
        for peer, limit in job.limits.items():
            if peer in medians:
                ratio = medians["convtool"] / medians[peer]
                verdicts.append(Verdict.at_most(f"{job.name}: times {peer}", 1, ratio, limit))
    return rows, verdicts


def start_up(
    small: dict[str, Path], rounds: int, environment: dict[str, str]
) -> tuple[list[list[str]], list[Verdict]]:
    """Race the start against the imports that it cannot do without."""
    pairs = {
        "convtool --help": (
            [*CONVTOOL, "--help"],
            [sys.executable, "-c", "import click"],
        ),
        "640×480 filtered": (
            [*CONVTOOL, "filter", "-k", "gaussian:sigma=1", "IN", "OUT"],
            [sys.executable, "-c", "import click, numpy, cv2"],
        ),
    }
    rows, verdicts = [["START", "convtool", "imports alone"]], []
    for name, (mine, bare) in pairs.items():
        medians = race({"mine": mine, "bare": bare}, small, 3 * rounds, environment)
        rows.append([name, *(f"{medians[side]:.3f} s" for side in ("mine", "bare"))])
        ratio = medians["mine"] / medians["bare"]
        verdicts.append(Verdict.at_most(f"{name}: times the imports alone", 1, ratio, 1.4))
    return rows, verdicts


def first_run(
    folder: Path, files: dict[str, Path], rounds: int, environment: dict[str, str]
) -> Verdict:
    """Compare the run with an empty cache of compiled code to the one with a full one."""
    command = [*CONVTOOL, "filter", "-k", "gaussian:sigma=2", "IN", "OUT"]
    cold, warm = [], []
    for index in range(rounds):
        cache = folder / f"cache-{index}"
        fresh = environment | {"XDG_CACHE_HOME": str(cache)}
        fresh.pop("NUMBA_CACHE_DIR", None)
        cold.append(seconds(command, files, fresh) or float("inf"))
        warm.append(seconds(command, files, environment) or float("inf"))
    ratio = statistics.median(cold) / statistics.median(warm)
    detail = f"{statistics.median(cold):.3f} s, warm {statistics.median(warm):.3f} s"
    return Verdict.at_most("first run, 2 megapixels: times the warm one", 1, ratio, 1.5, detail)


def pictures(folder: Path) -> Callable[..., dict[str, Path]]:
    """Return what draws a picture of a size into the folder, with restart markers if asked."""

    def draw(name: str, height: int, width: int, interval: int = 0) -> dict[str, Path]:
        path = folder / f"{name}.jpg"
        tile = load("photograph")[:, :, ::-1]
        times = (-(-height // tile.shape[0]), -(-width // tile.shape[1]), 1)
        pixels = np.ascontiguousarray(np.tile(tile, times)[:height, :width])
        quality = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_RST_INTERVAL, interval]
        cv2.imwrite(str(path), pixels, quality)
        return {"IN": path, "OUT": folder / f"{name}-out.jpg"}

    return draw


def main() -> None:
    """Race everything and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("jobs", "start", "first"), help="one part of it")
    asked = parser.parse_args()
    environment = dict(os.environ)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw = pictures(folder)
        verdicts: list[Verdict] = []
        if asked.only in (None, "jobs"):
            plain, marked = draw("large", 3000, 4000), draw("marked", 3000, 4000, MARKED)
            work = [(job, plain) for job in jobs(folder)]
            again = replace(work[0][0], name=f"{work[0][0].name}, restart markers")
            rows, found = whole_jobs([*work, (again, marked)], asked.rounds, environment)
            print("\n".join([*table(rows), ""]))
            verdicts += found
        if asked.only in (None, "start"):
            rows, found = start_up(draw("small", 480, 640), asked.rounds, environment)
            print("\n".join([*table(rows), ""]))
            verdicts += found
        if asked.only in (None, "first"):
            files = draw("medium", 1080, 1920)
            verdicts.append(first_run(folder, files, asked.rounds, environment))
    print("\n".join([*verdict_lines(verdicts), "", *in_words(describe(count()))]))


if __name__ == "__main__":
    main()
