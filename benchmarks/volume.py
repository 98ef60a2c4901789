"""Volumes beside SciPy, OpenCV, scikit-image and PyTorch: a Gaussian, and 3×3×3 weights.

Run ``python benchmarks/volume.py`` (``pip install 'convtool[peers]'`` for all of them). Each
contender's answer is compared with SciPy's before it is timed; contenders take turns. OpenCV, which
has no volumes, filters slices, and the first axis as a picture of (D, H·W); PyTorch pads with
zeros, which costs it least, so that only the inner part of its answer is compared. SciPy and
scikit-image compute on one thread, the others on as many as are asked for.
"""

import argparse
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import ndimage

from convtool.bench.machine import describe, in_words
from convtool.bench.timing import interleave
from convtool.convolution.volume import volume_filtered
from convtool.report.matrix import table

SIGMA, RADIUS = 2.0, 8
LINE = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / SIGMA) ** 2)
LINE /= LINE.sum()
GAUSSIAN = LINE[:, None, None] * LINE[:, None] * LINE

TOLERANCE = 2e-6
"""The largest difference from SciPy's answer, relative to the sum of the weights' magnitudes."""

Contenders = dict[str, Callable[[], np.ndarray]]


def opencv_gaussian(cv2, volume):
    """Filter the slices, then columns of the volume as those of a picture."""
    made = np.empty_like(volume)
    for z, plane in enumerate(volume):
        cv2.GaussianBlur(
            plane, (LINE.size, LINE.size), SIGMA, dst=made[z], borderType=cv2.BORDER_REFLECT
        )
    flat = made.reshape(len(made), -1)
    line, one = LINE.astype(np.float32), np.ones(1, np.float32)
    filtered = cv2.sepFilter2D(flat, -1, one, line, borderType=cv2.BORDER_REFLECT)
    return filtered.reshape(volume.shape)


def opencv_dense(cv2, volume, kernel):
    """Sum the answers of three slices for each."""
    turned = np.ascontiguousarray(kernel[::-1, ::-1, ::-1])
    last, made = len(volume) - 1, np.empty_like(volume)
    for z in range(len(volume)):
        planes = (volume[min(max(z + k, 0), last)] for k in (-1, 0, 1))
        below, here, above = (
            cv2.filter2D(plane, -1, weights, borderType=cv2.BORDER_REFLECT)
            for plane, weights in zip(planes, turned, strict=True)
        )
        cv2.add(cv2.add(below, here, dst=here), above, dst=made[z])
    return made


def torch_convolution(torch, volume, kernels):
    """Correlate with each of the kernels in turn, which are not flipped."""
    given = torch.from_numpy(volume)[None, None]
    for kernel in kernels:
        weights = torch.from_numpy(kernel)[None, None]
        given = torch.nn.functional.conv3d(given, weights, padding=[n // 2 for n in kernel.shape])
    return given[0, 0].numpy()


def contenders(volume, kernel, threads):
    """Return what filters a volume by the Gaussian and by dense weights, by their names."""
    gaussian: Contenders = {
        "convtool": partial(volume_filtered, volume, GAUSSIAN, True, threads=threads),
        "SciPy": partial(ndimage.gaussian_filter, volume, SIGMA),
    }
    dense: Contenders = {
        "convtool": partial(volume_filtered, volume, kernel, True, threads=threads),
        "SciPy": partial(ndimage.convolve, volume, kernel),
    }
    try:
        import cv2
    except ImportError:
        print("OpenCV is not installed")
    else:
        cv2.setNumThreads(threads)
        gaussian["OpenCV by slices"] = partial(opencv_gaussian, cv2, volume)
        dense["OpenCV by slices"] = partial(opencv_dense, cv2, volume, kernel)
    try:
        from skimage import filters
    except ImportError:
        print("scikit-image is not installed")
    else:
        gaussian["scikit-image"] = partial(filters.gaussian, volume, SIGMA, mode="reflect")
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed")
    else:
        torch.set_num_threads(threads)
        line = LINE.astype(np.float32)
        lines = [line[:, None, None], line[:, None][None], line[None, None]]
        turned = np.ascontiguousarray(kernel[::-1, ::-1, ::-1])
        gaussian["PyTorch conv3d"] = partial(torch_convolution, torch, volume, lines)
        dense["PyTorch conv3d"] = partial(torch_convolution, torch, volume, [turned])
    return {"Gaussian, sigma 2": gaussian, "dense 3×3×3": dense}


def check(name, answer, expected, weights):
    """Stop where an answer differs from SciPy's."""
    inner = (slice(RADIUS, -RADIUS),) * 3 if name.startswith("PyTorch") else (slice(None),) * 3
    error = np.abs(answer[inner] - expected[inner]).max()
    if error > TOLERANCE * weights:
        raise SystemExit(f"{name} differs from SciPy by {error:.3g}")


def main():
    """Print what each contender takes, and its share of SciPy's time."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--budget", type=float, default=20.0, help="seconds for each table")
    asked = parser.parse_args()
    rng = np.random.default_rng(7)
    volume = rng.random((asked.side,) * 3, dtype=np.float32)
    kernel = rng.normal(size=(3, 3, 3)).astype(np.float32)
    print(*in_words(describe(asked.threads)), sep="\n")
    for title, calls in contenders(volume, kernel, asked.threads).items():
        weights = float(np.abs(kernel).sum()) if title.startswith("dense") else 1.0
        expected = calls["SciPy"]()
        for name, call in calls.items():
            check(name, call(), expected, weights)
        timings = interleave(calls, budget=asked.budget)
        base = timings["SciPy"].median
        rows = [
            [name, f"{one.median * 1e3:.1f} ms", f"{one.median / base:.3f}", f"{one.spread:.0%}"]
            for name, one in timings.items()
        ]
        print(f"\n{title}, float32 {asked.side}³, {asked.threads} threads")
        print(*table([["", "median", "of SciPy", "spread"], *rows]), sep="\n")


if __name__ == "__main__":
    main()
