"""Wiener's filter with a Laplacian prior, for every border.

The answer x minimises ‖K∗x − y‖² + λ‖L∗x‖², where L is the Laplacian: for ``wrap``, and for kernels
that are even along both axes with ``reflect``, the Fourier transform solves that at once; for other
borders conjugate gradients do, from the Fourier transform's answer.

References
----------
B. R. Hunt, "The application of constrained least squares estimation to image restoration by digital
computer", IEEE Trans. Computers C-22 (1973), pp. 805-812. F. Orieux, J.-F. Giovannelli, T. Rodet,
J. Opt. Soc. Am. A 27 (2010), pp. 1593-1607 (``skimage.restoration.wiener``).
"""

import numpy as np

from convtool.convolution.api import correlate
from convtool.convolution.threads import count
from convtool.deconvolution.blur import LAPLACIAN, Blur, Plane, transfer
from convtool.deconvolution.spectrum import Spectrum

MOST_STEPS = 100
"""Steps of conjugate gradients, at most."""

_CLOSE = 1e-7
"""They end where the residual is this share of the right-hand side."""


def wiener(planes: list[Plane], blur: Blur, spectrum: Spectrum, balance: float) -> list[Plane]:
    """Return the planes with a blur undone.

    Parameters
    ----------
    planes : list of ndarray, shape (H, W)
        The blurred channels.
    blur : Blur
    spectrum : Spectrum
        Of the planes and the blur.
    balance : float
        λ: how much a rough answer costs.

    Returns
    -------
    list of ndarray, shape (H, W)
    """
    first = spectrum.restored(balance)
    if blur.border == "wrap" or (blur.border == "reflect" and blur.is_even()):
        return first
    beyond = blur.outside()
    return [
        _solved(plane - beyond, start, blur, balance)
        for plane, start in zip(planes, first, strict=True)
    ]


def _solved(wanted: Plane, start: Plane, blur: Blur, balance: float) -> Plane:
    """Solve the normal equations by preconditioned conjugate gradients."""
    from scipy import fft

    beyond, shape, workers = blur.outside(), blur.shape, count(blur.threads)
    starts = blur.layout.rows.start, blur.layout.columns.start
    gain = np.square(np.abs(transfer(blur.window, starts, shape)))
    cost = gain + balance * np.square(np.abs(transfer(LAPLACIAN, (-1, -1), shape)))
    inverse = 1 / np.maximum(cost, 1e-12 * cost.max())

    def applied(x: Plane) -> Plane:
        rough = correlate(correlate(x, LAPLACIAN), LAPLACIAN)
        product: Plane = blur.transposed(blur.forward(x) - beyond) + balance * rough
        return product

    def conditioned(x: Plane) -> Plane:
        answer: Plane = fft.irfft2(fft.rfft2(x, workers=workers) * inverse, shape, workers=workers)
        return answer

    right = blur.transposed(wanted)
    x = start.copy()
    residual = right - applied(x)
    direction = solved = conditioned(residual)
    energy = float(np.vdot(residual, solved))
    enough = _CLOSE**2 * float(np.vdot(right, conditioned(right)))
    for _ in range(MOST_STEPS):
        if energy <= enough:
            break
        image = applied(direction)
        step = energy / float(np.vdot(direction, image))
        x += step * direction
        residual -= step * image
        solved = conditioned(residual)
        before, energy = energy, float(np.vdot(residual, solved))
        direction = solved + energy / before * direction
    return x
