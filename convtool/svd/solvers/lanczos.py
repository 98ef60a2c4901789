"""Block Lanczos: a Krylov subspace that grows until a residual test confirms the k triples."""

import numpy as np

from convtool.kernels.weights import FloatArray
from convtool.svd.certificate import confirmed, resolves
from convtool.svd.orthonormal import orthonormal_rows
from convtool.svd.start import first_rows, starting_vectors
from convtool.svd.threads import product, there_and_back
from convtool.svd.triples import Doubt, Triples, energy_outside, from_projection

_LARGEST_SHARE = 0.6
_EPS = float(np.finfo(np.float64).eps)
_ROUNDINGS = 64


def solve(matrix: FloatArray, k: int, total: float) -> Triples:
    """Compute the k strongest singular triples of a matrix by block Lanczos iteration.

    Large products are computed in the matrix's dtype, small ones in float64. The answer is in
    doubt where the subspace would come close to the whole space, or where, in float32, the energy
    beyond k is too small a part of the whole to be seen.

    Notes
    -----
    The basis is that of A·Ω, (A·Aᵀ)A·Ω, (A·Aᵀ)²A·Ω, …, each block made orthonormal against all
    earlier ones. Ω is random, or a guess with random parts, from fixed seeds: the same matrix
    gives the same answer.

    In float64, a tail too small for a difference of energies is computed from the residual of the
    projection; if that is only rounding error, the result is complete.

    References
    ----------
    C. Musco, C. Musco, "Randomized block Krylov methods for stronger and faster approximate
    singular value decomposition", NIPS 2015: the method needs no gap between singular values.
    G. H. Golub, F. T. Luk, M. L. Overton, "A block Lanczos method for computing the singular
    values and corresponding singular vectors of a matrix", ACM TOMS 7 (1981), pp. 149-169.
    """
    start = first_rows(matrix, k)
    width = len(start)
    most = max(_LARGEST_SHARE * len(matrix), 2 * width)
    nothing = np.zeros((0, len(matrix)), matrix.dtype)
    basis = _block(matrix, product(start, matrix.T), nothing, width)
    image, ahead = there_and_back(basis, matrix)
    latest = image
    squares: FloatArray = np.zeros((0, 0))
    fine = False
    while True:
        squares = _extended(squares, image, latest)
        values, vectors = _ritz(image, squares, k, fine=False)
        tail = total - float(values.sum())
        fine = fine or not resolves(values, total, matrix.dtype)
        if fine:
            if matrix.dtype != np.float64:
                doubt = Doubt.PRECISION
                break
            values, vectors = _ritz(image, squares, k, fine=True)
            u = basis.T @ vectors
            tail = energy_outside(matrix, u)
            if tail <= (_ROUNDINGS * _EPS) ** 2 * total:
                doubt = Doubt.NONE
                break
        ahead -= (ahead @ basis.T) @ basis
        outside = _norm_of_last(squares, len(latest))
        residuals = _all_residuals(matrix, u, values) if fine else _residuals(ahead, vectors)
        if len(values) == k and confirmed(values, residuals, outside, tail):
            doubt = Doubt.NONE
            break
        block = _block(matrix, ahead, basis, width)
        if not len(block) or len(basis) + len(block) > most:
            doubt = Doubt.EFFORT if len(block) else Doubt.NONE
            break
        latest, ahead = there_and_back(block, matrix)
        basis, image = np.vstack((basis, block)), np.vstack((image, latest))
    known = tail if fine else None
    return from_projection(basis, image, vectors, total, doubt, known).padded(k)


def _block(matrix: FloatArray, ahead: FloatArray, basis: FloatArray, width: int) -> FloatArray:
    """Return the next orthonormal block, completed with random rows if it is rank-deficient."""
    block = orthonormal_rows(ahead, basis)
    if len(block) == width:
        return block
    held = np.vstack((basis, block))
    columns = matrix.shape[1]
    fresh = starting_vectors(columns, width - len(block), matrix.dtype, seed=len(held))
    more = product(fresh.T, matrix.T)
    more -= (more @ held.T) @ held
    return np.vstack((block, orthonormal_rows(more, held)))


def _ritz(
    image: FloatArray, squares: FloatArray, k: int, *, fine: bool
) -> tuple[FloatArray, FloatArray]:
    """Return the k largest squared singular values of the image, and their left vectors.

    They are the eigenvalues of `squares`, image·imageᵀ, which are fast, or with `fine` the singular
    values of the image itself, which also resolve small ones.
    """
    if fine:
        vectors, singular_values, _ = np.linalg.svd(image, full_matrices=False)
        return singular_values[:k] ** 2, vectors[:, :k]
    values, vectors = np.linalg.eigh(squares)
    return values[::-1][:k], vectors[:, ::-1][:, :k]


def _norm_of_last(squares: FloatArray, count: int) -> float:
    return float(np.linalg.eigvalsh(squares[-count:, -count:])[-1])


def _extended(squares: FloatArray, image: FloatArray, latest: FloatArray) -> FloatArray:
    """Extend `squares` by the last rows and columns to the whole image·imageᵀ.

    The products are in the dtype of the image: the error of each entry is some rounding units of
    the product of two row norms, so large singular values do not affect small ones.
    """
    old = len(squares)
    border = image @ latest.T
    size = len(image)
    larger = np.empty((size, size))
    larger[:old, :old] = squares
    larger[:, old:] = border
    larger[old:, :old] = border[:old].T
    return larger


def _all_residuals(matrix: FloatArray, u: FloatArray, values: FloatArray) -> FloatArray:
    """Return the residual norm ‖A·Aᵀ·u − θ·u‖ of each vector, from its definition."""
    norms: FloatArray = np.linalg.norm(
        there_and_back(u.T, matrix)[1] - values[:, None] * u.T, axis=1
    )
    return norms


def _residuals(ahead: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return the residual norm of each vector: the part of G·u outside the basis.

    Only the last block contributes, through `ahead`, shape (b, M).
    """
    last = vectors[-len(ahead) :].astype(ahead.dtype)
    norms: FloatArray = np.linalg.norm(last.T @ ahead, axis=1).astype(np.float64)
    return norms
