"""Singular triples, the result of every solver, and their computation from a projection."""

from enum import Enum

import numpy as np

from convtool.kernels.weights import FloatArray
from convtool.records import Record
from convtool.svd.threads import product

_AT_ONCE = 2**14
_SHORT = 256
_EPS = float(np.finfo(np.float64).eps)


class Doubt(Enum):
    """Why a solver cannot confirm its result."""

    NONE = "none"
    PRECISION = "the energy beyond k is too small for the precision of this dtype"
    EFFORT = "the iteration would cost more than a direct method"


class Triples(Record, eq=False):
    """The k strongest singular triples of a matrix A.

    Attributes
    ----------
    u : ndarray
        Shape (M, k).
    s : ndarray
        Float64, shape (k,): singular values, descending.
    vt : ndarray
        Shape (k, N). The columns of u and the rows of vt are orthonormal; those of a singular
        value of 0 may be zeros instead.
    total : float
        The energy of A: the sum of its squared entries, which is that of all its σ².
    tail : float
        The energy beyond the k-th singular value: the squared error of the approximation.
    doubt : Doubt
        ``Doubt.NONE`` if the solver has confirmed the result.
    """

    u: FloatArray
    s: FloatArray
    vt: FloatArray
    total: float
    tail: float
    doubt: Doubt = Doubt.NONE

    def padded(self, k: int) -> "Triples":
        """Return these triples padded with zeros to k."""
        more = max(k - len(self.s), 0)
        u, vt = np.pad(self.u, ((0, 0), (0, more))), np.pad(self.vt, ((0, more), (0, 0)))
        return Triples(u, np.pad(self.s, (0, more)), vt, self.total, self.tail, self.doubt)

    @property
    def squared_error(self) -> float:
        """The tail, or 0 where it does not exceed the rounding of float64."""
        size = max(len(self.u), self.vt.shape[1])
        return self.tail if self.tail > (size * _EPS) ** 2 * self.total else 0.0

    def transposed(self) -> "Triples":
        """Return the triples of the transposed matrix."""
        return Triples(self.vt.T, self.s, self.u.T, self.total, self.tail, self.doubt)

    def first(self, k: int) -> "Triples":
        """Return the k strongest of these triples."""
        dropped = float((self.s[k:] ** 2).sum())
        u, s, vt = self.u[:, :k], self.s[:k], self.vt[:k]
        return Triples(u, s, vt, self.total, self.tail + dropped, self.doubt)

    def matrix(self) -> FloatArray:
        """Return u·diag(s)·vt, shape (M, N), in the dtype of u."""
        product: FloatArray = (self.u * self.s.astype(self.u.dtype)) @ self.vt
        return product


def energy(matrix: FloatArray) -> float:
    """Return the sum of the squared entries; float32 partial sums are added in float64.

    Examples
    --------
    >>> energy(np.array([[3.0, 4.0]], np.float32))
    25.0
    """
    entries = np.ascontiguousarray(matrix).ravel()
    whole = entries.size // _SHORT * _SHORT
    lines = entries[:whole].reshape(-1, _SHORT)
    sums = np.einsum("ij,ij->i", lines, lines)
    rest = entries[whole:]
    return float(sums.sum(dtype=np.float64)) + float(rest @ rest)


def from_projection(
    basis: FloatArray,
    image: FloatArray,
    vectors: FloatArray,
    total: float,
    doubt: Doubt,
    tail: float | None = None,
) -> Triples:
    """Compute the triples of a matrix A from its projection on a subspace.

    Parameters
    ----------
    basis : ndarray
        Shape (p, M), orthonormal rows Q.
    image : ndarray
        Shape (p, N): Q·A.
    vectors : ndarray
        Float64, shape (p, k): the leading left singular vectors of `image`, the strongest first.
    total : float
        The energy of A.
    doubt : Doubt
        The doubt of the result.
    tail : float, optional
        The tail, if it is known more accurately than as a difference from the total.

    Returns
    -------
    Triples
        In the dtype of `basis`, u·diag(s)·vt being the projection of A on the columns of u.
    """
    turn = vectors.astype(basis.dtype)
    u = basis.T @ turn
    scaled = turn.T @ image
    squares = np.einsum("kn,kn->k", scaled, scaled, dtype=np.float64)
    s = np.sqrt(squares)
    vt = scaled / np.where(s > 0, s, 1.0).astype(basis.dtype)[:, np.newaxis]
    if tail is None:
        # ‖A − u·B‖² = ‖A‖² − 2‖B‖² + ‖u·B‖², where B is uᵀ·A and the columns of u have length 1 up
        # to the rounding of their dtype.
        lengths = np.einsum("mk,mk->k", u, u, dtype=np.float64)
        tail = max(total - float(squares @ (2 - lengths)), 0.0)
    return Triples(u, s, vt, total, tail, doubt)


def energy_outside(matrix: FloatArray, u: FloatArray) -> float:
    """Return the energy of a matrix outside the span of orthonormal columns.

    Parameters
    ----------
    matrix : ndarray
        Shape (M, N).
    u : ndarray
        Shape (M, k), orthonormal columns.

    Returns
    -------
    float
        ‖A − u·uᵀ·A‖², computed from the difference, free of the rounding of ‖A‖².
    """
    image = product(u.T, matrix)
    step = max(1, _AT_ONCE // max(1, matrix.shape[1]))
    parts = (slice(first, first + step) for first in range(0, len(matrix), step))
    return sum(energy(matrix[rows] - u[rows] @ image) for rows in parts)
