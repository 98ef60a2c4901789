"""scikit-image's masks: the answer is zero where the mask, or a neighbour of it, is."""

import numpy as np
from numpy.typing import ArrayLike

from convtool.convolution.types import Array


def masked(answer: Array, mask: ArrayLike | None) -> Array:
    """Multiply an answer by a mask that has lost its outermost pixels; in place."""
    if mask is not None:
        answer *= eroded(np.asarray(mask) != 0)
    return answer


def eroded(mask: Array) -> Array:
    """Return where a pixel and all its neighbours, diagonal ones too, are True.

    Beyond the edge the mask is False.

    Parameters
    ----------
    mask : ndarray of bool
        Any shape.

    Examples
    --------
    >>> eroded(np.ones((3, 4), bool)).astype(int).tolist()
    [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    for axis in range(mask.ndim):
        lines = np.moveaxis(mask, axis, 0)
        kept = np.zeros_like(lines)
        kept[1:-1] = lines[:-2] & lines[1:-1] & lines[2:]
        mask = np.moveaxis(kept, 0, axis)
    return mask
