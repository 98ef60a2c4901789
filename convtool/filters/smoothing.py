"""Gaussians, and differences of two of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from convtool.convolution.types import Array
from convtool.errors import OptionError
from convtool.filters.products import borders_of, product_correlated
from convtool.filters.values import Values, values_of
from convtool.kernels.smoothing import sampled_gaussian

Sigma = float | Sequence[float]

LEAST_SIGMA = 1e-15
"""Axes with less than this are not filtered, as in ``scipy.ndimage.gaussian_filter``."""


def gaussian(
    image: ArrayLike,
    sigma: Sigma = 1.0,
    *,
    mode: str | Sequence[str] = "nearest",
    cval: float = 0,
    preserve_range: bool = False,
    truncate: float = 4.0,
    channel_axis: int | None = None,
    out: Array | None = None,
) -> Array:
    """Multi-dimensional Gaussian filter.

    Parameters
    ----------
    image : array_like
        Real pixels, any number of dimensions.
    sigma : float or sequence of float
        The standard deviation in pixels, or one for each axis that is filtered. Axes with 0 stay as
        they are.
    mode : str or sequence of str
        What lies beyond the edge, in the names of :func:`convtool.convolve`; one for each axis.
    cval : float
        The value beyond the edge for ``constant``.
    preserve_range : bool
        Whether integers keep their values; otherwise those of N bits count as 0 to 1, or as -1 to
        1 where they are signed.
    truncate : float
        The kernel reaches so many standard deviations, rounded to whole pixels.
    channel_axis : int, optional
        The axis of channels, which are filtered each on its own.
    out : ndarray of float, optional
        Where to write the answer.

    Returns
    -------
    ndarray of float
        The image's shape; float32 for float16 and float32 images, else float64.

    Raises
    ------
    OptionError
        If an option is not one of those above, or the image does not hold real numbers.
    ShapeError
        If ``out`` has another shape than the image.

    References
    ----------
    scikit-image, ``skimage.filters.gaussian``.

    Examples
    --------
    >>> point = np.zeros((3, 3))
    >>> point[1, 1] = 1
    >>> gaussian(point, sigma=0.4)[1].round(4).tolist()
    [0.0371, 0.845, 0.0371]
    """
    if out is not None and out.dtype.kind != "f":
        raise OptionError(f"dtype of `out` must be float; got {out.dtype!r}.")
    values = values_of(image, preserve_range)
    return blurred(
        values, sigma, mode=mode, cval=cval, truncate=truncate, channel_axis=channel_axis, out=out
    )


def blurred(
    values: Values,
    sigma: Sigma,
    *,
    mode: str | Sequence[str],
    cval: float = 0.0,
    truncate: float = 4.0,
    channel_axis: int | None = None,
    out: Array | None = None,
) -> Array:
    """Filter values by a Gaussian: what :func:`gaussian` does once it knows the values.

    Parameters are those of :func:`gaussian`.
    """
    ndim = values.pixels.ndim
    factors = {}
    for axis, deviation in enumerate(_sigmas(sigma, ndim, channel_axis)):
        if deviation > LEAST_SIGMA:
            radius = int(truncate * deviation + 0.5)
            factors[axis] = sampled_gaussian(2 * radius + 1, deviation)
    return product_correlated(values, factors, borders_of(mode, ndim), cval, out)


def _sigmas(sigma: Sigma, ndim: int, channel_axis: int | None) -> list[float]:
    """Return the standard deviation along each axis; 0 for that of the channels."""
    given = np.asarray(sigma, dtype=np.float64)
    if np.any(given < 0):
        raise OptionError("Sigma values less than zero are not valid")
    filtered = ndim if channel_axis is None else ndim - 1
    sigmas: list[float] = [float(given)] * filtered if given.ndim == 0 else given.tolist()
    if channel_axis is not None and len(sigmas) == filtered:
        if not -ndim <= channel_axis < ndim:
            raise OptionError(
                f"channel_axis {channel_axis} is out of bounds for an image of {ndim} dimensions"
            )
        sigmas.insert(channel_axis % ndim, 0.0)
    if len(sigmas) != ndim:
        raise OptionError(f"sigma has {len(sigmas)} numbers for {filtered} axes to filter")
    return sigmas


def difference_of_gaussians(
    image: ArrayLike,
    low_sigma: Sigma,
    high_sigma: Sigma | None = None,
    *,
    mode: str | Sequence[str] = "nearest",
    cval: float = 0,
    channel_axis: int | None = None,
    truncate: float = 4.0,
) -> Array:
    """Find features between ``low_sigma`` and ``high_sigma`` in size.

    Parameters
    ----------
    image : array_like
        Real pixels, any number of dimensions.
    low_sigma : float or sequence of float
        The standard deviation of the narrower Gaussian, or one for each axis that is filtered.
    high_sigma : float or sequence of float, optional
        That of the wider one; by default 1.6 times ``low_sigma``.
    mode, cval, channel_axis, truncate
        As for :func:`gaussian`.

    Returns
    -------
    ndarray of float
        The image filtered by the narrower Gaussian minus the image filtered by the wider one, of
        the image's shape; float32 for float16 and float32 images, else float64.

    Raises
    ------
    OptionError
        If ``high_sigma`` is less than ``low_sigma``, or as :func:`gaussian` does.

    References
    ----------
    D. Marr, E. Hildreth, Theory of edge detection, Proc. R. Soc. Lond. B 207 (1980), pp. 187-217;
    scikit-image, ``skimage.filters.difference_of_gaussians``.

    Examples
    --------
    >>> point = np.zeros(7)
    >>> point[3] = 1
    >>> difference_of_gaussians(point, 0.5, 1)[2:5].round(3).tolist()
    [-0.136, 0.388, -0.136]
    """
    values = values_of(image)
    spatial = values.pixels.ndim - (channel_axis is not None)
    low = np.array(low_sigma, dtype=np.float64, ndmin=1)
    high = low * 1.6 if high_sigma is None else np.array(high_sigma, dtype=np.float64, ndmin=1)
    for name, sigmas in (("low_sigma", low), ("high_sigma", high)):
        if len(sigmas) not in (1, spatial):
            raise OptionError(
                f"{name} must have length equal to number of spatial dimensions of input"
            )
    if np.any(high < low):
        raise OptionError("high_sigma must be equal to or larger than low_sigma for all axes")
    narrow, wide = (
        blurred(
            values,
            np.broadcast_to(sigmas, spatial).tolist(),
            mode=mode,
            cval=cval,
            truncate=truncate,
            channel_axis=channel_axis,
        )
        for sigmas in (low, high)
    )
    return np.subtract(narrow, wide, out=narrow)
