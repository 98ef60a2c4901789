"""Orthonormal rows: nearly all of the work is matrix products, which are fast."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]

_ROUNDS = 4
_CLOSE = 1e-3
_LEAST = 1e-14
_LOST = 0.01


def orthonormal_rows(block: FloatArray, against: FloatArray) -> FloatArray:
    """Return orthonormal rows that span a block, and stay orthogonal to rows already there.

    Parameters
    ----------
    block : ndarray
        Float32 or float64, shape (b, N), its part along `against` taken away already: up to
        rounding, which is taken away here.
    against : ndarray
        Shape (p, N), orthonormal rows; p may be 0.

    Returns
    -------
    ndarray
        Shape (r, N) with r ≤ b, of the block's dtype, orthonormal to its precision and orthogonal
        to `against`. r is less than b where the
        block lacks directions; where it has them by rounding only, they are used as they are.

    Notes
    -----
    The rows are multiplied by the inverse square root of their Gram matrix, which is formed in
    float64, until nothing changes: one round loses as many digits as the condition number has, the
    next brings them back. A direction of which a round left nothing but rounding is dropped.

    References
    ----------
    A. Stathopoulos, K. Wu, "A block orthogonalization procedure with constant synchronization
    requirements", SIAM J. Sci. Comput. 23 (2002), pp. 2165-2182 (SVQB).

    Examples
    --------
    >>> rows = orthonormal_rows(np.array([[3.0, 4.0], [6.0, 8.0]]), np.zeros((0, 2)))
    >>> np.abs(rows).round(6)
    array([[0.6, 0.8]])
    """
    for turn in range(_ROUNDS):
        if turn:
            block = block - (block @ against.T) @ against
        wide = block.astype(np.float64, copy=False)
        squares, vectors = np.linalg.eigh(wide @ wide.T)
        kept = squares > (_LOST if turn else _LEAST * squares.max(initial=0.0))
        block = (vectors[:, kept] / np.sqrt(squares[kept])).T.astype(block.dtype) @ block
        if np.abs(squares - 1).max(initial=0.0) < _CLOSE:
            break
    return block
