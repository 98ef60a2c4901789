"""A convolution prepared for images of one kind: validated and planned once.

A call of it does little beside its work, which is what a small image costs.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from convtool.convolution import borders, calibration, dtypes, tiles
from convtool.convolution.engines import StripCorrelator
from convtool.convolution.geometry import Geometry, geometry
from convtool.convolution.run import Kernels, Ready, make_ready, request_for, run
from convtool.convolution.source import Source
from convtool.convolution.threads import count as thread_count
from convtool.convolution.types import Array, DType
from convtool.errors import ShapeError
from convtool.kernels.weights import Weights


def check_image(shape: tuple[int, ...], dtype: DType) -> None:
    """Raise an error unless an image can have this shape and dtype."""
    dtypes.check_image_type(dtype)
    if len(shape) not in (2, 3):
        hint = "; a signal is an image of one row: signal[None, :]" if len(shape) == 1 else ""
        raise ShapeError(f"an image has shape (H, W) or (H, W, C), not {shape}{hint}")
    if 0 in shape:
        raise ShapeError(f"the image is empty: its shape is {shape}")


_remembered_geometry = lru_cache(maxsize=64)(geometry)


def layout_for(
    shape: tuple[int, ...],
    weights: Weights,
    *,
    mode: str,
    padding: object,
    stride: object,
    flipped: bool,
) -> Geometry:
    """Return where the windows lie, from memory where that was asked lately."""
    sizes = (shape[0], shape[1]), (weights.shape[0], weights.shape[1])
    how: dict[str, Any] = {"mode": mode, "padding": padding, "stride": stride, "flipped": flipped}
    try:
        return _remembered_geometry(*sizes, **how)
    except TypeError:  # a list, which has no hash
        return geometry(*sizes, **how)


def turned(kernels: Kernels, flipped: bool) -> Kernels:
    """Return the kernels as they are correlated."""
    if not flipped:
        return kernels
    return tuple(np.ascontiguousarray(kernel[::-1, ::-1]) for kernel in kernels)


def default_border(border: str | None, mode: str, padding: object) -> str:
    """Resolve the default border: ``constant`` for mode ``full``, else ``reflect``."""
    if border is not None:
        return border
    return "constant" if mode == "full" and padding is None else "reflect"


class Options(NamedTuple):
    """The options of a convolution, as they were given."""

    flipped: bool
    mode: str
    border: str | None
    cval: float
    padding: int | tuple[int, int] | None
    stride: int | tuple[int, int]
    engine: str
    dtype: DTypeLike | None
    threads: int | None


class Prepared:
    """A convolution for C-contiguous images of one shape and dtype.

    Parameters
    ----------
    shape : tuple of int
        (H, W) or (H, W, C).
    dtype : dtype
        The images' type.
    kernel : ndarray
        Its weights, float64.
    options : Options
        The options.

    Raises
    ------
    ShapeError, PixelTypeError, OptionError, EngineError
        As :func:`convtool.convolve` does.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: DType, kernel: Weights, options: Options
    ) -> None:
        check_image(shape, dtype)
        self._rule = borders.resolve(
            default_border(options.border, options.mode, options.padding), options.cval
        )
        self._layout = layout_for(
            shape,
            kernel,
            mode=options.mode,
            padding=options.padding,
            stride=options.stride,
            flipped=options.flipped,
        )
        self._kernels = turned((kernel,), options.flipped)
        self._answer = self._layout.shape + shape[2:]
        self._dtype = dtypes.output_type(dtype, options.dtype)
        self._engine, self._threads = options.engine, options.threads
        self._calibration = calibration.load()
        self._workers = thread_count(options.threads)
        how = (self._kernels, self._layout, self._engine, self._workers)
        ready = make_ready(request_for(shape, dtype, self._dtype, *how, rule=self._rule))
        self._short = ready.job.threads == 1
        self._call = self._bound(shape, dtype, ready)

    def _bound(
        self, shape: tuple[int, ...], dtype: DType, ready: Ready
    ) -> Callable[[Array, Array], None] | None:
        """Return a direct call for arrays, where no check is needed before."""
        correlator = ready.correlator
        if not isinstance(correlator, StripCorrelator) or correlator.bind is None:
            return None
        written = self._dtype == ready.job.dtype or self._dtype in correlator.writes
        native = dtype.isnative and dtype.kind != "b" and dtype != np.float16
        if not (written and native) or ready.job.level is not None:
            return None
        image, out = np.empty(shape, dtype), np.empty(self._answer, self._dtype)
        planes = image.reshape(shape + (1,) * (3 - len(shape)))
        source = Source(planes, *self._rule, ready.job.dtype)
        strips = tiles.strips_of(correlator, ready.job)
        answer = out.reshape(out.shape + (1,) * (3 - out.ndim))
        return correlator.bind(source, answer, strips, ready.job.threads)

    def fits(self) -> bool:
        """Return whether what was planned still holds: the calibration, the number of threads."""
        return self._calibration is calibration.load() and (
            self._short or thread_count(self._threads) == self._workers
        )

    def __call__(self, image: Array) -> Array:
        """Return the answer for an image of that shape and dtype."""
        out = np.empty(self._answer, self._dtype)
        if self._call is not None and image.flags.c_contiguous and image.flags.aligned:
            self._call(image, out)
        else:
            how = (self._kernels, self._layout, self._rule, out, self._engine, self._workers)
            run(image, *how)
        return out


_MOST = 256
"""Convolutions that are remembered; beyond that all are forgotten."""

_NUMBERS = frozenset((int, float))
_COUNTS = frozenset((int, type(None)))

_remembered: dict[tuple[Any, ...], Prepared] = {}


def remembered(
    image: Array, kernel: object, options: Options, weights: Callable[[], Weights]
) -> Prepared | None:
    """Return a convolution from memory, or one that is made and remembered.

    None where the arguments are of kinds that equal others of other types (``True`` equals 1, and
    is no stride), or cannot be looked up.
    """
    if (
        type(options.stride) is not int
        or options.padding is not None
        or type(options.cval) not in _NUMBERS
        or type(options.threads) not in _COUNTS
    ):
        return None
    if type(kernel) is np.ndarray:
        name: object = (kernel.tobytes(), kernel.shape, kernel.dtype)
    elif type(kernel) is str:
        name = kernel
    else:
        return None
    try:
        key = (name, image.shape, image.dtype, options)
        found = _remembered.get(key)
    except TypeError:
        return None
    if found is not None and found.fits():
        return found
    made = Prepared(image.shape, image.dtype, weights(), options)
    if len(_remembered) >= _MOST:
        _remembered.clear()
    _remembered[key] = made
    return made
