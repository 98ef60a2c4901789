"""Any kernel as a sum of column × row factors: two one-dimensional passes a factor."""

import numpy as np

from convtool.convolution.engines import Job, TileCorrelator, cache_tile, factors_for
from convtool.convolution.types import Array

TILE_BYTES = 1 << 20
"""Bytes of a tile's output. Smaller tiles would stay in a core's own cache, but threads would wait
for each other at every call of NumPy: 128 kB took three times as long."""


def _pass(window: Array, weights: Array, axis: int, out: Array, scratch: Array) -> None:
    """Correlate along one axis with one line of weights into ``out``.

    Sums begin with their first product, not with zero, which would make 0 of -0.
    """
    length = out.shape[axis]
    offsets = np.flatnonzero(weights)
    if not len(offsets):
        out[...] = 0
    for number, offset in enumerate(offsets):
        cut = (slice(None),) * axis + (slice(offset, offset + length),)
        np.multiply(window[cut], weights[offset], out=scratch if number else out)
        if number:
            np.add(out, scratch, out=out)


def prepare(job: Job) -> TileCorrelator:
    """Make a correlator of ``r`` column passes, each followed by a row pass.

    Raises
    ------
    EngineError
        If ``rank`` is given and the kernel has a higher one.
    """
    factors = factors_for("separable", job.kernel, job.dtype, job.rank)
    lines = list(zip(factors.columns, factors.rows, strict=True))

    def run(window: Array, out: Array) -> None:
        rows, _, channels = out.shape
        wide = (rows, window.shape[1], channels)
        tall, tall_scratch = np.empty(wide, job.dtype), np.empty(wide, job.dtype)
        part, scratch = np.empty(out.shape, job.dtype), np.empty(out.shape, job.dtype)
        for number, (column, row) in enumerate(lines):
            _pass(window, column, 0, tall, tall_scratch)
            _pass(tall, row, 1, part if number else out, scratch)
            if number:
                np.add(out, part, out=out)

    return TileCorrelator(run, cache_tile(job.shape, job.dtype.itemsize, TILE_BYTES))
