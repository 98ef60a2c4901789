"""The convolution theorem on overlapping boxes of a volume (overlap-save), in real FFTs.

References
----------
A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing, section 8.7.3 (overlap-save).
"""

import numpy as np

from convtool.convolution.types import Array
from convtool.convolution.volume_layout import Axes
from convtool.convolution.volume_windows import Correlate

LEAST_LENGTH = 96
"""No transform is shorter along an axis, unless the volume is."""


def _fast_length(least: int) -> int:
    """Return the next length whose only prime factors are 2, 3 and 5."""
    length = least
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1


def transform_shape(axes: Axes) -> tuple[int, ...]:
    """Return the lengths of the transforms along each axis."""
    return tuple(
        _fast_length(min(axis.dense + axis.taps - 1, max(LEAST_LENGTH, 3 * axis.taps)))
        for axis in axes
    )


def tile_of(axes: Axes) -> tuple[int, ...]:
    """Return how many outputs a transform makes along each axis."""
    lengths = transform_shape(axes)
    return tuple(
        min(axis.dense, length - axis.taps + 1) for axis, length in zip(axes, lengths, strict=True)
    )


def by_transforms(kernel: Array, axes: Axes, threads: int, otherwise: Correlate) -> Correlate:
    """Return the correlation that multiplies spectra, in float64.

    Parameters
    ----------
    kernel : ndarray
        Weights of float64, shape (KD, KH, KW).
    axes : Axes
        Where the windows lie.
    threads : int
        Number of threads.
    otherwise : callable
        What filters windows that hold NaN or inf, which transforms would spread everywhere.
    """
    from scipy import fft

    lengths = transform_shape(axes)
    spectrum = np.conj(fft.rfftn(kernel, lengths))

    def run(window: Array, out: Array) -> None:
        if not np.isfinite(window).all():
            otherwise(window, out)
            return
        for channel in range(out.shape[3]):
            plane = window[..., channel].astype(np.float64)
            product = fft.rfftn(plane, lengths, workers=threads)
            product *= spectrum
            made = fft.irfftn(product, lengths, workers=threads, overwrite_x=True)
            out[..., channel] = made[tuple(slice(count) for count in out.shape[:3])]

    return run
