"""Compiled vector code (Numba and LLVM), released from the GIL so that strips run on threads.

:mod:`~.simd` writes the instructions, :mod:`~.vectors` makes functions of them, :mod:`~.plane`
cuts a plane into blocks, :mod:`~.strip` brings an image's border and types to it.

The code is compiled once and kept in a private folder (:mod:`~..jit_cache`); where that cannot be
written it is compiled in each process.
"""

import numpy as np

from convtool.convolution import borders
from convtool.convolution.engines import Array, DType, Job, Span, StripCorrelator, factors_for
from convtool.convolution.engines.jit.plane import Weights, plane_address
from convtool.convolution.engines.jit.strip import Input, Output, make_strips
from convtool.convolution.geometry import Geometry
from convtool.convolution.source import Source

TILES = 8
"""An image is cut into about so many strips, for threads to share; blocks need no smaller."""

LEAST_ROWS = 48
"""A strip has at least so many rows."""

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


def _weights(kernel: Array, dtype: DType, rank: int | None, phases: int) -> Weights:
    dense, order = _ordered(kernel.astype(dtype), phases)
    uniform = dense.size >= UNIFORM_FROM and bool(np.all(dense == dense[0, 0]))
    if rank is None or uniform:
        nothing = np.empty((0, 1, 1), dtype)
        return Weights(dense, order, nothing, np.empty((0, 1), dtype), uniform)
    factors = factors_for("numba", kernel, dtype, rank)
    columns, _ = _ordered(factors.columns.T, phases)
    columns = np.ascontiguousarray(columns.T)[:, :, None]
    return Weights(dense, order, columns, np.ascontiguousarray(factors.rows), False)


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _input(source: Source, layout: Geometry) -> Input:
    pixels, rows, columns = source.pixels, layout.rows, layout.columns
    return Input(
        _address(pixels),
        pixels.strides[0] // pixels.itemsize,
        np.empty(0, pixels.dtype),
        borders.table(rows.size, rows.start, rows.start + rows.dense + rows.taps - 1, source.rule),
        borders.table(
            columns.size,
            columns.start,
            columns.start + columns.dense + columns.taps - 1,
            source.rule,
        ),
        max(0, -rows.start),
        rows.size - rows.taps + 1 - rows.start,
        max(0, -columns.start),
        columns.size - columns.start,
    )


def prepare(job: Job) -> StripCorrelator:
    """Make a correlator: dense where the plan's rank is None, else by that many factors.

    Raises
    ------
    EngineError
        If a rank is given and the kernel has a higher one.
    """
    dtype, layout = job.dtype, job.layout
    phases = layout.rows.stride
    plane = plane_address(dtype)
    weights = [_weights(kernel, dtype, job.rank, phases) for kernel in job.kernels]
    second = weights[1] if len(weights) > 1 else _weights(np.empty((0, 1)), dtype, None, 1)
    guarded = weights[0].uniform or not all(np.all(kernel) for kernel in job.kernels)

    def run(source: Source, out: Array, origin: Span, strips: Array, counter: Array) -> None:
        pixels = source.pixels
        strides = layout.rows.stride, layout.columns.stride
        offset = origin[0] * out.strides[0] + origin[1] * out.strides[1]
        make_strips(
            plane,
            weights[0],
            second,
            guarded and pixels.dtype.kind == "f",
            _input(source, layout),
            dtype.type(source.cval),
            pixels.shape[2],
            Output(
                _address(out) - offset,
                out.strides[0] // out.itemsize,
                np.empty(0, out.dtype),
                *strides,
            ),
            strips,
            counter,
            pixels.dtype == dtype,
            out.dtype == dtype and strides[1] == 1 and len(weights) == 1,
        )

    height, width, channels = job.shape
    tile = max(LEAST_ROWS, -(-height // TILES)), min(width, max(1, WIDEST // channels))
    return StripCorrelator(run, tile, WRITES)
