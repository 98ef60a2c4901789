"""Direct convolution, vectorised over the image: one multiply-add of a tile for each weight."""

import numpy as np

from convtool.convolution.engines import Job, TileCorrelator, cache_tile
from convtool.convolution.types import Array

TILE_BYTES = 1 << 20
"""Bytes of a tile's output. Smaller tiles would stay in a core's own cache, but threads would wait
for each other at every call of NumPy: 128 kB took three times as long."""


def prepare(job: Job) -> TileCorrelator:
    """Make a correlator that adds a shifted, weighted tile for each non-zero weight.

    Zero weights are skipped, so NaN and inf reach no further than the kernel's support. Each of the
    kernel's rows is summed by itself first, so that many weights round little. Memory beyond the
    output is two tiles a thread.
    """
    lines = [
        (y, [(int(x), job.dtype.type(row[x])) for x in np.flatnonzero(row)])
        for y, row in enumerate(job.kernel)
        if row.any()
    ]

    def run(window: Array, out: Array) -> None:
        rows, columns = out.shape[:2]
        if not lines:
            out[...] = 0
            return
        scratch, total = np.empty_like(out, order="C"), out
        for number, (y, taps) in enumerate(lines):
            if number == 1:
                total = np.empty_like(out, order="C")
            (first, weight), *others = taps
            line = window[y : y + rows]
            np.multiply(line[:, first : first + columns], weight, out=total)
            for x, weight in others:
                np.multiply(line[:, x : x + columns], weight, out=scratch)
                np.add(total, scratch, out=total)
            if number:
                np.add(out, total, out=out)

    return TileCorrelator(run, cache_tile(job.shape, job.dtype.itemsize, TILE_BYTES))
