"""The graph of a convolution of a Dask array: each block of the answer, with what it reads."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from convtool.convolution.geometry import Axis
from convtool.convolution.types import Array, DType, Span
from convtool.distributed import blocks

Places = list[tuple[int, Span]]
"""What a block of the answer reads along one axis: numbers of the image's blocks, and a range in
each."""

Pieces = Any
"""Parts of the image's blocks, in lists nested by the kernel's axes, the first axis outermost."""


def array_of_blocks(
    name: str,
    image: Any,
    compute: Callable[[Any, Sequence[Axis], Pieces], Array],
    job: object,
    windows: dict[int, Axis],
    rules: dict[int, str],
    anchors: dict[int, int],
    dtype: DType,
) -> Any:
    """Return a Dask array that is convolved block by block.

    Parameters
    ----------
    name : str
        The array's name, one for each work.
    image : dask.array.Array
        The image.
    compute : callable
        ``compute(job, windows, pieces)`` makes a block of the answer, on a worker. Its windows,
        one for each of the kernel's axes in ascending order, lie in the joined pieces.
    job : object
        The settings of all blocks, which are one object of the graph.
    windows, rules, anchors : dict
        For each axis of the image that the kernel lies on, in ascending order: where the windows of
        the whole image lie, the border's rule, and the position of the output pixel in its window.
    dtype : dtype
        The answer's type.
    """
    from dask.array import Array as DaskArray
    from dask.highlevelgraph import HighLevelGraph

    chunks = list(image.chunks)
    reads: list[list[tuple[Axis | None, Places]]] = [
        [(None, [(number, (0, size))]) for number, size in enumerate(sizes)]
        for sizes in image.chunks
    ]
    for axis, line in windows.items():
        spans = blocks.spans(line, image.chunks[axis], anchors[axis])
        chunks[axis] = tuple(last - first for first, last in spans)
        parts = [blocks.part(line, span, rules[axis]) for span in spans]
        reads[axis] = [(one.windows, blocks.cut(one.pieces, image.chunks[axis])) for one in parts]
    graph: dict[Any, Any] = {f"{name}-job": job}
    for index in np.ndindex(*map(len, reads)):
        chosen = [reads[axis][number] for axis, number in enumerate(index)]
        places = {axis: found for axis, (_, found) in enumerate(chosen)}
        pieces = _pieces(graph, name, image, places, tuple(windows))
        inside = tuple(chosen[axis][0] for axis in windows)
        graph[name, *index] = (compute, f"{name}-job", inside, pieces)
    layers = HighLevelGraph.from_collections(name, graph, dependencies=[image])
    return DaskArray(layers, name, tuple(chunks), dtype=dtype)


def _pieces(
    graph: dict[Any, Any], name: str, image: Any, places: dict[int, Places], axes: Sequence[int]
) -> Pieces:
    """Return the keys of what a block reads, nested by the axes, and add what they need to a graph.

    Parameters
    ----------
    places : dict
        What is read along each axis of the image.
    axes : sequence of int
        Those that may be read from several blocks.
    """
    if axes:
        first, *rest = axes
        return [
            _pieces(graph, name, image, places | {first: [place]}, rest) for place in places[first]
        ]
    chosen = [places[axis][0] for axis in range(image.ndim)]
    block = (image.name, *(number for number, _ in chosen))
    ranges = [span for _, span in chosen]
    if all(span == (0, image.chunks[axis][n]) for axis, (n, span) in enumerate(chosen)):
        return block
    key = (f"{name}-piece", *(fact for n, span in chosen for fact in (n, *span)))
    graph[key] = (_piece, block, [list(span) for span in ranges])
    return key


def _piece(block: Array, ranges: Sequence[Span]) -> Array:
    return block[tuple(slice(*span) for span in ranges)]


def joined(pieces: Pieces, axes: Sequence[int]) -> Array:
    """Return pieces as one array.

    Parameters
    ----------
    pieces : nested lists of ndarray
        One level for each of the axes.
    axes : sequence of int
        The axes that they are joined along.

    Examples
    --------
    >>> joined([[np.zeros((2, 1)), np.ones((2, 2))]], (0, 1))
    array([[0., 1., 1.],
           [0., 1., 1.]])
    """
    counts, node = [], pieces
    for _ in axes:
        counts.append(len(node))
        node = node[0]
    if max(counts) == 1:
        return np.asarray(node)
    shape, edges = list(node.shape), []
    for level, axis in enumerate(axes):
        sizes = [
            _at(pieces, [number if each == level else 0 for each in range(len(axes))]).shape[axis]
            for number in range(counts[level])
        ]
        edges.append([0, *np.cumsum(sizes).tolist()])
        shape[axis] = edges[-1][-1]
    whole = np.empty(shape, node.dtype)
    for index in np.ndindex(*counts):
        place = [slice(None)] * len(shape)
        for level, number in enumerate(index):
            place[axes[level]] = slice(*edges[level][number : number + 2])
        whole[tuple(place)] = _at(pieces, index)
    return whole


def _at(pieces: Pieces, index: Sequence[int]) -> Array:
    for number in index:
        pieces = pieces[number]
    found: Array = pieces
    return found
