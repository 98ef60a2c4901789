"""Targets of compression, and the smallest k that meets one, from the spectrum of a picture."""

import math

import numpy as np

from convtool.errors import OptionError
from convtool.kernels.weights import FloatArray
from convtool.progress import Advance, ignore
from convtool.records import Record
from convtool.svd.approximation import tiled
from convtool.svd.threads import suited_to
from convtool.svd.tiles import regions
from convtool.svd.truncated import finite_energy


class Target(Record):
    """The criterion for the number of triples: k itself, a PSNR, a ratio or an energy."""

    name: str
    """``k``, ``psnr``, ``ratio`` or ``energy``."""
    value: float
    """k, dB, a ratio of stored to original values, or a share of Σσ²."""

    @staticmethod
    def of(
        *, k: int | None, psnr: float | None, ratio: float | None, energy: float | None
    ) -> "Target":
        """Build the target from the one argument that is not None.

        Raises
        ------
        OptionError
            If none or several are given, or the value is out of range.
        """
        wishes = {"k": k, "psnr": psnr, "ratio": ratio, "energy": energy}
        given = {name: value for name, value in wishes.items() if value is not None}
        if len(given) != 1:
            names = " and ".join(given) or "none"
            raise OptionError(f"{names} given: choose one of k, target PSNR, target ratio, energy")
        ((name, value),) = given.items()
        most = {"k": math.inf, "psnr": math.inf, "ratio": math.inf, "energy": 1.0}[name]
        if name != "k" and not 0 < value <= most:
            limit = "above 0 and up to 1" if most == 1 else "above 0"
            raise OptionError(f"{name} {value:g}: give a number {limit}")
        return Target(name, value)


class Spectrum(Record, eq=False):
    """Cumulative energies of a picture's triples, over all of its matrices."""

    kept: FloatArray
    """Shape (K + 1,): the energy of the best k triples of each matrix, k from 0."""
    left: FloatArray
    """Shape (K + 1,): the remaining energy, which is the squared error."""
    stored: FloatArray
    """Shape (K + 1,): the number of stored values."""
    size: int
    """Number of values of the picture."""


def spectrum(
    matrices: list[FloatArray], block: int | None = None, advance: Advance = ignore
) -> Spectrum:
    """Return the energies of the triples of a picture's matrices, without their vectors.

    Parameters
    ----------
    matrices : list of ndarray
        Float32 or float64, all of one shape (M, N), finite.
    block : int, optional
        The side of the tiles; without it, of whole matrices.
    advance : callable, optional
        Told when a matrix is done.

    Returns
    -------
    Spectrum
        Accurate to about 1e-14 of the total energy.

    Examples
    --------
    >>> spectrum([np.diag([3.0, 2.0, 1.0])]).left.round(9)
    array([14.,  5.,  1.,  0.])
    """
    rows, columns = matrices[0].shape
    size = len(matrices) * rows * columns
    found = []
    for matrix in matrices:
        found.append(_energies(matrix, block))
        advance(1)
    energies, stored = zip(*found, strict=True)
    squares = np.sum(energies, axis=0)
    kept = np.concatenate([[0.0], np.cumsum(squares)])
    left = np.concatenate([np.cumsum(squares[::-1])[::-1], [0.0]])
    return Spectrum(kept, left, np.sum(stored, axis=0), size)


def _energies(matrix: FloatArray, block: int | None) -> tuple[FloatArray, FloatArray]:
    """Return the energy of each triple, and the number of stored values up to each k from 0."""
    rows, columns = matrix.shape
    if block is None:
        count = np.arange(min(rows, columns) + 1)
        return _squares(matrix), count * (1.0 + rows + columns)
    whole = tiled(matrix, block)
    most = min(block, rows, columns)
    cuts = [whole.first(k) for k in range(1, most + 1)]
    tails = np.array([whole.total, *(cut.tail for cut in cuts)])
    tails[-1] = 0.0
    return -np.diff(tails), np.array([0.0, *(float(cut.stored) for cut in cuts)])


def _squares(matrix: FloatArray) -> FloatArray:
    """Return all squared singular values, descending, from the Gram matrix."""
    if finite_energy(matrix) == 0.0:
        return np.zeros(min(matrix.shape))
    wide = matrix.astype(np.float64, copy=False)
    gram = wide @ wide.T if len(wide) <= wide.shape[1] else wide.T @ wide
    with suited_to(gram.size):
        squares: FloatArray = np.maximum(np.linalg.eigvalsh(gram)[::-1], 0.0)
    rounding = max(matrix.shape) * float(np.finfo(np.float64).eps) * squares[0]
    return np.where(squares > rounding, squares, 0.0)


def smallest_k(
    matrices: list[FloatArray], target: Target, largest: int, block: int | None, peak: float
) -> int:
    """Return the k that meets a target.

    Parameters
    ----------
    matrices : list of ndarray
        The picture's matrices, all of one shape.
    target : Target
        A PSNR, a ratio or a share of energy.
    largest : int
        The largest possible k.
    block : int, optional
        The side of the tiles.
    peak : float
        The value of white.

    Returns
    -------
    int
        For a PSNR or an energy the smallest k that reaches it, for a ratio the largest within it.

    Raises
    ------
    OptionError
        If even k of 1 exceeds the ratio.
    """
    if target.name == "ratio" and block is None:
        rows, columns = matrices[0].shape
        (region,) = regions(rows, columns, None)
        each = (1 + region.height + region.width) / (rows * columns)
        return _within(target.value, int(min(target.value / each, largest) + 1e-9), each, largest)
    known = spectrum(matrices, block)
    if target.name == "ratio":
        fits = np.flatnonzero(known.stored <= target.value * known.size * (1 + 1e-9))
        return _within(target.value, int(fits[-1]), float(known.stored[1]) / known.size, largest)
    if target.name == "energy":
        return min(k_for_energy(known, target.value), largest)
    return min(k_for_psnr(known, target.value, peak), largest)


def k_for_psnr(known: Spectrum, decibels: float, peak: float) -> int:
    """Return the smallest k, from 1, that reaches a PSNR."""
    allowed = known.size * peak**2 * 10 ** (-decibels / 10)
    return max(1, int(np.flatnonzero(known.left <= allowed)[0]))


def k_for_energy(known: Spectrum, share: float) -> int:
    """Return the smallest k, from 1, that retains a share of the energy."""
    allowed = (1 - share) * known.left[0]
    return max(1, int(np.flatnonzero(known.left <= allowed)[0]))


def _within(ratio: float, k: int, least: float, largest: int) -> int:
    if k < 1:
        raise OptionError(f"ratio {ratio:g}: k of 1 takes {least:.3g} already; give more")
    return min(k, largest)
