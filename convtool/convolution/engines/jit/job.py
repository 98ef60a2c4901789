"""What compiled code is told of a convolution: one record, whose address it is given.

A record, not arguments: a thread can begin with an address alone, and Python writes into the same
record again at the next call.
"""

import struct
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from convtool.convolution import borders
from convtool.convolution.engines import Array, Span
from convtool.convolution.geometry import Axis, Geometry
from convtool.convolution.source import Source

KERNEL = np.dtype(
    [
        ("dense", np.intp),
        ("order", np.intp),
        ("columns", np.intp),
        ("rows", np.intp),
        ("height", np.intp),
        ("taps", np.intp),
        ("parts", np.intp),
        ("uniform", np.intp),
    ],
    align=True,
)
"""A kernel: addresses of what :class:`~.plane.Weights` holds, and their sizes."""

CALL = struct.Struct("d17q")
"""What changes from call to call, the beginning of a `JOB`: packed at once, since NumPy takes half
a microsecond for each field."""

JOB = np.dtype(
    [
        ("cval", np.float64),
        ("pixels", np.intp),
        ("pixels_stride", np.intp),
        ("pixel_bytes", np.intp),
        ("rows", np.intp),
        ("columns", np.intp),
        ("out", np.intp),
        ("out_stride", np.intp),
        ("out_bytes", np.intp),
        ("strips", np.intp),
        ("strip_count", np.intp),
        ("counter", np.intp),
        ("in_place", np.intp),
        ("direct", np.intp),
        ("guarded", np.intp),
        ("read", np.intp),
        ("write", np.intp),
        ("failed", np.intp),
        ("correlation", np.intp),
        ("plane", np.intp),
        ("first", KERNEL),
        ("second", KERNEL),
        ("channels", np.intp),
        ("row_count", np.intp),
        ("column_count", np.intp),
        ("top", np.intp),
        ("bottom", np.intp),
        ("left", np.intp),
        ("right", np.intp),
        ("step_y", np.intp),
        ("step_x", np.intp),
        ("taken", np.intp),
    ],
    align=True,
)
"""A convolution: addresses, and distances in scalars. ``counter`` is where the number of the strip
that is to be taken next is counted by all threads: ``taken``. ``read`` and ``write`` are the
functions that convert a line of the image and of the answer, ``pixel_bytes`` and ``out_bytes`` the
sizes of their scalars. ``failed`` is not 0 where there was no memory. The rest is as in
:mod:`~.strip`."""

INDEX = np.dtype(np.intp)


def address_of(array: Array) -> int:
    """Return where an array's memory begins."""
    address: int = array.__array_interface__["data"][0]
    return address


class Located(NamedTuple):
    """An array and where its memory begins."""

    array: Array
    address: int


@lru_cache(maxsize=4)
def offset_of(record: np.dtype[Any], name: str) -> int:
    """Return how many bytes into a record a field lies."""
    fields = record.fields
    assert fields is not None
    offset: int = fields[name][1]
    return offset


@lru_cache(maxsize=64)
def table_of(axis: Axis, rule: str) -> Located:
    """Return which pixel is read at each position of the windows along an axis."""
    table = borders.table(axis.size, axis.start, axis.start + axis.dense + axis.taps - 1, rule)
    return Located(table, address_of(table))


def rows_of(axis: Axis, source: Source) -> Located:
    """Return which of the rows in memory is read at each position of the windows."""
    if source.held is None:
        return table_of(axis, source.rule)
    rows = source.rows_of(axis)
    return Located(rows, address_of(rows))


def describe_layout(record: Array, layout: Geometry) -> None:
    """Write into a job where the windows lie."""
    rows, columns = layout.rows, layout.columns
    record["row_count"] = rows.dense + rows.taps - 1
    record["column_count"] = columns.dense + columns.taps - 1
    record["top"], record["left"] = max(0, -rows.start), max(0, -columns.start)
    record["bottom"] = rows.size - rows.taps + 1 - rows.start
    record["right"] = columns.size - columns.start
    record["step_y"], record["step_x"] = rows.stride, columns.stride


def describe_call(
    memory: Array,
    layout: Geometry,
    source: Source,
    out: Array,
    origin: Span,
    strips: Array,
    *,
    read: int,
    write: int,
    in_place: bool = False,
    direct: bool = False,
    guarded: bool = False,
) -> tuple[int, tuple[Array, ...]]:
    """Write into the memory that a job begins what it works on.

    ``read`` and ``write`` are the addresses of the functions that convert lines. Returns where the job
    lies, and arrays that must live as long as it is at work.
    """
    pixels, address = source.pixels, address_of(memory)
    rows, columns = rows_of(layout.rows, source), table_of(layout.columns, source.rule)
    offset = origin[0] * out.strides[0] + origin[1] * out.strides[1]
    CALL.pack_into(
        memory.data,
        0,
        source.cval,
        address_of(pixels),
        pixels.strides[0] // pixels.itemsize,
        pixels.itemsize,
        rows.address,
        columns.address,
        address_of(out) - offset,
        out.strides[0] // out.itemsize,
        out.itemsize,
        address_of(strips),
        len(strips),
        address + offset_of(JOB, "taken"),
        in_place,
        direct,
        guarded,
        read,
        write,
        0,
    )
    return address, (memory, rows.array, columns.array)


_FAILED = struct.Struct("q")


def check(memory: Array, failed: int) -> None:
    """Raise an error if compiled code had no memory for a job; ``failed``: where that is said.

    Raises
    ------
    MemoryError
        If so.
    """
    if _FAILED.unpack_from(memory.data, failed)[0]:
        raise MemoryError("there is no memory for the rows that a convolution works on")
