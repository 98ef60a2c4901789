"""Tables with a picture in each row: OpenML's CSV and ARFF files, Kaggle's CSV of MNIST.

References
----------
Vanschoren, van Rijn, Bischl, Torgo (2013): OpenML: networked science in machine learning. SIGKDD
Explorations 15(2). Bouckaert et al.: the WEKA manual, the format ARFF.
"""

import csv
import re
import zlib
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain, islice
from math import isqrt
from pathlib import Path
from typing import TextIO

import numpy as np

from convtool.errors import DatasetError
from convtool.nn._types import Array
from convtool.nn.datasets.dataset import Dataset
from convtool.nn.datasets.limits import Limits, opened, unpacked

_LABEL_NAMES = ("class", "label", "target", "digit", "y")
_ROWS, _CELLS = 4096, 2**22
_LONGEST, _SHORT, _MOST_SHORT = 2**22, 4, 2**20
"""The most characters of a line; lines of so few hold no row, and how many there may be of them."""
_MOST_COLUMNS = 2**17
_TEXT = 4
"""Characters of text for each byte of data."""
_LABEL, _LONGEST_LABEL = 64, 256
"""Bytes that a label takes in memory, and the most characters that it may have."""
_ATTRIBUTE = re.compile(r"""@attribute\s+('[^']*'|"[^"]*"|\S+)""", re.IGNORECASE)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _arff_names(lines: Iterator[str]) -> list[str]:
    """Read the header of an ARFF file and return the column names."""
    names = []
    for line in lines:
        found = _ATTRIBUTE.match(line.strip())
        if found:
            names.append(found[1].strip("'\""))
        if line.strip().lower() == "@data":
            return names
        if len(names) > _MOST_COLUMNS:
            break
    raise DatasetError("has no line @data: cut off, or no ARFF file")


def _label_column(names: list[str], first: list[str]) -> int:
    """Return the index of the label column, which is the first or the last."""
    if names:
        lower = [name.strip().lower() for name in names]
        found = [lower.index(name) for name in _LABEL_NAMES if name in lower]
        if not found:
            raise DatasetError(
                f"none of its columns is called {', '.join(_LABEL_NAMES)}: name that of the labels"
            )
        column = found[0]
    else:
        odd = [place for place in (0, len(first) - 1) if _number(first[place]) is None]
        if len(odd) != 1:
            raise DatasetError(
                "has no header line: add one that names the column of the labels 'class'"
            )
        column = odd[0]
    if column not in (0, len(first) - 1):
        raise DatasetError(f"its labels are in column {column + 1}, not in the first or the last")
    return column


