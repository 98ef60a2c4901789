"""What every kernel is: real, finite float64 numbers, one matrix or a gradient pair of them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convtool.errors import KernelError

Weights = NDArray[np.float64]
"""(KH, KW), or (2, KH, KW) for a gradient pair, the kernel for horizontal edges first."""


def checked(values: ArrayLike, *, pair: bool = False) -> Weights:
    """Return numbers as the weights of a kernel.

    Parameters
    ----------
    values : array_like
        Real numbers of shape (KH, KW); (KW,) is one row.
    pair : bool
        Whether (2, KH, KW) is allowed.

    Returns
    -------
    ndarray
        float64, C-contiguous, shape (KH, KW) or (2, KH, KW); may share memory with `values`.

    Raises
    ------
    KernelError
        Where the numbers are not real, not finite, none, or of another shape.

    Examples
    --------
    >>> checked([1, 0, -1])
    array([[ 1.,  0., -1.]])
    """
    if _is_kernel_already(values):
        return np.asarray(values)
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise KernelError("not an array of numbers; give rows of equal length") from error
    if array.dtype.kind not in "biuf":
        raise KernelError(f"entries of type {array.dtype}; give real numbers")
    shape_fits = array.ndim in {1, 2} or (pair and array.ndim == 3 and len(array) == 2)
    if not shape_fits:
        pairs = ", or (2, KH, KW) for a pair" if pair else ""
        raise KernelError(f"shape {array.shape}; give two dimensions, (KH, KW){pairs}")
    if array.size == 0:
        raise KernelError(f"shape {array.shape} has no entries; give at least one")
    with np.errstate(over="ignore"):
        weights = np.ascontiguousarray(np.atleast_2d(array), dtype=np.float64)
    check_finite(weights)
    return weights


def _is_kernel_already(values: ArrayLike) -> bool:
    """Return whether numbers are a matrix that needs no change: a short way for the usual case."""
    if type(values) is not np.ndarray or values.dtype != np.float64 or values.ndim != 2:
        return False
    return bool(values.size and values.flags.c_contiguous and np.isfinite(values).all())


def check_finite(weights: Weights) -> None:
    """Check that every entry is finite.

    Raises
    ------
    KernelError
        Where one is not; says which.
    """
    finite = np.isfinite(weights)
    if not finite.all():
        place = tuple(np.argwhere(~finite)[0])
        raise KernelError(
            f"row {place[-2] + 1}, column {place[-1] + 1}: {weights[place]} is not a finite number"
        )
