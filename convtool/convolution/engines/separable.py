"""Any kernel as a sum of column × row factors (SVD): two one-dimensional passes a factor."""

import numpy as np

from convtool.convolution.engines import Array, Correlator, DType, cache_tile, factors_for

TILE_BYTES = 1 << 17
"""Bytes of a tile's output: with its scratch and its input it stays in a core's L2 cache."""


def _pass(window: Array, weights: Array, axis: int, out: Array, scratch: Array) -> None:
    """Correlate along one axis with one line of weights into ``out``."""
    length = out.shape[axis]
    out[...] = 0
    for offset in np.flatnonzero(weights):
        cut = (slice(None),) * axis + (slice(offset, offset + length),)
        np.multiply(window[cut], weights[offset], out=scratch)
        np.add(out, scratch, out=out)


def prepare(
    kernel: Array, dtype: DType, shape: tuple[int, int, int], rank: int | None, threads: int
) -> Correlator:
    """Make a correlator of ``r`` column passes, each followed by a row pass.

    Parameters as in :class:`~.engines.Prepare`.

    Raises
    ------
    EngineError
        If ``rank`` is given and the kernel has a higher one.
    """
    factors = factors_for("separable", kernel, dtype, rank)
    lines = list(zip(factors.columns, factors.rows, strict=True))

    def run(window: Array, out: Array) -> None:
        rows, _, channels = out.shape
        wide = (rows, window.shape[1], channels)
        tall, tall_scratch = np.empty(wide, dtype), np.empty(wide, dtype)
        part, scratch = np.empty(out.shape, dtype), np.empty(out.shape, dtype)
        out[...] = 0
        for column, row in lines:
            _pass(window, column, 0, tall, tall_scratch)
            _pass(tall, row, 1, part, scratch)
            np.add(out, part, out=out)

    return Correlator(run, cache_tile(shape, dtype.itemsize, TILE_BYTES))
