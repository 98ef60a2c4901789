"""Smoothing kernels: box, Gaussian, disk, motion, and the 1-D Gaussians for other kernels."""

import math

import numpy as np

from convtool.errors import KernelError
from convtool.kernels.numerals import MAX_SIDE
from convtool.kernels.weights import Weights

Size = tuple[int, int]
Sigma = float | tuple[float, float]
"""A standard deviation in pixels, or two: vertical, horizontal."""


def offsets(length: int) -> Weights:
    """Return the offsets of `length` entries from their centre, e.g. -1, 0, 1."""
    return np.arange(length, dtype=np.float64) - (length - 1) / 2


def binomial(length: int) -> Weights:
    """Return a row of Pascal's triangle divided by its sum, shape (length,).

    References
    ----------
    P. J. Burt, "Fast filter transforms for image processing", CGIP 16 (1981), pp. 20-51.
    """
    total = 1 << (length - 1)
    return np.array([math.comb(length - 1, i) / total for i in range(length)])


def sampled_gaussian(length: int, sigma: float, order: int = 0) -> Weights:
    """Return exp(-x²/2σ²) at the integers around 0, divided by its sum, or a derivative of it.

    The derivative of the continuous function is sampled: convolution with it differentiates.

    References
    ----------
    SciPy, ``scipy.ndimage.gaussian_filter1d``.

    Examples
    --------
    >>> sampled_gaussian(3, 1.0, 1).round(4).tolist()
    [0.2741, 0.0, -0.2741]
    """
    x = offsets(length)
    curve = np.exp(-0.5 * (x / sigma) ** 2)
    polynomial = [1.0]
    for _ in range(order):
        # (q · φ)' = (q' - x/σ² · q) · φ, as φ' = -x/σ² · φ.
        slope = [*[k * factor for k, factor in enumerate(polynomial)][1:], 0.0, 0.0]
        falling = [0.0, *(factor / sigma**2 for factor in polynomial)]
        polynomial = [a - b for a, b in zip(slope, falling, strict=True)]
    factors = sum(factor * x**k for k, factor in enumerate(polynomial))
    return np.asarray(factors * (curve / curve.sum()))


def gaussian_size(sigma: Sigma) -> Size:
    """Return the size that spans four standard deviations on either side, rounded like SciPy."""
    vertical, horizontal = both(sigma)
    return odd_size(int(4 * vertical + 0.5), int(4 * horizontal + 0.5))


def both(sigma: Sigma) -> tuple[float, float]:
    """Return the vertical and the horizontal standard deviation."""
    return sigma if isinstance(sigma, tuple) else (sigma, sigma)


def odd_size(row_radius: int, column_radius: int) -> Size:
    """Return the size with the given radii around the centre.

    Raises
    ------
    KernelError
        If a side would be longer than `MAX_SIDE`.
    """
    rows, columns = 2 * row_radius + 1, 2 * column_radius + 1
    if max(rows, columns) > MAX_SIDE:
        raise KernelError(
            f"these parameters need a kernel of {rows}x{columns}, and a side has 1 to {MAX_SIDE}; "
            "choose smaller ones, or a size"
        )
    return rows, columns


def identity(size: Size) -> Weights:
    """Return the kernel that leaves an image unchanged: 1 at the centre, 0 elsewhere."""
    weights = np.zeros(size)
    weights[size[0] // 2, size[1] // 2] = 1
    return weights


def box(size: Size) -> Weights:
    """Return the mean over a rectangle."""
    rows, columns = size
    return np.full(size, 1 / (rows * columns))


def gaussian(size: Size | None, sigma: Sigma | None, dy: int = 0, dx: int = 0) -> Weights:
    """Return a Gaussian: sampled if `sigma` is given, else the binomial of `size` (3×3).

    ``dy`` and ``dx`` are the orders of its vertical and horizontal derivative.
    """
    if sigma is None:
        if dy or dx:
            raise KernelError("a derivative needs sigma, as in gaussian:sigma=2,dy=1")
        rows, columns = size or (3, 3)
        return np.outer(binomial(rows), binomial(columns))
    rows, columns = size or gaussian_size(sigma)
    vertical, horizontal = both(sigma)
    return np.outer(sampled_gaussian(rows, vertical, dy), sampled_gaussian(columns, horizontal, dx))


def cross() -> Weights:
    """Return the plus-shaped neighbourhood: the centre and its four neighbours, each 1."""
    ends, middle, ones = np.array([1.0, 0, 1]), np.array([0.0, 1, 0]), np.ones(3)
    return np.outer(ends, middle) + np.outer(middle, ones)


def motion(length: float, angle: float) -> Weights:
    """Return the mean along a line segment, its pixels weighted by 1 - distance from it.

    The segment runs through the centre, `length` pixels long counting both end pixels, `angle`
    degrees counter-clockwise from the rows.
    """
    half = (length - 1) / 2
    radius = math.ceil(half)
    along_y, along_x = -math.sin(math.radians(angle)), math.cos(math.radians(angle))
    y = offsets(odd_size(radius, radius)[0])[:, np.newaxis]
    x = y.T
    along = np.clip(y * along_y + x * along_x, -half, half)
    distance = np.hypot(y - along * along_y, x - along * along_x)
    weights = np.maximum(1 - distance, 0)
    weights[weights < 1e-12] = 0
    rows = np.flatnonzero(weights.any(axis=1))
    columns = np.flatnonzero(weights.any(axis=0))
    weights = weights[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.ascontiguousarray(weights / weights.sum())


def disk(radius: float) -> Weights:
    """Return the mean over a disk: each pixel weighted by its area inside the disk."""
    reach = max(0, math.ceil(radius - 0.5))
    odd_size(reach, reach)
    quarter = _disk_cover(radius, reach)
    half = np.vstack([quarter[:0:-1], quarter])
    whole = np.hstack([half[:, :0:-1], half])
    return np.ascontiguousarray(whole / whole.sum())


def _disk_cover(radius: float, reach: int) -> Weights:
    """Return the covered area of each pixel (0..reach, 0..reach) for a disk at (0, 0)."""
    low = np.arange(reach + 1, dtype=np.float64) - 0.5
    corners = np.arange(reach + 2, dtype=np.float64) - 0.5
    area = _corner_area(corners[:, np.newaxis], corners, radius)
    cover = np.diff(np.diff(area, axis=0), axis=1)
    nearest = np.hypot(*np.meshgrid(np.maximum(low, 0), np.maximum(low, 0)))
    farthest = np.hypot(*np.meshgrid(low + 1, low + 1))
    cover[nearest >= radius] = 0
    cover[farthest <= radius] = 1
    return np.asarray(np.clip((cover + cover.T) / 2, 0, 1))


def _corner_area(y: Weights, x: Weights, radius: float) -> Weights:
    """Return the signed area of the disk inside the rectangle from (0, 0) to (y, x)."""
    height, width = np.minimum(abs(y), radius), np.minimum(abs(x), radius)
    flat = np.minimum(np.sqrt(radius**2 - height**2), width)
    area = height * flat + _arc_area(width, radius) - _arc_area(flat, radius)
    return np.asarray(np.sign(y) * np.sign(x) * area)


def _arc_area(x: Weights, radius: float) -> Weights:
    """Return the integral of sqrt(radius² - u²) for u from 0 to x."""
    return np.asarray(0.5 * (x * np.sqrt(radius**2 - x**2) + radius**2 * np.arcsin(x / radius)))
