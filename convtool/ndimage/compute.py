"""Runs compiled filters over arrays that lie contiguous in memory: one axis at a time, or all."""

import math
import sys
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool import compiled
from convtool.compiled import threadpool
from convtool.convolution import borders, threads
from convtool.ndimage.jit.job import (
    ANTISYMMETRIC,
    JOB,
    LINE,
    SYMMETRIC,
    UNIFORM,
    WEIGHTED,
    WRITE,
)
from convtool.records import Record

Array = NDArray[Any]

READS = frozenset(
    np.dtype(name)
    for name in (
        *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
        "float32",
        "float64",
    )
)
"""The types of pixels that compiled code reads."""

WRITES = READS - {np.dtype(np.uint64)}
"""The types of answers that it writes."""

_SMALL = {"uint8": 255, "int8": 128, "uint16": 65535, "int16": 32768}
"""Types whose sums may be made in integers, and their largest magnitudes."""

_INT32 = 1 << 31
"""No sum of integers may reach it: SciPy's conversion of larger ones is not modulo 2**16."""

_RING = 28 << 10
"""Bytes of the rows that a filter down columns keeps: they stay in the first cache."""

_BLOCK = 192 << 10
"""Bytes of the rows that a block of a dense correlation reads: they stay in the second cache."""

_SHARES = 8
"""Shares of the work for each thread, so that none waits long for the last."""


_ADDED = 12
"""So many integers are added up sooner than a running sum is kept."""


class Filter(Record, eq=False):
    """A filter along one axis.

    Attributes
    ----------
    kind : int
        How it adds up: see :mod:`~.jit.job`.
    taps : int
        Pixels that it reaches over.
    before : int
        How many of them lie before the pixel.
    rule : str
        Its border: a key of :data:`convtool.convolution.borders.RULES`.
    cval : float
        The pixel beyond the edge of a constant border.
    near, far, weights : ndarray
        The terms of the sum, in order.
    start : float
        What is added to the first: a zero, whose sign SciPy's first sum has.
    """

    kind: int
    taps: int
    before: int
    rule: str
    cval: float
    near: Array
    far: Array
    weights: Array
    start: float = -0.0


def weighted(weights: Array, origin: int, rule: str, cval: float) -> Filter:
    """Return the filter of :func:`scipy.ndimage.correlate1d`, with its order of additions.

    Odd numbers of weights that are the same from both ends, or opposite, are taken in pairs.
    """
    taps = len(weights)
    before, middle = taps // 2 + origin, taps // 2
    kind = WEIGHTED
    if taps % 2:
        left, right = weights[:middle][::-1], weights[middle + 1 :]
        epsilon = sys.float_info.epsilon
        if not (np.abs(right - left) > epsilon).any():
            kind = SYMMETRIC
        elif not (np.abs(right + left) > epsilon).any():
            kind = ANTISYMMETRIC
    if kind == WEIGHTED:
        near = np.append(taps - 1, np.arange(taps - 1))
        far = np.zeros(taps, np.intp)
    else:
        near = np.append(middle, np.arange(middle))
        far = np.append(middle, np.arange(taps - 1, middle, -1))
    near, far = near.astype(np.intp), far.astype(np.intp)
    return Filter(kind, taps, before, rule, cval, near, far, weights[near])


