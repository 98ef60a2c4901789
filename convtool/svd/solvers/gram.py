"""The Gram matrix: singular vectors as the eigenvectors of A·Aᵀ."""

import numpy as np

from convtool.kernels.weights import FloatArray
from convtool.svd.certificate import resolves
from convtool.svd.triples import Doubt, Triples, from_projection

_ROWS_AT_ONCE = 256


def solve(matrix: FloatArray, k: int, total: float) -> Triples:
    """Return the k strongest singular triples of a matrix from its Gram matrix.

    It forms A·Aᵀ and computes in float64. It is in no doubt while the energy beyond k is more than
    about 2e-14 of the whole.

    Notes
    -----
    The eigenvalues of the Gram matrix are the squared singular values, with an error of some
    rounding units of the largest. Singular values below about 1e-8 of the largest are lost, and
    so are their vectors.
    """
    wide = matrix.astype(np.float64, copy=False)
    gram = np.empty((len(wide), len(wide)))
    for first in range(0, len(wide), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        gram[rows, first:] = wide[rows] @ wide[first:].T
    values, vectors = np.linalg.eigh(gram, UPLO="U")
    good = resolves(values[::-1][:k], total, wide.dtype)
    doubt = Doubt.NONE if good else Doubt.PRECISION
    basis = vectors[:, ::-1][:, :k].T
    return from_projection(basis, basis @ wide, np.eye(k), total, doubt)
