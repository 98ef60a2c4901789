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
from convtool.convolution.types import Array, DType, Span
from convtool.distributed import blocks
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


def _piece(block: Any, rows: tuple[int, int], columns: tuple[int, int]) -> Any:
    return block[slice(*rows), slice(*columns)]


def _joined(pieces: Sequence[Sequence[Any]]) -> Array:
    rows = [np.concatenate(row, axis=1) if len(row) > 1 else np.asarray(row[0]) for row in pieces]
    return np.concatenate(rows, axis=0) if len(rows) > 1 else rows[0]


def _computed(
    job: _BlockConvolution, rows: Axis, columns: Axis, pieces: Sequence[Sequence[Any]]
) -> Array:
    """Compute one block, on a worker."""
    pixels = _joined(pieces)
    layout = Geometry(rows, columns)
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
    import dask.array
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph

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
    anchors = [(taps - 1) // 2 if flipped else taps // 2 for taps in weights.shape]
    graph, chunks = _graph(name, image, job, layout, anchors)
    layers = HighLevelGraph.from_collections(name, graph, dependencies=[image])
    return dask.array.Array(layers, name, (*chunks, *image.chunks[2:]), dtype=out_type)


def _graph(
    name: str, image: Any, job: _BlockConvolution, layout: Geometry, anchors: Sequence[int]
) -> tuple[dict[Any, Any], list[tuple[int, ...]]]:
    """Return the tasks of all blocks, and the blocks' sizes along rows and columns."""
    graph: dict[Any, Any] = {f"{name}-job": job}
    chunks, parts = [], []
    for axis, sizes, anchor in zip(
        (layout.rows, layout.columns), image.chunks[:2], anchors, strict=True
    ):
        spans = blocks.spans(axis, sizes, anchor)
        chunks.append(tuple(last - first for first, last in spans))
        made = [blocks.part(axis, span, job.rule[0]) for span in spans]
        parts.append([(one.windows, blocks.cut(one.pieces, sizes)) for one in made])
    for number, (rows, lines) in enumerate(parts[0]):
        for position, (columns, places) in enumerate(parts[1]):
            for channels in np.ndindex(*image.numblocks[2:]):
                pieces = [
                    [_source(graph, name, image, line, place, channels) for place in places]
                    for line in lines
                ]
                task = (_computed, f"{name}-job", rows, columns, pieces)
                graph[name, number, position, *channels] = task
    return graph, chunks


def _source(
    graph: dict[Any, Any],
    name: str,
    image: Any,
    line: tuple[int, Span],
    place: tuple[int, Span],
    channels: tuple[int, ...],
) -> tuple[Any, ...]:
    """Return the key of a part of an image block: the block itself, or a task that slices it."""
    (i, rows), (j, columns) = line, place
    block = (image.name, i, j, *channels)
    if rows == (0, image.chunks[0][i]) and columns == (0, image.chunks[1][j]):
        return block
    key = (f"{name}-piece", i, *rows, j, *columns, *channels)
    graph[key] = (_piece, block, list(rows), list(columns))
    return key
