"""Rank, separability and low-rank factors of a matrix, by singular values."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convtool.errors import KernelError
from convtool.records import Record

FloatArray = NDArray[np.floating[Any]]


class Factors(Record, eq=False):
    """A matrix as a sum of outer products, the strongest first.

    Attributes
    ----------
    columns : ndarray
        Shape (r, M): the column of each product.
    rows : ndarray
        Shape (r, N): the row of each product.
    singular_values : ndarray
        Shape (min(M, N),): all of the matrix, the largest first, those beyond r included.
    """

    columns: FloatArray
    rows: FloatArray
    singular_values: FloatArray

    def matrix(self) -> FloatArray:
        """Return the sum of the outer products, shape (M, N)."""
        return self.columns.T @ self.rows


def truncated_svd(matrix: FloatArray, k: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the k strongest singular triples of a matrix, and all its singular values.

    Parameters
    ----------
    matrix : ndarray
        Float32 or float64, shape (M, N), finite; the arithmetic is done in its dtype.
    k : int
        How many triples, 1 to min(M, N).

    Returns
    -------
    u : ndarray
        Shape (M, k), orthonormal columns.
    singular_values : ndarray
        Shape (min(M, N),), descending.
    vt : ndarray
        Shape (k, N), orthonormal rows; the entry of largest magnitude in each is positive, so that
        the signs do not depend on the library beneath.

    References
    ----------
    C. Eckart, G. Young, "The approximation of one matrix by another of lower rank",
    Psychometrika 1 (1936), pp. 211-218: the first k triples give the nearest matrix of rank k.

    Examples
    --------
    >>> u, s, vt = truncated_svd(np.array([[3.0, 0.0], [0.0, 4.0]]), 1)
    >>> s
    array([4., 3.])
    """
    u, singular_values, vt = np.linalg.svd(matrix, full_matrices=False)
    u, vt = u[:, :k], vt[:k]
    peaks = np.take_along_axis(vt, np.abs(vt).argmax(axis=1)[:, np.newaxis], axis=1)
    signs = np.where(peaks < 0, -1, 1).astype(matrix.dtype)
    return u * signs.T, singular_values, vt * signs


def factor(matrix: ArrayLike, rank: int | None = None, rtol: float | None = None) -> Factors:
    """Return columns and rows whose outer products sum to a matrix.

    Parameters
    ----------
    matrix : array_like
        Real, finite, shape (M, N). Float32 is computed in float32, all else in float64.
    rank : int, optional
        The most products to return, the strongest; by default as many as the matrix's rank, so
        that the sum is the matrix up to rounding.
    rtol : float, optional
        Singular values up to `rtol` times the largest count as zero; by default
        max(M, N) times the dtype's epsilon, as `numpy.linalg.matrix_rank`.

    Returns
    -------
    Factors
        At least one product, at most the rank of the matrix. Entries that are rounding noise are
        exactly zero, so that the factors reach no farther than the matrix. A matrix of rank 1 is
        factored without rounding where its entries allow that: ``sobel-horizontal`` gives
        -1 0 1 and 1 2 1.

    Raises
    ------
    KernelError
        Where `matrix` is not two-dimensional, real and finite, or `rank` is below 1.

    Examples
    --------
    >>> factors = factor([[1, 2, 1], [0, 0, 0], [-1, -2, -1]])
    >>> factors.columns, factors.rows
    (array([[ 1.,  0., -1.]]), array([[1., 2., 1.]]))
    """
    array = _floats(matrix)
    if rank is not None and rank < 1:
        raise KernelError(f"rank {rank}: give at least 1")
    scaled, exponent = _scaled(array)
    single = _rank_one(scaled)
    if single is not None:
        column, row = single
        singular_values = np.zeros(min(array.shape), array.dtype)
        singular_values[0] = np.ldexp(np.linalg.norm(column) * np.linalg.norm(row), exponent)
        return Factors(np.ldexp(column, exponent)[np.newaxis], row[np.newaxis], singular_values)
    u, singular_values, vt = truncated_svd(scaled, min(array.shape))
    count = _count(singular_values, _tolerance(array) if rtol is None else rtol)
    count = count if rank is None else min(rank, count)
    roots = np.sqrt(singular_values[:count, np.newaxis])
    columns = _without_noise(u[:, :count].T * roots, (scaled != 0).any(axis=1))
    rows = _without_noise(vt[:count] * roots, (scaled != 0).any(axis=0))
    return Factors(np.ldexp(columns, exponent), rows, np.ldexp(singular_values, exponent))


