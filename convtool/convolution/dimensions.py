"""A convolution of an array of any dimensions: which part of this folder does it."""

import operator
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from convtool.convolution import axes, dtypes
from convtool.convolution.geometry import numbers
from convtool.convolution.pictures import planned
from convtool.convolution.planner import Plan
from convtool.convolution.prepared import Options, Prepared
from convtool.convolution.types import Array, DType
from convtool.errors import KernelError, PixelTypeError, ShapeError
from convtool.kernels.argument import as_kernel, as_weights


class Convolution(Protocol):
    """A convolution made ready for arrays of one shape and dtype."""

    shape: tuple[int, ...]
    """The answer's shape."""
    dtype: DType
    """The answer's type."""

    def fits(self) -> bool:
        """Return whether what was planned still holds."""

    def __call__(self, image: Array, out: Array | None = None) -> Array:
        """Return the answer for an array of that shape and dtype."""


def weights_of(kernel: ArrayLike | str, ndim: int, options: Options) -> Array:
    """Return a kernel's weights, float64 or complex128, of as many dimensions as it has axes.

    A kernel given as text has two, unless the options or the image say otherwise, or only three
    make sense of it: ``gaussian:sigma=1,2,2``. On one axis lie the weights of a row or a column, or
    those that a separable kernel has along both of its axes.

    Raises
    ------
    KernelError
        If it is not a kernel, or has other dimensions than an image of ``ndim`` can take.
    """
    if not isinstance(kernel, str):
        weights = as_weights(kernel)
        if weights.ndim > max(2, ndim):
            raise KernelError(
                f"kernel: shape {weights.shape} for an image of {ndim} dimensions; "
                "give two dimensions, (KH, KW)"
            )
        return weights
    wanted = 1 if ndim == 1 or options.axis is not None else 2
    if options.axes is not None:
        wanted = len(options.axes) if isinstance(options.axes, list | tuple) else 1
    if wanted == 3:
        return _volume_kernel(kernel)
    try:
        weights = as_kernel(kernel)
    except KernelError:
        if ndim < 3 or options.axes is not None:
            raise
        try:
            return _volume_kernel(kernel)
        except KernelError:
            pass
        raise
    return _as_line(weights) if wanted == 1 else weights


def _as_line(weights: Array) -> Array:
    """Return the weights along one axis of a kernel that has the same along both, or one only."""
    from convtool.kernels.factor import is_separable
    from convtool.kernels.lines import lines_of

    if 1 in weights.shape:
        return weights.reshape(-1)
    if weights.shape[0] == weights.shape[1] and is_separable(weights):
        lines = lines_of(weights)
        if np.allclose(lines.column, lines.row, rtol=1e-9, atol=0):
            return np.array(lines.column)
    return weights


def _volume_kernel(text: str) -> Array:
    from convtool.kernels.volumes import volume_kernel

    return volume_kernel(text)


def _is_plain(shape: tuple[int, ...], kernel_axes: tuple[int, ...], options: Options) -> bool:
    """Return whether a convolution by a real kernel is one of a picture, (H, W) or (H, W, C)."""
    return (
        kernel_axes == (0, 1)
        and len(shape) <= 3
        and isinstance(options.border, str | None)
        and options.delta == 0
        and numbers(options.origin, "origin", 2) == (0, 0)
    )


def _where(shape: tuple[int, ...], weights: Array, options: Options) -> tuple[int, ...]:
    """Return the axis of the image that each axis of the kernel lies on."""
    how = (options.axis, options.axes, options.channel_axis)
    return axes.kernel_axes(shape, weights.ndim, *how)


def is_picture(shape: tuple[int, ...], dtype: DType, weights: Array, options: Options) -> bool:
    """Return whether :func:`.pictures.filtered` can do a convolution; arguments as for `made`."""
    if dtype.kind == "c" or weights.dtype.kind == "c":
        return False
    return _is_plain(shape, _where(shape, weights, options), options)


def made(shape: tuple[int, ...], dtype: DType, weights: Array, options: Options) -> Convolution:
    """Return a convolution for arrays of a shape and dtype.

    Parameters
    ----------
    shape : tuple of int
        Their shape.
    dtype : dtype
        Their type.
    weights : ndarray
        What `weights_of` returns.
    options : Options
        The options.
    """
    if dtype.kind == "c" or weights.dtype.kind == "c":
        from convtool.convolution.by_parts import ByParts

        return ByParts(made, shape, dtype, weights, options)
    dtypes.check_image_type(dtype)
    where = _where(shape, weights, options)
    weights = weights.copy()  # what is made may outlive the caller's array
    if _is_plain(shape, where, options):
        return Prepared(shape, dtype, weights, options)
    if weights.ndim == 3:
        from convtool.convolution.volumes import Volume

        return Volume(shape, dtype, weights, where, options)
    from convtool.convolution.arranged import Arranged

    return Arranged(shape, dtype, weights, where, options)


