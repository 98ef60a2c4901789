"""Compute rows on demand, and keep them while later rows need them."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from convtool.convolution.source import Spans
from convtool.images.image import Pixels
from convtool.images.stores.picture import Picture, Span

Take = Callable[[Spans], Pixels]
"""Returns rows of a picture, one run of them after the other."""

Make = Callable[[Span], tuple[Span, Pixels]]
"""Makes rows: at least the first of those asked for; returns which they are, and the rows."""


class Kept:
    """Rows made block by block, each once as long as requests move on or overlap.

    Parameters
    ----------
    make : callable
        Makes a block of rows.
    consumers : int
        How many ask in turn: blocks that touch none of their last requests are let go.

    Examples
    --------
    >>> made = []
    >>> def make(rows):
    ...     made.append(rows[0] // 4)
    ...     first = rows[0] // 4 * 4
    ...     return (first, first + 4), np.arange(first, first + 4)
    >>> kept = Kept(make)
    >>> kept.take(((0, 5),)).tolist(), kept.take(((4, 6), (9, 10))).tolist()
    ([0, 1, 2, 3, 4], [4, 5, 9])
    >>> made
    [0, 1, 2]
    """

    def __init__(self, make: Make, consumers: int = 1) -> None:
        self._make = make
        self._blocks: dict[Span, Pixels] = {}
        self._requests: deque[Spans] = deque(maxlen=consumers)

    def take(self, spans: Spans) -> Pixels:
        """Return rows, one run of them after the other; not to be changed."""
        self._requests.append(spans)
        parts: list[Pixels] = []
        for span in spans:
            row = span[0]
            while row < span[1]:
                block, pixels = self._block(row, span[1])
                last = min(block[1], span[1])
                parts.append(pixels[row - block[0] : last - block[0]])
                row = last
        self._forget()
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _block(self, row: int, last: int) -> tuple[Span, Pixels]:
        for block, pixels in self._blocks.items():
            if block[0] <= row < block[1]:
                return block, pixels
        behind = [block[0] for block in self._blocks if row < block[0] < last]
        block, pixels = self._make((row, min([last, *behind])))
        self._blocks[block] = pixels
        return block, pixels

    def _forget(self) -> None:
        wanted = [span for spans in self._requests for span in spans]
        for block in list(self._blocks):
            if not any(block[0] < last and first < block[1] for first, last in wanted):
                del self._blocks[block]


class Ahead:
    """Reads the bands of a picture ahead, in its own threads.

    Parameters
    ----------
    picture : Picture
        The picture.
    depth : int
        How many bands are read ahead.
    workers : int
        How many threads read.
    """

    def __init__(self, picture: Picture, depth: int, workers: int) -> None:
        self._picture, self._depth = picture, depth
        self._bands: Sequence[Span] = picture.bands
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="convtool-read")
        self._waiting: dict[int, Future[Pixels]] = {}

    def make(self, rows: Span) -> tuple[Span, Pixels]:
        """Return the band that the first row lies in."""
        number = self._number(rows[0])
        future = self._waiting.pop(number, None)
        for stale in [n for n in self._waiting if not number < n <= number + self._depth]:
            self._waiting.pop(stale).cancel()
        if future is None:
            future = self._read(number)
        for following in range(number + 1, min(number + 1 + self._depth, len(self._bands))):
            if following not in self._waiting:
                self._waiting[following] = self._read(following)
        return self._bands[number], future.result()

    def _read(self, number: int) -> Future[Pixels]:
        return self._pool.submit(self._picture.window, self._bands[number])

    def _number(self, row: int) -> int:
        low, high = 0, len(self._bands) - 1
        while low < high:
            middle = (low + high) // 2
            if self._bands[middle][1] <= row:
                low = middle + 1
            else:
                high = middle
        return low

    def close(self) -> None:
        """Read no further."""
        self._pool.shutdown(wait=True, cancel_futures=True)
