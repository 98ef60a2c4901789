"""Levels of a pyramid: each half as large as the one before, made as rows go by."""

import numpy as np

from convtool.images.alpha import divide, premultiply
from convtool.images.image import Pixels, peak_of, type_of
from convtool.images.tone import to_working

SMALLEST = 256
"""The last level has no side longer than this."""


def levels_of(height: int, width: int, smallest: int = SMALLEST) -> list[tuple[int, int]]:
    """Return the sizes of the levels below a picture, each half as large, rounded up.

    Examples
    --------
    >>> levels_of(1000, 601)
    [(500, 301), (250, 151)]
    """
    sizes = []
    while max(height, width) > smallest:
        height, width = -(-height // 2), -(-width // 2)
        sizes.append((height, width))
    return sizes


class Halver:
    """Takes rows from the top to the bottom, and gives those of a picture half as large.

    A pixel is the mean of the two by two it covers, of fewer at an odd edge; integers are rounded
    half to even. Colours are weighted by alpha.

    Parameters
    ----------
    has_alpha : bool
        Whether the last channel is alpha.

    Examples
    --------
    >>> halver = Halver(has_alpha=False)
    >>> rows = halver.push(np.array([[1, 3, 8], [5, 7, 10], [2, 2, 2]], np.uint8))
    >>> rows.tolist(), halver.last_row().tolist()
    ([[4, 9]], [[2, 2]])
    """

    def __init__(self, *, has_alpha: bool) -> None:
        self._has_alpha = has_alpha
        self._left: Pixels | None = None

    def push(self, rows: Pixels) -> Pixels:
        """Take rows and return those that are complete, perhaps none."""
        if self._left is not None:
            rows = np.concatenate([self._left, rows])
        even = len(rows) // 2 * 2
        self._left = rows[even:].copy() if even < len(rows) else None
        return self._halved(rows[:even])

    def last_row(self) -> Pixels:
        """Return the row that an odd last one becomes; only where there is one."""
        assert self._left is not None
        return self._halved(np.concatenate([self._left, self._left]))

    @property
    def is_odd(self) -> bool:
        """Whether a row waits for another."""
        return self._left is not None

    def _halved(self, rows: Pixels) -> Pixels:
        if not self._has_alpha:
            return _stored(_means(to_working(rows)), rows.dtype)
        peak = peak_of(rows.dtype)
        values = to_working(rows)
        alpha = _means(values[:, :, -1])
        colours = premultiply(values[:, :, :-1], values[:, :, -1], peak)
        colours = divide(_means(colours), alpha, peak)
        return _stored(np.dstack([colours, alpha]), rows.dtype)


def _means(values: Pixels) -> Pixels:
    """Return the means of two by two values; of the last column alone where it is odd."""
    pairs = values[0::2] + values[1::2]
    odd = pairs.shape[1] % 2
    whole = pairs[:, 0 : pairs.shape[1] - odd : 2] + pairs[:, 1::2]
    if odd:
        whole = np.concatenate([whole, 2 * pairs[:, -1:]], axis=1)
    means: Pixels = whole * whole.dtype.type(0.25)
    return means


def _stored(values: Pixels, dtype: np.dtype[np.generic]) -> Pixels:
    kind = type_of(dtype)
    if not kind.is_integer:
        return values.astype(dtype, copy=False)
    return np.clip(np.rint(values), kind.low, kind.peak).astype(dtype)
