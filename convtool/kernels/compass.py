"""Compass kernels: the output is the maximum over eight rotations of one kernel."""

import numpy as np

from convtool.errors import KernelError
from convtool.kernels.weights import Weights

ANGLES = tuple(range(0, 360, 45))
"""Degrees, clockwise."""

KIRSCH = np.array([[5.0, -3, -3], [5, 0, -3], [5, -3, -3]])
COMPASS = np.array([[1.0, 1, -1], [1, -2, -1], [1, 1, -1]])

_RING = np.array([0, 1, 2, 2, 2, 1, 0, 0]), np.array([0, 0, 0, 1, 2, 2, 2, 1])
"""Columns and rows of the eight entries around the centre, clockwise."""


def kirsch(angle: float | None) -> Weights:
    """Return Kirsch's kernel, rotated by `angle` degrees, or all eight, shape (8, 3, 3)."""
    return _turned(KIRSCH, angle)


def compass(angle: float | None) -> Weights:
    """Return Prewitt's compass kernel, rotated by `angle` degrees, or all eight, (8, 3, 3)."""
    return _turned(COMPASS, angle)


def _turned(weights: Weights, angle: float | None) -> Weights:
    if angle is None:
        return np.stack([_turned(weights, one) for one in ANGLES])
    if angle % 45:
        raise KernelError(f"angle: {angle:g} is no multiple of 45; take 0, 45 and so on to 315")
    columns, rows = _RING
    turned = weights.copy()
    turned[rows, columns] = np.roll(weights[rows, columns], int(angle // 45))
    return turned
