"""Compiled vector code (Numba and LLVM), released from the GIL so that strips run on threads.

:mod:`~.simd` writes the instructions, :mod:`~.vectors` makes functions of them, :mod:`~.plane`
cuts a plane into blocks, :mod:`~.strip` brings an image's border and types to it.

The code is compiled once and kept in a private folder (:mod:`~..jit_cache`); where that cannot be
written it is compiled in each process.
"""

import numpy as np

from convtool.convolution.engines import Array, DType, Job, Span, StripCorrelator, factors_for
from convtool.convolution.engines.jit import team
from convtool.convolution.engines.jit.job import (
    JOB,
    address_of,
    describe_call,
    describe_layout,
)
from convtool.convolution.engines.jit.means import mean_strips
from convtool.convolution.engines.jit.octets import OctetStrips
from convtool.convolution.engines.jit.plane import Weights, correlation_address, plane_address
from convtool.convolution.engines.jit.running import STEPS
from convtool.convolution.engines.jit.small import small_strips
from convtool.convolution.engines.jit.strip import strips_address
from convtool.convolution.engines.jit.two_passes import fixed_strips
from convtool.convolution.source import Source

TILES = 8
"""An image is cut into about so many strips, for threads to share; blocks need no smaller."""

LEAST_ROWS = 48
"""A strip has at least so many rows."""

MOST_SCALARS = 1 << 23
"""And no more scalars than these, if it has more rows: of a huge image strips are held, not all."""

WIDEST = 1 << 14
"""Scalars of a strip's row at the most: scratch stays in L2."""

UNIFORM_FROM = 25
"""Kernels of so many equal weights are done by running sums."""

WRITES: frozenset[DType] = frozenset({np.dtype(np.uint8), np.dtype(np.uint16)})
"""Types, beside the working one, that are written by the compiled code."""


def _ordered(kernel: Array, phases: int) -> tuple[Array, Array]:
    """Return the rows ordered by phase (row modulo ``phases``), and which row each was."""
    order = np.concatenate([np.arange(phase, len(kernel), phases) for phase in range(phases)])
    return np.ascontiguousarray(kernel[order]), order.astype(np.intp)


def is_summed(kernel: Array, channels: int) -> bool:
    """Return whether running sums do a kernel that is not factored."""
    sums = kernel.size >= UNIFORM_FROM and kernel.shape[1] > 1 and channels in STEPS
    return sums and bool(np.all(kernel == kernel[0, 0]))


def _weights(kernel: Array, dtype: DType, rank: int | None, phases: int, channels: int) -> Weights:
    dense, order = _ordered(kernel.astype(dtype), phases)
    uniform = rank is None and is_summed(dense, channels)
    if rank is None:
        nothing = np.empty((0, 1, 1), dtype)
        return Weights(dense, order, nothing, np.empty((0, 1), dtype), uniform)
    factors = factors_for("numba", kernel, dtype, rank)
    columns, _ = _ordered(factors.columns.T, phases)
    columns = np.ascontiguousarray(columns.T)[:, :, None]
    return Weights(dense, order, columns, np.ascontiguousarray(factors.rows), False)


def _describe_kernel(record: Array, weights: Weights) -> None:
    """Write a kernel into its record; the arrays must live as long as the record is used."""
    record["dense"], record["order"] = address_of(weights.dense), address_of(weights.order)
    record["columns"], record["rows"] = address_of(weights.columns), address_of(weights.rows)
    record["height"], record["taps"] = weights.dense.shape
    record["parts"] = len(weights.columns)
    record["uniform"] = weights.uniform


def _octet_strips(job: Job) -> OctetStrips | None:
    """Return kernels made ready for 8-bit images: 3×3 at once, larger ones in two passes first."""
    if len(job.kernels) > 1:
        return small_strips(job)
    if job.rank is None and is_summed(job.kernel, job.channels):
        return mean_strips(job)
    if job.kernel.size <= 9:
        return small_strips(job) or fixed_strips(job)
    return fixed_strips(job) or small_strips(job)


class _Strips:
    """A kernel made ready; it holds the arrays whose addresses stand in its record."""

    def __init__(self, job: Job) -> None:
        self.dtype, self.layout = job.dtype, job.layout
        self.octets = _octet_strips(job)
        phases = job.layout.rows.stride
        self.weights = [
            _weights(kernel, job.dtype, job.rank, phases, job.channels) for kernel in job.kernels
        ]
        if len(job.kernels) == 1:
            self.weights.append(_weights(np.empty((0, 1)), job.dtype, None, 1, 1))
        uniform = self.weights[0].uniform
        self.guarded = uniform or not all(np.all(kernel) for kernel in job.kernels)
        self.in_one_go = job.layout.columns.stride == 1 and len(job.kernels) == 1
        self.template = np.zeros(JOB.itemsize, np.uint8)
        record = self.template.view(JOB)
        record["correlation"] = correlation_address(job.dtype)
        record["plane"] = plane_address(job.dtype)
        record["channels"] = job.channels
        describe_layout(record, job.layout)
        for name, kernel in zip(("first", "second"), self.weights, strict=True):
            _describe_kernel(record[name], kernel)

    def run(self, source: Source, out: Array, origin: Span, strips: Array, workers: int) -> None:
        """Make strips of the answer: see :class:`~..StripCorrelator`."""
        if self.octets is not None and self.octets.takes(source, out):
            self.octets.run(source, out, origin, strips, workers)
            return
        image = source.pixels.dtype
        address, kept = describe_call(
            self.template.copy(),
            self.layout,
            source,
            out,
            origin,
            strips,
            in_place=image == self.dtype,
            direct=self.in_one_go and out.dtype == self.dtype,
            guarded=self.guarded and image.kind == "f",
        )
        function = strips_address(image, self.dtype, out.dtype)
        team.run(function, address, min(workers, len(strips)))
        del kept


def prepare(job: Job) -> StripCorrelator:
    """Make a correlator: dense where the plan's rank is None, else by that many factors.

    Raises
    ------
    EngineError
        If a rank is given and the kernel has a higher one.
    """
    height, width, channels = job.shape
    most = MOST_SCALARS // (width * channels)
    tallest = max(LEAST_ROWS, min(-(-height // TILES), most))
    tile = tallest, min(width, max(1, WIDEST // channels))
    return StripCorrelator(_Strips(job).run, tile, WRITES, team.rouse)
