"""Rank, separability and low-rank factors of a matrix: exact if possible, else by the SVD."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convtool.errors import KernelError
from convtool.kernels.rational import exact_factors, whole_numbers
from convtool.kernels.weights import FloatArray
from convtool.records import Record

Triples = tuple[FloatArray, FloatArray, FloatArray]

LARGEST_DECOMPOSED = 128
"""Above this size on both sides, a randomised range finder runs first: all singular values of
1025×1025 take 0.3 s, the range finder 10 ms."""

LOW_RANK = 32
"""Largest rank for which the range finder finds all factors."""

OVERSAMPLING = 8
"""Additional columns of the range finder."""

BLOCK_SCALARS = 1 << 17
"""Number of values compared at a time, which fit the cache."""


class Factors(Record, eq=False):
    """A matrix as a sum of outer products, the strongest first unless they are exact.

    Attributes
    ----------
    columns : ndarray
        Shape (r, M): the column of each product.
    rows : ndarray
        Shape (r, N): the row of each product.
    singular_values : ndarray
        Shape (min(M, N),): all singular values in descending order, including those beyond r.
    whole : bool
        Whether the matrix consists of integers, possibly times one common factor.
    exact : bool
        Whether the same holds for the factors, so that their products sum to the matrix without
        rounding except for the common factor.
    """

    columns: FloatArray
    rows: FloatArray
    singular_values: FloatArray
    whole: bool = False
    exact: bool = False

    def matrix(self) -> FloatArray:
        """Return the sum of the outer products, shape (M, N)."""
        return self.columns.T @ self.rows


def truncated_svd(matrix: FloatArray, k: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the k strongest singular triples of a matrix, and all its singular values.

    Parameters
    ----------
    matrix : ndarray
        Float32 or float64, shape (M, N), finite; computed in its dtype.
    k : int
        Number of triples, 1 to min(M, N).

    Returns
    -------
    u : ndarray
        Shape (M, k), orthonormal columns.
    singular_values : ndarray
        Shape (min(M, N),), descending.
    vt : ndarray
        Shape (k, N), orthonormal rows; the entry of largest magnitude in each is positive, so the
        signs do not depend on the LAPACK library.

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
    """Factor a matrix into columns and rows whose outer products sum to it.

    Parameters
    ----------
    matrix : array_like
        Real, finite, shape (M, N). Float32 is computed in float32, other types in float64.
    rank : int, optional
        The largest number of products to return, the strongest; by default the matrix's rank, so
        the sum is the matrix up to rounding.
    rtol : float, optional
        Singular values up to `rtol` times the largest count as zero; by default
        max(M, N) times the dtype's epsilon, as `numpy.linalg.matrix_rank`.

    Returns
    -------
    Factors
        At least one product, at most the rank of the matrix. Rounding noise is set to exactly zero,
        so the factors have the support of the matrix. A matrix of integers, possibly times one
        common factor, has integer factors if elimination finds them, which it always does for
        rank 1: ``sobel-horizontal`` gives -1 0 1 and 1 2 1.

    Raises
    ------
    KernelError
        If `matrix` is not two-dimensional, real and finite, or `rank` is below 1.

    Examples
    --------
    >>> factors = factor([[1, 2, 1], [0, 0, 0], [-1, -2, -1]])
    >>> factors.columns, factors.rows
    (array([[ 1.,  0., -1.]]), array([[1., 2., 1.]]))
    """
    if rank is not None and rank < 1:
        raise KernelError(f"rank {rank}: give at least 1")
    array = _floats(matrix)
    scaled, exponent = _scaled(array)
    tolerance = _tolerance(array) if rtol is None else rtol
    found = _cheap(scaled, exponent, rank, tolerance)
    if found is not None:
        return found
    triples = truncated_svd(scaled, min(array.shape))
    return _of_triples(scaled, exponent, triples, rank, tolerance)


def cheap_factors(matrix: ArrayLike, rtol: float | None = None) -> Factors | None:
    """Factor a matrix like `factor`, or return None for large matrices of high rank.

    Parameters
    ----------
    matrix, rtol
        As for `factor`.

    Returns
    -------
    Factors or None
        None if both sides are longer than `LARGEST_DECOMPOSED` and the rank is above `LOW_RANK`.

    Raises
    ------
    KernelError
        As `factor` does.

    Examples
    --------
    >>> line = np.exp(-np.linspace(-3, 3, 301) ** 2)
    >>> cheap_factors(np.outer(line, line)).columns.shape
    (1, 301)
    >>> cheap_factors(np.eye(301)) is None
    True
    """
    array = _floats(matrix)
    if min(array.shape) <= LARGEST_DECOMPOSED:
        return factor(array, rtol=rtol)
    tolerance = _tolerance(array) if rtol is None else rtol
    return _cheap(*_scaled(array), None, tolerance)


def _cheap(scaled: FloatArray, exponent: int, most: int | None, rtol: float) -> Factors | None:
    """Return the factors of a matrix of rank 1, or of a large one of low rank, else None."""
    single = _rank_one(scaled)
    if single is not None:
        column, row, exact = single
        singular_values = np.zeros(min(scaled.shape), scaled.dtype)
        singular_values[0] = np.ldexp(np.linalg.norm(column) * np.linalg.norm(row), exponent)
        columns = np.ldexp(column, exponent)[np.newaxis]
        return Factors(columns, row[np.newaxis], singular_values, exact, exact)
    low = _low_rank(scaled, rtol)
    return None if low is None else _of_triples(scaled, exponent, low, most, rtol)


def _of_triples(
    scaled: FloatArray, exponent: int, triples: Triples, most: int | None, rtol: float
) -> Factors:
    """Return exact factors if they exist, else factors from the known singular triples."""
    u, singular_values, vt = triples
    count = _count(singular_values, rtol)
    values = np.ldexp(singular_values, exponent)
    whole = whole_numbers(scaled)
    if whole is not None and (most is None or most >= count):
        found = exact_factors(whole.numbers, count)
        if found is not None:
            columns, rows = found[0], found[1] * whole.factor
            return Factors(np.ldexp(columns, exponent), rows, values, True, True)
    count = count if most is None else min(most, count)
    roots = np.sqrt(singular_values[:count, np.newaxis])
    columns = _without_noise(u[:, :count].T * roots, (scaled != 0).any(axis=1))
    rows = _without_noise(vt[:count] * roots, (scaled != 0).any(axis=0))
    return Factors(np.ldexp(columns, exponent), rows, values, whole is not None)


def rank(kernel: ArrayLike, rtol: float | None = None) -> int:
    """Return the rank of a kernel: the number of its separable terms.

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
    tolerance = _tolerance(array) if rtol is None else rtol
    low = _low_rank(scaled, tolerance)
    return _count(np.linalg.svd(scaled, compute_uv=False) if low is None else low[1], tolerance)


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
    """Return the number of non-zero singular values, at least 1."""
    return max(1, int((singular_values > rtol * singular_values[0]).sum()))