def uniform(size: int, origin: int, rule: str, cval: float) -> Filter:
    """Return the filter of :func:`scipy.ndimage.uniform_filter1d`."""
    near = np.arange(size, dtype=np.intp)
    return Filter(UNIFORM, size, size // 2 + origin, rule, cval, near, near, np.ones(size), 0.0)


@lru_cache(maxsize=64)
def _table(size: int, before: int, taps: int, rule: str) -> Array:
    return borders.table(size, -before, size - before + taps - 1, rule)


def _line_type(source: Array, out: Array, how_to: Filter) -> str:
    """Return the type that sums are made in.

    Sums of integers by integer weights are exact in any order, and what an answer of 16 bits keeps
    of them is right modulo 2**16. Means of 8-bit pixels are exact in 32 bits. All else is float64.
    """
    if source.dtype.name not in _SMALL or out.dtype.name not in _SMALL:
        return "float64"
    constant = how_to.rule == "constant"
    if constant and not (how_to.cval.is_integer() and abs(how_to.cval) < _INT32):
        return "float64"
    if how_to.kind == UNIFORM:
        is_uint8 = source.dtype == out.dtype == np.uint8
        return "int32" if is_uint8 and (not constant or 0 <= how_to.cval < 256) else "float64"
    weights = how_to.weights
    most = max(abs(how_to.cval) if constant else 0.0, _SMALL[source.dtype.name])
    is_whole = bool((weights == np.trunc(weights)).all())
    # Each weight may be taken twice, with a pixel and its partner.
    return "int16" if is_whole and 2 * most * np.abs(weights).sum() < _INT32 else "float64"


def _run(
    name: str, source: Array, out: Array, how_to: Filter, how: int, tasks: int, **fields: Any
) -> None:
    """Run a compiled filter; ``fields`` are those of its job that depend on the shape."""
    line = _line_type(source, out, how_to)
    is_float = line == "float64"
    dtype = np.dtype(line)
    weights = how_to.weights if is_float else how_to.weights.astype(np.int64).astype(dtype)
    cval = how_to.cval if is_float else float(np.int64(how_to.cval).astype(dtype))
    size = float(how_to.taps)
    read = ("read_line", source.dtype.name, line) if is_float else _integer_reader(source, line)
    job = np.zeros(1, JOB)
    fields |= {
        "pixels": source.ctypes.data,
        "out": out.ctypes.data,
        "read": compiled.address(*read),
        "write": compiled.address("ndimage_write", line, out.dtype.name),
        "pixel_bytes": source.itemsize,
        "out_bytes": out.itemsize,
        "line_bytes": dtype.itemsize,
        "how": how,
        "kind": how_to.kind,
        "terms": len(how_to.near),
        "near": how_to.near.ctypes.data,
        "far": how_to.far.ctypes.data,
        "weights": weights.ctypes.data,
        "cval": cval,
        "start": how_to.start,
        "size": size,
        "reciprocal": 1 / size,
        "slides": source.dtype.kind == "f" or how_to.taps > _ADDED,
        "divides": source.dtype == np.float64,
        "tasks": tasks,
        "counter": job.ctypes.data + JOB.fields["taken"][1],  # type: ignore[index]
    }
    for field, value in fields.items():
        job[field] = value
    function = compiled.address(name, line)
    threadpool.run(function, job.ctypes.data, min(threads.count(), tasks))
    if job["failed"][0]:
        raise MemoryError("there is no memory for the rows that a filter works on")


def _integer_reader(source: Array, line: str) -> tuple[str, str, str]:
    return "ndimage_read", source.dtype.name, line


def filter_axis(source: Array, out: Array, axis: int, how_to: Filter, how: int = WRITE) -> None:
    """Filter an array along an axis, into an array of the same shape, which may be the same.

    Parameters
    ----------
    source, out : ndarray
        Contiguous, of types in `READS` and `WRITES`.
    axis : int
        The axis, from 0 on.
    how_to : Filter
        The filter.
    how : int
        How answers are written: see :mod:`~.jit.job`.

    Raises
    ------
    MemoryError
        If there is no memory for the rows that are worked on.
    """
    shape, taps = source.shape, how_to.taps
    length = shape[axis]
    depth, inner = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    table = _table(length, how_to.before, taps, how_to.rule)
    if inner == 1:
        rows = -(-depth // (_SHARES * threads.count()))
        rows = min(max(8, -(-rows // 8) * 8), 64)
        _run(
            "ndimage_along",
            source,
            out,
            how_to,
            how,
            -(-depth // rows),
            height=depth,
            width=length,
            wide=taps,
            left=how_to.before,
            columns=table.ctypes.data,
            block_rows=rows,
        )
        return
    width = min(max(64, _RING // (8 * (taps + 1)) // 64 * 64), 1024)
    _run(
        "ndimage_down",
        source,
        out,
        how_to,
        how,
        depth * -(-inner // width),
        depth=depth,
        height=length,
        width=inner,
        tall=taps,
        top=how_to.before,
        rows=table.ctypes.data,
        block_width=width,
    )


def correlate_3d(
    source: Array, out: Array, weights: Array, before: tuple[int, ...], rule: str, cval: float
) -> None:
    """Correlate an array of three axes by weights of three axes, as SciPy's ``correlate`` does.

    Parameters
    ----------
    source, out : ndarray, shape (D, H, W)
        Contiguous, of types in `READS` and `WRITES`; they share no memory.
    weights : ndarray of float64, shape (KD, KH, KW)
        The weights.
    before : tuple of int
        How far the kernel reaches before a pixel, along each axis.
    rule, cval
        As in `Filter`.

    Raises
    ------
    MemoryError
        If there is no memory for the rows that are worked on.
    """
    (depth, height, width), (deep, tall, wide) = source.shape, weights.shape
    tables = [_table(*axis, rule) for axis in zip(source.shape, before, weights.shape, strict=True)]
    across = min(width, 512)
    stride = -(-(across + wide - 1) // LINE) * LINE
    rows = max(1, min(height, 32, _BLOCK // (8 * stride * deep) - tall + 1))
    where = np.nonzero(np.abs(weights) > sys.float_info.epsilon)
    near = ((where[0] * (rows + tall - 1) + where[1]) * stride + where[2]).astype(np.intp)
    values = weights[where]
    if not len(values):
        near, values = np.zeros(1, np.intp), np.zeros(1)
    _run(
        "ndimage_correlate",
        source,
        out,
        Filter(WEIGHTED, wide, before[2], rule, cval, near, near, values, 0.0),
        WRITE,
        depth * -(-height // rows) * -(-width // across),
        depth=depth,
        height=height,
        width=width,
        deep=deep,
        tall=tall,
        wide=wide,
        left=before[2],
        planes=tables[0].ctypes.data,
        rows=tables[1].ctypes.data,
        columns=tables[2].ctypes.data,
        stride=stride,
        block_rows=rows,
        block_width=across,
    )
