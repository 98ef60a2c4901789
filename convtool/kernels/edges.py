"""Kernels for edges, lines and texture: Laplacians, differences of Gaussians, Gabor."""

import math

import numpy as np

from convtool.kernels.derivatives import DIFFERENCE, ONES
from convtool.kernels.smoothing import (
    Size,
    gaussian,
    gaussian_size,
    odd_size,
    offsets,
    sampled_gaussian,
)
from convtool.kernels.weights import Weights

SECOND_DIFFERENCE = np.array([-1.0, 2, -1])
CENTRE = np.array([0.0, 1, 0])

# ImageMagick, Laplacian:15 and Laplacian:19: an integer Laplacian of Gaussian with sigma near 1.4.
# The upper left quarter, including the centre row and column; the rest is symmetric.
LAPLACIAN_15 = np.array([[0.0, 0, -1], [0, -1, -2], [-1, -2, 16]])
LAPLACIAN_19 = np.array(
    [
        [0.0, -1, -1, -2, -2],
        [-1, -2, -4, -5, -5],
        [-1, -4, -5, -3, 0],
        [-2, -5, -3, 12, 24],
        [-2, -5, 0, 24, 40],
    ]
)


def first_order() -> Weights:
    """Return the mixed second difference along both axes, [1 0 -1; 0 0 0; -1 0 1]."""
    return np.outer(DIFFERENCE, DIFFERENCE)


def horizontal_line() -> Weights:
    """Return the detector of bright rows: +2 on the row, -1 on its neighbours."""
    return np.outer(SECOND_DIFFERENCE, ONES)


def vertical_line() -> Weights:
    """Return the transpose of `horizontal_line`."""
    return np.outer(ONES, SECOND_DIFFERENCE)


def falling_line() -> Weights:
    """Return the detector of lines from the upper left: +2 on the diagonal, -1 elsewhere."""
    return 3 * np.eye(3) - np.ones((3, 3))


def rising_line() -> Weights:
    """Return the detector of lines from the lower left: +2 on the diagonal, -1 elsewhere."""
    return np.ascontiguousarray(falling_line()[::-1])


def laplacian_4() -> Weights:
    """Return the Laplacian over four neighbours, centre +4."""
    return np.outer(SECOND_DIFFERENCE, CENTRE) + np.outer(CENTRE, SECOND_DIFFERENCE)


def laplacian_8() -> Weights:
    """Return the Laplacian over eight neighbours, centre +8."""
    return 9 * np.outer(CENTRE, CENTRE) - np.outer(ONES, ONES)


def laplacian_15() -> Weights:
    """Return ImageMagick's integer Laplacian of Gaussian, 5×5, centre +16."""
    return _mirrored(LAPLACIAN_15)


def laplacian_19() -> Weights:
    """Return ImageMagick's integer Laplacian of Gaussian, 9×9, centre +40."""
    return _mirrored(LAPLACIAN_19)


def _mirrored(quarter: Weights) -> Weights:
    half = np.hstack([quarter, quarter[:, -2::-1]])
    return np.vstack([half, half[-2::-1]])


def laplacian_of_gaussian(sigma: float, size: Size | None) -> Weights:
    """Return the sum of the second derivatives of a Gaussian; its centre is negative.

    Each 1-D second derivative uses the variance of the sampled Gaussian, so the weights sum to zero
    for every size.
    """
    rows, columns = size or gaussian_size(sigma)
    smooth_y, smooth_x = sampled_gaussian(rows, sigma), sampled_gaussian(columns, sigma)
    curved_y, curved_x = _second_derivative(smooth_y, sigma), _second_derivative(smooth_x, sigma)
    return np.outer(curved_y, smooth_x) + np.outer(smooth_y, curved_x)


def _second_derivative(smooth: Weights, sigma: float) -> Weights:
    squares = offsets(len(smooth)) ** 2
    return np.asarray(smooth * (squares - smooth @ squares) / sigma**4)


def difference_of_gaussians(sigma: float, ratio: float, size: Size | None) -> Weights:
    """Return a Gaussian of `sigma` minus one that is `ratio` times as wide."""
    wide = sigma * ratio
    size = size or gaussian_size(max(sigma, wide))
    return gaussian(size, sigma) - gaussian(size, wide)


def gabor(
    *,
    wavelength: float,
    angle: float,
    sigma: float,
    aspect: float,
    phase: float,
    size: Size | None,
) -> Weights:
    """Return a cosine wave under a Gaussian; `angle` and `phase` in degrees."""
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    if size is None:
        across, along = 3 * sigma, 3 * sigma / aspect
        size = odd_size(
            round(max(abs(across * sine), abs(along * cosine))),
            round(max(abs(across * cosine), abs(along * sine))),
        )
    y, x = offsets(size[0])[:, np.newaxis], offsets(size[1])
    across_wave, along_wave = x * cosine + y * sine, y * cosine - x * sine
    envelope = np.exp(-0.5 * ((across_wave / sigma) ** 2 + (aspect * along_wave / sigma) ** 2))
    return envelope * np.cos(2 * np.pi * across_wave / wavelength + math.radians(phase))
