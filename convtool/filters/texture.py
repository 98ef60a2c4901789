"""Gabor's filters: waves under a Gaussian."""

from math import ceil, cos, log, pi, sin, sqrt

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from convtool.convolution.api import convolve
from convtool.convolution.types import Array, DType
from convtool.errors import OptionError
from convtool.filters.products import borders_of
from convtool.filters.values import plane_of, values_of


def _deviation(frequency: float, bandwidth: float) -> float:
    """Return the standard deviation of the Gaussian that passes a band of so many octaves."""
    octaves: float = 2.0**bandwidth
    return sqrt(log(2) / 2) * (octaves + 1) / (octaves - 1) / pi / frequency


def gabor_kernel(
    frequency: float,
    theta: float = 0,
    bandwidth: float = 1,
    sigma_x: float | None = None,
    sigma_y: float | None = None,
    n_stds: float = 3,
    offset: float = 0,
    dtype: DTypeLike = np.complex128,
) -> Array:
    """Return complex 2D Gabor filter kernel.

    Parameters
    ----------
    frequency : float
        Waves for each pixel.
    theta : float
        The direction of the wave in radians; 0 is along the rows, pi/2 down the columns.
    bandwidth : float
        The octaves that the filter passes; the standard deviations follow from it where they are
        not given.
    sigma_x, sigma_y : float, optional
        The standard deviations of the Gaussian along the wave and across it.
    n_stds : float
        The kernel reaches so many standard deviations.
    offset : float
        The phase of the wave in radians.
    dtype : {complex64, complex128}
        The type of the answer.

    Returns
    -------
    ndarray of complex, shape (KH, KW)
        A wave under a Gaussian that sums to about 1.

    Raises
    ------
    OptionError
        If ``dtype`` is not complex.

    References
    ----------
    N. Petkov, http://www.cs.rug.nl/~imaging/simplecell.html; scikit-image,
    ``skimage.filters.gabor_kernel``.

    Examples
    --------
    >>> kernel = gabor_kernel(0.25, sigma_x=2, sigma_y=1)
    >>> kernel.shape, kernel[3, 6].round(5).item()
    ((7, 13), (0.07958+0j))
    """
    kind = np.dtype(dtype)
    if kind.kind != "c":
        raise OptionError("dtype must be complex")
    along = _deviation(frequency, bandwidth) if sigma_x is None else sigma_x
    across = _deviation(frequency, bandwidth) if sigma_y is None else sigma_y
    cosine, sine = cos(theta), sin(theta)
    width = ceil(max(abs(n_stds * along * cosine), abs(n_stds * across * sine), 1))
    height = ceil(max(abs(n_stds * across * cosine), abs(n_stds * along * sine), 1))
    y, x = np.ogrid[-height : height + 1, -width : width + 1]
    forward, sideways = x * cosine + y * sine, y * cosine - x * sine
    envelope = -0.5 * ((forward / along) ** 2 + (sideways / across) ** 2)
    wave = 1j * (2 * pi * frequency * forward + offset)
    return (np.exp(envelope + wave) / (2 * pi * along * across)).astype(kind)


def gabor(
    image: ArrayLike,
    frequency: float,
    theta: float = 0,
    bandwidth: float = 1,
    sigma_x: float | None = None,
    sigma_y: float | None = None,
    n_stds: float = 3,
    offset: float = 0,
    mode: str = "reflect",
    cval: float = 0,
) -> tuple[Array, Array]:
    """Return real and imaginary responses to Gabor filter.

    Parameters
    ----------
    image : array_like, shape (H, W)
        Real pixels. Integers keep their values.
    frequency, theta, bandwidth, sigma_x, sigma_y, n_stds, offset
        As for :func:`gabor_kernel`.
    mode : str
        What lies beyond the edge, in the names of :func:`convtool.convolve`.
    cval : float
        The value beyond the edge for ``constant``.

    Returns
    -------
    real, imag : ndarray, shape (H, W)
        The image convolved with either part of the kernel. float32 for float16 and float32 images,
        float64 for float64; of the image's own type for integers, cut towards zero and modulo the
        type's range, as in scikit-image: convert the image first to avoid that.

    Raises
    ------
    OptionError
        If an option is not one of those above, or the image does not hold real numbers.
    ShapeError
        If the image does not have two dimensions, or is empty.

    Examples
    --------
    >>> waves = np.tile(np.cos(np.arange(32) * np.pi / 2), (32, 1))
    >>> real, imag = gabor(waves, frequency=0.25)
    >>> float(real[16, 16].round(2)), float(imag[16, 17].round(2))
    (0.5, 0.5)
    """
    stored = plane_of(image)
    pixels, _, dtype = values_of(stored, preserve_range=True)
    precision = np.complex64 if dtype == np.float32 else np.complex128
    kernel = gabor_kernel(
        frequency, theta, bandwidth, sigma_x, sigma_y, n_stds, offset, dtype=precision
    )
    rule = borders_of(mode, 1)[0]
    real, imag = (
        _as_stored(convolve(pixels, part, border=rule, cval=cval, dtype=dtype), stored.dtype)
        for part in (kernel.real, kernel.imag)
    )
    return real, imag


def _as_stored(values: Array, dtype: DType) -> Array:
    """Convert values to the type of an image of integers as SciPy's filters do."""
    if dtype.kind == "f":
        return values
    whole = np.trunc(values).astype(np.int64)
    return whole.astype(np.uint8).view(bool) if dtype.kind == "b" else whole.astype(dtype)
