"""Prepared filters: what a job says, but for where the arrays lie, is made once and kept."""

import struct
from functools import lru_cache
from typing import Any

import numpy as np

from convtool import compiled
from convtool.compiled import threadpool
from convtool.convolution import borders
from convtool.ndimage.jit.job import JOB, UNIFORM
from convtool.ndimage.terms import Array, Filter
from convtool.records import Record

READS = frozenset(
    (*(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)), "float32", "float64")
)
"""The types of pixels that compiled code reads."""

WRITES = READS - {"uint64"}
"""The types of answers that it writes."""

_SMALL = {"uint8": 255, "int8": 128, "uint16": 65535, "int16": 32768}
"""Types whose sums may be made in integers, and their largest magnitudes."""

_INT32 = 1 << 31
"""No sum of integers may reach it: SciPy's conversion of larger ones is not modulo 2**16."""

_ADDED = 12
"""So many integers are added up sooner than a running sum is kept."""

_CALL = struct.Struct("5q")
"""What changes from call to call, the beginning of a job."""

_TAKEN, _FAILED = 16, 24
"""Where in a job its tasks are counted, and where it is said that there was no memory."""


class Prepared(Record, eq=False):
    """A compiled filter for arrays of one kind.

    Attributes
    ----------
    template : ndarray of uint8
        Its job, but for where the arrays lie.
    function : int
        The address of the compiled function.
    workers : int
        The number of threads.
    kept : tuple
        What the job has addresses of.
    """

    template: Array
    function: int
    workers: int
    kept: tuple[Any, ...]

    def run(self, *pairs: tuple[Array, Array]) -> None:
        """Filter an array into another, or in place, by each job.

        Raises
        ------
        MemoryError
            If there is no memory for the rows that are worked on.
        """
        jobs = self.template.copy()
        first = jobs.ctypes.data
        for number, pair in enumerate(pairs):
            start = number * JOB.itemsize
            pixels, answers = (array.ctypes.data for array in pair)
            _CALL.pack_into(jobs.data, start, pixels, answers, 0, 0, first + start + _TAKEN)
        threadpool.run(self.function, first, self.workers)
        if jobs[_FAILED]:
            raise MemoryError("there is no memory for the rows that a filter works on")


@lru_cache(maxsize=64)
def table_of(size: int, before: int, taps: int, rule: str) -> Array:
    """Return which pixel of an axis is read at each position of a filter; -1: none."""
    return borders.table(size, -before, size - before + taps - 1, rule)


def line_type(reads: str, writes: str, how_to: Filter) -> str:
    """Return the type that sums are made in.

    Sums of integers by integer weights are exact in any order, and what an answer of 16 bits keeps
    of them is right modulo 2**16. Means of 8-bit pixels are exact in 32 bits. All else is float64.
    """
    if reads not in _SMALL or writes not in _SMALL:
        return "float64"
    constant = how_to.rule == "constant"
    if constant and not (how_to.cval.is_integer() and abs(how_to.cval) < _INT32):
        return "float64"
    if how_to.kind == UNIFORM:
        is_uint8 = reads == writes == "uint8"
        return "int32" if is_uint8 and (not constant or 0 <= how_to.cval < 256) else "float64"
    weights = how_to.weights
    most = max(abs(how_to.cval) if constant else 0.0, _SMALL[reads])
    is_whole = bool((weights == np.trunc(weights)).all())
    # Each weight may be taken twice, with a pixel and its partner.
    return "int16" if is_whole and 2 * most * np.abs(weights).sum() < _INT32 else "float64"


@lru_cache(maxsize=64)
def _corrections(size: int) -> int:
    """Return how often a product with a size's reciprocal is corrected to be a quotient.

    The product is less than a unit in the last place from the quotient if the reciprocal is within
    2**-54 of its value; one correction then rounds rightly (:func:`~.jit.simd.quotient`).
    """
    numerator, denominator = (1 / size).as_integer_ratio()
    return 1 if abs(numerator * size - denominator) << 54 <= denominator else 2


def prepare(
    name: str,
    line: str,
    reads: str,
    writes: str,
    how_to: Filter,
    how: int,
    workers: int,
    tables: dict[str, Array],
    **sizes: int,
) -> Prepared:
    """Prepare a compiled filter.

    Parameters
    ----------
    name, line : str
        The function, and the type that it makes sums in.
    reads, writes : str
        The types of pixels and answers.
    how_to, how
        As in `filter_axes`.
    workers : int
        The number of threads.
    tables : dict of ndarray
        The border tables, by their fields in the job.
    **sizes
        The job's fields that depend on the shape.
    """
    dtype = np.dtype(line)
    is_float = line == "float64"
    weights = how_to.weights if is_float else how_to.weights.astype(np.int64).astype(dtype)
    cval = how_to.cval if is_float else float(np.int64(how_to.cval).astype(dtype))
    kept = {"near": how_to.near, "far": how_to.far, "weights": weights, **tables}
    job = np.zeros(1, JOB)
    size = float(how_to.taps)
    fields = {
        "read": compiled.address("read_line" if is_float else "ndimage_read", reads, line),
        "write": compiled.address("ndimage_write", line, writes),
        "pixel_bytes": np.dtype(reads).itemsize,
        "out_bytes": np.dtype(writes).itemsize,
        "line_bytes": dtype.itemsize,
        "how": how,
        "kind": how_to.kind,
        "terms": len(how_to.near),
        "cval": cval,
        "start": how_to.start,
        "size": size,
        "reciprocal": 1 / size,
        "slides": (is_float and reads.startswith("f")) or how_to.taps > _ADDED,
        "corrections": 0 if reads == "float64" else _corrections(how_to.taps),
        **{field: array.ctypes.data for field, array in kept.items()},
        **sizes,
    }
    for field, value in fields.items():
        job[field] = value
    function = compiled.address(name, line)
    return Prepared(
        job.view(np.uint8), function, min(workers, sizes["tasks"]), tuple(kept.values())
    )


@lru_cache(maxsize=64)
def name_of(dtype: np.dtype[Any]) -> str:
    """Return a type's name; NumPy makes it up each time."""
    return dtype.name
