"""The truncated singular value decomposition: validate, plan, solve, verify."""

import numpy as np
from numpy.typing import ArrayLike

from convtool.arrays import adopt
from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.kernels.weights import FloatArray
from convtool.svd.planner import plan
from convtool.svd.solvers import solver
from convtool.svd.triples import Doubt, Triples, energy


def decompose(matrix: ArrayLike, k: int, *, method: str = "auto") -> Triples:
    """Return the k strongest singular triples of a matrix.

    Parameters
    ----------
    matrix : array_like
        Real and finite, shape (M, N). Float64 is computed in float64; integers of up to 16 bits,
        booleans and smaller floats in float32 where its precision suffices; other integers in
        float64.
    k : int
        Number of triples, 1 to min(M, N).
    method : str
        ``auto``, ``full``, ``gram``, ``randomized`` or ``lanczos``.

    Returns
    -------
    Triples
        The PSNR is within 0.01 dB of the best approximation of rank k for every spectrum: iterative
        methods end by a residual test. If it is inconclusive in float32, the iteration continues in
        float64; if it is inconclusive there, or the Gram matrix lacks precision, LAPACK's full
        decomposition follows. The sign of each pair of vectors is arbitrary, but deterministic.

    Raises
    ------
    OptionError
        If k is not within 1 to min(M, N), or the method is unknown.
    ShapeError
        If the matrix does not have two dimensions or is empty.
    PixelTypeError
        If the matrix is not real, or contains NaN or infinity.

    References
    ----------
    C. Eckart, G. Young, "The approximation of one matrix by another of lower rank",
    Psychometrika 1 (1936), pp. 211-218.

    Examples
    --------
    >>> triples = decompose([[3.0, 0.0], [0.0, 4.0]], 1)
    >>> triples.s
    array([4.])
    >>> triples.tail
    9.0
    """
    array = _floats(matrix)
    smaller = min(array.shape)
    if not 1 <= k <= smaller:
        rows, columns = array.shape
        raise OptionError(
            f"k {k}: a matrix of {rows}×{columns} has {smaller} singular values, "
            f"give 1 to {smaller}"
        )
    tall = array.shape[0] > array.shape[1]
    wide = array.T if tall else array
    rows, columns = wide.shape
    name = plan(rows, columns, k, single=array.dtype == np.float32, method=method).method
    triples = _assured(wide, k, name, finite_energy(array))
    return triples.transposed() if tall else triples


def _assured(matrix: FloatArray, k: int, name: str, total: float) -> Triples:
    """Solve, then in float64, then by the full decomposition, until the result is confirmed."""
    triples = solver(name)(matrix, k, total)
    if triples.doubt is Doubt.PRECISION and matrix.dtype == np.float32:
        matrix = matrix.astype(np.float64)
        total = energy(matrix)
        triples = solver("lanczos" if name == "randomized" else name)(matrix, k, total)
    if triples.doubt is Doubt.EFFORT:
        triples = solver("gram")(matrix, k, total)
    return triples if triples.doubt is Doubt.NONE else solver("full")(matrix, k, total)


def _floats(matrix: ArrayLike) -> FloatArray:
    array = adopt(matrix, "matrix", "decomposed")
    if array.dtype.kind == "c":
        raise PixelTypeError(f"a matrix of type {array.dtype}; give real numbers")
    if array.ndim != 2 or array.size == 0:
        raise ShapeError(f"a matrix of shape {array.shape}; give two dimensions, neither empty")
    small = array.dtype.itemsize <= 2 or array.dtype == np.float32
    floats: FloatArray = np.ascontiguousarray(array, np.float32 if small else np.float64)
    return floats


def finite_energy(matrix: FloatArray) -> float:
    """Validate that a matrix is finite and return its energy.

    Raises
    ------
    PixelTypeError
        If it contains NaN or infinity, or values whose squares overflow float64.
    """
    with np.errstate(all="ignore"):
        total = energy(matrix)
        if not np.isfinite(total):
            total = energy(matrix.astype(np.float64))
    if not np.isfinite(total):
        raise PixelTypeError("a picture with NaN or infinity; give finite numbers")
    return total
