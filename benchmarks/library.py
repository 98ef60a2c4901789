"""How long the library's functions take beside those whose signatures they have.

Run ``python benchmarks/library.py``. Each function of ``convtool.ndimage`` is compared with that of
``scipy.ndimage``: on 1080×1920 and on 256×256×256 pixels, of float32 and uint8. Answers are
compared before anything is timed: they must be equal. The two take turns, and the medians are
compared. The library uses all cores that the process may use; SciPy uses one.
"""

import argparse
import math
import statistics
import time
from functools import partial
from importlib import import_module

import numpy as np

SHAPES = ((1080, 1920), (256, 256, 256))
DTYPES = ("float32", "uint8")
RNG = np.random.default_rng(5)
GAUSSIAN = np.exp(-(np.arange(-4, 5) ** 2) / 8)
CALLS = {
    "correlate": {"correlate 3×3": (RNG.random((3, 3)),), "correlate 7×7": (RNG.random((7, 7)),)},
    "convolve": {"convolve 5×5": (RNG.random((5, 5)),)},
    "correlate1d": {"correlate1d 9": (RNG.random(9),)},
    "convolve1d": {"convolve1d 9, same from both ends": (GAUSSIAN, 0)},
    "gaussian_filter": {"gaussian_filter sigma 2": (2,)},
    "gaussian_filter1d": {"gaussian_filter1d sigma 2": (2,)},
    "gaussian_laplace": {"gaussian_laplace sigma 2": (2,)},
    "gaussian_gradient_magnitude": {"gaussian_gradient_magnitude sigma 2": (2,)},
    "laplace": {"laplace": ()},
    "sobel": {"sobel": ()},
    "prewitt": {"prewitt": ()},
    "uniform_filter": {"uniform_filter 5": (5,)},
    "uniform_filter1d": {"uniform_filter1d 5": (5,)},
}
"""The functions, and the calls of each that are timed, by the words they are printed with."""

IN_VOLUMES = {
    "correlate 3×3": ("correlate 3×3×3", (RNG.random((3, 3, 3)),)),
    "convolve 5×5": ("convolve 5×5×5", (RNG.random((5, 5, 5)),)),
    "correlate 7×7": None,
}
"""What is timed in their place on volumes; None: nothing."""


def calls(rank):
    """Yield the function's name, words and arguments of each call."""
    for name, cases in CALLS.items():
        for words, arguments in cases.items():
            if rank == 2 or words not in IN_VOLUMES:
                yield name, words, arguments
            elif IN_VOLUMES[words] is not None:
                yield name, *IN_VOLUMES[words]


def seconds(call):
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compare(name, image, arguments, rounds):
    """Return the median seconds of ours and of SciPy's function, whose answers are equal."""
    ours, theirs = (
        partial(getattr(import_module(module), name), image, *arguments)
        for module in ("convtool.ndimage", "scipy.ndimage")
    )
    np.testing.assert_array_equal(ours(), theirs(), strict=True)
    times = [(seconds(ours), seconds(theirs), seconds(ours)) for _ in range(rounds)]
    mine = statistics.median(one for first, _, last in times for one in (first, last))
    return mine, statistics.median(middle for _, middle, _ in times)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, help="how often each is timed; 7, on volumes 1")
    parser.add_argument("--rank", type=int, choices=(2, 3), help="images or volumes alone")
    parser.add_argument("--only", default="", help="calls whose words begin so")
    asked = parser.parse_args()
    for shape in SHAPES:
        if asked.rank not in (None, len(shape)):
            continue
        rounds = asked.rounds or (7 if len(shape) == 2 else 1)
        ratios = []
        print(f"{'×'.join(map(str, shape)):40}{'dtype':>8}{'ours, ms':>10}{'SciPy, ms':>11}  ratio")
        for dtype in DTYPES:
            image = (RNG.random(shape) * 255).astype(dtype)
            for name, words, arguments in calls(len(shape)):
                if words.startswith(asked.only):
                    ours, theirs = compare(name, image, arguments, rounds)
                    ratios.append(ours / theirs)
                    times = f"{1e3 * ours:10.2f}{1e3 * theirs:11.1f}{ratios[-1]:7.3f}"
                    print(f"{words:40}{dtype:>8}{times}", flush=True)
        mean = math.exp(statistics.fmean(map(math.log, ratios)))
        print(f"{'geometric mean':69}{mean:7.3f}; largest {max(ratios):.3f}\n")


if __name__ == "__main__":
    main()
