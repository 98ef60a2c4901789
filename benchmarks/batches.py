"""A batch of small pictures against one picture of as many pixels: the ratio of their times.

    python benchmarks/batches.py [--pictures 10000] [--side 32] [--repeats 15]

Convolves pictures of 32×32 in one array (``axes=(1, 2)``), and one picture of as many pixels, by
turns. Answers are first compared with those of single calls, picture by picture. Shown are medians
in milliseconds, and their ratio: with ``out=`` given, and with fresh memory. Target: 1.1.
"""

import argparse
import math
import statistics
import sys
import time
from functools import partial

import numpy as np

import convtool

KERNELS = {
    "3x3": np.array([[1.0, 2.5, -1.2], [0.3, 4.0, 0.7], [-2.0, 1.1, 0.4]]) / 9,
    "7x7": np.cos(np.arange(49.0).reshape(7, 7) ** 1.5) / 49,
    "13+13": convtool.kernel("gaussian:sigma=2,size=13"),
}
TYPES = (("float32", "float32"), ("uint8", "float32"), ("uint8", "uint8"))
CHECKED = 50


def validate(batch, kernel, dtype):
    """End with an error unless the answers of a batch are those of its pictures."""
    answers = convtool.convolve(batch, kernel, axes=(1, 2), dtype=dtype)
    for number in np.linspace(0, len(batch) - 1, CHECKED).astype(int):
        alone = convtool.convolve(batch[number], kernel, dtype=dtype).astype(float)
        most = 1 if dtype == "uint8" else 1e-4 * max(1, np.abs(alone).max())
        if np.abs(alone - answers[number]).max() > most:
            sys.exit(f"picture {number} of the batch has another answer than alone")


def medians(calls, repeats):
    """Return the median time of each call in milliseconds; they take turns."""
    times = [[] for _ in calls]
    for turn in range(repeats + 1):
        for call, taken in zip(calls, times, strict=True):
            began = time.perf_counter()
            call()
            if turn:
                taken.append((time.perf_counter() - began) * 1000)
    return [statistics.median(taken) for taken in times]


def main():
    """Validate, measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=15)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    shape = asked.pictures, asked.side, asked.side
    height = math.isqrt(math.prod(shape))
    while math.prod(shape) % height:
        height -= 1
    print("kernel  types               one   batch  ratio   fresh: one   batch  ratio")
    for name, kernel in KERNELS.items():
        for image, answer in TYPES:
            batch = (rng.random(shape) * 255).astype(image)
            one, out = batch.reshape(height, -1), np.empty(shape, answer)
            validate(batch, kernel, answer)

            def alone(out=None, one=one, kernel=kernel, dtype=answer):
                convtool.convolve(one, kernel, dtype=dtype, out=out)

            def many(out=None, batch=batch, kernel=kernel, dtype=answer):
                convtool.convolve(batch, kernel, axes=(1, 2), dtype=dtype, out=out)

            outs = out.reshape(one.shape), out
            given = [partial(call, into) for call, into in zip((alone, many), outs, strict=True)]
            a, b, c, d = medians((*given, alone, many), asked.repeats)
            types = f"{image} -> {answer}"
            print(
                f"{name:7} {types:18}{a:6.2f}{b:8.2f}{b / a:7.2f}{c:13.2f}{d:8.2f}{d / c:7.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
