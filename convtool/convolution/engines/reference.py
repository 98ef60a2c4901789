"""An adapter to ``scipy.ndimage``, to compare with."""

import math

from convtool.convolution.engines import Job, TileCorrelator
from convtool.convolution.types import Array

ROWS = 256
"""Rows of a tile, as wide as the image."""

MOST_PRODUCTS = 1 << 29
"""Tiles of more products are cut smaller: SciPy sums about so many in half a second, and Python
cannot be interrupted meanwhile."""


def _tile(job: Job) -> tuple[int, int]:
    """Return the rows and columns of a tile; none is smaller than the kernel."""
    height, width = job.kernel.shape
    products = job.kernel.size * job.channels
    if (ROWS + height) * (job.shape[1] + width) * products <= MOST_PRODUCTS:
        return ROWS, job.shape[1]
    side = math.isqrt(MOST_PRODUCTS // products)
    return max(height, side - height), max(width, side - width)


def prepare(job: Job) -> TileCorrelator:
    """Make a correlator that calls ``scipy.ndimage.correlate``; it sums in float64."""
    from scipy import ndimage

    weights = job.kernel.astype(job.dtype)[:, :, None]
    top, left = job.kernel.shape[0] // 2, job.kernel.shape[1] // 2

    def run(window: Array, out: Array) -> None:
        rows, columns, _ = out.shape
        answer = ndimage.correlate(window, weights, mode="constant", output=window.dtype)
        out[...] = answer[top : top + rows, left : left + columns]

    return TileCorrelator(run, _tile(job))
