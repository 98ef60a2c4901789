"""The rules for alpha, and which of them a kernel allows."""

import numpy as np
from numpy.typing import NDArray

RULES = ("premultiply", "keep")
"""What is done with alpha: filtered with the colours multiplied by it, or left alone."""

_SUMS_TO_NOTHING = 1e-6


def smooths(weights: NDArray[np.float64]) -> bool:
    """Tell whether a kernel has a positive sum, so that alpha can be filtered with it.

    Examples
    --------
    >>> smooths(np.ones((3, 3))), smooths(np.array([[1.0, 0.0, -1.0]]))
    (True, False)
    """
    return bool(weights.sum() > _SUMS_TO_NOTHING * np.abs(weights).sum())


def anchor(size: int, flipped: bool) -> int:
    """Return which position of a kernel's window lies on the output pixel in mode ``same``."""
    return (size - 1) // 2 if flipped else size // 2


def is_pointwise(weights: NDArray[np.float64], flipped: bool) -> bool:
    """Tell whether a kernel's only weight is a positive one at its anchor: no pixel meets another.

    Examples
    --------
    >>> is_pointwise(np.array([[0.0, 2.0, 0.0]]), True)
    True
    """
    window = weights[::-1, ::-1] if flipped else weights
    height, width = window.shape
    centre = window[anchor(height, flipped), anchor(width, flipped)]
    return bool(centre > 0 and np.count_nonzero(window) == 1)
