"""A blur as a linear operator: the kernel with its border, its transpose, its spectrum."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.convolution import borders
from convtool.convolution.api import convolve, correlate
from convtool.convolution.geometry import Geometry, geometry
from convtool.kernels.weights import Weights
from convtool.records import Record

Plane = NDArray[np.float64]
"""One channel, shape (H, W)."""

LAPLACIAN = np.array([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]])


class Blur(Record, eq=False):
    """What happened to a picture."""

    kernel: Weights
    """The kernel as it was given. Shape (KH, KW)."""
    shape: tuple[int, int]
    """The picture's size."""
    border: str
    """A key of `borders.RULES`."""
    cval: float = 0.0
    """The value beyond the edge for ``constant``."""
    flipped: bool = True
    """Whether it was a convolution."""
    threads: int | None = None
    """How many threads work."""

    @property
    def layout(self) -> Geometry:
        """Where the kernel's windows lie."""
        height, width = self.kernel.shape
        return geometry(self.shape, (height, width), flipped=self.flipped)

    @property
    def window(self) -> Weights:
        """The kernel as it lies on a window."""
        return self.kernel[::-1, ::-1] if self.flipped else self.kernel

    def forward(self, plane: Plane) -> Plane:
        """Return a plane blurred, shape (H, W)."""
        apply = convolve if self.flipped else correlate
        how: dict[str, Any] = {"border": self.border, "cval": self.cval, "threads": self.threads}
        return apply(plane, self.kernel, **how)

    def transposed(self, plane: Plane) -> Plane:
        """Return a plane under the transposed blur, what `forward` adds beyond the edge left out.

        Each output pixel is spread over the pixels that it was summed from, by their weights.
        """
        spread = convolve(plane, self.window, mode="full", threads=self.threads)
        for axis, windows in enumerate((self.layout.rows, self.layout.columns)):
            spread = _folded(spread, windows.start, windows.size, self.border, axis)
        return spread

    def outside(self) -> Plane | float:
        """Return the contribution of a constant border to a blurred plane."""
        if self.border != "constant" or self.cval == 0:
            return 0.0
        return self.forward(np.zeros(self.shape))

    def is_even(self) -> bool:
        """Tell whether the blur is the same to the left and right, and upwards and downwards."""
        window = self.window
        odd = window.shape[0] % 2 == 1 == window.shape[1] % 2
        mirrored = window[::-1], window[:, ::-1]
        return odd and all(np.array_equal(window, one) for one in mirrored)


def _folded(spread: Plane, start: int, size: int, border: str, axis: int) -> Plane:
    """Add what lies beyond the edge to the pixels that a border reads there."""
    lines = np.moveaxis(spread, axis, 0)
    places = borders.table(size, start, start + len(lines), border)
    folded = np.zeros((size, *lines.shape[1:]))
    inside = slice(max(0, -start), max(0, -start) + size)
    folded += lines[inside]
    for number in (*range(inside.start), *range(inside.stop, len(lines))):
        if places[number] != borders.OUTSIDE:
            folded[places[number]] += lines[number]
    return np.ascontiguousarray(np.moveaxis(folded, 0, axis))


def transfer(
    window: Weights, starts: tuple[int, int], period: tuple[int, int]
) -> NDArray[np.complex128]:
    """Return the spectrum of a kernel on a grid that repeats.

    Parameters
    ----------
    window : ndarray, shape (KH, KW)
        The weights as they lie on a window.
    starts : (int, int)
        Where the window of the pixel at 0, 0 begins.
    period : (int, int)
        Height and width of the grid.

    Returns
    -------
    ndarray of complex128, shape (height, width // 2 + 1)
        As ``numpy.fft.rfft2`` orders it.

    Examples
    --------
    >>> transfer(np.full((1, 3), 1 / 3), (0, -1), (1, 6)).real.round(3)
    array([[ 1.   ,  0.667,  0.   , -0.333]])
    """
    from scipy import fft

    response = np.zeros(period)
    rows, columns = (
        -(start + np.arange(taps)) % size
        for start, taps, size in zip(starts, window.shape, period, strict=True)
    )
    np.add.at(response, (rows[:, np.newaxis], columns), window)
    spectrum: NDArray[np.complex128] = fft.rfft2(response)
    return spectrum
