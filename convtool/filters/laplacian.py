"""The Laplacian: the sum of the second differences along all axes."""

import numpy as np
from numpy.typing import ArrayLike

from convtool.convolution.api import correlate
from convtool.convolution.types import Array
from convtool.errors import OptionError, ShapeError
from convtool.filters.masks import masked
from convtool.filters.products import borders_of, product_correlated
from convtool.filters.values import values_of
from convtool.kernels.edges import SECOND_DIFFERENCE, laplacian_4


def laplace(image: ArrayLike, ksize: int = 3, mask: ArrayLike | None = None) -> Array:
    """Find the edges of an image using the Laplace operator.

    Parameters
    ----------
    image : array_like
        As for :func:`convtool.filters.sobel`.
    ksize : int
        At least 3. The operator has three taps along each axis whatever it is, as in scikit-image.
    mask : array_like of bool, optional
        As for :func:`convtool.filters.sobel`.

    Returns
    -------
    ndarray of float
        As for :func:`convtool.filters.sobel`. The centre's weight is twice the number of
        dimensions, its neighbours' is -1.

    Raises
    ------
    OptionError
        If ``ksize`` is less than 3, or the image does not hold real numbers.
    ShapeError
        If the image is a single number.

    Examples
    --------
    >>> laplace(np.eye(3))[1].tolist()
    [-2.0, 4.0, -2.0]
    """
    if ksize < 3:
        raise OptionError(f"ksize must be at least 3, not {ksize}")
    values = values_of(image)
    pixels, unit, dtype = values
    ndim = pixels.ndim
    if not ndim:
        raise ShapeError("image: a single number has no edges; give an array")
    if ndim == 2 and pixels.size:
        return masked(correlate(pixels, laplacian_4() * unit, dtype=dtype), mask)
    answer, rules = np.zeros(pixels.shape, dtype), borders_of("reflect", ndim)
    for axis in range(ndim):
        answer += product_correlated(values, {axis: SECOND_DIFFERENCE}, rules, 0.0)
    return masked(answer, mask)
