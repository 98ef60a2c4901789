"""Adapters to other libraries, to compare with; OpenCV may also win a single short run."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from convtool.convolution.engines import Array, Job, Prepare, TileCorrelator

OPENCV_CHANNELS = 4
"""OpenCV's filter2D is given at most so many channels at once."""


OPENCV_ROWS = 1024
"""And so many rows: it works faster on a large piece, but copies it first."""


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


def prepare_opencv(job: Job) -> TileCorrelator:
    """Make a correlator that calls ``cv2.filter2D``, in float32 or float64 throughout."""
    import cv2

    weights = job.kernel.astype(job.dtype)
    top, left = job.kernel.shape[0] // 2, job.kernel.shape[1] // 2

    def run(window: Array, out: Array) -> None:
        rows, columns, channels = out.shape
        with _opencv_threads(job.threads):
            for first in range(0, channels, OPENCV_CHANNELS):
                planes = np.ascontiguousarray(window[:, :, first : first + OPENCV_CHANNELS])
                answer = cv2.filter2D(
                    planes, -1, weights, anchor=(left, top), borderType=cv2.BORDER_CONSTANT
                ).reshape(planes.shape)
                out[:, :, first : first + OPENCV_CHANNELS] = answer[
                    top : top + rows, left : left + columns
                ]

    return TileCorrelator(run, (OPENCV_ROWS, job.shape[1]))


def prepare_scipy(job: Job) -> TileCorrelator:
    """Make a correlator that calls ``scipy.ndimage.correlate``; it sums in float64."""
    from scipy import ndimage

    weights = job.kernel.astype(job.dtype)[:, :, None]
    top, left = job.kernel.shape[0] // 2, job.kernel.shape[1] // 2

    def run(window: Array, out: Array) -> None:
        rows, columns, _ = out.shape
        answer = ndimage.correlate(window, weights, mode="constant", output=window.dtype)
        out[...] = answer[top : top + rows, left : left + columns]

    return TileCorrelator(run, (256, job.shape[1]))


PREPARE: dict[str, Prepare] = {"opencv": prepare_opencv, "scipy": prepare_scipy}