def _rows(lines: Iterator[str], label: int, width: int, limits: Limits) -> tuple[Array, list[str]]:
    """Read all rows; return their values, float32 (N, width), and their labels."""
    blocks: list[Array] = []
    labels: list[str] = []
    rows = (line.strip() for line in lines)
    at_once = max(1, min(_ROWS, _CELLS // width))
    while block := list(islice(filter(None, rows), at_once)):
        limits.check((len(labels) + len(block), width), 4)
        limits.check((len(labels) + len(block),), _LABEL)
        texts = []
        for row in block:
            if row.count(",") > width:
                raise DatasetError(
                    f"row {len(labels) + 1}: {row.count(',')} numbers, the first row has {width}"
                )
            cut = row.partition(",") if label == 0 else row.rpartition(",")
            labels.append(cut[0 if label == 0 else 2].strip().strip("'\""))
            if len(labels[-1]) > _LONGEST_LABEL:
                raise DatasetError(f"row {len(labels)}: its label is {len(labels[-1])} letters")
            texts.append(cut[2 if label == 0 else 0])
        blocks.append(np.loadtxt(texts, np.float32, delimiter=",", quotechar='"', ndmin=2))
        if blocks[-1].shape[1] != width:
            raise DatasetError(
                f"row {len(labels)}: {blocks[-1].shape[1]} numbers, the first row has {width}"
            )
    if not blocks:
        raise DatasetError("has no rows")
    return np.concatenate(blocks), labels


def _pictures(values: Array) -> Array:
    """Convert rows of values to square uint8 pictures, grey or three colour planes."""
    count, width = values.shape
    highest = float(values.max())
    if not np.isfinite(values).all() or values.min() < 0 or highest > 255:
        raise DatasetError(f"its pixels go from {values.min():g} to {highest:g}, not 0 to 255")
    peak = next(peak for peak in (1, 16, 255) if highest <= peak)
    pixels = np.rint(values * np.float32(255 / peak)).astype(np.uint8)
    side = isqrt(width)
    if side * side == width:
        return pixels.reshape(count, side, side)
    side = isqrt(width // 3)
    if 3 * side * side == width:
        planes = pixels.reshape(count, 3, side, side)
        return np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
    raise DatasetError(f"{width} pixels in a row are no square picture, grey or of three colours")


def _kinds(labels: list[str]) -> list[str]:
    """Return the classes in order: numbers by value, others by name."""
    kinds = sorted(set(labels))
    numbers = [_number(kind) for kind in kinds]
    if any(number is None for number in numbers):
        return kinds
    return sorted(kinds, key=float)


def _plain(label: str) -> str:
    """Return "5" for "5.0", other labels unchanged."""
    return label.removesuffix(".0")


def _lines(text: TextIO, limits: Limits) -> Iterator[str]:
    """Yield lines, each of limited length, and all together of the length of limited data."""
    total, short, most = 0, 0, _TEXT * limits.memory
    while line := text.readline(_LONGEST):
        total += len(line)
        short += len(line) < _SHORT
        if len(line) == _LONGEST or short > _MOST_SHORT:
            raise DatasetError("has lines that are longer than a picture, or empty: damaged")
        if total > most:
            raise DatasetError(
                f"has more than {most / 1e6:.3g} MB of text; `max_memory=` raises the limit"
            )
        yield line


def _read(lines: Iterator[str], arff: bool, limits: Limits) -> Dataset:
    if arff:
        names, start = _arff_names(lines), next(lines, "")
        if start.lstrip().startswith("{"):
            raise DatasetError("is a sparse ARFF file: save it as CSV")
    else:
        names, start = [], next(lines, "")
        cells = next(csv.reader([start]), [])
        if len(cells) > 1 and all(_number(cell) is None for cell in cells):
            names, start = cells, next(lines, "")
    first = next(csv.reader([start], quotechar="'" if arff else '"'), [])
    if len(first) < 2 or (names and len(names) != len(first)):
        raise DatasetError(f"its first row has {len(first)} cells for {len(names)} columns")
    label = _label_column(names, first)
    values, labels = _rows(chain([start], lines), label, len(first) - 1, limits)
    labels = [_plain(text) for text in labels]
    classes = _kinds(labels)
    places = {name: place for place, name in enumerate(classes)}
    numbers = np.array([places[text] for text in labels], np.int64)
    return Dataset(_pictures(values), numbers, tuple(classes))


def read_table(path: Path, limits: Limits) -> tuple[Dataset, None]:
    """Return the pictures of a CSV or ARFF file, gzipped or not.

    Each row contains a square picture, row by row (three colours: plane by plane), and before or
    after it the label, in a column named class, label, target, digit or y. The pixel range is 0 to
    1, 16 or 255, the smallest that contains all values; 1 and 16 are scaled to 255.

    Raises
    ------
    DatasetError
        If the file is missing, damaged, too large, or no such table.
    """
    try:
        with (
            opened(path) as packed,
            unpacked(packed) as file,
            TextIOWrapper(file, "utf-8-sig") as text,
        ):
            return _read(_lines(text, limits), ".arff" in path.suffixes, limits), None
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from None
    except (OSError, EOFError, ValueError, zlib.error, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"{path}: cannot be read, or is damaged: {reason}") from error
