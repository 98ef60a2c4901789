"""Low-rank approximation of a matrix, as a whole or tile by tile."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from convtool.kernels.weights import FloatArray
from convtool.records import Record
from convtool.svd.threads import one_thread
from convtool.svd.tiles import Region, cut, paste, regions
from convtool.svd.truncated import decompose, finite_energy

_EPS = float(np.finfo(np.float64).eps)


class TileFactors(Record, eq=False):
    """The factors of the tiles of a region."""

    region: Region
    """Where the tiles lie."""
    left: FloatArray
    """Shape (T, r, height): for each tile the columns of its products."""
    s: FloatArray
    """Float64, shape (T, r): singular values, descending in each tile, 0 beyond its rank."""
    right: FloatArray
    """Shape (T, r, width): the rows of the products."""

    @property
    def ranks(self) -> NDArray[np.intp]:
        """The rank of each tile, shape (T,)."""
        return np.asarray((self.s > 0).sum(axis=1))

    @property
    def stored(self) -> int:
        """Number of stored values: 1 + height + width for each product."""
        return int(self.ranks.sum()) * (1 + self.region.height + self.region.width)

    def tiles(self) -> FloatArray:
        """Return the sums of the products, shape (T, height, width)."""
        r = max(1, int(self.ranks.max(initial=0)))
        left = self.left[:, :r] * self.s[:, :r, np.newaxis].astype(self.left.dtype)
        product: FloatArray = left.transpose(0, 2, 1) @ self.right[:, :r]
        return product


class Approximation(Record, eq=False):
    """The strongest singular triples of a matrix or of each of its tiles."""

    shape: tuple[int, int]
    """Shape (M, N) of the matrix."""
    factors: Sequence[TileFactors]
    """One for each region."""
    total: float
    """The energy of the matrix: the sum of its squared entries."""
    tail: float
    """The energy of the omitted triples, which is the squared error."""

    @property
    def squared_error(self) -> float:
        """The tail, or 0 where it does not exceed the rounding of float64."""
        return self.tail if self.tail > (max(self.shape) * _EPS) ** 2 * self.total else 0.0

    @property
    def stored(self) -> int:
        """Number of stored values."""
        return sum(part.stored for part in self.factors)

    @property
    def tile_count(self) -> int:
        """Number of tiles; 1 for a matrix without tiles."""
        return sum(part.region.count for part in self.factors)

    def matrix(self) -> FloatArray:
        """Return the approximation, shape (M, N)."""
        if self.tile_count == 1:
            whole: FloatArray = self.factors[0].tiles()[0]
            return whole
        matrix = np.empty(self.shape, self.factors[0].left.dtype)
        for part in self.factors:
            paste(matrix, part.region, part.tiles())
        return matrix

    def first(self, k: int) -> "Approximation":
        """Return the best approximation with k products per tile on average.

        With one tile those are its k strongest. With several, they are the strongest of all tiles:
        a smooth tile gets fewer, a detailed one more.
        """
        return self.strongest(k * self.tile_count)

    def strongest(self, wanted: int) -> "Approximation":
        """Return the approximation by the ``wanted`` strongest products."""
        pooled = np.sort(np.concatenate([part.s.ravel() for part in self.factors]))[::-1]
        if wanted >= len(pooled):
            return self
        least, spare = pooled[wanted - 1], wanted - int((pooled > pooled[wanted - 1]).sum())
        kept = []
        for part in self.factors:
            s = np.where(part.s > least, part.s, 0.0)
            ties = np.flatnonzero(part.s == least)[:spare]
            s.ravel()[ties] = least
            spare -= len(ties)
            kept.append(TileFactors(part.region, part.left, s, part.right))
        dropped = sum(
            float((old.s**2).sum() - (new.s**2).sum())
            for old, new in zip(self.factors, kept, strict=True)
        )
        return Approximation(self.shape, kept, self.total, self.tail + max(dropped, 0.0))


def approximate(
    matrix: FloatArray, k: int, *, block: int | None = None, method: str = "auto"
) -> Approximation:
    """Return the best approximation of a matrix with k products per tile.

    Parameters
    ----------
    matrix : ndarray
        Float32 or float64, shape (M, N), finite.
    k : int
        Number of products; with `block`, per tile on average.
    block : int, optional
        The side of the tiles; without it the whole matrix is one tile.
    method : str
        The solver for a whole matrix; LAPACK decomposes tiles.

    Raises
    ------
    OptionError
        If k is out of range.

    Examples
    --------
    >>> approximate(np.diag([3.0, 2.0, 1.0]), 2).tail
    1.0
    """
    rows, columns = matrix.shape
    if block is None:
        triples = decompose(matrix, k, method=method)
        (region,) = regions(rows, columns, None)
        left, s, right = triples.u.T[None], triples.s[None], triples.vt[None]
        part = TileFactors(region, left, s, right)
        return Approximation((rows, columns), [part], triples.total, triples.tail)
    return tiled(matrix, block).first(k)


def tiled(matrix: FloatArray, block: int) -> Approximation:
    """Decompose all tiles of a matrix completely.

    Parameters
    ----------
    matrix : ndarray
        Float32 or float64, shape (M, N), finite.
    block : int
        The side of the tiles.

    Returns
    -------
    Approximation
        Exact up to rounding; truncate it by `Approximation.first`.
    """
    rows, columns = matrix.shape
    total = finite_energy(matrix)
    factors = []
    for region in regions(rows, columns, block):
        with one_thread():
            u, s, vt = np.linalg.svd(cut(matrix, region), full_matrices=False)
        factors.append(TileFactors(region, u.transpose(0, 2, 1), s.astype(np.float64), vt))
    return Approximation((rows, columns), factors, total, 0.0)
