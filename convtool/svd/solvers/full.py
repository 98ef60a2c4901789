"""The full decomposition by LAPACK, truncated to k triples."""

import numpy as np

from convtool.kernels.factor import truncated_svd
from convtool.kernels.weights import FloatArray
from convtool.svd.triples import Triples


def solve(matrix: FloatArray, k: int, total: float) -> Triples:
    """Return the k strongest singular triples of a matrix from its whole decomposition.

    It computes in float64 and is never in doubt.
    """
    wide = matrix.astype(np.float64, copy=False)
    u, values, vt = truncated_svd(wide, k)
    return Triples(u, values[:k], vt, total, float((values[k:] ** 2).sum()))
