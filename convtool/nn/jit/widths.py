"""How many numbers the vectors and tiles of a step hold, by the family of processors."""

from convtool.compiled import target

PANEL = 4
"""The most vectors side by side in one tile."""


def is_wide() -> bool:
    """Return whether a vector register holds 16 float32 numbers."""
    return target.current().vector_bytes >= 64


def width() -> int:
    """Return how many float32 numbers one vector holds."""
    return 16 if is_wide() else 8


def max_rows() -> tuple[int, ...]:
    """Return the most rows of a tile, by its number of vectors: with more, sums leave registers."""
    return (0, 8, 8, 8, 6) if is_wide() else (0, 8, 6, 4, 3)
