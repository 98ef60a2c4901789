"""Kernels that sharpen or emboss: the identity plus a Laplacian or a difference."""

import numpy as np

from convtool.kernels.edges import laplacian_4, laplacian_8
from convtool.kernels.smoothing import Sigma, Size, gaussian, gaussian_size, identity
from convtool.kernels.weights import Weights


def sharpen_5() -> Weights:
    """Return the identity plus the Laplacian over four neighbours, centre +5."""
    return identity((3, 3)) + laplacian_4()


def sharpen_9() -> Weights:
    """Return the identity plus the Laplacian over eight neighbours, centre +9."""
    return identity((3, 3)) + laplacian_8()


def unsharp(amount: float, sigma: Sigma | None, size: Size | None) -> Weights:
    """Return the identity plus `amount` times (identity - Gaussian), by default binomial, 5×5."""
    if size is None:
        size = (5, 5) if sigma is None else gaussian_size(sigma)
    sharp = identity(size)
    return sharp + amount * (sharp - gaussian(size, sigma))


def emboss() -> Weights:
    """Return the difference along the falling diagonal plus the image itself."""
    return np.array([[-2.0, -1, 0], [-1, 1, 1], [0, 1, 2]])
