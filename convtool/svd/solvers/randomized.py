"""Randomised power iteration on one block until a residual test confirms the k triples."""

import numpy as np

from convtool.kernels.weights import FloatArray
from convtool.svd.certificate import confirmed, resolves
from convtool.svd.orthonormal import orthonormal_rows
from convtool.svd.start import block_size, starting_vectors
from convtool.svd.threads import product, there_and_back
from convtool.svd.triples import Doubt, Triples, from_projection

_ROUNDS = 24


def solve(matrix: FloatArray, k: int, total: float) -> Triples:
    """Return the k strongest singular triples of a matrix by randomised power iteration.

    Large products are computed in the matrix's dtype, small ones in float64.

    Notes
    -----
    The method stores one block where the Lanczos solver stores all: less memory, more passes. The
    estimate of the norm outside the block is the norm of the block's directions beyond k.

    References
    ----------
    N. Halko, P. G. Martinsson, J. A. Tropp, "Finding structure with randomness", SIAM Review 53
    (2011), pp. 217-288, algorithm 4.4.
    """
    width = min(block_size(k), len(matrix))
    start = starting_vectors(matrix.shape[1], width, matrix.dtype, seed=0)
    ahead = product(start.T, matrix.T)
    nothing = ahead[:0]
    for turn in range(1, _ROUNDS + 1):
        basis = orthonormal_rows(ahead, nothing)
        image, ahead = there_and_back(basis, matrix)
        wide = image.astype(np.float64, copy=False)
        values, vectors = np.linalg.eigh(wide @ wide.T)
        values, vectors = values[::-1], vectors[:, ::-1][:, :k]
        outside = float(values[(k + len(values)) // 2]) if len(values) > k else 0.0
        tail = total - float(values[:k].sum())
        if not resolves(values[:k], total, matrix.dtype):
            doubt = Doubt.PRECISION
            break
        beyond = ahead - (ahead @ basis.T) @ basis
        residuals = np.linalg.norm(vectors.T.astype(basis.dtype) @ beyond, axis=1)
        if len(values) >= k and confirmed(values[:k], residuals, outside, tail):
            doubt = Doubt.NONE
            break
        if turn == _ROUNDS:
            doubt = Doubt.EFFORT
    return from_projection(basis, image, vectors, total, doubt).padded(k)
