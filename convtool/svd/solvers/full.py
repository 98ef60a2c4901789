"""The full decomposition by LAPACK, truncated to k triples."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.kernels.factor import truncated_svd
from convtool.svd.triples import Triples


def solve(matrix: NDArray[np.floating[Any]], k: int, total: float) -> Triples:
    """Compute the k strongest singular triples of a matrix by its full decomposition.

    Parameters
    ----------
    matrix : ndarray
        Float32 or float64, shape (M, N), finite; computed in float64.
    k : int
        Number of triples, 1 to min(M, N).
    total : float
        The energy of the matrix.

    Returns
    -------
    Triples
        In float64, always with ``Doubt.NONE``.
    """
    wide = matrix.astype(np.float64, copy=False)
    u, values, vt = truncated_svd(wide, k)
    return Triples(u, values[:k], vt, total, float((values[k:] ** 2).sum()))
