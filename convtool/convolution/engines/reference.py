"""Adapters to other libraries, to compare with; OpenCV may also win a single short run."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from convtool.convolution.engines import Array, Correlator, DType, Prepare

OPENCV_CHANNELS = 4
"""OpenCV's filter2D is given at most so many channels at once."""


@contextmanager
def _opencv_threads(threads: int) -> Iterator[None]:
    import cv2

    before = cv2.getNumThreads()
    if before == threads:
        yield
        return
    cv2.setNumThreads(threads)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def prepare_opencv(
    kernel: Array, dtype: DType, shape: tuple[int, int, int], rank: int | None, threads: int
) -> Correlator:
    """Make a correlator that calls ``cv2.filter2D``, in float32 or float64 throughout.

    Parameters as in :class:`~.engines.Prepare`.
    """
    import cv2

    weights = kernel.astype(dtype)
    top, left = kernel.shape[0] // 2, kernel.shape[1] // 2

    def run(window: Array, out: Array) -> None:
        rows, columns, channels = out.shape
        with _opencv_threads(threads):
            for first in range(0, channels, OPENCV_CHANNELS):
                planes = np.ascontiguousarray(window[:, :, first : first + OPENCV_CHANNELS])
                answer = cv2.filter2D(
                    planes, -1, weights, anchor=(left, top), borderType=cv2.BORDER_CONSTANT
                ).reshape(planes.shape)
                out[:, :, first : first + OPENCV_CHANNELS] = answer[
                    top : top + rows, left : left + columns
                ]

    return Correlator(run, (max(256, 1 << 24 // max(1, shape[1] * shape[2])), shape[1]))


def prepare_scipy(
    kernel: Array, dtype: DType, shape: tuple[int, int, int], rank: int | None, threads: int
) -> Correlator:
    """Make a correlator that calls ``scipy.ndimage.correlate``; it sums in float64.

    Parameters as in :class:`~.engines.Prepare`.
    """
    from scipy import ndimage

    weights = kernel.astype(dtype)[:, :, None]
    top, left = kernel.shape[0] // 2, kernel.shape[1] // 2

    def run(window: Array, out: Array) -> None:
        rows, columns, _ = out.shape
        answer = ndimage.correlate(window, weights, mode="constant", output=window.dtype)
        out[...] = answer[top : top + rows, left : left + columns]

    return Correlator(run, (256, shape[1]))


PREPARE: dict[str, Prepare] = {"opencv": prepare_opencv, "scipy": prepare_scipy}
