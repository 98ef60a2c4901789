"""The transform lengths of compiled overlap-save, chosen without a compiler.

An image is cut into tiles. A transform of L rows gives L - KH + 1 rows of a tile's answer; two
tiles, one as the real and one as the imaginary part, are transformed together.
"""

import math
from functools import lru_cache
from typing import NamedTuple

LENGTHS = (32, 64, 128, 256)
"""Lengths that the compiled transforms come in."""

CACHED = 128 * 128
"""Complex numbers of a tile that a core's cache holds; larger ones cost more each."""

BEYOND_CACHE = 1.3
"""How many times as much."""

BESIDE = 8.0
"""What a tile costs beside its passes, in passes over two rows: it is read, turned, written."""


class Tiling(NamedTuple):
    """The transforms' lengths along columns and rows, and the answers that a tile makes."""

    lengths: tuple[int, int]
    tile: tuple[int, int]
    effort: float


def _effort(size: tuple[int, int], lengths: tuple[int, int], tile: tuple[int, int]) -> float:
    """Return how many butterflies of two rows are done for each sample of the answer."""
    tiles = -(-size[0] // tile[0]) * (-(-size[1] // tile[1]) + 1) // 2
    area = lengths[0] * lengths[1]
    each = 2.0 * area * (math.log2(area) + BESIDE) * (BEYOND_CACHE if area > CACHED else 1.0)
    return tiles * each / (size[0] * size[1])


@lru_cache(maxsize=256)
def tiling(kernel_shape: tuple[int, int], size: tuple[int, int]) -> Tiling | None:
    """Return the cheapest tiling for an answer of a size, or None where the kernel is too large.

    Examples
    --------
    >>> tiling((31, 31), (1080, 1920)).lengths
    (128, 128)
    >>> tiling((300, 3), (1080, 1920)) is None
    True
    """
    found = []
    for height in LENGTHS:
        for width in LENGTHS:
            tile = height - kernel_shape[0] + 1, width - kernel_shape[1] + 1
            if min(tile) > 0:
                effort = _effort(size, (height, width), tile)
                found.append(Tiling((height, width), tile, effort))
    return min(found, key=lambda one: one.effort, default=None)
