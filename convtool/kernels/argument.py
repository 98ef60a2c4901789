"""A kernel as an argument of a function: numbers, or its text.

The presets and what reads texts are imported where a text is given.
"""

from numpy.typing import ArrayLike

from convtool.errors import KernelError
from convtool.kernels.weights import Weights, checked


def as_kernel(kernel: str | ArrayLike) -> Weights:
    """Return one kernel, checked, from a spec or from numbers.

    Parameters
    ----------
    kernel : str or array_like
        A spec as `convtool.kernel` takes it, or real numbers of shape (KH, KW); (KW,) is one row.

    Returns
    -------
    ndarray
        float64, C-contiguous, shape (KH, KW); may share memory with the argument.

    Raises
    ------
    KernelError
        Where the numbers are not real, not finite, none, or not of one or two dimensions, or where
        the spec is a group of kernels.

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
