"""Kernels as function arguments: arrays or specs.

The presets and the spec parser are imported only for a spec.
"""

from numpy.typing import ArrayLike

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
