"""How much energy a projection may have missed: the test that ends an iteration."""

from typing import Any

import numpy as np

from convtool.kernels.weights import FloatArray

LOSS_DB = 0.005
"""The most that a confirmed answer may lose in PSNR: half of the 0.01 dB that is promised."""

_SHARE = 10 ** (LOSS_DB / 10) - 1
_CAUTION = 1.5
_ROUNDING = 1e-5


def missed_energy(
    values: FloatArray, residuals: FloatArray, outside: float, caution: float = 1.0
) -> float:
    """Return a bound for the energy that the k best vectors of a subspace miss.

    A symmetric matrix G = A·Aᵀ is seen through an orthonormal basis as [[T, Cᵀ], [C, D]]. The k
    largest eigenvalues of T are known, and how far each of its vectors is from being one of G's;
    of D only an estimate of its norm is known. Those eigenvalues can then be too small by

        max(d − θ, 0) + 2r² / (g + √(g² + 4r²)),   g = max(θ − d, 0),

    each: by r²/g where a gap separates θ from D, by r where none does, and by what D hides.

    Parameters
    ----------
    values : ndarray
        θ, shape (k,): the k largest eigenvalues of T.
    residuals : ndarray
        r, shape (k,): the norm of G·u − θ·u for each of their vectors u.
    outside : float
        The norm of G on the vectors that the basis was last extended by, which estimates d.
    caution : float
        What that estimate is multiplied by.

    Returns
    -------
    float
        The bound, in the units of θ: squared singular values.

    References
    ----------
    C.-K. Li, R.-C. Li, "A note on eigenvalues of perturbed Hermitian matrices", Linear Algebra
    and its Applications 395 (2005), pp. 183-190.

    Examples
    --------
    >>> missed_energy(np.array([9.0, 4.0]), np.array([0.0, 0.0]), outside=1.0)
    0.0
    """
    limit = caution * outside
    gap = np.maximum(values - limit, 0.0)
    spread = gap + np.sqrt(gap**2 + 4 * residuals**2)
    inside = np.divide(2 * residuals**2, spread, out=np.zeros_like(gap), where=spread > 0)
    return float((np.maximum(limit - values, 0.0) + inside).sum())


def confirmed(values: FloatArray, residuals: FloatArray, outside: float, tail: float) -> bool:
    """Return whether the k best vectors of a subspace are good enough.

    Parameters
    ----------
    values, residuals, outside
        As for `missed_energy`.
    tail : float
        The energy of the whole matrix without that of the k vectors.

    Returns
    -------
    bool
        True where the rank-k approximation's PSNR is within `LOSS_DB` of the best there is: the
        bound holds with caution, or the vectors are exact to rounding and it holds without.
    """
    exact = bool((residuals <= _ROUNDING * values[-1]).all())
    missed = missed_energy(values, residuals, outside, 1.0 if exact else _CAUTION)
    return missed <= _SHARE * (tail - missed)


def resolves(values: FloatArray, total: float, dtype: np.dtype[Any]) -> bool:
    """Return whether arithmetic in a dtype sees the end of a spectrum that matters.

    The tail is what remains of the total energy, a difference, and so it is known to some units
    of rounding of the total only; those must stay well below the loss that is allowed. And
    whatever is smaller than the rounding of the largest squared singular value is lost in it.

    Parameters
    ----------
    values : ndarray
        The squares of the first k singular values, descending.
    total : float
        The energy of the whole matrix.
    dtype : dtype
        Float32 or float64.

    Returns
    -------
    bool
    """
    eps = float(np.finfo(dtype).eps)
    tail = total - float(values.sum())
    return len(values) > 0 and tail > 100 * eps * total and values[-1] > 16 * eps * values[0]