def plan_for(shape: tuple[int, ...], dtype: DType, weights: Array, options: Options) -> Plan:
    """Return the plan of a convolution; arguments as for `made`.

    Raises
    ------
    KernelError
        If the kernel is complex or of three dimensions.
    """
    if weights.dtype.kind == "c" or weights.ndim == 3:
        raise KernelError(
            "only convolutions by real kernels of one and two dimensions are planned here"
        )
    dtypes.check_image_type(dtype)
    where = _where(shape, weights, options)
    if not _is_plain(shape, where, options):
        from convtool.convolution.arranged import Arranged

        return Arranged(shape, dtype, weights, where, options).plan
    how = {name: getattr(options, name) for name in PLANNED}
    return planned(shape, dtype, (weights,), options.flipped, **how, out_dtype=options.dtype)


PLANNED = ("mode", "border", "padding", "stride", "engine", "threads")
OF_PICTURES = (*PLANNED, "cval", "dtype")
"""The options of pictures, which `.pictures.planned` and `.pictures.filtered` take."""


def described(shape: object, dtype: DTypeLike) -> tuple[tuple[int, ...], DType]:
    """Return the shape and type of an image, as they are described.

    Raises
    ------
    PixelTypeError, ShapeError
        If they are none.
    """
    try:
        image_type = np.dtype(dtype)
    except TypeError as error:
        raise PixelTypeError(f"dtype {dtype!r} is not a NumPy type") from error
    try:
        sizes = tuple(operator.index(size) for size in shape)  # type: ignore[attr-defined]
    except TypeError as error:
        raise ShapeError(f"an image has shape (H, W) or (H, W, C), not {shape!r}") from error
    return sizes, image_type


_MOST = 256
"""Convolutions that are remembered; beyond that all are forgotten."""

_NUMBERS = frozenset((int, float))
_COUNTS = frozenset((int, type(None)))

_remembered: dict[tuple[Any, ...], Convolution] = {}


_STRIDE, _PADDING, _CVAL, _THREADS, _ORIGIN, _AXIS = map(
    Options._fields.index, ("stride", "padding", "cval", "threads", "origin", "axis")
)
_USUAL = (None, None, None, 0, 0.0)
"""The options from ``axis`` on of a picture."""


def _are_whole(placing: tuple[Any, ...]) -> bool:
    """Return whether axes and origin are whole numbers, and ``delta`` is a number."""
    *whole, delta = placing
    flat: list[object] = []
    for value in whole:
        flat.extend(value if isinstance(value, tuple) else (value,))
    return type(delta) in _NUMBERS and all(type(value) in _COUNTS for value in flat)


def remembered(image: Array, kernel: object, given: tuple[Any, ...]) -> Convolution | None:
    """Return a convolution from memory, or one that is made and remembered.

    None where the arguments are of kinds that equal others of other types (``True`` equals 1, and
    is no stride), or cannot be looked up.

    Parameters
    ----------
    image : ndarray
        The image.
    kernel : ndarray or str
        The kernel, as it was given.
    given : tuple
        What `Options` are made of, in their order: a tuple is made faster.
    """
    placing = given[_AXIS:]
    if (
        type(given[_STRIDE]) is not int
        or given[_PADDING] is not None
        or type(given[_CVAL]) not in _NUMBERS
        or type(given[_THREADS]) not in _COUNTS
        or ((placing != _USUAL or type(given[_ORIGIN]) is not int) and not _are_whole(placing))
    ):
        return None
    if type(kernel) is np.ndarray:
        name: object = (kernel.tobytes(), kernel.shape, kernel.dtype)
    elif type(kernel) is str:
        name = kernel
    else:
        return None
    try:
        key = (name, image.shape, image.dtype, given)
        found = _remembered.get(key)
    except TypeError:
        return None
    if found is not None and found.fits():
        return found
    options = Options(*given)
    ready = made(image.shape, image.dtype, weights_of(kernel, image.ndim, options), options)
    if len(_remembered) >= _MOST:
        _remembered.clear()
    _remembered[key] = ready
    return ready
