"""A convolution prepared for images of one kind: validated and planned once.

A call of it does little beside its work, which is what a small image costs.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from convtool.convolution import borders, calibration, dtypes, tiles
from convtool.convolution.engines import StripCorrelator
from convtool.convolution.geometry import Geometry, geometry
from convtool.convolution.run import Kernels, Ready, make_ready, request_for, run
from convtool.convolution.source import Source, is_packed
from convtool.convolution.threads import LONG
from convtool.convolution.threads import count as thread_count
from convtool.convolution.types import Array, DType
from convtool.errors import OptionError, ShapeError
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
    origin: tuple[int, int] = (0, 0),
) -> Geometry:
    """Return where the windows lie, from memory where that was asked lately."""
    sizes = (shape[0], shape[1]), (weights.shape[0], weights.shape[1])
    how: dict[str, Any] = {
        "mode": mode,
        "padding": padding,
        "stride": stride,
        "flipped": flipped,
        "origin": origin,
    }
    try:
        return _remembered_geometry(*sizes, **how)
    except TypeError:  # a list, which has no hash
        return geometry(*sizes, **how)


def turned(kernels: Kernels, flipped: bool) -> Kernels:
    """Return the kernels as they are correlated."""
    if not flipped:
        return kernels
    return tuple(np.ascontiguousarray(kernel[::-1, ::-1]) for kernel in kernels)


_Border = TypeVar("_Border")


def default_border(border: _Border | None, mode: str, padding: object) -> _Border | str:
    """Resolve the default border: ``constant`` for mode ``full``, else ``reflect``."""
    if border is not None:
        return border
    return "constant" if mode == "full" and padding is None else "reflect"


class Options(NamedTuple):
    """The options of a convolution, as they were given."""

    flipped: bool
    mode: str = "same"
    border: str | Sequence[str] | None = None
    cval: complex = 0.0
    padding: int | Sequence[int] | None = None
    stride: int | Sequence[int] = 1
    engine: str = "auto"
    dtype: DTypeLike | None = None
    threads: int | None = None
    axis: int | None = None
    axes: int | Sequence[int] | None = None
    channel_axis: int | None = None
    origin: int | Sequence[int] = 0
    delta: complex = 0.0


def bind(
    ready: Ready, rule: tuple[str, float], image: Array, out: Array
) -> Callable[[Array, Array], None] | None:
    """Return a direct call for images and answers that lie in memory as these do.

    Parameters
    ----------
    ready : Ready
        The engine and its job.
    rule : (str, float)
        The border's rule and the value beyond the edge.
    image, out : ndarray, shape (H, W, C)
        An image and its answer, of any content.

    Returns
    -------
    callable or None
        None where each image needs checks or conversions first, or takes so long that it must be
        interruptible.
    """
    correlator = ready.correlator
    if not isinstance(correlator, StripCorrelator) or correlator.bind is None:
        return None
    if not can_bind(ready, image, out) or ready.seconds >= LONG:
        return None
    strips = tiles.strips_of(correlator, ready.job)
    source = Source(image, *rule, ready.job.dtype)
    return correlator.bind(source, out, strips, ready.job.threads)


def can_bind(ready: Ready, image: Array, out: Array) -> bool:
    """Return whether compiled code reads such images and writes such answers where they are."""
    correlator, dtype = ready.correlator, image.dtype
    written = out.dtype == ready.job.dtype or out.dtype in correlator.writes
    native = dtype.isnative and dtype.kind != "b" and dtype != np.float16
    packed = is_packed(image) and is_packed(out)
    return written and native and packed and ready.job.level is None


def check_out(out: object, shape: tuple[int, ...], dtype: DType) -> None:
    """Raise an error unless an answer of this shape and dtype can be written to ``out``."""
    if not isinstance(out, np.ndarray):
        raise OptionError(f"out must be an array, not {type(out).__name__}")
    if out.shape != shape:
        raise ShapeError(f"out has shape {out.shape}, the answer {shape}")
    if out.dtype != dtype:
        raise OptionError(f"out has type {out.dtype}, the answer {dtype}")
    if not out.flags.writeable:
        raise OptionError("out is read-only")


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

    Attributes
    ----------
    shape : tuple of int
        The answer's shape.
    dtype : dtype
        The answer's type.

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
        self.shape = self._layout.shape + shape[2:]
        self.dtype = dtypes.output_type(dtype, options.dtype)
        self._engine, self._threads = options.engine, options.threads
        self._calibration = calibration.load()
        self._workers = thread_count(options.threads)
        how = (self._kernels, self._layout, self._engine, self._workers)
        ready = make_ready(request_for(shape, dtype, self.dtype, *how, rule=self._rule))
        self._short = ready.job.threads == 1
        image = np.empty(shape + (1,) * (3 - len(shape)), dtype)
        out = np.empty(self.shape + (1,) * (3 - len(shape)), self.dtype)
        self._call = bind(ready, self._rule, image, out)

    def fits(self) -> bool:
        """Return whether what was planned still holds: the calibration, the number of threads."""
        return self._calibration is calibration.load() and (
            self._short or thread_count(self._threads) == self._workers
        )

    def __call__(self, image: Array, out: Array | None = None) -> Array:
        """Return the answer for an image of that shape and dtype."""
        if out is None:
            out = np.empty(self.shape, self.dtype)
        elif not self._is_free(out, image):
            np.copyto(out, self(image))
            return out
        flags = image.flags
        if self._call is not None and flags.c_contiguous and flags.aligned:
            self._call(image, out)
        else:
            how = (self._kernels, self._layout, self._rule, out, self._engine, self._workers)
            run(image, *how)
        return out

    def _is_free(self, out: Array, image: Array) -> bool:
        """Return whether an answer can be made there, which must be of its shape and type."""
        check_out(out, self.shape, self.dtype)
        return out.flags.c_contiguous and not np.may_share_memory(out, image)
