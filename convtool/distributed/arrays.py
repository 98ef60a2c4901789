"""Lazy convolution of Dask arrays, block by block, each with its halo."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from convtool.convolution import borders, calibration, dtypes
from convtool.convolution.geometry import Axis, Geometry
from convtool.convolution.planner import Calibration, Chosen
from convtool.convolution.prepared import (
    Options,
    check_image,
    default_border,
    layout_for,
    turned,
)
from convtool.convolution.run import choose, request_for, run
from convtool.convolution.threads import count as thread_count
from convtool.convolution.types import Array, DType, Span
from convtool.distributed import blocks
from convtool.errors import PixelTypeError, ShapeError
from convtool.extras import need
from convtool.kernels.argument import as_kernel
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


def _filtered(image: Any, kernel: ArrayLike | str, options: Options) -> Any:
    need("cluster", "dask")
    import dask.array
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph

    if not isinstance(image, dask.array.Array):
        raise PixelTypeError(
            f"a Dask array is needed, not {type(image).__name__}; "
            "dask.array.from_array(image, chunks=2048) makes one"
        )
    if any(map(math.isnan, image.shape)):
        raise ShapeError("the image's shape is unknown; call image.compute_chunk_sizes()")
    check_image(image.shape, image.dtype)
    (flipped, mode, border, cval, padding, stride, engine, dtype, threads) = options[:9]
    weights = as_kernel(kernel)
    rule = borders.resolve(default_border(border, mode, padding), cval)
    workers = 1 if threads is None else thread_count(threads)
    out_type = dtypes.output_type(image.dtype, dtype)
    layout = layout_for(
        image.shape, weights, mode=mode, padding=padding, stride=stride, flipped=flipped
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


def convolve(
    image: Any,
    kernel: ArrayLike | str,
    *,
    mode: str = "same",
    border: str | None = None,
    cval: float = 0.0,
    padding: int | tuple[int, int] | None = None,
    stride: int | tuple[int, int] = 1,
    engine: str = "auto",
    dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> Any:
    """Convolve a Dask array with a kernel (the kernel is flipped), lazily.

    Parameters
    ----------
    image : dask.array.Array, shape (H, W) or (H, W, C)
        Real pixels of any type, in blocks of any sizes.
    kernel, mode, border, cval, padding, stride, engine, dtype
        As for :func:`convtool.convolve`.
    threads : int, optional
        Threads of each block; 1 by default, as Dask runs several blocks at once.

    Returns
    -------
    dask.array.Array, shape (H', W') or (H', W', C)
        The result of :func:`convtool.convolve` on the whole image. Its blocks are the image's;
        blocks shorter than the halo are merged with their neighbours.

    Raises
    ------
    OptionError
        If Dask is missing, or as :func:`convtool.convolve` does.
    PixelTypeError
        If the image is not a Dask array, or as :func:`convtool.convolve` does.
    ShapeError, KernelError, EngineError
        As :func:`convtool.convolve` does; also if the image's shape is unknown.

    Notes
    -----
    A block's task reads its own block and the halo from its neighbours, beyond the image's edges by
    the border's rule. All blocks use the plan of :func:`convtool.plan` for the whole image; with
    ``engine="auto"``, blocks with NaN or inf are planned separately.

    The engines ``direct``, ``separable`` and ``scipy`` give bit-identical results to the whole
    image, and so does ``numba`` except for its running sums (kernels of 25 or more equal weights),
    which restart in every block. Those, ``fft``, whose tiles are placed differently, and
    ``opencv``, which sums the last columns in another order, differ in the last bits: within 4e-6
    (float32) or 1e-13 (float64) of max|image| · sum|kernel|.

    Examples
    --------
    >>> import dask.array
    >>> image = dask.array.ones((4000, 6000), chunks=1000, dtype="uint8")
    >>> blurred = convolve(image, "gaussian:sigma=3", border="mirror")
    >>> blurred.shape, blurred.numblocks, blurred.dtype
    ((4000, 6000), (4, 6), dtype('float32'))
    """
    options = Options(True, mode, border, cval, padding, stride, engine, dtype, threads)
    return _filtered(image, kernel, options)


def correlate(
    image: Any,
    kernel: ArrayLike | str,
    *,
    mode: str = "same",
    border: str | None = None,
    cval: float = 0.0,
    padding: int | tuple[int, int] | None = None,
    stride: int | tuple[int, int] = 1,
    engine: str = "auto",
    dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> Any:
    """Correlate a Dask array with a kernel (the kernel is not flipped), lazily.

    Parameters, returns and errors are those of :func:`convolve`; the anchor of an even kernel is
    that of :func:`convtool.correlate`.

    Examples
    --------
    >>> import dask.array
    >>> image = dask.array.arange(12, chunks=5, dtype="float32").reshape(3, 4)
    >>> correlate(image, [[0, 0, 1]], border="constant").compute()[0]
    array([1., 2., 3., 0.], dtype=float32)
    """
    options = Options(False, mode, border, cval, padding, stride, engine, dtype, threads)
    return _filtered(image, kernel, options)
