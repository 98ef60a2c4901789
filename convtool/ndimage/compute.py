"""Runs compiled filters over arrays that lie contiguous in memory: one axis at a time, or three."""

import math
import sys
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from convtool import compiled
from convtool.convolution import threads
from convtool.ndimage.jit.job import JOB, KINDS, LINE, UNIFORM, WEIGHTED, WRITE
from convtool.ndimage.prepared import Prepared, line_type, name_of, prepare, table_of
from convtool.ndimage.terms import Array, Filter

_RING = 28 << 10
"""Bytes of the rows that a filter down columns keeps: they stay in the first cache."""

_ACROSS = 512
"""Columns of a block of a dense correlation."""

_BLOCK = 192 << 10
"""Bytes of the rows that a block of a dense correlation reads: they stay in the second cache."""

_BAND = 512 << 10
"""Bytes of a band of rows that is filtered along two axes: it stays in the second cache."""

_SHARES = 4
"""Shares of the work for each thread, at the least: a thread may begin late."""

_AHEAD = 3
"""Rows of narrow blocks that are fetched before they are read: the processor foresees no jumps."""

_TOGETHER = 16
"""Columns that belong together: float32 pixels of a cache line."""


def _even(count: int, most: int, workers: int, least: int = _SHARES) -> int:
    """Return the size of even shares, of at most so many, that all threads have as many of."""
    shares = max(-(-count // most), least * workers)
    return -(-count // (-(-shares // workers) * workers))


def _band(
    depth: int, height: int, line: int, how_to: Filter, reads: str, workers: int, in_place: bool
) -> int:
    """Return how many rows of so many bytes a filter down columns takes at once.

    All of them where rows beyond a band would be overwritten, or running sums begin at the top.
    """
    if in_place or (how_to.kind == UNIFORM and reads.startswith("f")):
        return height
    most = max(_BAND // line, 2 * how_to.taps, 16)
    rows = most if depth >= _SHARES * workers else _even(height, most, workers)
    return min(max(rows, 2 * how_to.taps, 16), height)


class Pass(NamedTuple):
    """A filter, and the axis that it goes along, from 0 on."""

    axis: int
    filter: Filter

    def __str__(self) -> str:
        return f"axis {self.axis}: {self.filter.taps} taps, {KINDS[self.filter.kind]}"


@lru_cache(maxsize=64)
def _for_axis(
    shape: tuple[int, ...],
    each: Pass,
    reads: str,
    writes: str,
    how: int,
    workers: int,
    in_place: bool,
) -> Prepared:
    """Prepare a filter along one axis."""
    how_to, length = each.filter, shape[each.axis]
    taps, before = how_to.taps, how_to.before
    depth, inner = math.prod(shape[: each.axis]), math.prod(shape[each.axis + 1 :])
    table = table_of(length, before, taps, how_to.rule)
    line = line_type(reads, writes, how_to)
    given = line, reads, writes, how_to, how, workers
    if inner == 1:
        rows = max(8, _even(depth, 64, workers) // 8 * 8)
        return prepare(
            "ndimage_along",
            *given,
            {"columns": table},
            tasks=-(-depth // rows),
            height=depth,
            width=length,
            wide=taps,
            left=before,
            block_rows=rows,
        )
    # A running sum reads two rows of the ring, other sums all of them.
    held = 3 if how_to.kind == UNIFORM else taps + 1
    fits = _RING // (np.dtype(line).itemsize * held)
    width = min(max(64, fits // LINE * LINE), 1024)
    rows = _band(depth, length, inner * np.dtype(writes).itemsize, how_to, reads, workers, in_place)
    bands = depth * -(-length // rows)
    by_columns = bands < workers
    if by_columns:
        width = max(64, -(-_even(inner, width, workers, 1) // _TOGETHER) * _TOGETHER)
    blocks = -(-inner // width)
    return prepare(
        "ndimage_down",
        *given,
        {"rows": table},
        tasks=blocks * bands if by_columns else bands,
        block_rows=rows,
        blocks=1 if by_columns else blocks,
        ahead=_AHEAD if (by_columns or width < 512) and how_to.kind != UNIFORM else 0,
        depth=depth,
        height=length,
        width=inner,
        tall=taps,
        top=before,
        block_width=width,
    )


@lru_cache(maxsize=64)
def _for_both(
    shape: tuple[int, ...],
    passes: tuple[Pass, Pass],
    reads: str,
    writes: str,
    hows: tuple[int, int],
    workers: int,
    *,
    in_place: bool = False,
    apart: bool = False,
) -> Prepared | None:
    """Prepare filters along the last axis but one and the last, where one call does both.

    The last axis may be first, in all borders but one of rows from the other end.

    The second reads the answers of the first, or the pixels too if both are filtered ``apart``.
    """
    rank = len(shape)
    axes = [each.axis for each in passes]
    is_down_first = axes == [rank - 2, rank - 1]
    first, second = (each.filter for each in passes)
    if not is_down_first and (
        axes != [rank - 1, rank - 2] or in_place or apart or second.rule == "wrap"
    ):
        return None
    then_reads = reads if apart else writes
    lines = {line_type(reads, writes, first), line_type(then_reads, writes, second)}
    if len(lines) > 1 or shape[-1] == 1:
        return None
    one = _for_axis(shape, passes[0], reads, writes, hows[0], workers, in_place)
    other = _for_axis(shape, passes[1], then_reads, writes, hows[1], workers, in_place)
    template = np.concatenate((one.template, other.template))
    job = template.view(JOB)
    rows = int(job["block_rows"][0 if is_down_first else 1])
    tasks = math.prod(shape[:-2]) * -(-shape[-2] // rows)
    if tasks < 2 * workers:
        return None
    job["tasks"] = tasks
    name = "ndimage_down_along" if is_down_first else "ndimage_along_down"
    function = compiled.address(name, *lines)
    return Prepared(template, function, min(workers, tasks), (*one.kept, *other.kept))


def filter_axes(source: Array, work: Array, out: Array, passes: list[Pass], how: int) -> None:
    """Filter an array along one axis after another, by types as SciPy does.

    Parameters
    ----------
    source, out : ndarray
        Contiguous, of types in `READS` and `WRITES`; they may be the same.
    work : ndarray
        Holds answers between the axes, of the type and shape of ``out``, which it may be.
    passes : list of Pass
        The filters.
    how : int
        How the last ones' answers are written: see :mod:`~.jit.job`.

    Raises
    ------
    MemoryError
        If there is no memory for the rows that are worked on.
    """
    workers, writes, shape = threads.count(), name_of(out.dtype), out.shape
    left = list(passes)
    while left:
        reads = name_of(source.dtype)
        in_place = source.ctypes.data in (work.ctypes.data, out.ctypes.data)
        way, target = (WRITE, work) if len(left) > 2 else (how, out)
        pair = None
        if len(left) > 1:
            both = (left[0], left[1])
            hows = (WRITE, way)
            pair = _for_both(shape, both, reads, writes, hows, workers, in_place=in_place)
        if pair is not None:
            pair.run((source, work), (work, target))
            del left[:2]
        else:
            way, target = (WRITE, work) if len(left) > 1 else (how, out)
            one = _for_axis(shape, left[0], reads, writes, way, workers, in_place)
            one.run((source, target))
            del left[0]
        source = work


def filter_apart(source: Array, out: Array, passes: list[Pass], hows: list[int]) -> None:
    """Filter an array along axes, each time from its pixels.

    Parameters
    ----------
    source, out, passes
        As in `filter_axes`; the arrays share no memory.
    hows : list of int
        How the answers of each are written.

    Raises
    ------
    MemoryError
        If there is no memory for the rows that are worked on.
    """
    workers, shape = threads.count(), out.shape
    names = name_of(source.dtype), name_of(out.dtype)
    left = list(zip(passes, hows, strict=True))
    while left:
        (first, how), *others = left
        if len(left) == 2:
            both, ways = (first, others[0][0]), (how, others[0][1])
            pair = _for_both(shape, both, *names, ways, workers, apart=True)
            if pair is not None:
                pair.run((source, out), (source, out))
                return
        _for_axis(shape, first, *names, how, workers, False).run((source, out))
        left = others


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
    names = name_of(source.dtype), name_of(out.dtype)
    kernel = weights.tobytes(), weights.shape, before, rule, cval
    _for_volume(source.shape, *names, *kernel, threads.count()).run((source, out))


@lru_cache(maxsize=16)
def _for_volume(
    shape: tuple[int, ...],
    reads: str,
    writes: str,
    data: bytes,
    kernel: tuple[int, ...],
    before: tuple[int, ...],
    rule: str,
    cval: float,
    workers: int,
) -> Prepared:
    (depth, height, width), (deep, tall, wide) = shape, kernel
    weights = np.frombuffer(data).reshape(kernel)
    found = [table_of(*axis, rule) for axis in zip(shape, before, kernel, strict=True)]
    across = min(width, _ACROSS)
    stride = -(-(across + wide - 1) // LINE) * LINE
    rows = max(1, min(height, 32, _BLOCK // (8 * stride * deep) - tall + 1))
    where = np.nonzero(np.abs(weights) > sys.float_info.epsilon)
    near = ((where[0] * (rows + tall - 1) + where[1]) * stride + where[2]).astype(np.intp)
    values = weights[where]
    if not len(values):
        near, values = np.zeros(1, np.intp), np.zeros(1)
    how_to = Filter(WEIGHTED, wide, before[2], rule, cval, near, near, values, 0.0)
    return prepare(
        "ndimage_correlate",
        line_type(reads, writes, how_to),
        reads,
        writes,
        how_to,
        WRITE,
        workers,
        dict(zip(("planes", "rows", "columns"), found, strict=True)),
        tasks=depth * -(-height // rows) * -(-width // across),
        depth=depth,
        height=height,
        width=width,
        deep=deep,
        tall=tall,
        wide=wide,
        left=before[2],
        stride=stride,
        block_rows=rows,
        block_width=across,
    )
