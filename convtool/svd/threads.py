"""Matrix products: large ones on convtool's threads, small ones on a single thread.

A BLAS splits each product, however small, among its threads and waits for the slowest, which is
slow on a busy system. Strips that any idle thread takes are as fast on an idle system and robust on
a busy one. This needs threadpoolctl, which limits the BLAS to one thread; without it the BLAS uses
its own threads.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import numpy as np

from convtool.convolution.threads import count, for_each
from convtool.kernels.weights import FloatArray

_SMALL = 2**19
_MOST = 16
_NARROWEST = 256


@cache
def _controller() -> Any | None:
    """Return the BLAS thread controller, or None without threadpoolctl."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which the BLAS uses one thread."""
    controller = _controller()
    if controller is None:
        return nullcontext()
    limit: AbstractContextManager[Any] = controller.limit(limits=1, user_api="blas")
    return limit


def suited_to(size: int) -> AbstractContextManager[Any]:
    """Return a context in which LAPACK uses one thread for a matrix of few entries."""
    return one_thread() if size < _SMALL else nullcontext()


def product(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return left @ right for a large right, in strips of its columns on several threads.

    Examples
    --------
    >>> product(np.ones((1, 2)), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[4., 6.]])
    """
    answer = np.empty((len(left), right.shape[1]), right.dtype)
    strips = _strips(right)

    def work(index: int) -> None:
        np.matmul(left, right[:, strips[index]], out=answer[:, strips[index]])

    for_each(work, range(len(strips)), _threads(strips))
    return answer


def there_and_back(rows: FloatArray, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return rows @ matrix and rows @ matrix @ matrix.T, reading the matrix from memory once.

    Each strip of the matrix's columns is used twice while it is in cache.

    Examples
    --------
    >>> there_and_back(np.array([[1.0, 0.0]]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    (array([[1., 2.]]), array([[ 5., 11.]]))
    """
    image = np.empty((len(rows), matrix.shape[1]), matrix.dtype)
    strips = _strips(matrix)
    back = np.empty((len(strips), *rows.shape), matrix.dtype)

    def work(index: int) -> None:
        columns = matrix[:, strips[index]]
        np.matmul(rows, columns, out=image[:, strips[index]])
        np.matmul(image[:, strips[index]], columns.T, out=back[index])

    for_each(work, range(len(strips)), _threads(strips))
    return image, back.sum(axis=0)


def _strips(matrix: FloatArray) -> list[slice]:
    """Return slices of columns, independent of the number of threads."""
    columns = matrix.shape[1]
    if matrix.size < _SMALL or _controller() is None:
        return [slice(0, columns)]
    step = max(_NARROWEST, -(-columns // _MOST))
    return [slice(first, first + step) for first in range(0, columns, step)]


def _threads(strips: list[slice]) -> int:
    return min(count(), len(strips))
