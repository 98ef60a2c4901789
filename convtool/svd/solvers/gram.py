"""The Gram matrix: singular vectors as the eigenvectors of A·Aᵀ."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.svd.certificate import resolves
from convtool.svd.triples import Doubt, Triples, energy, from_projection

_ROWS_AT_ONCE = 256


def solve(matrix: NDArray[np.floating[Any]], k: int) -> Triples:
    """Return the k strongest singular triples of a matrix from its Gram matrix.

    Parameters
    ----------
    matrix : ndarray
        Float32 or float64, shape (M, N) with M ≤ N, finite; A·Aᵀ is formed in float64.
    k : int
        How many triples, 1 to M.

    Returns
    -------
    Triples
        In float64. In no doubt while the energy beyond k is more than about 2e-14 of the whole.

    Notes
    -----
    The Gram matrix holds the squares of the singular values, each wrong by some rounding of the
    largest square: a singular value below about 1e-8 of the largest is lost in it, vector and
    all. That is where this method stops being good enough.
    """
    wide = matrix.astype(np.float64, copy=False)
    gram = np.empty((len(wide), len(wide)))
    for first in range(0, len(wide), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        gram[rows, first:] = wide[rows] @ wide[first:].T
    values, vectors = np.linalg.eigh(gram, UPLO="U")
    total = energy(wide)
    tail = float(np.maximum(values[: len(values) - k], 0.0).sum())
    doubt = Doubt.NONE if resolves(tail, total, wide.dtype) else Doubt.PRECISION
    basis = vectors[:, ::-1][:, :k].T
    return from_projection(basis, basis @ wide, np.eye(k), total, doubt)
