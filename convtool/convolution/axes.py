"""Axes: which of an array's the kernel lies on, and how the others are looped over.

A kernel of one or two dimensions is run on pictures of shape (H, W, C). Axes before the kernel's
last axis number pictures, axes after it are channels.
"""

import math
import operator
from collections.abc import Sequence

from convtool.errors import OptionError, ShapeError
from convtool.records import Record

MOST_CHANNELS = 4
"""A last axis of at most this size, smaller than all others, holds channels by default."""


class Placement(Record):
    """How an array is seen as pictures of shape (H, W, C)."""

    order: tuple[int, ...]
    """All axes: those that number pictures, the kernel's, those of channels."""
    lead: int
    """How many of them number pictures."""
    dims: int
    """How many of them the kernel lies on, 1 or 2."""

    @property
    def kernel_axes(self) -> tuple[int, ...]:
        """The axes that the kernel lies on, ascending."""
        return self.order[self.lead : self.lead + self.dims]

    def form(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Return (N, H, W, C) of the pictures that an array of this shape is."""
        sizes = [shape[axis] for axis in self.order]
        lead, kernel = sizes[: self.lead], sizes[self.lead : self.lead + self.dims]
        trail = math.prod(sizes[self.lead + self.dims :])
        if self.dims == 2:
            return math.prod(lead), kernel[0], kernel[1], trail
        if self.along_rows:
            return 1, math.prod(lead), kernel[0], 1
        return math.prod(lead), kernel[0], trail, 1

    @property
    def along_rows(self) -> bool:
        """Whether a kernel of one dimension lies on the last axis: on the rows of one picture."""
        return self.dims == 1 and self.lead + 1 == len(self.order)


def placed(shape: tuple[int, ...], kernel_axes: tuple[int, ...]) -> Placement:
    """Return how an array is seen as pictures, for a kernel on these axes (ascending).

    Examples
    --------
    >>> placed((10, 32, 48), (1, 2)).form((10, 32, 48))
    (10, 32, 48, 1)
    >>> placed((32, 48, 31), (0, 1)).form((32, 48, 31))
    (1, 32, 48, 31)
    """
    last = kernel_axes[-1]
    lead = tuple(axis for axis in range(last) if axis not in kernel_axes)
    trail = tuple(range(last + 1, len(shape)))
    return Placement((*lead, *kernel_axes, *trail), len(lead), len(kernel_axes))


def _index(name: str, axis: object, ndim: int) -> int:
    try:
        index = operator.index(axis)  # type: ignore[arg-type]
    except TypeError as error:
        raise OptionError(f"{name} must be a whole number, not {axis!r}") from error
    if not -ndim <= index < ndim:
        raise OptionError(f"{name} {index} is no axis of an array of {ndim} dimensions")
    return index % ndim


def _named(axes: object, dims: int, ndim: int) -> tuple[int, ...]:
    items = axes if isinstance(axes, Sequence) else (axes,)
    found = tuple(_index("axes", item, ndim) for item in items)
    if len(set(found)) != len(found):
        raise OptionError(f"axes {axes!r} name an axis twice")
    if len(found) != dims:
        raise OptionError(f"axes {axes!r} name {len(found)}, the kernel has {dims} dimensions")
    return found


def kernel_axes(
    shape: tuple[int, ...],
    dims: int,
    axis: object = None,
    axes: object = None,
    channel_axis: object = None,
) -> tuple[int, ...]:
    """Return which axis of an array each axis of a kernel lies on.

    Parameters
    ----------
    shape : tuple of int
        The array's shape.
    dims : int
        The kernel's dimensions.
    axis, axes, channel_axis
        As for :func:`convtool.convolve`.

    Raises
    ------
    OptionError
        If one of them names no axis of the array, or they contradict each other or the kernel.
    ShapeError
        If none is given and the shape leaves open which axes are meant.

    Examples
    --------
    >>> kernel_axes((480, 640, 3), 2)
    (0, 1)
    >>> kernel_axes((3, 480, 640), 2, channel_axis=0)
    (1, 2)
    """
    ndim = len(shape)
    if axis is not None:
        if axes is not None:
            raise OptionError("axis and axes say the same; give one of them")
        if dims != 1:
            raise OptionError(
                f"axis is for kernels of one dimension, this one has {dims}; write axes=(…)"
            )
        axes = (_index("axis", axis, ndim),)
    channel = None if channel_axis is None else _index("channel_axis", channel_axis, ndim)
    if axes is not None:
        found = _named(axes, dims, ndim)
        if channel in found:
            raise OptionError(f"channel_axis {channel_axis!r} is an axis that the kernel lies on")
        return found
    rest = tuple(n for n in range(ndim) if n != channel)
    if channel is None and ndim == dims + 1 and dims > 1 and _ends_in_channels(shape):
        rest = rest[:-1]
    if len(rest) != dims:
        raise ShapeError(_unclear(shape, dims, channel))
    return rest


def _ends_in_channels(shape: tuple[int, ...]) -> bool:
    return shape[-1] <= MOST_CHANNELS and shape[-1] < min(shape[:-1])


def _unclear(shape: tuple[int, ...], dims: int, channel: int | None) -> str:
    """Say what to write where an array's shape leaves open which axes are meant."""
    ndim = len(shape)
    if dims == 1:
        along = "" if channel is None else f" with channel_axis={channel}"
        return (
            f"a kernel of one dimension needs axis= for an image of shape {shape}{along}: "
            f"axis={ndim - 1} lays it along the rows, axis={max(0, ndim - 2)} along the columns"
        )
    if channel is None and ndim == dims + 1:
        likely = min(range(ndim), key=lambda n: (shape[n], -n))
        rest = tuple(n for n in range(ndim) if n != likely)
        return (
            f"shape {shape} leaves open which axis holds channels; write channel_axis={likely} "
            f"if the axis of {shape[likely]} does, or axes={rest} for the axes that the kernel "
            "lies on"
        )
    wanted = "(H, W) or (H, W, C)" if dims == 2 else "(D, H, W) or (D, H, W, C)"
    words = f"an image has shape {wanted}, not {shape}"
    if ndim == 1 and dims == 2:
        return (
            f"{words}; a signal takes a kernel of one dimension, or is an image of one row: "
            "signal[None, :]"
        )
    if ndim > dims:
        last = tuple(range(ndim - dims, ndim))
        return f"{words}; for other arrays say which axes the kernel lies on: axes={last}"
    return f"{words}: it has fewer dimensions than the kernel"
