"""Reference output of a task: a few patches, computed by SciPy in float64."""

import numpy as np

from convtool.bench.cells import Array
from convtool.bench.task import Task

PATCH = 24
"""Side of a patch of the output."""


def _reflected(first: int, last: int, size: int) -> Array:
    """Return the row or column index at each position of a reflected axis: dcba|abcd|dcba."""
    at = np.mod(np.arange(first, last), 2 * size)
    return np.asarray(np.minimum(at, 2 * size - 1 - at))


def _patch(task: Task, kernel: Array, top: int, left: int, shape: tuple[int, int]) -> Array:
    """Correlate the image with the kernel for the output pixels from (top, left) on."""
    from scipy.signal import correlate2d

    height, width = kernel.shape
    stride = task.cell.stride
    first_row, first_column = top * stride - height // 2, left * stride - width // 2
    rows = _reflected(first_row, first_row + (shape[0] - 1) * stride + height, task.image.shape[0])
    columns = _reflected(
        first_column, first_column + (shape[1] - 1) * stride + width, task.image.shape[1]
    )
    window = task.image[np.ix_(rows, columns)].astype(np.float64)
    cube = window.reshape(*window.shape[:2], -1)
    planes = [
        correlate2d(cube[:, :, channel], kernel, mode="valid")[::stride, ::stride]
        for channel in range(cube.shape[2])
    ]
    return np.stack(planes, axis=-1).reshape(*shape, *task.image.shape[2:])


def expected(task: Task, top: int, left: int, shape: tuple[int, int]) -> Array:
    """Return a patch of the exact output in float64, unrounded but clipped to the type's range.

    Parameters
    ----------
    task : Task
        The task.
    top, left : int
        The patch's first row and column in the output.
    shape : tuple of int
        The patch's height and width.

    Returns
    -------
    ndarray of float64
    """
    if task.kernel.ndim == 3:
        down, right = (_patch(task, kernel, top, left, shape) for kernel in task.kernel)
        answer = np.hypot(down, right)
    else:
        answer = _patch(task, task.kernel, top, left, shape)
    dtype = np.dtype(task.cell.dtype)
    if dtype.kind != "f":
        limits = np.iinfo(dtype)
        answer = np.clip(answer, limits.min, limits.max)
    return np.asarray(answer)


def error(task: Task, answer: Array) -> float:
    """Return the largest error of an output in four patches: two corners, inside, at an edge.

    Parameters
    ----------
    task : Task
        The task.
    answer : ndarray
        A contender's output.

    Returns
    -------
    float
        For floats, relative to the largest possible magnitude max|image| · sum|kernel|. For
        integers, absolute: rounding alone causes 0.5.
    """
    height, width = answer.shape[:2]
    shape = (min(PATCH, height), min(PATCH, width))
    bottom, right = height - shape[0], width - shape[1]
    largest = 0.0
    for top, left in {(0, 0), (bottom, right), (bottom // 2, right // 3), (bottom // 2, right)}:
        right_one = expected(task, top, left, shape)
        found = answer[top : top + shape[0], left : left + shape[1]].astype(np.float64)
        difference = float(np.abs(found - right_one).max())
        largest = max(largest, difference if np.isfinite(difference) else np.inf)
    if np.dtype(task.cell.dtype).kind != "f":
        return largest
    peak = float(np.abs(task.image).max())
    weights = np.abs(task.kernel).reshape(-1, *task.kernel.shape[-2:]).sum(axis=(1, 2))
    return largest / max(peak * float(weights.max()), np.finfo(np.float64).tiny)


def tolerated(task: Task, own: bool) -> float:
    """Return the largest accepted `error` of a contender.

    Integers may differ by one, which is 1.5 before rounding. A peer may differ by two: OpenCV's
    ``GaussianBlur`` computes 8-bit images with 8-bit weights.
    """
    dtype = np.dtype(task.cell.dtype)
    if dtype.kind != "f":
        return 1.5 if own else 2.5
    return 50 * float(np.finfo(dtype).eps)
