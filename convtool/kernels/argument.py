"""Kernels as function arguments: arrays or specs.

The presets and the spec parser are imported only for a spec.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convtool.arrays import as_array
from convtool.errors import KernelError
from convtool.kernels.weights import Weights, checked


def as_kernel(kernel: str | ArrayLike) -> Weights:
    """Validate one kernel, given as a spec or as numbers.

    Parameters
    ----------
    kernel : str or array_like
        A spec as for `convtool.kernel`, or real numbers of shape (KH, KW); (KW,) is one row.

    Returns
    -------
    ndarray
        float64, C-contiguous, shape (KH, KW); may share memory with the argument.

    Raises
    ------
    KernelError
        If the numbers are not real and finite, empty, or not of one or two dimensions, or if the
        spec is a group of kernels.

    Examples
    --------
    >>> as_kernel([1, 0, -1])
    array([[ 1.,  0., -1.]])
    """
    if isinstance(kernel, str):
        from convtool.kernels.spec import parse_single

        return parse_single(kernel).weights
    try:
        return checked(kernel)
    except KernelError as error:
        raise KernelError(f"kernel: {error}") from error


def as_weights(kernel: ArrayLike) -> NDArray[Any]:
    """Validate a kernel of one, two or three dimensions, real or complex, given as numbers.

    Returns
    -------
    ndarray
        float64 or complex128, of the dimensions given, C-contiguous; may share memory with the
        argument.

    Raises
    ------
    KernelError
        If the numbers are not finite, or empty, or of other dimensions.

    Examples
    --------
    >>> as_weights([1, 0, -1])
    array([ 1.,  0., -1.])
    """
    try:
        array = as_array(kernel, "kernel", "used")
    except (ValueError, TypeError):
        return as_kernel(kernel)
    if array.ndim not in {1, 2, 3} or array.dtype.kind not in "biufc":
        return as_kernel(array)
    if array.dtype.kind == "c":
        weights = np.empty(array.shape, np.complex128)
        weights.real, weights.imag = as_weights(array.real), as_weights(array.imag)
        return weights
    if array.ndim == 2:
        return as_kernel(array)
    if array.ndim == 1:
        return as_kernel(array).reshape(-1)
    planes = [as_kernel(plane) for plane in array] or [as_kernel(np.empty((0, 0)))]
    return np.stack(planes)
