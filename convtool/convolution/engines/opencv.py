"""An adapter to OpenCV, for comparison: chosen by name, never by ``auto``.

OpenCV's own threads would wait for each other and copy large pieces first; so it is called tile by
tile from this project's threads, its own turned off meanwhile.
"""

import threading
from collections.abc import Callable

import numpy as np

from convtool.convolution import scratch
from convtool.convolution.engines import Job, TileCorrelator, factors_for
from convtool.convolution.types import Array, DType

CHANNELS = 4
"""filter2D is given at most so many channels at once."""

TILE_BYTES = 1 << 21
"""Bytes of a tile's output; larger ones leave the cache."""

RING_BYTES = 448 << 10
"""sepFilter2D keeps as many filtered rows as the kernel has. Where these do not fit into a core's
own cache, images are cut into columns so narrow that they take half of it."""

FEW_ROWS = 20
"""Unless there are no more of them than these: 17 rows took up to 1.2 times as long in columns."""

LEAST_ROWS = 16
"""A tile has at least so many times the kernel's rows: the rows beyond its edges are work, too."""

NATIVE: frozenset[DType] = frozenset({np.dtype(np.uint8), np.dtype(np.uint16)})
"""Pixels that sepFilter2D reads as they are while it sums in float32. (filter2D is four times as
fast on float32 pixels.)"""

DEPTHS = {"uint8": "CV_8U", "uint16": "CV_16U", "float32": "CV_32F", "float64": "CV_64F"}
"""OpenCV's names of the types that it writes."""


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

Filter = Callable[[Array, DType], Array]
"""Correlates planes, shape (R, N, C), zero beyond the edges, into memory that the thread keeps; its
answer is of the type asked for."""


def _dense(kernel: Array, dtype: DType, name: str) -> Filter:
    import cv2

    weights = kernel.astype(dtype)
    anchor = (kernel.shape[1] // 2, kernel.shape[0] // 2)
    outside = cv2.BORDER_CONSTANT

    def correlate(planes: Array, asked: DType) -> Array:
        into = scratch.take(name, planes.shape, asked)
        return cv2.filter2D(planes, -1, weights, dst=into, anchor=anchor, borderType=outside)

    return correlate


def _separable(kernel: Array, dtype: DType, rank: int, name: str) -> Filter:
    import cv2

    factors = factors_for("opencv", kernel, dtype, rank)
    columns, rows = factors.columns * dtype.type(0.5), factors.rows * dtype.type(2)
    anchor = (kernel.shape[1] // 2, kernel.shape[0] // 2)
    depths = {np.dtype(name): getattr(cv2, code) for name, code in DEPTHS.items()}
    outside = cv2.BORDER_CONSTANT

    def correlate(planes: Array, asked: DType) -> Array:
        total: Array | None = None
        for column, row in zip(columns, rows, strict=True):
            into = scratch.take(name if total is None else f"{name}, more", planes.shape, asked)
            part = cv2.sepFilter2D(
                planes, depths[asked], row, column, dst=into, anchor=anchor, borderType=outside
            )
            total = part if total is None else cv2.add(total, part, dst=total)
        assert total is not None
        return total

    return correlate


def _length(first: Filter, second: Filter) -> Filter:
    import cv2

    def correlate(planes: Array, asked: DType) -> Array:
        answer = first(planes, asked)
        return cv2.magnitude(answer, second(planes, asked), magnitude=answer)

    return correlate


def _saturates(kernel: Array) -> bool:
    """Return whether OpenCV rounds and saturates all sums of 16-bit pixels as it should.

    It rounds to 32 bits first.
    """
    return float(np.abs(kernel).sum()) * (1 << 16) < 1 << 31


def _narrow(width: int, kernel: tuple[int, ...], pixel: int) -> int:
    """Return how many columns, of pixels of so many bytes, are filtered at once by two factors."""
    column = kernel[0] * pixel
    if kernel[0] <= FEW_ROWS or width * column <= RING_BYTES:
        return width
    most = max(LEAST_ROWS * kernel[1], RING_BYTES // 2 // column)
    return -(-width // -(-width // most))


def prepare(job: Job) -> TileCorrelator:
    """Make a correlator that calls ``filter2D``, or ``sepFilter2D`` for each factor.

    Sums are in float32 or float64 throughout. OpenCV would sum 8 bits in whole numbers, its weights
    rounded to 1/256, where both factors are symmetric and their sums 1: so one is doubled and the
    other halved, which changes no bit of the products.

    Raises
    ------
    EngineError
        If ``rank`` is given and the kernel has a higher one.
    """
    rank, dtype = job.rank, job.dtype
    filters = [
        _dense(kernel, dtype, f"opencv {number}")
        if rank is None
        else _separable(kernel, dtype, rank, f"opencv {number}")
        for number, kernel in enumerate(job.kernels)
    ]
    correlate = filters[0] if len(filters) == 1 else _length(*filters)
    height, width = job.kernel.shape
    top, left = height // 2, width // 2

    def run(window: Array, out: Array) -> None:
        rows, columns, channels = out.shape
        with _ALONE:
            for first in range(0, channels, CHANNELS):
                planes = window[:, :, first : first + CHANNELS]
                if planes.shape[2] < window.shape[2]:
                    planes = np.ascontiguousarray(planes)
                answer = correlate(planes, out.dtype).reshape(planes.shape)
                out[:, :, first : first + CHANNELS] = answer[
                    top : top + rows, left : left + columns
                ]

    pixel = job.channels * dtype.itemsize
    rows = max(LEAST_ROWS * height, TILE_BYTES // (job.shape[1] * pixel))
    tile = rows, job.shape[1] if rank is None else _narrow(job.shape[1], job.kernel.shape, pixel)
    reads = NATIVE if rank is not None and dtype == np.float32 else frozenset[DType]()
    rounds = rank == 1 and len(filters) == 1 and _saturates(job.kernel)
    return TileCorrelator(run, tile, reads, NATIVE if rounds else frozenset())
