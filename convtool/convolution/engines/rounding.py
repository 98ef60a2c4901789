"""Find pixels that the rounding of transforms spoils, and replace them by direct sums.

Transforms round by a share of the root mean square of all pixels of a tile. Answers that are small
beside it are kept where as many pixels as their windows hold that are not zero must sum to what is
large enough; windows of zeros are 0; all others are sums of their own products.
"""

import math

import numpy as np

from convtool.convolution.types import Array, DType
from convtool.records import Record

UNITS = 12.0
"""Units in the last place that transforms err by at the most: seven were seen. They are units of
the pixels' root mean square times a weight: the largest of the kernel's spectrum, and the root of
the sum of squares of its weights."""

TOLERANCE = {np.dtype(np.float32): 0.9e-5, np.dtype(np.float64): 0.9e-12}
"""The largest error of an answer, relative to the sum of its products' magnitudes, by its type."""

LEAST, MOST = 1e-140, 1e145
"""Magnitudes whose squares float64 holds, and the sums of a tile's."""

FEW = 4
"""Where one answer in so many at the most is spoilt, they are summed one by one, else all are."""


class Rounding(Record, eq=False):
    """How much transforms of float64 round."""

    share: float
    """The largest error, relative to the root of the sum of squares of a tile's pixels."""
    smallest: Array
    """What the n smallest magnitudes of weights sum to, for each n from 0 on."""

    def least(self, pixels: Array, dtype: DType) -> float:
        """Return the magnitude from which rounding does not matter for answers of a type.

        Parameters
        ----------
        pixels : ndarray
            The tile, of float64, finite.
        dtype : dtype
            The answers' type.
        """
        largest = float(np.abs(pixels).max(initial=0))
        if largest == 0:
            return 0.0
        if not LEAST < largest < MOST:
            return math.inf
        return self.share * math.sqrt(float(np.vdot(pixels, pixels))) / TOLERANCE[dtype]


def share_of(kernels: tuple[Array, ...], largest: float, area: int, dtype: DType) -> float:
    """Return the largest error of transforms, relative to the root of a tile's sum of squares.

    Parameters
    ----------
    kernels : tuple of ndarray
        One, or two that are transformed together.
    largest : float
        The largest magnitude of their spectrum.
    area : int
        Pixels of a tile.
    dtype : dtype
        The transforms' type.
    """
    spread = math.sqrt(sum(float(np.vdot(kernel, kernel)) for kernel in kernels))
    unit = float(np.finfo(dtype).eps) / 2
    return UNITS * unit * (largest + spread) / math.sqrt(area)


def smallest_sums(kernels: tuple[Array, ...]) -> Array:
    """Return what the n smallest magnitudes of weights sum to, the largest of several kernels.

    Examples
    --------
    >>> smallest_sums((np.array([[3.0, -1.0, 2.0]]),)).tolist()
    [0.0, 1.0, 3.0, 6.0]
    """
    sums = np.zeros(kernels[0].size + 1)
    sorted_ = [np.sort(np.abs(kernel), axis=None) for kernel in kernels]
    np.max([np.cumsum(each) for each in sorted_], axis=0, out=sums[1:])
    return sums


def rounding_of(kernel: Array, spectrum: Array, lengths: tuple[int, ...]) -> Rounding:
    """Return how much transforms of such lengths round, given the kernel and its spectrum."""
    largest, area = float(np.abs(spectrum).max()), math.prod(lengths)
    share = share_of((kernel,), largest, area, np.dtype(np.float64))
    return Rounding(share, smallest_sums((kernel,)))


def _held(mask: Array, shape: tuple[int, ...]) -> Array:
    """Return how many pixels of a mask each window of a shape holds."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int64)
    np.cumsum(np.cumsum(mask, axis=0, dtype=np.int64), axis=1, out=sums[1:, 1:])
    height, width = shape
    columns = sums[:, width:] - sums[:, :-width]
    held: Array = columns[height:] - columns[:-height]
    return held


def settle(pixels: Array, made: Array, kernel: Array, rounding: Rounding, least: float) -> None:
    """Put sums of products in place of answers that rounding may have spoilt.

    Parameters
    ----------
    pixels : ndarray, shape (R + KH - 1, N + KW - 1)
        A tile, of float64.
    made : ndarray, shape (R, N)
        Its answers by transforms.
    kernel : ndarray, shape (KH, KW)
        The kernel.
    rounding : Rounding
        How much transforms round.
    least : float
        The magnitude from which that does not matter.
    """
    finite = np.isfinite(pixels)
    spoilt = ~(np.abs(made) >= least)
    nonzero = _held((pixels != 0) & finite, kernel.shape)
    magnitudes = np.abs(pixels[finite & (pixels != 0)])
    if magnitudes.size:
        spoilt &= ~(float(magnitudes.min()) * rounding.smallest[nonzero] >= least)
    if not finite.all():
        wild = _held(~finite, kernel.shape)
        spoilt |= wild > 0
        nonzero += wild
    made[nonzero == 0] = 0
    spoilt &= nonzero > 0
    y, x = np.nonzero(spoilt)
    if FEW * len(y) > made.size:
        y, x = (each.ravel() for each in np.indices(made.shape))
    elif not len(y):
        return
    total = np.zeros(len(y))
    for row, column in np.argwhere(kernel):
        total += kernel[row, column] * pixels[y + row, x + column]
    made[y, x] = total
