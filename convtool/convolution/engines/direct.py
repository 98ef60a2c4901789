"""The definition, vectorised over the image: one multiply-add of a whole tile for each weight."""

import numpy as np

from convtool.convolution.engines import Array, Correlator, DType, cache_tile

TILE_BYTES = 1 << 17
"""Bytes of a tile's output: with its scratch and its input it stays in a core's L2 cache."""


def prepare(
    kernel: Array, dtype: DType, shape: tuple[int, int, int], rank: int | None, threads: int
) -> Correlator:
    """Make a correlator that adds a shifted, weighted tile for each non-zero weight.

    Zero weights are skipped, so NaN and inf reach no further than the kernel's support. Memory
    beyond the output is one tile a thread. Parameters as in :class:`~.engines.Prepare`.
    """
    taps = [(int(y), int(x), dtype.type(kernel[y, x])) for y, x in np.argwhere(kernel)]

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

    return Correlator(run, cache_tile(shape, dtype.itemsize, TILE_BYTES))
