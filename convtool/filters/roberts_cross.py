"""Roberts' cross: differences along the two diagonals of 2×2 pixels."""

import numpy as np
from numpy.typing import ArrayLike

from convtool.convolution.api import convolve
from convtool.convolution.types import Array
from convtool.filters.magnitudes import pair_magnitude
from convtool.filters.masks import masked
from convtool.filters.values import plane_of, values_of
from convtool.kernels.weights import Weights

# L. G. Roberts, Machine Perception of Three-Dimensional Solids (1963); signs as in scikit-image.
POSITIVE = np.array([[1.0, 0.0], [0.0, -1.0]])
NEGATIVE = np.array([[0.0, 1.0], [-1.0, 0.0]])


def roberts(image: ArrayLike, mask: ArrayLike | None = None) -> Array:
    """Find the edge magnitude using Roberts' cross operator.

    Parameters, answers and errors are those of :func:`convtool.filters.sobel`; the image has two
    dimensions. The sum of the two squared differences is halved before its root is taken.

    Examples
    --------
    >>> roberts(np.eye(3))[0].round(3).tolist()
    [0.0, 0.707, 0.0]
    """
    values = values_of(plane_of(image))
    return masked(pair_magnitude(values, np.stack([POSITIVE, NEGATIVE]), "reflect"), mask)


def roberts_pos_diag(image: ArrayLike, mask: ArrayLike | None = None) -> Array:
    """Find the cross edges of an image using Roberts' cross operator.

    Parameters, answers and errors are those of :func:`roberts`; the kernel is [1 0; 0 -1].
    """
    return _difference(image, POSITIVE, mask)


def roberts_neg_diag(image: ArrayLike, mask: ArrayLike | None = None) -> Array:
    """Find the cross edges of an image using the Roberts' Cross operator.

    Parameters, answers and errors are those of :func:`roberts`; the kernel is [0 1; -1 0].
    """
    return _difference(image, NEGATIVE, mask)


def _difference(image: ArrayLike, kernel: Weights, mask: ArrayLike | None) -> Array:
    pixels, unit, dtype = values_of(plane_of(image))
    return masked(convolve(pixels, kernel * unit, dtype=dtype), mask)