def _tolerance(array: FloatArray) -> float:
    return float(max(array.shape) * np.finfo(array.dtype).eps)


def _scaled(array: FloatArray) -> tuple[FloatArray, int]:
    """Scale the matrix by a power of two to a largest entry near 1; return the inverse exponent.

    Integers of moderate size are not scaled.
    """
    peak = np.abs(array).max()
    if peak == 0 or 2.0**-30 < peak < 2.0**30:
        return array, 0
    exponent = int(np.frexp(peak)[1])
    return np.ldexp(array, -exponent), exponent


def _rank_one(array: FloatArray) -> tuple[FloatArray, FloatArray, bool] | None:
    """Return the column and row whose product is the matrix, or None for a higher rank.

    A line of integers times a common factor is reduced to coprime integers, and the other line
    takes the factor; the last value tells whether both lines consist of such multiples.
    """
    if not array.any():
        return np.zeros_like(array[:, 0]), np.zeros_like(array[0]), True
    i, j = _place_of_peak(array)
    row = array[i] / array[i, j]
    column = array[:, j]
    if not _is_product(array, column, row):
        return None
    down, across = whole_numbers(column), whole_numbers(array[i])
    if down is not None and across is not None:
        factor = float(array[i, j] / (down.numbers[i] * across.numbers[j]))
        factor = round(factor) if np.array_equal(array, np.rint(array)) else factor
        column, row = down.numbers, across.numbers
        on_column = factor == round(factor) or (column.sum() and not row.sum())
        column, row = (column * factor, row) if on_column else (column, row * factor)
    elif down is not None:
        column, row = down.numbers, array[i] / down.numbers[i]
    elif across is not None:
        column, row = array[:, j] / across.numbers[j], across.numbers
    sign = -1 if (row.sum() or column.sum()) < 0 else 1
    dtype = array.dtype
    exact = down is not None and across is not None
    return (sign * column + 0).astype(dtype), (sign * row + 0).astype(dtype), exact


