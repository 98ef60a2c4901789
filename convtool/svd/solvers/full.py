"""The whole decomposition by LAPACK, cut after k."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.kernels.factor import truncated_svd
from convtool.svd.triples import Triples, energy


def solve(matrix: NDArray[np.floating[Any]], k: int) -> Triples:
    """Return the k strongest singular triples of a matrix from its whole decomposition.

    Parameters
    ----------
    matrix : ndarray
        Float32 or float64, shape (M, N), finite; computed in float64.
    k : int
        How many triples, 1 to min(M, N).

    Returns
    -------
    Triples
        In float64, never in doubt.
    """
    wide = matrix.astype(np.float64, copy=False)
    u, values, vt = truncated_svd(wide, k)
    return Triples(u, values[:k], vt, energy(wide), float((values[k:] ** 2).sum()))