def rank(kernel: ArrayLike, rtol: float | None = None) -> int:
    """Return the rank of a kernel: how many column and row passes it takes.

    Parameters
    ----------
    kernel : array_like
        Real, finite, shape (KH, KW).
    rtol : float, optional
        As in `factor`.

    Returns
    -------
    int
        0 for a kernel of zeros.

    Raises
    ------
    KernelError
        As `factor` does.

    Examples
    --------
    >>> rank([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])
    2
    """
    array = _floats(kernel)
    if not array.any():
        return 0
    scaled, _ = _scaled(array)
    if _rank_one(scaled) is not None:
        return 1
    return _count(
        np.linalg.svd(scaled, compute_uv=False), _tolerance(array) if rtol is None else rtol
    )


def is_separable(kernel: ArrayLike) -> bool:
    """Return whether a kernel is one column times one row, up to rounding.

    Examples
    --------
    >>> is_separable([[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    True
    """
    return rank(kernel) <= 1


def _floats(matrix: ArrayLike) -> FloatArray:
    array = np.asarray(matrix)
    if array.dtype.kind not in "biuf":
        raise KernelError(f"a matrix of type {array.dtype}; give real numbers")
    if array.ndim != 2 or array.size == 0:
        raise KernelError(f"a matrix of shape {array.shape}; give two dimensions, neither empty")
    if array.dtype != np.float32:
        array = array.astype(np.float64, copy=False)
    if not np.isfinite(array).all():
        raise KernelError("a matrix with NaN or infinity; give finite numbers")
    return array


def _count(singular_values: FloatArray, rtol: float) -> int:
    """Return how many singular values, the largest first, are not zero; at least 1."""
    return max(1, int((singular_values > rtol * singular_values[0]).sum()))


def _tolerance(array: FloatArray) -> float:
    return float(max(array.shape) * np.finfo(array.dtype).eps)


def _scaled(array: FloatArray) -> tuple[FloatArray, int]:
    """Return the matrix times a power of two, its largest entry near 1, and that power undone.

    Integers of moderate size stay as they are.
    """
    peak = np.abs(array).max()
    if peak == 0 or 2.0**-30 < peak < 2.0**30:
        return array, 0
    exponent = int(np.frexp(peak)[1])
    return np.ldexp(array, -exponent), exponent


def _rank_one(array: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Return the column and row whose product is the matrix to the last bits, where there are any.

    An integer matrix of rank 1 is an integer column times the row's integers in lowest terms. Any
    other is tried as its column through the largest entry times the row through it.
    """
    if not array.any():
        return np.zeros_like(array[:, 0]), np.zeros_like(array[0])
    i, j = np.unravel_index(np.abs(array).argmax(), array.shape)
    row = array[i]
    divisor = row[j]
    if np.array_equal(row, np.rint(row)) and np.abs(divisor) < 2.0**24:
        divisor = array.dtype.type(np.gcd.reduce(row.astype(np.int64)))
    row = row / divisor
    column = array[:, j] / row[j]
    error = np.abs(np.outer(column, row) - array).max()
    if error > 4 * np.finfo(array.dtype).eps * np.abs(array[i, j]):
        return None
    sign = -1 if (row.sum() or column.sum()) < 0 else 1
    return sign * column + 0, sign * row + 0


def _without_noise(vectors: FloatArray, support: NDArray[np.bool_]) -> FloatArray:
    """Return the vectors with zeros outside the support and in place of rounding noise."""
    noise = _tolerance(vectors) * np.abs(vectors).max(axis=1, keepdims=True)
    return np.where(support & (np.abs(vectors) > noise), vectors, 0).astype(vectors.dtype)
