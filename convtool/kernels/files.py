"""Read and validate kernel files: .txt, .csv, .npy and .json."""

import io
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from convtool.errors import KernelError
from convtool.jsontext import parse
from convtool.kernels import numerals
from convtool.kernels.weights import COMBINATIONS, Combination, Weights, checked
from convtool.reading import load

_SEPARATORS = (";", ",", None)
_Read = tuple[Weights, Combination | None]


def read_weights(path: str) -> tuple[Weights, Combination | None]:
    """Read the kernel in a file, and the combination of a group.

    Parameters
    ----------
    path : str
        A file whose suffix is in `FILE_TYPES`: rows of numbers separated by blanks, commas or
        semicolons (.txt, .csv; ``#`` starts a comment), a NumPy array (.npy), or JSON: a list of
        rows, or an object with such a list under ``"kernel"``.

    Returns
    -------
    ndarray
        float64, shape (KH, KW); .npy and .json may hold a pair, (2, KH, KW), .json a group,
        (N, KH, KW), where the object names its ``"combination"``.
    {"magnitude", "maximum"} or None
        The magnitude for a pair unless the object names another; None for a single kernel.

    Raises
    ------
    KernelError
        If the file cannot be read, is too large, or has invalid content; the message names the row.
    """
    suffix = os.path.splitext(path)[1].lower()
    try:
        weights, combination = _READERS[suffix](load(path, "kernel file"))
    except OSError as error:
        raise KernelError(f"cannot read the file: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise KernelError(f"the file is not text (byte {error.start})") from error
    if weights.ndim == 2:
        return weights, None
    return weights, combination or "magnitude"


def _read_text(data: bytes) -> _Read:
    lines = data.decode("utf-8-sig").splitlines()
    rows: list[list[float]] = []
    for count, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        separator = next(s for s in _SEPARATORS if s is None or s in text)
        row = [
            _number(item, f"line {count}, column {column}")
            for column, item in enumerate(text.split(separator), start=1)
        ]
        rows.append(row)
        _check_length(row, rows[0], f"line {count}")
    if not rows:
        raise KernelError("the file holds no numbers; give rows of them")
    return checked(rows), None


def _read_npy(data: bytes) -> _Read:
    from tokenize import TokenError

    refusals = (EOFError, MemoryError, OverflowError, SyntaxError, TypeError, ValueError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy warns about unusual but readable headers
            array: Any = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except (*refusals, TokenError) as error:
        raise KernelError(f"not a NumPy array of numbers: {error}") from error
    return checked(array, pair=True), None


def _read_json(data: bytes) -> _Read:
    text = data.decode("utf-8-sig")
    try:
        value: Any = parse(text, finite=False)
    except ValueError as error:
        raise KernelError(f"not JSON: {error}") from error
    combination: Any = None
    if isinstance(value, dict):
        if "kernel" not in value:
            raise KernelError('the JSON object has no "kernel"; give {"kernel": [[...], ...]}')
        combination = value.get("combination")
        if combination is not None and combination not in COMBINATIONS:
            raise KernelError(f'"combination" is none of {", ".join(COMBINATIONS)}')
        value = value["kernel"]
    if not isinstance(value, list):
        raise KernelError("the JSON holds no list of rows; give [[...], ...]")
    if _depth(value) < 3:
        return checked(_rows(value, ""), combination=combination), None
    parts = [_rows(part, f"kernel {i}, ") for i, part in enumerate(value, start=1)]
    return checked(parts, pair=True, combination=combination), combination


def _depth(value: object) -> int:
    """Return the nesting depth of a list along its first elements, at most 3."""
    depth = 0
    while isinstance(value, list) and depth < 3:
        value, depth = value[0] if value else None, depth + 1
    return depth


def _rows(value: object, where: str) -> list[list[float]]:
    """Convert a JSON matrix, or a JSON list as a single row, to numbers."""
    if not isinstance(value, list):
        raise KernelError(f"{where}a list of rows is missing; give [[...], ...]")
    rows = value if _depth(value) > 1 else [value]
    numbers: list[list[float]] = []
    for count, row in enumerate(rows, start=1):
        if not isinstance(row, list):
            raise KernelError(f"{where}row {count} is not a list of numbers")
        numbers.append(
            [
                _number(item, f"{where}row {count}, column {column}")
                for column, item in enumerate(row, start=1)
            ]
        )
        _check_length(row, rows[0], f"{where}row {count}")
    return numbers


def _number(item: object, where: str) -> float:
    try:
        if isinstance(item, bool) or not isinstance(item, int | float | str):
            raise KernelError(f"a {type(item).__name__} instead of a number")
        return numerals.number(str(item))
    except KernelError as error:
        raise KernelError(f"{where}: {error}") from error


def _check_length(row: list[Any], first: list[Any], where: str) -> None:
    if len(row) != len(first):
        raise KernelError(
            f"{where} has {len(row)} numbers where the first row has {len(first)}; give equal rows"
        )


_READERS: dict[str, Callable[[bytes], _Read]] = {
    ".txt": _read_text,
    ".csv": _read_text,
    ".npy": _read_npy,
    ".json": _read_json,
}

FILE_TYPES = tuple(_READERS)
"""The suffixes of kernel files."""
