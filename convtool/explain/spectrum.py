"""The convolution theorem by example: spectra, their product, and its inverse transform.

References
----------
The transform of a circular convolution is the product of the transforms. With a period of at least
image + kernel − 1 pixels (mode ``full``) nothing wraps round, and the circular convolution is the
linear one.
"""

import numpy as np
from numpy.typing import NDArray

from convtool.convolution.geometry import Axis
from convtool.errors import OptionError
from convtool.explain.walk import Plane, Walk
from convtool.records import Record

Spectrum = NDArray[np.complex128]


class Theorem(Record, eq=False):
    """A convolution computed by spectra.

    Attributes
    ----------
    image : ndarray
        float64, one period: the image, zero-padded in mode ``full``.
    kernel : ndarray
        The weights in the same shape, with the anchor at 0,0 and the weights before it at the end.
    linear : ndarray
        The convolution of the walk, with its border.
    """

    image: Plane
    kernel: Plane
    linear: Plane

    @property
    def image_spectrum(self) -> Spectrum:
        """The image's discrete Fourier transform, in the order of numpy.fft.fft2."""
        return np.asarray(np.fft.fft2(self.image))

    @property
    def kernel_spectrum(self) -> Spectrum:
        """The kernel's discrete Fourier transform."""
        return np.asarray(np.fft.fft2(self.kernel))

    @property
    def product(self) -> Spectrum:
        """The element-wise product of both spectra."""
        return self.image_spectrum * self.kernel_spectrum

    @property
    def circular(self) -> Plane:
        """The inverse transform of the product: the convolution with border ``wrap``."""
        return np.asarray(np.fft.ifft2(self.product).real)

    @property
    def difference(self) -> Plane:
        """The circular minus the linear result; 0 where no window crosses the edge."""
        return self.circular - self.linear


def theorem(one: Walk) -> Theorem:
    """Compute a convolution by spectra.

    Parameters
    ----------
    one : Walk
        A convolution of mode ``same`` or ``full`` with stride 1.

    Returns
    -------
    Theorem

    Raises
    ------
    OptionError
        If the mode or the stride is another.

    Examples
    --------
    >>> from convtool.explain import walk
    >>> shown = theorem(walk([[1, 2, 4]], [[1, -1]], border="zero"))
    >>> shown.kernel.tolist(), shown.linear.tolist()
    ([[-1.0, 0.0, 1.0]], [[1.0, 2.0, -4.0]])
    >>> shown.circular.round(12).tolist()
    [[1.0, 2.0, -3.0]]
    """
    rows, columns = one.layout.rows, one.layout.columns
    full = all(a.dense == a.size + a.taps - 1 and a.start == 1 - a.taps for a in (rows, columns))
    if rows.stride * columns.stride > 1 or not (full or one.shape == one.image.shape):
        raise OptionError(
            "the spectrum explains mode same or full with stride 1, whose output is one period"
        )
    image = np.zeros(one.shape)
    image[: rows.size, : columns.size] = one.image
    kernel = np.zeros(one.shape)
    # The window of output 0 starts at `start`: its weight k is on pixel start + k, and so at
    # −(start + k) in the convolution kernel.
    places = (-(axis.start + np.arange(axis.taps)) % n for axis, n in _sides(one))
    np.add.at(kernel, np.ix_(*places), one.laid)
    return Theorem(image, kernel, one.output)


def _sides(one: Walk) -> list[tuple[Axis, int]]:
    return list(zip((one.layout.rows, one.layout.columns), one.shape, strict=True))
