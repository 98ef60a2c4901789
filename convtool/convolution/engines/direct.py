"""The definition, vectorised over the image: one multiply-add of a whole tile for each weight."""

import numpy as np

from convtool.convolution.engines import Array, Job, TileCorrelator, cache_tile

TILE_BYTES = 1 << 20
"""Bytes of a tile's output. Smaller tiles would stay in a core's own cache, but threads would wait
for each other at every call of NumPy: 128 kB took three times as long."""


def prepare(job: Job) -> TileCorrelator:
    """Make a correlator that adds a shifted, weighted tile for each non-zero weight.

    Zero weights are skipped, so NaN and inf reach no further than the kernel's support. Memory
    beyond the output is one tile a thread.
    """
    taps = [(int(y), int(x), job.dtype.type(job.kernel[y, x])) for y, x in np.argwhere(job.kernel)]

    def run(window: Array, out: Array) -> None:
        rows, columns = out.shape[:2]
        if not taps:
            out[...] = 0
            return
        first, *others = taps
        y, x, weight = first
        np.multiply(window[y : y + rows, x : x + columns], weight, out=out)
        scratch = np.empty_like(out, order="C")
        for y, x, weight in others:
            np.multiply(window[y : y + rows, x : x + columns], weight, out=scratch)
            np.add(out, scratch, out=out)

    return TileCorrelator(run, cache_tile(job.shape, job.dtype.itemsize, TILE_BYTES))
