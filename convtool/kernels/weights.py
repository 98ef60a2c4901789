"""Validate kernels: real, finite float64 numbers, one matrix or a group of them."""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convtool.arrays import as_array
from convtool.errors import KernelError, PixelTypeError, ShapeError

FloatArray = NDArray[np.floating[Any]]
"""Real numbers in float32 or float64."""

Weights = NDArray[np.float64]
"""(KH, KW), or (N, KH, KW) for a group: a gradient pair, the kernel for horizontal edges first, or
more."""

Combination = Literal["magnitude", "maximum"]
COMBINATIONS: tuple[Combination, ...] = get_args(Combination)
"""The pixel-wise combinations of the outputs of a group of kernels: the magnitude sqrt(a² + b²) of
a pair, or the maximum of all."""


def checked(
    values: ArrayLike, *, pair: bool = False, combination: Combination | None = None
) -> Weights:
    """Validate the weights of a kernel and return them as an array.

    Parameters
    ----------
    values : array_like
        Real numbers of shape (KH, KW); (KW,) is one row.
    pair : bool
        Whether (2, KH, KW) is allowed.
    combination : {"magnitude", "maximum"}, optional
        The combination of a group; requires (2, KH, KW) or (N, KH, KW).

    Returns
    -------
    ndarray
        float64, C-contiguous, shape (KH, KW) or (2, KH, KW); may share memory with `values`.

    Raises
    ------
    KernelError
        If the numbers are not real and finite, empty, or of another shape.

    Examples
    --------
    >>> checked([1, 0, -1])
    array([[ 1.,  0., -1.]])
    """
    if combination is None and _is_kernel_already(values):
        return np.asarray(values)
    try:
        array = as_array(values, "kernel", "used")
    except ShapeError as error:
        raise KernelError("not an array of numbers; give rows of equal length") from error
    except PixelTypeError as error:
        raise KernelError(str(error)) from error
    if array.dtype.kind not in "biuf":
        raise KernelError(f"entries of type {array.dtype}; give real numbers")
    if combination is not None:
        is_pair = combination == "magnitude"
        if array.ndim != 3 or (is_pair and len(array) != 2):
            group = "(2, KH, KW)" if is_pair else "(N, KH, KW)"
            raise KernelError(f"shape {array.shape}; a {combination} is that of {group}")
    elif array.ndim not in {1, 2} and not (pair and array.ndim == 3 and len(array) == 2):
        pairs = ", or (2, KH, KW) for a pair" if pair else ""
        raise KernelError(f"shape {array.shape}; give two dimensions, (KH, KW){pairs}")
    if array.size == 0:
        raise KernelError(f"shape {array.shape} has no entries; give at least one")
    with np.errstate(over="ignore"):
        weights = np.ascontiguousarray(np.atleast_2d(array), dtype=np.float64)
    check_finite(weights)
    return weights


def _is_kernel_already(values: ArrayLike) -> bool:
    """Return whether an array is a valid matrix already: the fast path of the usual case."""
    if type(values) is not np.ndarray or values.dtype != np.float64 or values.ndim != 2:
        return False
    return bool(values.size and values.flags.c_contiguous and np.isfinite(values).all())


def is_even(weights: Weights) -> bool:
    """Return whether a kernel has an even number of rows or columns.

    Examples
    --------
    >>> is_even(np.ones((2, 3)))
    True
    """
    rows, columns = weights.shape[-2:]
    return bool(rows % 2 == 0 or columns % 2 == 0)


def check_finite(weights: Weights) -> None:
    """Check that every entry is finite.

    Raises
    ------
    KernelError
        If one is not; the message gives its position.
    """
    finite = np.isfinite(weights)
    if not finite.all():
        place = tuple(np.argwhere(~finite)[0])
        raise KernelError(
            f"row {place[-2] + 1}, column {place[-1] + 1}: {weights[place]} is not a finite number"
        )
