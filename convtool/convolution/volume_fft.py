"""The convolution theorem on overlapping boxes of a volume (overlap-save), in real FFTs.

References
----------
A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing, section 8.7.3 (overlap-save).
"""

import math
from typing import NamedTuple

import numpy as np

from convtool.convolution.geometry import Axis
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


class Tiling(NamedTuple):
    """How an axis is cut for transforms."""

    length: int
    """The length of each transform."""
    outputs: int
    """How many outputs each makes at the most."""
    parts: int
    """How many there are."""


def tiling(axis: Axis) -> Tiling:
    """Return how an axis is cut: in parts that are as even as they come.

    Examples
    --------
    >>> tiling(Axis(128, 7, -3, 128, 1))
    Tiling(length=72, outputs=64, parts=2)
    """
    most = max(LEAST_LENGTH, 3 * axis.taps) - axis.taps + 1
    parts = -(-axis.dense // most)
    outputs = -(-axis.dense // parts)
    return Tiling(_fast_length(outputs + axis.taps - 1), outputs, parts)


def butterflies(axes: Axes) -> float:
    """Return the butterflies of the transforms, for each output."""
    cut = [tiling(axis) for axis in axes]
    points = math.prod(each.length * each.parts for each in cut)
    levels = math.log2(math.prod(each.length for each in cut))
    return points * levels / math.prod(axis.dense for axis in axes)


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

    lengths = tuple(tiling(axis).length for axis in axes)
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
