"""Pictures in Dask arrays, (H, W) or (H, W, C): each block with its halo, by one plan."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.convolution import borders, calibration, dtypes
from convtool.convolution.geometry import Axis, Geometry
from convtool.convolution.planner import Calibration, Chosen
from convtool.convolution.prepared import (
    Options,
    default_border,
    layout_for,
    turned,
)
from convtool.convolution.run import choose, request_for, run
from convtool.convolution.threads import count as thread_count
from convtool.convolution.types import Array, DType
from convtool.distributed.graph import Pieces, array_of_blocks, joined
from convtool.records import Record


class _BlockConvolution(Record, eq=False):
    """The settings of all blocks, shared as one object of the graph."""

    kernel: NDArray[np.float64]
    """The kernel to correlate with, already flipped."""
    rule: tuple[str, float]
    """The border's rule and the value beyond the edge."""
    engine: str
    """The engine option."""
    chosen: Chosen
    """The choice for the whole image; blocks with NaN or inf may need another."""
    out_type: DType
    """The output's type."""
    threads: int
    """Threads of each block."""
    calibration: Calibration
    """The calibration for the plans of such blocks."""


def _computed(job: _BlockConvolution, windows: Sequence[Axis], pieces: Pieces) -> Array:
    """Compute one block, on a worker."""
    pixels = joined(pieces, (0, 1))
    layout = Geometry(*windows)
    answer = np.empty(layout.shape + pixels.shape[2:], job.out_type)
    request = (pixels, (job.kernel,), layout, job.rule, answer, job.engine, job.threads)
    with calibration.held(job.calibration):
        run(*request, chosen=job.chosen)
    return answer


def filtered_by_blocks(image: Any, weights: NDArray[np.float64], options: Options) -> Any:
    """Convolve a picture lazily; all blocks use the plan of the whole.

    Parameters
    ----------
    image : dask.array.Array, shape (H, W) or (H, W, C)
        Real pixels.
    weights : ndarray, shape (KH, KW)
        The kernel.
    options : Options
        Those of pictures: one border, no origin, no delta.
    """
    from dask.base import tokenize

    flipped, engine = options.flipped, options.engine
    border = default_border(options.border, options.mode, options.padding)
    assert isinstance(border, str)
    rule = borders.resolve(border, options.cval)
    workers = 1 if options.threads is None else thread_count(options.threads)
    out_type = dtypes.output_type(image.dtype, options.dtype)
    layout = layout_for(
        image.shape,
        weights,
        mode=options.mode,
        padding=options.padding,
        stride=options.stride,
        flipped=flipped,
    )
    (weights,) = turned((weights,), flipped)
    what = (image.shape, image.dtype, out_type, (weights,), layout, engine, workers)
    chosen = choose(request_for(*what)).chosen
    job = _BlockConvolution(weights, rule, engine, chosen, out_type, workers, calibration.load())
    token = tokenize(image.name, weights, rule, engine, chosen, out_type, workers, layout)
    name = f"convtool-{'convolve' if flipped else 'correlate'}-{token}"
    taps = dict(enumerate(weights.shape))
    return array_of_blocks(
        name,
        image,
        _computed,
        job,
        windows={0: layout.rows, 1: layout.columns},
        rules={0: rule[0], 1: rule[0]},
        anchors={axis: (k - 1) // 2 if flipped else k // 2 for axis, k in taps.items()},
        dtype=out_type,
    )
