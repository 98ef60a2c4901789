"""What compiled code is told of a convolution: one record, whose address it is given.

A record, not arguments: a thread can begin with an address alone, and Python writes into the same
record again at the next call.
"""

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from convtool.convolution import borders
from convtool.convolution.engines import Array
from convtool.convolution.geometry import Axis

KERNEL = np.dtype(
    [
        ("dense", np.intp),
        ("order", np.intp),
        ("columns", np.intp),
        ("rows", np.intp),
        ("height", np.intp),
        ("taps", np.intp),
        ("parts", np.intp),
        ("uniform", np.intp),
    ],
    align=True,
)
"""A kernel: addresses of what :class:`~.plane.Weights` holds, and their sizes."""

JOB = np.dtype(
    [
        ("plane", np.intp),
        ("first", KERNEL),
        ("second", KERNEL),
        ("guarded", np.intp),
        ("cval", np.float64),
        ("channels", np.intp),
        ("pixels", np.intp),
        ("pixels_stride", np.intp),
        ("rows", np.intp),
        ("row_count", np.intp),
        ("columns", np.intp),
        ("column_count", np.intp),
        ("top", np.intp),
        ("bottom", np.intp),
        ("left", np.intp),
        ("right", np.intp),
        ("out", np.intp),
        ("out_stride", np.intp),
        ("step_y", np.intp),
        ("step_x", np.intp),
        ("strips", np.intp),
        ("strip_count", np.intp),
        ("counter", np.intp),
        ("in_place", np.intp),
        ("direct", np.intp),
    ],
    align=True,
)
"""A convolution: addresses, and distances in scalars. ``counter`` is where the number of the strip
that is to be taken next is counted by all threads; the rest is as in :mod:`~.strip`."""

INDEX = np.dtype(np.intp)


def address_of(array: Array) -> int:
    """Return where an array's memory begins."""
    address: int = array.__array_interface__["data"][0]
    return address


def table_of(axis: Axis, rule: str) -> Array:
    """Return which pixel is read at each position of the windows along an axis."""
    return borders.table(axis.size, axis.start, axis.start + axis.dense + axis.taps - 1, rule)


@intrinsic  # type: ignore[untyped-decorator]
def pointer(_typing: Any, like: Any, address: Any) -> Any:
    """Return an address as a pointer of the same type as another."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[1], context.get_value_type(like))

    return like(like, types.intp), generate
