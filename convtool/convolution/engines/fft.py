"""The convolution theorem on overlapping tiles (overlap-save), in real FFTs.

References
----------
A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing, section 8.7.3 (overlap-save).
"""

from functools import lru_cache

import numpy as np

from convtool.convolution.engines import Job, TileCorrelator
from convtool.convolution.engines.rounding import rounding_of, settle
from convtool.convolution.types import Array

LEAST_LENGTH = 384
"""No transform is shorter, unless the image is: each call costs, however little it does."""

CACHED_LENGTH = 1500
"""Transforms cost the more per output the longer they are, twice as much at this length."""


@lru_cache(maxsize=256)
def tile_length(taps: int, size: int) -> int:
    """Return how many outputs a transform along one axis should make.

    A transform of length L makes L - taps + 1 outputs: long ones waste less, short ones stay in
    cache. Lengths are powers of two times 1, 3 or 5, which are fast.

    Examples
    --------
    >>> tile_length(15, 1080)
    370
    >>> tile_length(15, 40)
    40
    """
    if size + taps - 1 <= max(LEAST_LENGTH, 2 * taps):
        return size
    lengths = [
        length
        for length in (m << e for m in (1, 3, 5) for e in range(24))
        if max(LEAST_LENGTH, 2 * taps) <= length
    ]
    best = min(lengths, key=lambda n: n / (n - taps + 1) * (1 + n / CACHED_LENGTH))
    return min(size, best - taps + 1)


def prepare(job: Job) -> TileCorrelator:
    """Make a correlator that multiplies spectra.

    That is done in the working precision, of images of floats in float64. Memory beyond the output
    is a tile and its spectrum for each thread.
    """
    from scipy import fft as transforms

    taps = job.kernel.shape
    tile = (tile_length(taps[0], job.shape[0]), tile_length(taps[1], job.shape[1]))
    lengths = tuple(
        transforms.next_fast_len(n + k - 1, real=axis == 1)
        for axis, (n, k) in enumerate(zip(tile, taps, strict=True))
    )
    precision = np.dtype(np.float64) if job.floats else job.dtype
    spectrum = np.conj(transforms.rfft2(job.kernel.astype(precision), lengths))[None]

    def convolve(planes: Array, rows: int, columns: int) -> Array:
        product = transforms.rfft2(planes, lengths)
        product *= spectrum
        made: Array = transforms.irfft2(product, lengths, overwrite_x=True)
        return made[:, :rows, :columns]

    def run(window: Array, out: Array) -> None:
        planes = np.moveaxis(window, 2, 0)
        out[...] = np.moveaxis(convolve(planes, *out.shape[:2]), 0, 2)

    if not job.floats:
        return TileCorrelator(run, tile)
    rounding = rounding_of(job.kernel, spectrum, lengths)

    def run_locally(window: Array, out: Array) -> None:
        for channel in range(out.shape[2]):
            plane = window[:, :, channel].astype(np.float64)
            finite = np.isfinite(plane)
            cleaned = plane if finite.all() else np.where(finite, plane, 0)
            made = convolve(cleaned[None], *out.shape[:2])[0]
            least = rounding.least(cleaned, job.dtype)
            settle(plane, made, job.kernel, rounding, least)
            out[:, :, channel] = made

    return TileCorrelator(run_locally, tile)
