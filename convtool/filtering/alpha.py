"""Which kernels mix the colours of pixels, which filter alpha, and alpha that is not filtered."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convtool.convolution.borders import BORDERS, OUTSIDE, table
from convtool.convolution.geometry import Geometry

if TYPE_CHECKING:
    from convtool.convolution.source import Held

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


def carried(
    plane: NDArray[Any],
    layout: Geometry,
    flipped: bool,
    border: str,
    outside: float,
    lines: slice | None = None,
    held: "Held | None" = None,
) -> NDArray[Any]:
    """Cut, pad and stride a plane as a convolution would, its values untouched.

    Parameters
    ----------
    plane : ndarray, shape (H, W)
        The values, alpha for one.
    layout : Geometry
        The convolution's sizes.
    flipped : bool
        Whether the kernel is flipped, which moves the anchor of even kernels.
    border : str
        What lies beyond the edge.
    outside : float
        The value there where the border is a constant.
    lines : slice, optional
        Only those rows of the answer.
    held : Held, optional
        Which rows of the plane are given, if not all.

    Returns
    -------
    ndarray, shape ``layout.shape``, or of the rows asked for
        For each output pixel the value on which the kernel's anchor lay.

    Examples
    --------
    >>> from convtool.convolution.geometry import geometry
    >>> layout = geometry((3, 3), (3, 3), mode="valid")
    >>> carried(np.arange(9).reshape(3, 3), layout, True, "reflect", 0)
    array([[4]])
    """
    places = []
    for axis in (layout.rows, layout.columns):
        start = axis.start + anchor(axis.taps, flipped)
        places.append(table(axis.size, start, start + axis.dense, BORDERS[border])[:: axis.stride])
    rows, columns = places
    rows = rows if lines is None else rows[lines]
    rows = rows if held is None else held.places(rows)
    answer = plane[rows[:, np.newaxis], columns]
    answer[rows == OUTSIDE] = outside
    answer[:, columns == OUTSIDE] = outside
    return answer
