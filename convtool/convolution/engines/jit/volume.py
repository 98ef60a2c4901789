"""Volumes by compiled code: bars, each a ring of planes, taken by threads."""

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from convtool import compiled
from convtool.convolution.engines.jit.job import address_of, offset_of, run, table_of
from convtool.convolution.engines.jit.volume_job import GROUP, VOLUME_JOB
from convtool.convolution.engines.jit.weights import describe_kernel, weights_of
from convtool.convolution.geometry import Axis
from convtool.convolution.types import Array, DType

WRITES: frozenset[DType] = frozenset({np.dtype(np.uint8), np.dtype(np.uint16)})
"""Types, beside the working one, that are written by the compiled code."""

RING_BYTES = 1 << 19
"""Bytes of a ring of planes that stay in L2."""

LEAST_ROWS = 8
"""A bar has at least so many rows, where the volume has."""

WIDEST = 1024
"""Scalars of a bar's row at the most."""

MOST_PRODUCTS = 1 << 31
"""The most products of a bar, so that a thread is done with it soon: work ends between bars."""

BARS = 8
"""A volume is cut into about so many bars at least, for threads to share."""


class Passes(NamedTuple):
    """A kernel as a column along the first axis times a plane, which is done by its factors."""

    column: Array
    """Shape (KD,)."""
    plane: Array
    """Shape (KH, KW)."""
    rank: int = 1
    """The plane's rank."""


def _spans(count: int, most: int) -> list[tuple[int, int]]:
    """Return the parts of a range, each at most so long, as even as they come."""
    parts = -(-count // most)
    ends = [count * part // parts for part in range(parts + 1)]
    return list(pairwise(ends))


@lru_cache(maxsize=64)
def bars_of(
    axes: tuple[Axis, Axis, Axis], channels: int, itemsize: int, products: int, ring_bytes: int
) -> tuple[Array, int, int]:
    """Return the bars of a volume, and the most rows and columns of one.

    Each is first and last plane, row and column. They depend on the sizes alone, so that the number
    of threads changes no bit of the answer.
    """
    depth, height, width = axes
    columns = _spans(width.dense, max(1, WIDEST // channels))
    wide = (columns[0][1] - columns[0][0] + width.taps - 1) * channels
    fitting = ring_bytes // ((depth.taps + GROUP - 1) * wide * itemsize) - height.taps + 1
    most = max(height.taps, LEAST_ROWS, fitting)
    rows = _spans(height.dense, most)
    parts = -(-BARS // (len(rows) * len(columns)))
    bounded = MOST_PRODUCTS // ((rows[0][1] - rows[0][0]) * wide * products)
    long = min(bounded, max(4 * depth.taps, -(-depth.dense // parts)))
    planes = _spans(depth.dense, max(1, long))
    bars = np.array([(*z, *y, *x) for y in rows for x in columns for z in planes], dtype=np.intp)
    tallest, widest = (max(last - first for first, last in spans) for spans in (rows, columns))
    return bars, tallest, widest


def filter_volume(
    pixels: Array,
    kernel: Array,
    passes: Passes | None,
    axes: tuple[Axis, Axis, Axis],
    rules: tuple[str, str, str],
    cval: float,
    out: Array,
    working: DType,
    guarded: bool,
    threads: int,
) -> None:
    """Correlate a volume.

    Parameters
    ----------
    pixels : ndarray, shape (D, H, W, C)
        Each row's scalars lie side by side; of a native integer or floating type.
    kernel : ndarray, shape (KD, KH, KW)
        Its weights, not to be flipped any more.
    passes : Passes, optional
        The same as factors, by which it is done where they are given.
    axes : tuple of Axis
        Where the windows lie.
    rules : tuple of str
        The border's rule along each axis.
    cval : float
        The value beyond the edge, for ``constant``.
    out : ndarray, shape (D', H', W', C)
        Where the answer goes, each row's scalars side by side: of the working type or of `WRITES`.
    working : dtype
        The type that is computed in.
    guarded : bool
        Whether weights of zero must carry no NaN or inf.
    threads : int
        How many threads may work.

    Raises
    ------
    MemoryError
        If there is none for the rings.
    """
    channels = pixels.shape[3]
    if passes is not None and passes.plane.size == 1:
        passes = None
    memory = np.zeros(VOLUME_JOB.itemsize, np.uint8)
    job = memory.view(VOLUME_JOB)[0]
    tables = [table_of(axis, rule) for axis, rule in zip(axes, rules, strict=True)]
    products = kernel.size if passes is None else sum(kernel.shape)
    bars, tallest, widest = bars_of(axes, channels, working.itemsize, products, RING_BYTES)
    weights = np.ascontiguousarray(kernel if passes is None else passes.column, working)
    job["pixels"], job["out"], job["cval"] = address_of(pixels), address_of(out), cval
    for name, array in (("", pixels), ("out_", out)):
        job[f"{name}plane_stride"] = array.strides[0] // array.itemsize
        job[f"{name}row_stride"] = array.strides[1] // array.itemsize
    job["pixel_bytes"], job["out_bytes"] = pixels.itemsize, out.itemsize
    for name, axis, table in zip(("plane", "row", "column"), axes, tables, strict=True):
        job[f"{name}s"], job[f"{name}_count"] = table.address, axis.dense + axis.taps - 1
    columns = axes[2]
    job["left"], job["right"] = max(0, -columns.start), max(0, columns.size - columns.start)
    job["right"] = min(job["right"], job["column_count"])
    job["bars"], job["bar_count"] = address_of(bars), len(bars)
    job["tallest"], job["widest"] = tallest, widest
    job["read"] = compiled.address("read_line", pixels.dtype.name, working.name)
    job["write"] = compiled.address("write_line", working.name, out.dtype.name)
    job["plane"] = compiled.address("plane", working.name)
    job["direct"], job["guarded"] = out.dtype == working, guarded
    job["weights"], job["step"] = address_of(weights), channels
    job["depth"], job["height"], job["taps"] = kernel.shape
    flat = None
    if passes is not None:
        flat = weights_of(passes.plane, working, passes.rank, 1, channels)
        describe_kernel(job["flat"], flat)
        job["is_flat"] = 1
    function = compiled.address("volume_bars", working.name)
    run(function, memory, min(threads, len(bars)), offset_of(VOLUME_JOB, "taken"))
    del tables, flat
