"""Compiled loops (Numba), released from the GIL so that tiles run on threads side by side.

The code is compiled once and kept in a private folder (:mod:`~.jit_cache`); where that cannot be
written it is compiled in each process.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from convtool.convolution.engines import (
    Array,
    Correlator,
    DType,
    cache_tile,
    factors_for,
    jit_cache,
)

TILE_BYTES = 1 << 18
"""Bytes of a tile's output: with its input it stays in a core's L2 cache."""


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function without the GIL, and keep the result where that is possible."""
    options = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}
    folder = jit_cache.folder()
    if folder is None:
        compiled: Callable[..., Any] = numba.njit(**options)(function)
        return compiled
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        compiled = numba.njit(cache=True, **options)(function)
    except (OSError, RuntimeError):
        compiled = numba.njit(**options)(function)
    finally:
        numba.config.CACHE_DIR = before
    return compiled


def _dense_loops(window: Array, kernel: Array, out: Array) -> None:
    """Correlate rows of interleaved channels, one weight at a time; zero weights are skipped."""
    step = window.shape[2]
    width = out.shape[1] * step
    for y in range(out.shape[0]):
        target = out[y].reshape(width)
        target[:] = 0
        for ky in range(kernel.shape[0]):
            source = window[y + ky].reshape(window.shape[1] * step)
            for kx in range(kernel.shape[1]):
                weight = kernel[ky, kx]
                if weight != 0:
                    shifted = source[kx * step : kx * step + width]
                    for x in range(width):
                        target[x] += weight * shifted[x]


def _factored_loops(window: Array, columns: Array, rows: Array, line: Array, out: Array) -> None:
    """Correlate by factors: each column pass makes one line, which its row pass adds to ``out``."""
    step = window.shape[2]
    wide = window.shape[1] * step
    width = out.shape[1] * step
    for y in range(out.shape[0]):
        target = out[y].reshape(width)
        target[:] = 0
        for part in range(columns.shape[0]):
            line[:] = 0
            for ky in range(columns.shape[1]):
                weight = columns[part, ky]
                if weight != 0:
                    source = window[y + ky].reshape(wide)
                    for x in range(wide):
                        line[x] += weight * source[x]
            for kx in range(rows.shape[1]):
                weight = rows[part, kx]
                if weight != 0:
                    shifted = line[kx * step : kx * step + width]
                    for x in range(width):
                        target[x] += weight * shifted[x]


_dense = _compiled(_dense_loops)
_factored = _compiled(_factored_loops)


def prepare(
    kernel: Array, dtype: DType, shape: tuple[int, int, int], rank: int | None, threads: int
) -> Correlator:
    """Make a correlator: dense where ``rank`` is None, else by that many factors.

    Parameters as in :class:`~.engines.Prepare`.

    Raises
    ------
    EngineError
        If ``rank`` is given and the kernel has a higher one.
    """
    tile = cache_tile(shape, dtype.itemsize, TILE_BYTES)
    if rank is None:
        weights = np.ascontiguousarray(kernel, dtype)

        def run_dense(window: Array, out: Array) -> None:
            _dense(window, weights, out)

        return Correlator(run_dense, tile)
    factors = factors_for("numba", kernel, dtype, rank)

    def run_factored(window: Array, out: Array) -> None:
        line = np.empty(window.shape[1] * window.shape[2], window.dtype)
        _factored(window, factors.columns, factors.rows, line, out)

    return Correlator(run_factored, tile)
