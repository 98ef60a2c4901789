"""Arguments as SciPy takes them, understood as what compiled code needs.

What is not understood, or wrong, is left to SciPy, which does it or raises its own error.
"""

import operator
import platform
from collections.abc import Iterable
from typing import Any

import numpy as np

from convtool import compiled
from convtool.compiled import threadpool
from convtool.convolution import threads
from convtool.ndimage.prepared import READS, WRITES, name_of
from convtool.ndimage.record import NOT_UNDERSTOOD, OtherwiseError
from convtool.ndimage.terms import Array
from convtool.records import Record

MODES = {
    "reflect": "reflect",
    "grid-mirror": "reflect",
    "mirror": "mirror",
    "nearest": "nearest",
    "wrap": "wrap",
    "grid-wrap": "wrap",
    "constant": "constant",
    "grid-constant": "constant",
}
"""SciPy's names of borders, and the rules that they mean in filters."""

LONGEST = 1 << 13
"""Taps of the longest filters along an axis."""

SMALLEST = 2048
"""Pixels of the smallest arrays; SciPy has done smaller ones before a thread has begun."""

IS_EXACT = platform.machine().lower() in ("x86_64", "amd64")
"""Whether SciPy rounds each product here; elsewhere C compilers fuse products and sums."""


class Arrays(Record, eq=False):
    """The arrays of a call.

    Attributes
    ----------
    source : ndarray
        The pixels, contiguous.
    work : ndarray
        What answers are written to, contiguous; it may be ``source``.
    result : ndarray
        What the call returns; it is ``work``, or is given its values in the end.
    """

    source: Array
    work: Array
    result: Array

    def finish(self) -> Array:
        """Return the answer."""
        if self.work is not self.result:
            self.result[...] = self.work
        return self.result


def check(holds: object, reason: str = NOT_UNDERSTOOD, *parts: object) -> None:
    """Leave a call to SciPy unless a condition holds; ``parts`` belong into the reason's braces.

    Raises
    ------
    OtherwiseError
        If it does not.
    """
    if not holds:
        raise OtherwiseError(reason.format(*parts))


def _pixels(pixels: Any) -> Array:
    array = np.asarray(pixels)
    check(array.dtype.isnative and array.dtype.kind in "buif", "{} pixels", array.dtype)
    check(array.ndim and array.size >= SMALLEST, "the array is small")
    return array


def _result(output: Any, pixels: Array) -> Array:
    """Return the array that is to be returned."""
    if output is None:
        return np.empty(pixels.shape, pixels.dtype)
    if isinstance(output, type | np.dtype | str):
        dtype = np.dtype(output)
        check(not isinstance(output, str) or issubclass(dtype.type, np.number))
        return np.empty(pixels.shape, dtype)
    check(isinstance(output, np.ndarray))
    found: Array = np.asarray(output)
    check(found.shape == pixels.shape and found.flags.writeable)
    return found


def arrays(pixels: Any, output: Any, *, in_place: bool) -> Arrays:
    """Return the arrays of a call.

    Parameters
    ----------
    pixels : array_like
        The pixels.
    output : None, dtype, str or ndarray
        What SciPy takes as ``output``.
    in_place : bool
        Whether compiled code may write into the pixels' memory.

    Raises
    ------
    OtherwiseError
        If compiled code cannot do them.
    """
    check(compiled.is_ready(), "there is no compiled library")
    array = _pixels(pixels)
    result = _result(output, array)
    writes = result.dtype
    check(writes.isnative and name_of(writes) in WRITES, "{} output", writes)
    check(IS_EXACT or writes.kind == "f", "this processor's sums may be rounded otherwise")
    plain = result.flags.c_contiguous and result.flags.aligned
    work = result if plain else np.empty(result.shape, result.dtype)
    if np.may_share_memory(array, result):
        same = (
            array.ctypes.data == result.ctypes.data
            and array.strides == result.strides
            and array.dtype == result.dtype
        )
        check(same and in_place, "input and output share memory")
    threadpool.wake(threads.count())
    source = np.require(array, requirements=("C", "A"))
    if source.dtype == np.bool_:
        source = source.view(np.uint8)
    check(name_of(source.dtype) in READS, "{} pixels", source.dtype)
    return Arrays(source, work, result)


def rule(mode: Any) -> str:
    """Return the rule that a border's name means."""
    check(isinstance(mode, str) and mode in MODES)
    return MODES[mode]


def axis_of(axis: Any, rank: int) -> int:
    """Return an axis, counted from 0."""
    number = operator.index(axis)
    check(-rank <= number < rank)
    return number % rank


def axes_of(axes: Any, rank: int) -> tuple[int, ...]:
    """Return axes, counted from 0."""
    if axes is None:
        return tuple(range(rank))
    given = axes if isinstance(axes, Iterable) else (axes,)
    found = tuple(axis_of(axis, rank) for axis in given)
    check(found and len(set(found)) == len(found))
    return found


def each(value: Any, count: int) -> list[Any]:
    """Return a value for each axis: one for all, or one each."""
    if isinstance(value, str) or not np.iterable(value):
        return [value] * count
    found = list(value)
    check(len(found) == count)
    return found


def origin_of(origin: Any, taps: int) -> int:
    """Return where a filter of so many taps is put, as SciPy's ``origin`` says."""
    found = operator.index(origin)
    check(-(taps // 2) <= found <= (taps - 1) // 2)
    return found


def weights_of(weights: Any, rank: int = 1) -> Array:
    """Return weights as float64."""
    array = np.asarray(weights)
    check(array.dtype.kind in "buif", "{} weights", array.dtype)
    check(array.ndim == rank and array.size and max(array.shape) <= LONGEST)
    return np.ascontiguousarray(array, np.float64)
