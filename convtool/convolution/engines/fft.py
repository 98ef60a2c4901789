"""The convolution theorem on overlapping tiles (overlap-save), in real FFTs.

References
----------
A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing, section 8.7.3 (overlap-save).
"""

import math
from functools import lru_cache

import numpy as np

from convtool.convolution.engines import Array, Correlator, DType

LARGEST_LENGTH = 512
"""No transform is longer than this unless the kernel asks for it: tiles stay in cache."""


@lru_cache(maxsize=256)
def tile_length(taps: int, size: int) -> int:
    """Return how many outputs a transform along one axis should make.

    A transform of length L makes L - taps + 1 outputs. The length that costs least per output is
    a few times the kernel's; lengths are powers of two times 1, 3 or 5 (fast for pocketfft).

    Examples
    --------
    >>> tile_length(15, 1080)
    66
    >>> tile_length(15, 40)
    40
    """
    if size + taps - 1 <= 2 * taps:
        return size
    lengths = [
        length
        for length in sorted(m << e for m in (1, 3, 5) for e in range(3, 24))
        if length >= 2 * taps and (length <= LARGEST_LENGTH or length < 4 * taps)
    ]
    best = min(lengths, key=lambda n: n * (math.log2(n) + 2) / (n - taps + 1) + n / 128)
    return min(size, best - taps + 1)


def prepare(
    kernel: Array, dtype: DType, shape: tuple[int, int, int], rank: int | None, threads: int
) -> Correlator:
    """Make a correlator that multiplies spectra, in the working precision.

    Memory beyond the output is a tile and its spectrum for each thread. Parameters as in
    :class:`~.engines.Prepare`.
    """
    from scipy import fft as transforms

    taps = kernel.shape
    tile = (tile_length(taps[0], shape[0]), tile_length(taps[1], shape[1]))
    lengths = tuple(
        transforms.next_fast_len(n + k - 1, real=axis == 1)
        for axis, (n, k) in enumerate(zip(tile, taps, strict=True))
    )
    spectrum = np.conj(transforms.rfft2(kernel.astype(dtype), lengths))[None]

    def run(window: Array, out: Array) -> None:
        rows, columns, _ = out.shape
        planes = np.moveaxis(window, 2, 0)
        product = transforms.rfft2(planes, lengths)
        product *= spectrum
        full = transforms.irfft2(product, lengths, overwrite_x=True)
        out[...] = np.moveaxis(full[:, :rows, :columns], 0, 2)

    return Correlator(run, tile)
