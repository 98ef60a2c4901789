"""The frequencies of a blurred picture: how strong the kernel left them, and which are lost."""

import numpy as np
from numpy.typing import NDArray

from convtool.convolution import borders
from convtool.convolution.threads import count
from convtool.deconvolution.blur import LAPLACIAN, Blur, Plane, transfer

_ZERO = 1e-9
"""A kernel's spectrum is zero where its magnitude is this share of its largest."""

_WEIGHTS_TRIED = (-24.0, 9.0)
"""Decimal exponents of the least and largest balance, in units of the kernel's largest gain."""


_EVEN = ("reflect", "mirror", "nearest")
"""Borders beyond which a picture goes on as its reflection does, or nearly so."""


class Spectrum:
    """A picture's planes and the blur's kernel on one grid of frequencies.

    The picture repeats: after its reflection where border and kernel are even, else as it is, and
    then it fades to its mean at the edges wherever only its statistics count.

    Parameters
    ----------
    planes : sequence of ndarray, shape (H, W)
        The channels of the blurred picture.
    blur : Blur
        What blurred it.
    """

    def __init__(self, planes: list[Plane], blur: Blur) -> None:
        self._rule = "reflect" if blur.border in _EVEN and blur.is_even() else "wrap"
        times = 2 if self._rule == "reflect" else 1
        self._fades = self._rule != "reflect" and blur.border != "wrap"
        self._shape = blur.shape
        self.period = times * blur.shape[0], times * blur.shape[1]
        self._workers = count(blur.threads)
        starts = blur.layout.rows.start, blur.layout.columns.start
        self.kernel = transfer(blur.window, starts, self.period)
        self.gain = np.square(np.abs(self.kernel))
        self.roughness = np.square(np.abs(transfer(LAPLACIAN, (-1, -1), self.period)))
        self._planes = [self._forward(plane) for plane in planes]
        faded = [self._forward(_faded(plane)) for plane in planes] if self._fades else self._planes
        self._power = self._repeated() * sum(np.square(np.abs(one)) for one in faded)

    def _forward(self, plane: Plane) -> NDArray[np.complex128]:
        from scipy import fft

        rows, columns = (
            borders.table(size, 0, period, self._rule)
            for size, period in zip(self._shape, self.period, strict=True)
        )
        spectrum: NDArray[np.complex128] = fft.rfft2(
            plane[np.ix_(rows, columns)], workers=self._workers
        )
        return spectrum

    def restored(self, balance: float) -> list[Plane]:
        """Return the planes with the kernel undone: Wiener's filter with a Laplacian prior.

        Frequencies that neither the kernel nor the Laplacian lets through become 0.
        """
        from scipy import fft

        below = self.gain + balance * self.roughness
        inverse = np.divide(
            np.conj(self.kernel), below, out=np.zeros_like(self.kernel), where=below > 0
        )
        height, width = self._shape
        return [
            fft.irfft2(plane * inverse, self.period, workers=self._workers)[:height, :width].copy()
            for plane in self._planes
        ]

    def balance_for(self, noise: float) -> float:
        """Return the balance that leaves as much of the picture unexplained as the noise makes.

        Parameters
        ----------
        noise : float
            Standard deviation, in units of the picture.

        Returns
        -------
        float
            λ for which the mean square of K∗x − y is the noise's variance.

        References
        ----------
        R. C. Gonzalez, R. E. Woods, Digital Image Processing, 4th ed. (2018), section 5.9:
        constrained least squares filtering.
        """
        from scipy.optimize import brentq

        scale = float(self.gain.max())
        samples = float(np.prod(self.period)) ** 2 * len(self._planes)

        def excess(exponent: float) -> float:
            prior = scale * 10.0**exponent * self.roughness
            below = self.gain + prior
            left = np.divide(prior, below, out=np.zeros_like(prior), where=below > 0)
            return float((self._power * left * left).sum()) / samples - noise * noise

        low, high = _WEIGHTS_TRIED
        if excess(low) >= 0:
            return scale * float(10.0**low)
        if excess(high) <= 0:
            return scale * float(10.0**high)
        return scale * float(10.0 ** brentq(excess, low, high, xtol=1e-3))

    def lost(self, balance: float) -> float:
        """Return the share, 0 to 1, of frequencies that the kernel left less of than the noise."""
        weaker = (self.gain < balance * self.roughness) | self._zero()
        return self._share(weaker)

    def zeros(self) -> float:
        """Return the share, 0 to 1, of frequencies at which the kernel's spectrum is zero."""
        return self._share(self._zero())

    def _zero(self) -> NDArray[np.bool_]:
        zero: NDArray[np.bool_] = self.gain <= _ZERO**2 * float(self.gain.max())
        return zero

    def _share(self, chosen: NDArray[np.bool_]) -> float:
        repeated = np.broadcast_to(self._repeated(), chosen.shape)
        return float((repeated * chosen).sum() / repeated.sum())

    def _repeated(self) -> NDArray[np.float64]:
        """Return how often each column of a real picture's half spectrum stands in the whole."""
        width = self.period[1]
        repeated = np.full(width // 2 + 1, 2.0)
        repeated[0] = 1
        if width % 2 == 0:
            repeated[-1] = 1
        return repeated


def _faded(plane: Plane) -> Plane:
    """Return a plane that fades to its mean at the edges, its variance kept on average."""
    rows, columns = (np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 for n in plane.shape)
    fade = np.outer(rows, columns)
    faded: Plane = (plane - plane.mean()) * (fade / np.sqrt(np.square(fade).mean()))
    return faded
