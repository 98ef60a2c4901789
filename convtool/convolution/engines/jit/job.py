"""The record that describes a convolution to compiled code, passed by address.

A record, not arguments: a thread can begin with an address alone, and Python writes into the same
record again at the next call.
"""

import ctypes
import struct
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from convtool.compiled import threadpool
from convtool.convolution import borders, threads
from convtool.convolution.geometry import Axis, Geometry
from convtool.convolution.source import Source
from convtool.convolution.types import Array, Span

KERNEL = np.dtype(
    [
        ("dense", np.intp),
        ("order", np.intp),
        ("columns", np.intp),
        ("rows", np.intp),
        ("height", np.intp),
        ("taps", np.intp),
        ("parts", np.intp),
        ("correlation", np.intp),
    ],
    align=True,
)
"""A kernel: addresses of what :class:`~.weights.Weights` holds, their sizes, and the address of the
function that correlates by it."""

NEVER, WHERE_NOT_FINITE, WHERE_NOT_EXACT, ALWAYS = range(4)
"""Where sums must be made of what each window holds and weights that are not 0 alone, so that no
value reaches another window: what ``guarded`` in a `JOB` says."""

CALL = struct.Struct("4qd14q")
"""What changes from call to call, the beginning of a `JOB`: packed at once, since NumPy takes half
a microsecond for each field."""

PLACES = struct.Struct("4q")
"""What changes between calls for images of one kind, the beginning of each job: where image and
answer lie, and two fields that the call sets: `TAKEN` and `FAILED`."""

TAKEN, FAILED = 16, 24
"""Where in a job its strips are counted, and where it is said that there was no memory."""

JOB = np.dtype(
    [
        ("pixels", np.intp),
        ("out", np.intp),
        ("taken", np.intp),
        ("failed", np.intp),
        ("cval", np.float64),
        ("pixels_stride", np.intp),
        ("pixel_bytes", np.intp),
        ("rows", np.intp),
        ("columns", np.intp),
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
    ],
    align=True,
)
"""A convolution: addresses, and distances in scalars. ``counter`` is where the number of the strip
that is to be taken next is counted by all threads: ``taken``. ``read`` and ``write`` are the
functions that convert a line of the image and of the answer, ``pixel_bytes`` and ``out_bytes`` the
sizes of their scalars. ``failed`` is not 0 where there was no memory. The rest is as in
:mod:`~.strip`."""

PATCHES_JOB = np.dtype(
    [
        (name, np.intp)
        for name in (
            *("pixels", "out", "taken", "failed"),
            *("function", "strip", "strip_bytes", "strip_counter"),
            *("patches", "patch_bytes", "row_bytes", "own_start", "own_rows", "own_bytes"),
            *("rows", "row_count", "top", "left", "border", "border_count", "outside"),
            *("group", "pitch", "canvas_stride", "canvas_bytes"),
            *("made_pitch", "made_stride", "made_bytes"),
            *("answer_bytes", "answer_stride", "answer_rows", "answer_row_bytes"),
            *("read", "packed", "fills", "turn", "channels", "guarded"),
            *("together", "kernel", "summed_start", "summed_bytes", "ahead_bytes"),
            *("write", "width", "end_stride", "end_bytes"),
        )
    ]
)
"""A convolution of many small pictures: addresses, counts, and distances in bytes.

``function`` makes the answer of a canvas, of which ``strip`` is the job, with its counter's address
at ``strip_counter``. Of each picture ``own_rows`` rows of ``own_bytes`` bytes, from ``own_start``
on, lie in the canvas ``top`` rows and ``left`` bytes from where it begins; ``rows`` and ``border``
say what the border repeats, ``outside`` points to the value beyond the edge. The canvas holds
``group`` pictures, ``pitch`` bytes from one to the next; ``made`` is its answer. ``read`` converts
pixels that are not copied as they are, ``write`` answers that are not of the working type.

``together``, if any, makes the answers of a canvas by the ``kernel``: ``width`` scalars in a row,
``end_stride`` bytes from one row to the next and ``end_bytes`` from one picture to the next.
Factors sum ``summed_bytes`` of a picture's row, from ``summed_start`` on, and ``ahead_bytes`` of
the next pictures are asked for with each block."""

INDEX = np.dtype(np.intp)


