"""A kernel as compiled code takes it: ordered for a stride, or as factors."""

from typing import NamedTuple

import numpy as np

from convtool import compiled
from convtool.convolution.engines import factors_for
from convtool.convolution.engines.jit.job import address_of
from convtool.convolution.types import Array, DType

UNIFORM_FROM = 25
"""Kernels of so many equal weights are done by running sums."""

RUNNING_CHANNELS = (1, 2, 3, 4)
"""For pixels of so many channels."""


class Weights(NamedTuple):
    """A kernel as the compiled loops take it.

    ``dense`` is (KH, KW) with its rows ordered by phase, ``order`` the kernel's row of each;
    ``columns`` (parts, KH, 1), ordered alike, and ``rows`` (parts, KW) are its factors; no parts
    where it is not done by factors. ``uniform``: all weights are the same, and running sums are
    worth their while.
    """

    dense: Array
    order: Array
    columns: Array
    rows: Array
    uniform: bool


def _ordered(kernel: Array, phases: int) -> tuple[Array, Array]:
    """Return the rows ordered by phase (row modulo ``phases``), and which row each was."""
    order = np.concatenate([np.arange(phase, len(kernel), phases) for phase in range(phases)])
    return np.ascontiguousarray(kernel[order]), order.astype(np.intp)


def is_summed(kernel: Array, channels: int) -> bool:
    """Return whether running sums do a kernel that is not factored."""
    sums = kernel.size >= UNIFORM_FROM and kernel.shape[1] > 1 and channels in RUNNING_CHANNELS
    return sums and bool(np.all(kernel == kernel[0, 0]))


def weights_of(
    kernel: Array, dtype: DType, rank: int | None, phases: int, channels: int
) -> Weights:
    """Return a kernel as the compiled loops take it: dense, or by ``rank`` factors.

    Raises
    ------
    EngineError
        If a rank is given and the kernel has a higher one.
    """
    dense, order = _ordered(kernel.astype(dtype), phases)
    uniform = rank is None and is_summed(dense, channels)
    if rank is None:
        nothing = np.empty((0, 1, 1), dtype)
        return Weights(dense, order, nothing, np.empty((0, 1), dtype), uniform)
    factors = factors_for("numba", kernel, dtype, rank)
    columns, _ = _ordered(factors.columns.T, phases)
    columns = np.ascontiguousarray(columns.T)[:, :, None]
    return Weights(dense, order, columns, np.ascontiguousarray(factors.rows), False)


def describe_kernel(record: Array, weights: Weights) -> None:
    """Write a kernel into its record; the arrays must live as long as the record is used."""
    record["dense"], record["order"] = address_of(weights.dense), address_of(weights.order)
    record["columns"], record["rows"] = address_of(weights.columns), address_of(weights.rows)
    record["height"], record["taps"] = weights.dense.shape
    record["parts"] = len(weights.columns)
    function = "correlate_uniform" if weights.uniform else "correlate"
    record["correlation"] = compiled.address(function, weights.dense.dtype.name)
