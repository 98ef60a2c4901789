"""Block orthonormalisation by matrix products."""

import numpy as np

from convtool.kernels.weights import FloatArray

_REPAIRS = 4
_CLOSE = 1e-3
_SAFE = 0.5
_LEAST = 1e-14
_LOST = 0.01


def orthonormal_rows(block: FloatArray, against: FloatArray) -> FloatArray:
    """Return orthonormal rows that span a block and are orthogonal to given rows.

    Parameters
    ----------
    block : ndarray
        Float32 or float64, shape (b, N), already projected orthogonally to `against` up to
        rounding, which this function removes.
    against : ndarray
        Shape (p, N), orthonormal rows; p may be 0.

    Returns
    -------
    ndarray
        Shape (r, N) with r ≤ b, of the block's dtype, orthonormal to its precision and orthogonal
        to `against`. r is less than b if the block is rank-deficient; directions that rounding
        alone created are used.

    Notes
    -----
    The rows are multiplied by the inverse square root of their Gram matrix, which is formed in
    float64, until nothing changes: one round loses as many digits as the condition number has, the
    next restores them. A direction that a round reduces to rounding error is dropped.

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
    wide = block.astype(np.float64, copy=False)
    gram = wide @ wide.T
    block = _scaled(block, gram, _LEAST * float(np.trace(gram)))
    for _ in range(_REPAIRS):
        if len(against):
            block = block - (block @ against.T) @ against
        gram = (block @ block.T).astype(np.float64, copy=False)
        apart = float(np.linalg.norm(gram - np.eye(len(gram))))
        if apart < _SAFE:
            block = np.linalg.inv(np.linalg.cholesky(gram)).astype(block.dtype) @ block
        else:
            block = _scaled(block, gram, _LOST)
        if apart < _CLOSE:
            break
    return block


def _scaled(block: FloatArray, gram: FloatArray, least: float) -> FloatArray:
    """Multiply rows by the inverse square root of their Gram matrix, without negligible ones."""
    squares, vectors = np.linalg.eigh(gram)
    kept = squares > least
    product: FloatArray = (vectors[:, kept] / np.sqrt(squares[kept])).T.astype(block.dtype) @ block
    return product
