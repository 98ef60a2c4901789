"""The machine's two limits, measured: how fast it copies, and how fast it multiplies and adds."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from convtool.bench.cells import Array, Cell
from convtool.convolution.threads import for_each, usable_cores
from suites.targets import TARGETS

ROUNDS = 7
"""How often each limit is measured; the best counts."""

MATRIX = 1536
"""Side of the matrices that are multiplied."""


def _best(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    call()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return min(taken)


def copy_seconds(read: int, written: int, threads: int) -> float:
    """Return the least time to read so many bytes and write so many, on so many threads.

    An array of their mean size is copied in strips; where it fits into the cache, so would the
    image.

    Parameters
    ----------
    read, written : int
        Bytes.
    threads : int
        Number of threads.

    Returns
    -------
    float
        Seconds.
    """
    size = max(threads, (read + written) // 2)
    source, target = np.ones(size, np.uint8), np.zeros(size, np.uint8)
    edges = np.linspace(0, size, threads + 1).astype(int)

    def copy(strip: int) -> None:
        part = slice(edges[strip], edges[strip + 1])
        np.copyto(target[part], source[part])

    return _best(lambda: for_each(copy, range(threads), threads))


def multiply_adds(threads: int) -> float:
    """Return the multiply-adds a second that BLAS reaches with float32 matrices.

    BLAS uses all cores that it is given; for fewer threads their share is taken.
    """
    a = np.full((MATRIX, MATRIX), 0.5, np.float32)
    b: Array = np.full((MATRIX, MATRIX), 0.25, np.float32)
    out = np.empty_like(a)
    seconds = _best(lambda: np.matmul(a, b, out=out))
    return MATRIX**3 / seconds * min(1.0, threads / usable_cores())


@dataclass
class Machine:
    """Measures a limit when it is first asked for.

    Attributes
    ----------
    copy : callable
        ``copy(read, written, threads)`` in seconds.
    peak : callable
        ``peak(threads)`` in multiply-adds a second.
    """

    copy: Callable[[int, int, int], float] = copy_seconds
    peak: Callable[[int], float] = multiply_adds
    _copies: dict[tuple[int, int, int], float] = field(default_factory=dict)
    _peaks: dict[int, float] = field(default_factory=dict)

    def bound(self, cell: Cell) -> float:
        """Return the least seconds for a cell: its bytes to move, or its multiply-adds.

        The multiply-adds are those that the work cannot do without: all weights of a dense kernel,
        both passes of a rank-1 kernel.
        """
        itemsize = np.dtype(cell.dtype).itemsize
        read, written = int(np.prod(cell.shape)) * itemsize, cell.outputs * itemsize
        key = (read, written, cell.threads)
        if key not in self._copies:
            self._copies[key] = self.copy(*key)
        if cell.threads not in self._peaks:
            self._peaks[cell.threads] = self.peak(cell.threads)
        steps = TARGETS[cell.work].steps(cell) * cell.outputs
        return max(self._copies[key], steps / self._peaks[cell.threads])

    def as_dict(self) -> dict[str, object]:
        """Return what was measured so far: bytes a second, multiply-adds a second."""
        return {
            "copy_bytes_per_second": {
                str(read + written): (read + written) / seconds
                for (read, written, _), seconds in self._copies.items()
            },
            "multiply_adds_per_second": {str(n): rate for n, rate in self._peaks.items()},
        }
