"""Estimate the quality of a JPEG from its quantisation tables.

References
----------
ITU-T T.81, annex K.1: the example tables, which the Independent JPEG Group's library scales by a
quality of 1 to 100 (jcparam.c, ``jpeg_quality_scaling``: 5000 / q below 50, 200 - 2 q from there).
"""

import numpy as np
from numpy.typing import NDArray

from convtool.images.codecs.binary import unpack

_LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
) + (99,) * 32  # fmt: skip
_ZIGZAG = (
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
)  # fmt: skip

Table = NDArray[np.int64]


def tables(segment: bytes) -> dict[int, Table]:
    """Read the tables of a DQT segment, by their numbers, row by row.

    Raises
    ------
    ImageReadError
        If the segment ends within a table.
    """
    found, position = {}, 0
    while position < len(segment):
        wide, number = divmod(segment[position], 16)
        form = ">64H" if wide else ">64B"
        values = np.empty(64, np.int64)
        values[list(_ZIGZAG)] = unpack(form, segment, position + 1)
        found[number] = values
        position += 129 if wide else 65
    return found


def quality_of(table: Table, *, chroma: bool = False) -> int:
    """Return the quality whose scaled example table is nearest to a table.

    Examples
    --------
    >>> quality_of(np.array(_LUMA))
    50
    """
    qualities = np.arange(1, 101)
    apart = np.abs(np.log(_scaled(qualities, chroma) / np.maximum(table, 1))).sum(axis=1)
    return int(qualities[apart.argmin()])


def table_of(quality: int, *, chroma: bool = False) -> Table:
    """Return the example table scaled by a quality, row by row.

    Examples
    --------
    >>> table_of(90, chroma=True)[:4].tolist()
    [3, 4, 5, 9]
    """
    (table,) = _scaled(np.array([quality]), chroma)
    return np.asarray(table)


def _scaled(qualities: Table, chroma: bool) -> Table:
    """Return the example table scaled by each of some qualities."""
    base = np.array(_CHROMA if chroma else _LUMA)
    scales = np.where(qualities < 50, 5000 // qualities, 200 - 2 * qualities)
    return np.asarray(np.clip((base * scales[:, np.newaxis] + 50) // 100, 1, 255))


def subsampling_of(factors: list[tuple[int, int]]) -> str:
    """Return the word for the sampling factors (across, down) of luma, blue and red difference.

    Examples
    --------
    >>> subsampling_of([(2, 2), (1, 1), (1, 1)])
    '4:2:0'
    """
    names = {
        (1, 1): "4:4:4",
        (2, 1): "4:2:2",
        (2, 2): "4:2:0",
        (1, 2): "4:4:0",
        (4, 1): "4:1:1",
    }
    if len(factors) != 3 or factors[1] != factors[2] or 0 in factors[1]:
        return ""
    (luma_across, luma_down), (across, down), _ = factors
    if luma_across % across or luma_down % down:
        return ""
    return names.get((luma_across // across, luma_down // down), "")
