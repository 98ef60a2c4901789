"""8-bit images, 8 bits out, by a kernel of rank 1: fixed-point arithmetic in two passes.

The column pass reads the image where it lies and leaves words; beyond the left and right edge these
are copied by the border's table; the row pass makes the answer of them.
"""

import struct
from functools import lru_cache
from typing import Any

import numpy as np
from numba import carray, cfunc, from_dtype, types

from convtool.convolution.engines import Array, Job, Span
from convtool.convolution.engines.jit import team
from convtool.convolution.engines.jit.atomics import take_next
from convtool.convolution.engines.jit.compile import cached
from convtool.convolution.engines.jit.fixed import Prepared, prepared
from convtool.convolution.engines.jit.job import (
    INDEX,
    address_of,
    offset_of,
    pointer,
    rows_of,
    table_of,
)
from convtool.convolution.engines.jit.vectors import used
from convtool.convolution.engines.jit.words import (
    LANES,
    ROWS,
    column_pass,
    grey_row_pass,
    row_pass,
)
from convtool.convolution.source import Source

WIDEST = 1 << 14
"""Scalars of a row at the most: the words of a group of rows stay in L2."""

OCTET = np.dtype(np.uint8)


CALL = struct.Struct("11q")
"""What changes from call to call, the beginning of a `FIXED_JOB`: as :data:`~.job.CALL`."""

FIXED_JOB = np.dtype(
    [
        (name, np.intp)
        for name in (
            *("pixels", "pixels_stride", "out", "out_stride", "rows", "columns"),
            *("outside", "outside_words", "strips", "strip_count", "counter"),
            *("taken", "channels", "width", "row_count", "column_count", "left", "right"),
            *("column_weights", "column_pairs", "row_weights", "row_pairs", "shift", "scale"),
        )
    ]
)
"""A convolution in fixed point: addresses, and distances in scalars; as :data:`~.job.JOB`.
``outside`` is the pixel beyond the edge and ``outside_words`` what the column pass makes of it."""


