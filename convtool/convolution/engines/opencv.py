"""An adapter to OpenCV, to compare with; it may also win a single short run.

OpenCV's own threads would wait for each other and copy large pieces first; so it is called tile by
tile from this project's threads, its own turned off meanwhile.
"""

import threading
from collections.abc import Callable

import numpy as np

from convtool.convolution.engines import Array, DType, Job, TileCorrelator, factors_for

CHANNELS = 4
"""filter2D is given at most so many channels at once."""

TILE_BYTES = 1 << 21
"""Bytes of a tile's output; larger ones leave the cache."""

LEAST_ROWS = 8
"""A tile has at least so many times the kernel's rows: the rows beyond its edges are work, too."""

NATIVE: frozenset[DType] = frozenset({np.dtype(np.uint8), np.dtype(np.uint16)})
"""Pixels that sepFilter2D reads as they are while it sums in float32. (filter2D is four times as
fast on float32 pixels.)"""


class _Alone:
    """OpenCV's own threads are off as long as anybody is inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 1

    def __enter__(self) -> None:
        import cv2

        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._before = cv2.getNumThreads()
                if self._before != 1:
                    cv2.setNumThreads(1)

    def __exit__(self, *_: object) -> None:
        import cv2

        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._before != 1:
                cv2.setNumThreads(self._before)


_ALONE = _Alone()

Filter = Callable[[Array], Array]
"""Correlates planes, shape (R, N, C), zero beyond the edges; its answer is a fresh array."""


def _dense(kernel: Array, dtype: DType) -> Filter:
    import cv2

    weights = kernel.astype(dtype)
    anchor = (kernel.shape[1] // 2, kernel.shape[0] // 2)

    def correlate(planes: Array) -> Array:
        return cv2.filter2D(planes, -1, weights, anchor=anchor, borderType=cv2.BORDER_CONSTANT)

    return correlate


def _separable(kernel: Array, dtype: DType, rank: int) -> Filter:
    import cv2

    factors = factors_for("opencv", kernel, dtype, rank)
    anchor = (kernel.shape[1] // 2, kernel.shape[0] // 2)
    depth = cv2.CV_64F if dtype == np.float64 else cv2.CV_32F
    outside = cv2.BORDER_CONSTANT

    def correlate(planes: Array) -> Array:
        total: Array | None = None
        for column, row in zip(factors.columns, factors.rows, strict=True):
            part = cv2.sepFilter2D(planes, depth, row, column, anchor=anchor, borderType=outside)
            total = part if total is None else cv2.add(total, part, dst=total)
        assert total is not None
        return total

    return correlate


def _length(first: Filter, second: Filter) -> Filter:
    import cv2

    def correlate(planes: Array) -> Array:
        answer = first(planes)
        return cv2.magnitude(answer, second(planes), magnitude=answer)

    return correlate


def prepare(job: Job) -> TileCorrelator:
    """Make a correlator that calls ``filter2D``, or ``sepFilter2D`` for each factor.

    Sums are in float32 or float64 throughout.

    Raises
    ------
    EngineError
        If ``rank`` is given and the kernel has a higher one.
    """
    rank, dtype = job.rank, job.dtype
    filters = [
        _dense(kernel, dtype) if rank is None else _separable(kernel, dtype, rank)
        for kernel in job.kernels
    ]
    correlate = filters[0] if len(filters) == 1 else _length(*filters)
    height, width = job.kernel.shape
    top, left = height // 2, width // 2

    def run(window: Array, out: Array) -> None:
        rows, columns, channels = out.shape
        with _ALONE:
            for first in range(0, channels, CHANNELS):
                planes = np.ascontiguousarray(window[:, :, first : first + CHANNELS])
                answer = correlate(planes).reshape(planes.shape)
                out[:, :, first : first + CHANNELS] = answer[
                    top : top + rows, left : left + columns
                ]

    line = job.shape[1] * job.channels * dtype.itemsize
    tile = max(LEAST_ROWS * height, TILE_BYTES // line), job.shape[1]
    native = rank is not None and dtype == np.float32
    return TileCorrelator(run, tile, NATIVE if native else frozenset())
