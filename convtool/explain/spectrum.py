"""The convolution theorem, with numbers: spectra, their product, and what it gives.

References
----------
The transform of a circular convolution is the product of the transforms. With a period of at least
image + kernel − 1 pixels (mode ``full``) nothing wraps round, and the circular answer is the
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
    """A convolution by way of the spectra.

    Attributes
    ----------
    image : ndarray
        float64, one period: the image, with zeros after it in mode ``full``.
    kernel : ndarray
        Of the same shape: the weights, with the one that lies on a pixel of its own output at 0,0
        and those before it at the end.
    linear : ndarray
        The convolution of the walk, with its border.
    """

    image: Plane
    kernel: Plane
    linear: Plane

    @property
    def image_spectrum(self) -> Spectrum:
        """The image's discrete Fourier transform, as numpy.fft.fft2 orders it."""
        return np.asarray(np.fft.fft2(self.image))

    @property
    def kernel_spectrum(self) -> Spectrum:
        """The kernel's discrete Fourier transform."""
        return np.asarray(np.fft.fft2(self.kernel))

    @property
    def product(self) -> Spectrum:
        """Both spectra multiplied, frequency by frequency."""
        return self.image_spectrum * self.kernel_spectrum

    @property
    def circular(self) -> Plane:
        """What the product is the spectrum of: the convolution with border ``wrap``."""
        return np.asarray(np.fft.ifft2(self.product).real)

    @property
    def difference(self) -> Plane:
        """The circular answer minus the linear one; 0 where no window crosses the edge."""
        return self.circular - self.linear


def theorem(one: Walk) -> Theorem:
    """Return a convolution by way of the spectra.

    Parameters
    ----------
    one : Walk
        Of mode ``same`` or ``full``, with stride 1.

    Returns
    -------
    Theorem

    Raises
    ------
    OptionError
        If the output is not as large as the image, or as image and kernel together.

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
            "the spectrum explains mode same or full with stride 1: its answer is as large as one "
            "period of the image"
        )
    image = np.zeros(one.shape)
    image[: rows.size, : columns.size] = one.image
    kernel = np.zeros(one.shape)
    # The window of output 0 starts at `start`: its weight number k lies on pixel start + k, and so
    # stands at −(start + k) in the kernel that convolves.
    places = (-(axis.start + np.arange(axis.taps)) % n for axis, n in _sides(one))
    np.add.at(kernel, np.ix_(*places), one.laid)
    return Theorem(image, kernel, one.output)


def _sides(one: Walk) -> list[tuple[Axis, int]]:
    return list(zip((one.layout.rows, one.layout.columns), one.shape, strict=True))
