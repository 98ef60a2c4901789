"""The input pixels of an output block, and the positions of its windows in them."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from convtool.convolution import borders
from convtool.convolution.geometry import Axis
from convtool.convolution.types import Span
from convtool.records import Record


class Part(Record):
    """One axis of a block."""

    pieces: tuple[Span, ...]
    """Half-open ranges of the image's pixels along this axis."""
    windows: Axis
    """The block's windows in the concatenated ranges. Beyond their ends, the border's rule gives
    the same pixels as in the whole image."""


def spans(axis: Axis, chunks: Sequence[int], anchor: int) -> list[Span]:
    """Divide the output windows along the image's block boundaries.

    Parameters
    ----------
    axis : Axis
        The windows along one axis.
    chunks : sequence of int
        The sizes of the image's blocks along it.
    anchor : int
        The position of the output pixel in its window.

    Returns
    -------
    list of (int, int)
        Half-open ranges of windows. Blocks shorter than their halo are merged with the next ones.

    Examples
    --------
    >>> spans(Axis(10, 3, -1, 10, 1), (5, 5), 1)
    [(0, 5), (5, 10)]
    >>> spans(Axis(10, 3, -1, 10, 1), (1, 1, 1, 1, 5, 1), 1)
    [(0, 2), (2, 4), (4, 10)]
    """
    least = max(1, axis.taps - 1)
    cuts = [0]
    for end in accumulate(chunks):
        place = end - axis.start - anchor
        if place - cuts[-1] >= least and axis.dense - place >= least:
            cuts.append(place)
    kept = [-(-cut // axis.stride) for cut in (*cuts, axis.dense)]
    return [(first, last) for first, last in pairwise(kept) if first < last]


def part(axis: Axis, kept: Span, rule: str) -> Part:
    """Return the input pixels of a block.

    Parameters
    ----------
    axis : Axis
        The windows along one axis of the whole image.
    kept : (int, int)
        The block's range of output windows.
    rule : str
        The border's rule, a key of `borders.RULES`.

    Examples
    --------
    >>> part(Axis(10, 3, -1, 10, 1), (0, 5), "reflect")
    Part(pieces=((0, 6),), windows=Axis(size=6, taps=3, start=-1, dense=5, stride=1))
    >>> part(Axis(10, 3, -1, 10, 1), (0, 5), "wrap").pieces
    ((9, 10), (0, 6))
    """
    size = axis.size
    dense = (kept[1] - 1 - kept[0]) * axis.stride + 1
    first = axis.start + kept[0] * axis.stride
    end = first + dense + axis.taps - 1
    if rule == "wrap":
        pieces = _turns(first, end, size)
        held = sum(stop - start for start, stop in pieces)
        return Part(pieces, Axis(held, axis.taps, 0, dense, axis.stride))
    low, high = min(max(first, 0), size - 1), max(min(end, size), 1)
    if rule in ("reflect", "mirror") and (first < 0 or end > size):
        low, high = 0, size
        if not (first < 0 and end > size) and -size < first and end < 2 * size:
            named = borders.table(size, first, end, rule)
            low = 0 if first < 0 else int(named.min())
            high = size if end > size else int(named.max()) + 1
    windows = Axis(high - low, axis.taps, first - low, dense, axis.stride)
    return Part(((low, high),), windows)


def _turns(first: int, end: int, size: int) -> tuple[Span, ...]:
    """Return the pixel ranges at some positions of a periodic image."""
    turns = range(first // size, (end - 1) // size + 1)
    return tuple((max(first - turn * size, 0), min(end - turn * size, size)) for turn in turns)


def cut(pieces: Sequence[Span], chunks: Sequence[int]) -> list[tuple[int, Span]]:
    """Map pixel ranges to blocks: the block indices, and the range in each.

    Examples
    --------
    >>> cut([(9, 10), (0, 6)], (5, 5))
    [(1, (4, 5)), (0, (0, 5)), (1, (0, 1))]
    """
    ends = list(accumulate(chunks))
    return [
        (number, (max(start, end - size) - (end - size), min(stop, end) - (end - size)))
        for start, stop in pieces
        for number, (size, end) in enumerate(zip(chunks, ends, strict=True))
        if start < end and end - size < stop
    ]
