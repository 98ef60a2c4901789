"""Time the truncated SVD against NumPy, SciPy and scikit-learn, side by side in one run.

Each contender is validated first, on the same float32 picture: its PSNR against that of the exact
singular values. Then rounds are run in which every contender has one turn, in an order that
changes from round to round, so that a disturbance meets all of them. Give it a quiet machine.

    python benchmarks/svd.py
    python benchmarks/svd.py --size 1080x1920 --rounds 9 --json svd.json
"""

import argparse
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from convtool.images import samples
from convtool.images.read import read
from convtool.images.tone import to_gray
from convtool.svd.decompose import decompose
from convtool.svd.planner import plan

OWN = "convtool"
PROMISE_DB = 0.01


def contenders(k):
    """Return functions that take a float32 matrix and return u, s, vt."""
    import scipy.sparse.linalg
    from sklearn.utils.extmath import randomized_svd

    def own(matrix):
        triples = decompose(matrix, k)
        return triples.u, triples.s, triples.vt

    def full(matrix):
        u, s, vt = np.linalg.svd(matrix, full_matrices=False)
        return u[:, :k], s[:k], vt[:k]

    return {
        OWN: own,
        "numpy svd": full,
        "scipy svds": lambda matrix: scipy.sparse.linalg.svds(matrix, k=k),
        "sklearn randomized_svd": lambda matrix: randomized_svd(matrix, k, random_state=0),
    }


def picture(rows, columns, path=None):
    """Return a grey float32 picture of that size: one given, or the built-in photograph."""
    import cv2

    pixels = samples.load("photograph") if path is None else read(path).pixels
    gray = to_gray(pixels[:, :, :3]) if pixels.ndim == 3 else pixels.astype(np.float32)
    large = cv2.resize(gray, (columns, rows), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 2, large.shape).astype(np.float32)
    return np.clip(np.rint(large + grain), 0, 255).astype(np.float32)


def loss_db(matrix, answer, k):
    """Return how far the PSNR of an answer is below that of the exact singular values."""
    wide = matrix.astype(np.float64)
    squares = np.linalg.eigvalsh(wide @ wide.T if len(wide) <= len(wide.T) else wide.T @ wide)
    best = squares[:-k].sum()
    u, s, vt = (np.asarray(part, np.float64) for part in answer)
    return float(10 * np.log10(((wide - (u * s) @ vt) ** 2).sum() / best))


def measure(matrix, k, rounds):
    """Return for each contender its times and its loss in dB."""
    functions = contenders(k)
    losses = {name: loss_db(matrix, call(matrix), k) for name, call in functions.items()}
    if losses[OWN] >= PROMISE_DB:
        raise SystemExit(f"{OWN} loses {losses[OWN]:.4f} dB, the promise is {PROMISE_DB}")
    times = {name: [] for name in functions}
    names = list(functions)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            begin = time.perf_counter()
            functions[name](matrix)
            times[name].append(time.perf_counter() - begin)
    return {name: {"seconds": times[name], "loss_db": losses[name]} for name in names}


def report(rows, columns, k, results):
    """Return the lines of a table."""
    others = [np.median(one["seconds"]) for name, one in results.items() if name != OWN]
    fastest = min(others)
    lines = [f"{rows}×{columns}, k {k}, float32, grey; {plan(rows, columns, k).reason}"]
    lines.append(f"{'':24}{'median s':>10}{'min':>9}{'max':>9}{'dB short':>10}{'of fastest':>12}")
    for name, one in results.items():
        seconds = one["seconds"]
        lines.append(
            f"{name:24}{np.median(seconds):10.4f}{min(seconds):9.4f}{max(seconds):9.4f}"
            f"{one['loss_db']:10.5f}{np.median(seconds) / fastest:12.2f}"
        )
    return lines


def versions():
    """Return what was measured on what."""
    packages = ("numpy", "scipy", "scikit-learn")
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", action="append", metavar="ROWSxCOLUMNS")
    parser.add_argument("--k", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--image", help="a picture to enlarge in place of the built-in one")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    known = versions()
    print(", ".join(f"{name} {value}" for name, value in known.items()))
    everything = []
    for size in options.size or ["1080x1920", "3000x4000"]:
        rows, columns = map(int, size.split("x"))
        matrix = picture(rows, columns, options.image)
        results = measure(matrix, options.k, options.rounds)
        print("\n".join(["", *report(rows, columns, options.k, results)]), flush=True)
        everything.append({"rows": rows, "columns": columns, "k": options.k, "results": results})
    if options.json:
        text = json.dumps({"versions": known, "runs": everything}, indent=2)
        Path(options.json).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