def _make_strips(jobs: Any, index: Any, octet: Any, word: Any, _: Any) -> None:
    """Make strips of an 8-bit answer until none is left; further arguments only tell types."""
    job = carray(jobs, (1,))[0]
    step = job.channels
    width = job.width * step
    rows = carray(pointer(index, job.rows), (job.row_count,))
    columns = carray(pointer(index, job.columns), (job.column_count,))
    strips = carray(pointer(index, job.strips), (job.strip_count, 4))
    stride = -(-job.column_count * step // LANES) * LANES + 4 * LANES + 2 * step
    words = np.empty((ROWS, stride), np.int16)
    inside = (job.right - job.left) * step
    outside = np.full(inside, np.uint8(job.outside))
    nowhere = np.empty(width, np.uint8)
    lines = np.empty(2 * job.column_pairs, np.intp)
    targets = np.empty(ROWS, np.intp)
    taken = take_next(job.counter)
    while taken < job.strip_count:
        for y in range(strips[taken, 0], strips[taken, 1], ROWS):
            for k in range(2 * job.column_pairs):
                row = rows[min(y + k, job.row_count - 1)]
                lines[k] = job.pixels + row * job.pixels_stride
                if row < 0:
                    lines[k] = outside.ctypes.data
            for k in range(ROWS):
                targets[k] = job.out + (y + k) * job.out_stride
                if y + k >= strips[taken, 1]:
                    targets[k] = nowhere.ctypes.data
            column_pass(
                lines.ctypes.data,
                job.column_weights,
                job.column_pairs,
                job.shift,
                words.ctypes.data + 2 * job.left * step,
                stride,
                inside,
            )
            for first, last in ((0, job.left), (job.right, job.column_count)):
                for position in range(first, last):
                    column = columns[position]
                    for channel in range(step):
                        for k in range(ROWS):
                            value = np.int16(job.outside_words)
                            if column >= 0:
                                value = words[k, (job.left + column) * step + channel]
                            words[k, position * step + channel] = value
            if step == 1:
                grey_row_pass(
                    words.ctypes.data,
                    stride,
                    job.row_weights,
                    job.row_pairs,
                    step,
                    targets.ctypes.data,
                    width,
                    job.scale,
                )
            else:
                row_pass(
                    words.ctypes.data,
                    stride,
                    job.row_weights,
                    job.row_pairs,
                    step,
                    targets.ctypes.data,
                    width,
                    job.scale,
                )
        taken = take_next(job.counter)
    used(words)
    used(outside)
    used(nowhere)
    used(lines)
    used(targets)


_keep: list[Any] = []
"""Compiled functions whose addresses are in use."""


@lru_cache(maxsize=1)
def fixed_address() -> int:
    """Return the address of compiled code that makes a job's strips."""
    others = (INDEX, np.dtype(np.uint8), np.dtype(np.int16), INDEX)
    kinds = [types.CPointer(from_dtype(dtype)) for dtype in (FIXED_JOB, *others)]
    loops = cached(cfunc, types.void(*kinds), error_model="numpy")(_make_strips)
    _keep.append(loops)
    address: int = loops.address
    return address


class OctetStrips:
    """A kernel in fixed point, made ready for images of one size."""

    def __init__(self, job: Job, ready: Prepared) -> None:
        self.layout, self.ready = job.layout, ready
        rows, columns, fixed = job.layout.rows, job.layout.columns, ready.fixed
        self.template = np.zeros(FIXED_JOB.itemsize, np.uint8)
        record = self.template.view(FIXED_JOB)
        record["channels"], record["width"] = job.channels, columns.dense
        record["row_count"] = rows.dense + rows.taps - 1
        record["column_count"] = columns.dense + columns.taps - 1
        record["left"], record["right"] = -columns.start, columns.size - columns.start
        record["column_weights"] = address_of(ready.columns)
        record["row_weights"] = address_of(ready.rows)
        record["column_pairs"], record["row_pairs"] = len(ready.columns), len(ready.rows)
        record["shift"] = fixed.shift
        record["scale"] = np.float32(fixed.scale).view(np.int32)

    def takes(self, source: Source, out: Array) -> bool:
        """Return whether image, answer and border are made of octets."""
        if source.pixels.dtype != OCTET or out.dtype != OCTET:
            return False
        return source.rule != "constant" or (source.cval.is_integer() and 0 <= source.cval <= 255)

    def run(self, source: Source, out: Array, origin: Span, strips: Array, workers: int) -> None:
        """Make strips of the answer, of which ``out`` holds rows from ``origin`` on."""
        memory, pixels = self.template.copy(), source.pixels
        address = address_of(memory)
        rows = rows_of(self.layout.rows, source)
        columns = table_of(self.layout.columns, source.rule)
        fixed, outside, words = self.ready.fixed, 0, 0
        if source.rule == "constant":
            outside = int(source.cval)
            words = (outside * int(fixed.column.sum()) + (1 << fixed.shift >> 1)) >> fixed.shift
        CALL.pack_into(
            memory.data,
            0,
            address_of(pixels),
            pixels.strides[0],
            address_of(out) - origin[0] * out.strides[0],
            out.strides[0],
            rows.address,
            columns.address,
            outside,
            words,
            address_of(strips),
            len(strips),
            address + offset_of(FIXED_JOB, "taken"),
        )
        team.run(fixed_address(), address, min(workers, len(strips)))


def octet_strips(job: Job) -> OctetStrips | None:
    """Return a kernel made ready for 8-bit images, or None where floats serve it better."""
    columns, rows = job.layout.columns, job.layout.rows
    narrowest = min(columns.dense, columns.size) * job.channels
    widest = max(columns.dense, columns.size) * job.channels
    if not (narrowest >= LANES and widest <= WIDEST) or (rows.stride, columns.stride) != (1, 1):
        return None
    ready = prepared(job.kernel, job.channels) if len(job.kernels) == 1 else None
    return OctetStrips(job, ready) if ready is not None else None
