"""convtool.filters against scikit-image: the same calls on the same pictures, side by side.

Run ``python benchmarks/filters.py`` where scikit-image is installed (``pip install
'convtool[peers]'``). Each answer is compared first; then both take turns, and the table shows the
fastest of each and their ratio. ``--shape 1080x1920`` chooses another picture.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import skimage
import skimage.filters

import convtool
from convtool import filters
from convtool.bench.machine import describe, in_words
from convtool.convolution.threads import count
from convtool.report.matrix import table

TYPES = ("uint8", "float32", "float64")

CALLS = {
    "gaussian": {"sigma": 2},
    "difference_of_gaussians": {"low_sigma": 1},
    "unsharp_mask": {"radius": 2},
    "sobel": {},
    "sobel_h": {},
    "scharr": {},
    "prewitt": {},
    "farid": {},
    "roberts": {},
    "laplace": {},
    "gabor": {"frequency": 0.25},
}
"""The functions and their options."""

WITHIN = 1e-6
"""The largest difference, measured by the range of the values."""


def picture(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Return random pixels over the range of a type."""
    rng = np.random.default_rng(7)
    if dtype == "uint8":
        return rng.integers(0, 256, shape, dtype=np.uint8)
    return rng.random(shape).astype(dtype)


def check(name: str, ours: np.ndarray, theirs: np.ndarray) -> None:
    """End the run unless the answers agree."""
    one, other = np.asarray(ours, float), np.asarray(theirs, float)
    farthest = float(np.abs(one - other).max())
    if farthest > WITHIN:
        raise SystemExit(f"{name}: the answers differ by {farthest:g}")


def seconds(call: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(shape: tuple[int, ...], rounds: int) -> tuple[list[list[str]], list[float]]:
    """Return the rows of the table, and the ratios."""
    rows, ratios = [], []
    for dtype in TYPES:
        image = picture(shape, dtype)
        for name, options in CALLS.items():
            calls = [
                partial(getattr(module, name), image, **options)
                for module in (filters, skimage.filters)
            ]
            check(f"{name}, {dtype}", *(call() for call in calls))
            best = [float("inf")] * 2
            for _ in range(rounds):
                best = [min(b, seconds(call)) for b, call in zip(best, calls, strict=True)]
            ratios.append(best[0] / best[1])
            rows.append([name, dtype, *(f"{b * 1e3:.2f}" for b in best), f"{ratios[-1]:.3f}"])
    return rows, ratios


def main() -> None:
    """Print the table, the geometric mean of the ratios and the largest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", default="1080x1920", help="Sides of the picture, as 1080x1920.")
    parser.add_argument("--rounds", type=int, default=5, help="Turns of each.")
    given = parser.parse_args()
    shape = tuple(int(side) for side in given.shape.split("x"))
    print("\n".join(in_words(describe(count()))))
    print(f"scikit-image {skimage.__version__}")
    print(f"compiled functions: {convtool.build_info()['compiled']}\n")
    rows, ratios = measure(shape, given.rounds)
    head = [given.shape, "type", "convtool, ms", "scikit-image, ms", "ratio"]
    print("\n".join(table([head, *rows], right=True)))
    print(
        f"\ngeometric mean of the ratios {statistics.geometric_mean(ratios):.3f}, "
        f"largest {max(ratios):.3f}"
    )


if __name__ == "__main__":
    main()
