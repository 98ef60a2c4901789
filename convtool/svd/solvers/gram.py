"""The Gram matrix: singular vectors as the eigenvectors of A·Aᵀ."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.svd.certificate import resolves
from convtool.svd.triples import Doubt, Triples, from_projection

_ROWS_AT_ONCE = 256


def solve(matrix: NDArray[np.floating[Any]], k: int, total: float) -> Triples:
    """Compute the k strongest singular triples of a matrix from its Gram matrix.

    Parameters
    ----------
    matrix : ndarray
        Float32 or float64, shape (M, N) with M ≤ N, finite; A·Aᵀ is formed in float64.
    k : int
        Number of triples, 1 to M.
    total : float
        The energy of the matrix.

    Returns
    -------
    Triples
        In float64. ``Doubt.NONE`` if the tail is more than about 2e-14 of the total energy.

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
