"""Kernel literals: ``3x3:0,-1,0,-1,5,-1,0,-1,0``, or rows in ImageMagick's syntax."""

import re

import numpy as np

from convtool.errors import KernelError
from convtool.kernels import numerals
from convtool.kernels.numerals import shown
from convtool.kernels.weights import Weights

_OPTION = re.compile(r"[A-Za-z][A-Za-z_-]*\s*=")
_COMMA = re.compile(r"\s*,\s*")


def split_literal(body: str) -> tuple[str, str]:
    """Split the part of a literal after its size into numbers and options.

    Examples
    --------
    >>> split_literal("1,2,scale=1/3")
    ('1,2', 'scale=1/3')
    >>> split_literal("1,2:scale=1/3")
    ('1,2', 'scale=1/3')
    """
    option = _OPTION.search(body)
    if not option:
        return body, ""
    return re.sub(r"\s*[,:]?\s*$", "", body[: option.start()]), body[option.start() :]


def read_literal(size: str, numbers: str) -> tuple[Weights, tuple[str, ...]]:
    """Parse the numbers of a literal; return the kernel and notes for the user.

    Parameters
    ----------
    size : str
        Rows x columns.
    numbers : str
        The numbers row by row, separated by commas or blanks. For comma-separated rows with blanks
        between them, the size may also be columns x rows, as in ImageMagick.

    Raises
    ------
    KernelError
        If there are too few or too many numbers, or one is invalid.

    Examples
    --------
    >>> weights, notes = read_literal("3x2", "1,2,3 4,5,6")
    >>> weights.tolist()
    [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    >>> notes
    ('is read as 3 columns x 2 rows, as its rows are written',)
    """
    rows, columns = numerals.size(size)
    groups = [row.split(",") for row in _COMMA.sub(",", numbers.strip()).split()] or [[""]]
    items = [item for group in groups for item in group]
    if len(items) != rows * columns:
        raise KernelError(f"{size} takes {rows * columns} numbers, not {len(items)}")
    shape: tuple[int, int] = rows, columns
    notes: tuple[str, ...] = ()
    if 1 < len(groups) < len(items):
        shape = _written_shape(groups, (rows, columns), size)
        if shape != (rows, columns):
            notes = (f"is read as {rows} columns x {columns} rows, as its rows are written",)
    values = np.empty(shape)
    for place, item in zip(np.ndindex(shape), items, strict=True):
        try:
            values[place] = numerals.number(item)
        except KernelError as error:
            raise KernelError(f"row {place[0] + 1}, column {place[1] + 1}: {error}") from error
    return values, notes


def _written_shape(groups: list[list[str]], shape: tuple[int, int], size: str) -> tuple[int, int]:
    """Return the shape of the written rows; ImageMagick gives the columns first."""
    written = len(groups), len(groups[0])
    if any(len(group) != written[1] for group in groups) or written not in (shape, shape[::-1]):
        lengths = ", ".join(str(len(group)) for group in groups)
        raise KernelError(
            f"{size} takes {shape[0]} rows of {shape[1]} numbers, not rows of {shown(lengths)}"
        )
    return written
