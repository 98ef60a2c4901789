"""Division of a matrix into tiles and back; a single tile is the default."""

from convtool.kernels.weights import FloatArray
from convtool.records import Record


class Region(Record):
    """A part of a matrix divided into equal tiles."""

    top: int
    left: int
    """Its first row and column."""
    down: int
    across: int
    """Number of tiles in each direction."""
    height: int
    width: int
    """The size of each tile."""

    @property
    def count(self) -> int:
        """Number of tiles."""
        return self.down * self.across

    @property
    def rank(self) -> int:
        """The largest possible rank of a tile."""
        return min(self.height, self.width)

    def memory(self, rank: int) -> int:
        """Return the bytes of factors of so many products a tile: float64 and two of float32."""
        return self.count * rank * (8 + 4 * (self.height + self.width))

    @property
    def place(self) -> tuple[slice, slice]:
        """The rows and columns of the matrix."""
        bottom = self.top + self.down * self.height
        right = self.left + self.across * self.width
        return slice(self.top, bottom), slice(self.left, right)


def regions(rows: int, columns: int, block: int | None) -> list[Region]:
    """Divide a matrix into regions of equal tiles: whole ones, and smaller ones at two edges.

    Parameters
    ----------
    rows, columns : int
        The matrix's shape.
    block : int, optional
        The side of the tiles; without it the whole matrix is one tile.

    Examples
    --------
    >>> [(region.count, region.height, region.width) for region in regions(20, 16, 8)]
    [(4, 8, 8), (2, 4, 8)]
    """
    if block is None:
        return [Region(0, 0, 1, 1, rows, columns)]
    return [
        Region(top, left, down, across, height, width)
        for top, down, height in _spans(rows, block)
        for left, across, width in _spans(columns, block)
    ]


def _spans(length: int, block: int) -> list[tuple[int, int, int]]:
    """Return (start, count, size) of the whole blocks, and of the remainder."""
    whole, rest = divmod(length, block)
    spans = [(0, whole, block)] if whole else []
    return [*spans, (whole * block, 1, rest)] if rest else spans


def cut(matrix: FloatArray, region: Region) -> FloatArray:
    """Return the tiles of a region, shape (count, height, width)."""
    split = matrix[region.place].reshape(region.down, region.height, region.across, region.width)
    return split.transpose(0, 2, 1, 3).reshape(region.count, region.height, region.width)


def paste(matrix: FloatArray, region: Region, tiles: FloatArray) -> None:
    """Write tiles back to their region."""
    split = tiles.reshape(region.down, region.across, region.height, region.width)
    rows, columns = region.down * region.height, region.across * region.width
    matrix[region.place] = split.transpose(0, 2, 1, 3).reshape(rows, columns)
