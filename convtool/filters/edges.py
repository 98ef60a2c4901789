"""Derivatives and their magnitudes: Sobel, Scharr, Prewitt, Farid."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from convtool.convolution.types import Array, Border
from convtool.errors import OptionError, ShapeError
from convtool.filters.magnitudes import pair_magnitude
from convtool.filters.masks import masked
from convtool.filters.products import borders_of, product_correlated
from convtool.filters.values import Values, plane_of, values_of
from convtool.kernels.derivatives import (
    DIFFERENCE,
    FARID_DIFFERENCE,
    FARID_SMOOTH,
    ONES,
    SCHARR_SMOOTH,
)
from convtool.kernels.smoothing import binomial
from convtool.kernels.weights import Weights

Axes = int | Sequence[int] | None
Mode = str | Sequence[str]


class Operator(NamedTuple):
    """The 1-D factors of a derivative, as they are correlated."""

    difference: Weights
    """The taps along the axis of the derivative."""
    smooth: Weights
    """The taps along the other axes; their sum is 1."""


# The scales are those of skimage/filters/edges.py: every smoothing factor is divided by its sum.
SOBEL = Operator(DIFFERENCE, binomial(3))
SCHARR = Operator(DIFFERENCE, SCHARR_SMOOTH / 16)
PREWITT = Operator(DIFFERENCE, ONES / 3)
FARID = Operator(FARID_DIFFERENCE, FARID_SMOOTH)


def _factors(operator: Operator, ndim: int, axis: int) -> dict[int, Weights]:
    factors = dict.fromkeys(range(ndim), operator.smooth)
    if axis >= 0:
        factors[axis] = operator.difference
    else:  # as scikit-image does, which does not find a negative axis among those to smooth
        factors[axis + ndim] = operator.difference * operator.smooth
    return factors


def _derivative(
    operator: Operator,
    image: ArrayLike,
    mask: ArrayLike | None,
    axis: Axes = None,
    mode: Mode = "reflect",
    cval: float = 0.0,
) -> Array:
    """Return the derivative along one axis, or the magnitude of those along several."""
    values = values_of(image)
    shape = values.pixels.shape
    ndim = len(shape)
    if not ndim:
        raise ShapeError("image: a single number has no edges; give an array")
    if axis is None:
        axes = list(range(ndim))
    else:
        axes = [axis] if isinstance(axis, int | np.integer) else list(axis)
    for each in axes:
        if not -ndim <= each < ndim:
            raise OptionError(f"axis {each} is out of bounds for an image of {ndim} dimensions")
    rules = borders_of(mode, ndim)
    if not axes or 0 in shape:
        answer = np.zeros(shape, values.dtype)
    elif len(axes) == 1:
        factors = _factors(operator, ndim, axes[0])
        answer = product_correlated(values, factors, rules, cval)
    elif axes == [0, 1] and ndim == 2 and rules[0] == rules[1]:
        down = np.outer(operator.difference, operator.smooth)
        answer = pair_magnitude(values, np.stack([down, down.T]), rules[0], cval)
    else:
        answer = _magnitude(operator, values, axes, rules, cval)
    return masked(answer, mask)


def _magnitude(
    operator: Operator, values: Values, axes: list[int], rules: Sequence[Border], cval: float
) -> Array:
    ndim = values.pixels.ndim
    total = np.zeros(values.pixels.shape, values.dtype)
    for axis in axes:
        part = product_correlated(values, _factors(operator, ndim, axis), rules, cval)
        total += np.square(part, out=part)
    np.sqrt(total, out=total)
    total *= 1 / sqrt(ndim)
    return total


def sobel(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    axis: Axes = None,
    mode: Mode = "reflect",
    cval: float = 0.0,
) -> Array:
    """Find edges in an image using the Sobel filter.

    Parameters
    ----------
    image : array_like
        Real pixels, any number of dimensions, all of them spatial. Integers of N bits count as 0
        to 1, or as -1 to 1 where they are signed.
    mask : array_like of bool, optional
        The answer is 0 where the mask or one of its pixel's neighbours is False.
    axis : int or sequence of int, optional
        The axis of the derivative. Of several, by default of all, the answer is the root of the sum
        of the squared derivatives, divided by the number of the image's dimensions. Along a
        negative axis the image is smoothed too, as it is by scikit-image.
    mode : str or sequence of str
        What lies beyond the edge, in the names of :func:`convtool.convolve`; one for each axis.
    cval : float
        The value beyond the edge for ``constant``.

    Returns
    -------
    ndarray of float
        The image's shape; float32 for float16 and float32 images, else float64.

    Raises
    ------
    OptionError
        If an option is not one of those above, or the image does not hold real numbers.
    ShapeError
        If the image is a single number.

    References
    ----------
    scikit-image, ``skimage.filters.sobel``.

    Examples
    --------
    >>> ramp = np.tile(np.arange(4.0), (4, 1))
    >>> float(sobel(ramp, axis=1)[2, 2]), sobel(ramp)[2].round(3).tolist()
    (2.0, [0.707, 1.414, 1.414, 0.707])
    """
    return _derivative(SOBEL, image, mask, axis, mode, cval)


def sobel_h(image: ArrayLike, mask: ArrayLike | None = None) -> Array:
    """Find the horizontal edges of an image using the Sobel transform.

    Parameters, answers and errors are those of :func:`sobel`; the image has two dimensions.

    Examples
    --------
    >>> sobel_h(np.eye(3))[1].tolist()
    [-0.75, 0.0, 0.75]
    """
    return sobel(plane_of(image), mask, axis=0)


def sobel_v(image: ArrayLike, mask: ArrayLike | None = None) -> Array:
    """Find the vertical edges of an image using the Sobel transform.

    Parameters, answers and errors are those of :func:`sobel`; the image has two dimensions.
    """
    return sobel(plane_of(image), mask, axis=1)


def scharr(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    axis: Axes = None,
    mode: Mode = "reflect",
    cval: float = 0.0,
) -> Array:
    """Find the edge magnitude using the Scharr transform.

    Parameters, answers and errors are those of :func:`sobel`.
    """
    return _derivative(SCHARR, image, mask, axis, mode, cval)


def scharr_h(image: ArrayLike, mask: ArrayLike | None = None) -> Array:
    """Find the horizontal edges of an image using the Scharr transform.

    Parameters, answers and errors are those of :func:`sobel`; the image has two dimensions.
    """
    return scharr(plane_of(image), mask, axis=0)


def scharr_v(image: ArrayLike, mask: ArrayLike | None = None) -> Array:
    """Find the vertical edges of an image using the Scharr transform.

    Parameters, answers and errors are those of :func:`sobel`; the image has two dimensions.
    """
    return scharr(plane_of(image), mask, axis=1)


def prewitt(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    axis: Axes = None,
    mode: Mode = "reflect",
    cval: float = 0.0,
) -> Array:
    """Find the edge magnitude using the Prewitt transform.

    Parameters, answers and errors are those of :func:`sobel`.
    """
    return _derivative(PREWITT, image, mask, axis, mode, cval)


def prewitt_h(image: ArrayLike, mask: ArrayLike | None = None) -> Array:
    """Find the horizontal edges of an image using the Prewitt transform.

    Parameters, answers and errors are those of :func:`sobel`; the image has two dimensions.
    """
    return prewitt(plane_of(image), mask, axis=0)


def prewitt_v(image: ArrayLike, mask: ArrayLike | None = None) -> Array:
    """Find the vertical edges of an image using the Prewitt transform.

    Parameters, answers and errors are those of :func:`sobel`; the image has two dimensions.
    """
    return prewitt(plane_of(image), mask, axis=1)


def farid(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    axis: Axes = None,
    mode: Mode = "reflect",
    cval: float = 0.0,
) -> Array:
    """Find the edge magnitude using the Farid transform.

    Parameters, answers and errors are those of :func:`sobel`.
    """
    return _derivative(FARID, image, mask, axis, mode, cval)


def farid_h(image: ArrayLike, *, mask: ArrayLike | None = None) -> Array:
    """Find the horizontal edges of an image using the Farid transform.

    Parameters, answers and errors are those of :func:`sobel`; the image has two dimensions.
    """
    return farid(plane_of(image), mask, axis=0)


def farid_v(image: ArrayLike, *, mask: ArrayLike | None = None) -> Array:
    """Find the vertical edges of an image using the Farid transform.

    Parameters, answers and errors are those of :func:`sobel`; the image has two dimensions.
    """
    return farid(plane_of(image), mask, axis=1)