def _by_interface(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _address_reader() -> Callable[[Array], int]:
    """Return the fastest way to an array's address.

    NumPy's C interface promises that the address follows the head of the object; to read it there
    takes a quarter of the time that ``__array_interface__`` does.
    """
    read, behind_head = ctypes.c_ssize_t.from_address, object.__basicsize__

    def by_object(array: Array) -> int:
        return read(id(array) + behind_head).value

    probe = np.empty(2)[1:]
    usual = sys.implementation.name == "cpython" and behind_head == 2 * probe.itemsize
    return by_object if usual and by_object(probe) == _by_interface(probe) else _by_interface


address_of = _address_reader()
"""``address_of(array)`` returns where an array's memory begins."""


class Located(NamedTuple):
    """An array and where its memory begins."""

    array: Array
    address: int


@lru_cache(maxsize=4)
def offset_of(record: np.dtype[Any], name: str) -> int:
    """Return the offset of a field in a record, in bytes."""
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
    """Write the positions of the windows into a job."""
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
    guarded: int = NEVER,
) -> tuple[int, tuple[Array, ...]]:
    """Write into the memory that a job begins what it works on.

    ``read`` and ``write`` are the addresses of the functions that convert lines. Returns where the
    job lies, and arrays that must live as long as it is at work.
    """
    pixels, address = source.pixels, address_of(memory)
    rows, columns = rows_of(layout.rows, source), table_of(layout.columns, source.rule)
    offset = origin[0] * out.strides[0] + origin[1] * out.strides[1]
    CALL.pack_into(
        memory.data,
        0,
        address_of(pixels),
        address_of(out) - offset,
        0,
        0,
        source.cval,
        pixels.strides[0] // pixels.itemsize,
        pixels.itemsize,
        rows.address,
        columns.address,
        out.strides[0] // out.itemsize,
        out.itemsize,
        address_of(strips),
        len(strips),
        address + TAKEN,
        in_place,
        direct,
        guarded,
        read,
        write,
    )
    return address, (memory, rows.array, columns.array)


_NUMBER = struct.Struct("q")


def check(memory: Array) -> None:
    """Raise an error if compiled code had no memory for a job.

    Raises
    ------
    MemoryError
        If so.
    """
    if _NUMBER.unpack_from(memory.data, FAILED)[0]:
        raise MemoryError("there is no memory for the rows that a convolution works on")


STOPPED = 1 << 62
"""A count of strips beyond any number of them: no thread takes another one."""


def run(function: int, memory: Array, workers: int, taken: int = TAKEN) -> None:
    """Call the compiled function at an address with a job, on several threads.

    Parameters
    ----------
    function : int
        Its address.
    memory : ndarray of uint8
        The job.
    workers : int
        Number of threads.
    taken : int
        Where in the job its strips are counted.

    Raises
    ------
    MemoryError
        If there is no memory for it.
    """
    stop = threads.stop_here()
    if stop is None:
        threadpool.run(function, address_of(memory), workers)
    else:
        with stop.telling(lambda: _NUMBER.pack_into(memory.data, taken, STOPPED)):
            threadpool.run(function, address_of(memory), workers)
    check(memory)


class Call:
    """A compiled call for images of one kind: only where they and their answers lie changes.

    Parameters
    ----------
    job : ndarray of uint8
        The job of such a call.
    function : int
        The address of the compiled function.
    workers : int
        Number of threads.
    kept : tuple
        What the job has addresses of.
    counter : int
        Where in the job the address of its count of strips stands.
    """

    def __init__(
        self, job: Array, function: int, workers: int, kept: tuple[Any, ...], counter: int
    ) -> None:
        self.job, self.function, self.counter = job, function, counter
        self._kept, self._workers = kept, workers
        self._free: list[tuple[Array, memoryview, int]] = []
        self._alone = threadpool.callable_at(function)

    def _copy(self) -> tuple[Array, memoryview, int]:
        """Return a copy of the job; each call that runs has one of its own."""
        job = self.job.copy()
        address = address_of(job)
        _NUMBER.pack_into(job.data, self.counter, address + TAKEN)
        return job, job.data, address

    def __call__(self, pixels: Array, out: Array) -> None:
        """Make the answer; both arrays are such as the job was made for."""
        try:
            mine = self._free.pop()
        except IndexError:
            mine = self._copy()
        job, data, address = mine
        PLACES.pack_into(data, 0, address_of(pixels), address_of(out), 0, 0)
        if self._workers == 1:
            self._alone(address)
        else:
            threadpool.run(self.function, address, self._workers)
        if data[FAILED]:
            check(job)
        self._free.append(mine)
