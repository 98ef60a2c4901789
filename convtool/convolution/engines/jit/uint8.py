"""Convolutions from uint8 to uint8 in integers: the job fields that all of them share."""

import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from convtool import compiled
from convtool.convolution.engines import Job
from convtool.convolution.engines.jit.job import (
    TAKEN,
    Call,
    address_of,
    rows_of,
    run,
    table_of,
)
from convtool.convolution.geometry import Geometry
from convtool.convolution.source import Source
from convtool.convolution.types import Array, Span

WIDEST = 1 << 14
"""Scalars of a row at the most: the 16-bit integers of a group of rows stay in L2."""

UINT8 = np.dtype(np.uint8)

CALL = struct.Struct("13q")
"""What changes from call to call, the beginning of a job: as :data:`~.job.CALL`."""

FIELDS = (
    *("pixels", "out", "taken", "failed", "pixels_stride", "out_stride", "rows", "columns"),
    *("outside", "outside_sum", "strips", "strip_count", "counter"),
    *("channels", "width", "row_count", "column_count", "left", "right"),
)
"""The first fields of all jobs: addresses, and distances in scalars; as :data:`~.job.JOB`.
``outside`` is the pixel beyond the edge and ``outside_sum`` what a column of them adds up to."""

COUNTER = FIELDS.index("counter") * np.dtype(np.intp).itemsize


def job_type(*more: str) -> np.dtype[np.void]:
    """Return the type of a job with further fields."""
    return np.dtype([(name, np.intp) for name in (*FIELDS, *more)])


class Uint8Strips(NamedTuple):
    """A kernel made ready for images of one size.

    Attributes
    ----------
    layout : Geometry
        Where the windows lie.
    template : ndarray
        The job, but for what changes from call to call.
    function : str
        The compiled function that makes a job's strips.
    column_of : callable
        ``column_of(value)`` returns what a column of equal pixels adds up to.
    kept : tuple of ndarray
        What the job has addresses of.
    """

    layout: Geometry
    template: Array
    function: str
    column_of: Callable[[int], int]
    kept: tuple[Array, ...] = ()

    def takes(self, source: Source, out: Array) -> bool:
        """Return whether image, answer and border are 8 bits."""
        if source.pixels.dtype != UINT8 or out.dtype != UINT8:
            return False
        return source.rule != "constant" or (source.cval.is_integer() and 0 <= source.cval <= 255)

    def _describe(
        self, source: Source, out: Array, origin: Span, strips: Array
    ) -> tuple[Array, tuple[Array, ...]]:
        """Return a job, and arrays that must live as long as it is at work."""
        memory, pixels = self.template.copy(), source.pixels
        rows = rows_of(self.layout.rows, source)
        columns = table_of(self.layout.columns, source.rule)
        outside = int(source.cval) if source.rule == "constant" else 0
        CALL.pack_into(
            memory.data,
            0,
            address_of(pixels),
            address_of(out) - origin[0] * out.strides[0],
            0,
            0,
            pixels.strides[0],
            out.strides[0],
            rows.address,
            columns.address,
            outside,
            self.column_of(outside),
            address_of(strips),
            len(strips),
            address_of(memory) + TAKEN,
        )
        return memory, (rows.array, columns.array, strips)

    def run(self, source: Source, out: Array, origin: Span, strips: Array, workers: int) -> None:
        """Make strips of the answer, of which ``out`` holds rows from ``origin`` on."""
        memory, kept = self._describe(source, out, origin, strips)
        run(compiled.address(self.function), memory, min(workers, len(strips)))
        del kept

    def bind(self, source: Source, out: Array, strips: Array, workers: int) -> Call:
        """Return what makes whole answers for images that lie in memory as these do."""
        memory, kept = self._describe(source, out, (0, 0), strips)
        workers = min(workers, len(strips))
        return Call(memory, compiled.address(self.function), workers, (*kept, self), COUNTER)


def template_of(job: Job, kind: np.dtype[np.void]) -> Array:
    """Return the memory of a job of a kind that knows where the windows lie."""
    rows, columns = job.layout.rows, job.layout.columns
    template = np.zeros(kind.itemsize, np.uint8)
    record = template.view(kind)
    record["channels"], record["width"] = job.channels, columns.dense
    record["row_count"] = rows.dense + rows.taps - 1
    record["column_count"] = columns.dense + columns.taps - 1
    record["left"], record["right"] = -columns.start, columns.size - columns.start
    return template


def fits(job: Job, narrowest: int) -> bool:
    """Return whether images and answers have rows neither too short nor too long, stride 1."""
    columns, rows = job.layout.columns, job.layout.rows
    least = min(columns.dense, columns.size) * job.channels
    most = max(columns.dense, columns.size) * job.channels
    strides = rows.stride, columns.stride
    return least >= narrowest and most <= WIDEST and strides == (1, 1)


def constants() -> tuple[int, bool]:
    """Return how many 16-bit integers a vector holds, and whether products of them are rounded.

    Both follow from the processor that the compiled functions are for.
    """
    from convtool.compiled import target

    family = target.current()
    return family.lane_bytes // 2, family.rounds_products
