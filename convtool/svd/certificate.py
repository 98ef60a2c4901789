"""The convergence test of iterative solvers: a bound for the energy that a projection misses."""

from typing import Any

import numpy as np

from convtool.kernels.weights import FloatArray

LOSS_DB = 0.005
"""The largest PSNR loss of a confirmed result: half of the documented 0.01 dB."""

_SHARE = 10 ** (LOSS_DB / 10) - 1
_CAUTION = 1.5
_ROUNDING = 1e-5


def missed_energy(
    values: FloatArray, residuals: FloatArray, outside: float, caution: float = 1.0
) -> float:
    """Bound the energy that the k best vectors of a subspace miss.

    In an orthonormal basis, the symmetric matrix G = A·Aᵀ is [[T, Cᵀ], [C, D]]. Known are the k
    largest eigenvalues of T, the residuals of their vectors, and an estimate of the norm of D. The
    eigenvalues can then be too small by

        max(d − θ, 0) + 2r² / (g + √(g² + 4r²)),   g = max(θ − d, 0),

    each: by r²/g where a gap separates θ from D, by r without a gap, and by the excess of D over θ.

    Parameters
    ----------
    values : ndarray
        θ, shape (k,): the k largest eigenvalues of T.
    residuals : ndarray
        r, shape (k,): the norm of G·u − θ·u for each of their vectors u.
    outside : float
        The norm of G on the last block of the basis, which estimates d.
    caution : float
        Safety factor for that estimate.

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
    """Return whether the k best vectors of a subspace have converged.

    Parameters
    ----------
    values, residuals, outside
        As for `missed_energy`.
    tail : float
        The energy of the whole matrix without that of the k vectors.

    Returns
    -------
    bool
        True if the PSNR of the rank-k approximation is within `LOSS_DB` of the optimum: the bound
        holds with the safety factor, or without it for vectors that are exact up to rounding.
    """
    exact = bool((residuals <= _ROUNDING * values[-1]).all())
    missed = missed_energy(values, residuals, outside, 1.0 if exact else _CAUTION)
    return missed <= _SHARE * (tail - missed)


def resolves(values: FloatArray, total: float, dtype: np.dtype[Any]) -> bool:
    """Return whether a dtype's precision suffices to resolve the tail of a spectrum.

    The tail is a difference from the total energy, with an error of some rounding units of the
    total, which must be well below the allowed loss. Squared singular values below the rounding of
    the largest one are lost.

    Parameters
    ----------
    values : ndarray
        The squares of the first k singular values, descending.
    total : float
        The energy of the whole matrix.
    dtype : dtype
        Float32 or float64.
    """
    eps = float(np.finfo(dtype).eps)
    tail = total - float(values.sum())
    return len(values) > 0 and tail > 100 * eps * total and values[-1] > 16 * eps * values[0]
