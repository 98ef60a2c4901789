"""Parse numbers and sizes in a kernel's text: ``0.5``, ``-1e-3``, ``1/9``, ``5``, ``7x3``."""

import math
import re

from convtool.errors import KernelError

MAX_SIDE = 4095
"""The largest number of rows or columns of a kernel given as text."""

_DECIMAL = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER = re.compile(rf"({_DECIMAL})(?:/({_DECIMAL}))?")
_SIZE = re.compile(r"([0-9]{1,9})(?:x([0-9]{1,9}))?")
_SHOWN = 60


def shown(text: str) -> str:
    """Quote a text on one line, truncated if it is long.

    Examples
    --------
    >>> shown("3x3:1,2")
    "'3x3:1,2'"
    """
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 4]} ...")


def number(text: str) -> float:
    """Parse a finite number, a decimal or a fraction.

    Parameters
    ----------
    text : str
        ``2``, ``-0.5``, ``1e-3`` or ``1/9``; blanks around it are ignored.

    Raises
    ------
    KernelError
        If the text is not a number, divides by zero, or is NaN or beyond float64.

    Examples
    --------
    >>> number("-1/4")
    -0.25
    """
    stripped = text.strip()
    if not stripped:
        raise KernelError("a number is missing")
    match = _NUMBER.fullmatch(stripped)
    if not match:
        raise KernelError(f"{shown(stripped)} is not a finite number; write 2, -0.5, 1e-3 or 1/9")
    numerator, denominator = float(match[1]), float(match[2] or 1)
    if denominator == 0:
        raise KernelError(f"{shown(stripped)} divides by zero")
    value = numerator / denominator
    if not math.isfinite(value):
        raise KernelError(f"{shown(stripped)} is beyond the range of float64")
    return value


def size(text: str) -> tuple[int, int]:
    """Parse a size as (rows, columns): ``5`` for 5×5 or ``7x3`` for 7 rows of 3.

    Raises
    ------
    KernelError
        If the text is not a size, or a side is not from 1 to `MAX_SIDE`.

    Examples
    --------
    >>> size("7x3")
    (7, 3)
    """
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise KernelError(f"{shown(text)} is not a size; write 5, or 7x3 for 7 rows of 3")
    rows, columns = int(match[1]), int(match[2] or match[1])
    if not (1 <= rows <= MAX_SIDE and 1 <= columns <= MAX_SIDE):
        raise KernelError(f"size {shown(text)} is out of range; a side has 1 to {MAX_SIDE}")
    return rows, columns
