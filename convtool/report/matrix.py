"""Matrices and tables as aligned text."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T")
_LARGEST_DENOMINATOR = 4096
_SHOWN = 17
_KEPT = 8


def table(
    rows: Sequence[Sequence[str]],
    *,
    right: bool = False,
    words: Sequence[int] = (),
    gap: str = "  ",
) -> list[str]:
    """Return rows of cells as lines whose columns are aligned.

    Parameters
    ----------
    rows : sequence of sequence of str
        Rows of equal length.
    right : bool
        Whether cells are aligned at their right.
    words : sequence of int
        Columns that are aligned at their left all the same.
    gap : str
        The separator of the columns.

    Examples
    --------
    >>> table([["a", "bb"], ["ccc", "d"]])
    ['a    bb', 'ccc  d']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        gap.join(
            cell.rjust(width) if right and place not in words else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def matrix_lines(matrix: NDArray[np.float64]) -> list[str]:
    """Format a matrix as aligned lines; fractions with a common denominator as integers over it.

    Long sides are truncated to their first and last entries.

    Parameters
    ----------
    matrix : ndarray
        Finite, shape (M, N).

    Examples
    --------
    >>> matrix_lines(np.array([[0.25, 0.5, 0.25]]))
    ['1/4 ·  1  2  1']
    """
    denominator = common_denominator(matrix)
    if denominator is None:
        texts = [[f"{value:.5g}" for value in row] for row in matrix.tolist()]
    else:
        texts = [[f"{value:.0f}" for value in row] for row in (matrix * denominator + 0).tolist()]
    cells = [_shortened(row, "...") for row in texts]
    cells = _shortened(cells, [":"] * len(cells[0]))
    lines = table(cells, right=True)
    prefix = "" if denominator in {None, 1} else f"1/{denominator} ·  "
    middle = len(lines) // 2
    return [(prefix if i == middle else " " * len(prefix)) + line for i, line in enumerate(lines)]


def line_text(values: Sequence[float]) -> str:
    """Format a vector; fractions with a common denominator as integers over it.

    A long vector is truncated to its first and last entries.

    Examples
    --------
    >>> line_text([0.25, 0.5, 0.25]), line_text([-1, 0, 1])
    ('1/4 (1 2 1)', '(-1 0 1)')
    """
    prefix, _, numbers = matrix_lines(np.array([values]))[0].rpartition("·")
    return f"{prefix}({' '.join(numbers.split())})"


def common_denominator(matrix: NDArray[np.float64]) -> int | None:
    """Return the smallest factor that makes every entry an integer, None if it is not small.

    Examples
    --------
    >>> common_denominator(np.array([[1 / 6, 1 / 4]]))
    12
    """
    denominator = 1
    for value in np.unique(matrix).tolist():
        if abs(value) > 1e9:
            return None
        fraction = Fraction(value).limit_denominator(_LARGEST_DENOMINATOR)
        if abs(float(fraction) - value) > 1e-14 * abs(value):
            return None
        denominator = math.lcm(denominator, fraction.denominator)
        if denominator > _LARGEST_DENOMINATOR:
            return None
    return denominator


def _shortened(items: list[_T], gap: _T) -> list[_T]:
    if len(items) <= _SHOWN:
        return items
    return [*items[:_KEPT], gap, *items[-_KEPT:]]