def _blocks(array: FloatArray) -> list[slice]:
    rows = max(1, BLOCK_SCALARS // array.shape[1])
    return [slice(first, first + rows) for first in range(0, len(array), rows)]


def _place_of_peak(array: FloatArray) -> tuple[int, int]:
    """Return the index of the first entry of largest magnitude."""
    peaks = [
        int(np.abs(array[block]).argmax()) + block.start * array.shape[1]
        for block in _blocks(array)
    ]
    place = max(peaks, key=lambda place: abs(float(array.flat[place])))
    return place // array.shape[1], place % array.shape[1]


def _is_product(array: FloatArray, column: FloatArray, row: FloatArray) -> bool:
    """Return whether a matrix is a column times a row, up to rounding of its largest entry."""
    most = 4 * np.finfo(array.dtype).eps * np.abs(column).max()
    return all(
        np.abs(np.multiply.outer(column[block], row) - array[block]).max() <= most
        for block in _blocks(array)
    )


def _low_rank(array: FloatArray, rtol: float) -> Triples | None:
    """Return the singular triples of a large matrix of low rank, else None.

    Shapes (M, r), (min(M, N),) and (r, N), where the values beyond r are zero. The residual of the
    randomised range finder is verified to be below the tolerance.

    References
    ----------
    N. Halko, P.-G. Martinsson, J. A. Tropp, "Finding structure with randomness", SIAM Review 53
    (2011), pp. 217-288. The random numbers here have a fixed seed.
    """
    if min(array.shape) <= LARGEST_DECOMPOSED:
        return None
    wide = np.arange(1, array.shape[1] + 1)[:, np.newaxis] ** 1.5
    sample = np.cos(wide * np.arange(1, LOW_RANK + OVERSAMPLING + 1)).astype(array.dtype)
    basis = np.linalg.qr(array @ sample)[0]
    inner = basis.T @ array
    u, values, vt = truncated_svd(inner, len(inner))
    count = _count(values, rtol)
    missed = sum(
        float(np.square(array[block] - basis[block] @ inner).sum()) for block in _blocks(array)
    )
    if count > LOW_RANK or missed > (rtol * float(values[0])) ** 2:
        return None
    singular_values = np.zeros(min(array.shape), array.dtype)
    singular_values[:count] = values[:count]
    return basis @ u[:, :count], singular_values, vt[:count]


def _without_noise(vectors: FloatArray, support: NDArray[np.bool_]) -> FloatArray:
    """Set the vectors' entries outside the support and rounding noise to zero."""
    noise = _tolerance(vectors) * np.abs(vectors).max(axis=1, keepdims=True)
    return np.where(support & (np.abs(vectors) > noise), vectors, 0).astype(vectors.dtype)
