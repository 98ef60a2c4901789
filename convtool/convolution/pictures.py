"""Pictures of shape (H, W) or (H, W, C): validate, plan, run. What layers above call."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from convtool import arrays
from convtool.convolution import borders, dtypes, in_place
from convtool.convolution.geometry import Geometry
from convtool.convolution.planner import Plan
from convtool.convolution.prepared import (
    check_image,
    check_out,
    default_border,
    layout_for,
    turned,
)
from convtool.convolution.run import Kernels, choose, request_for, run, workers_for
from convtool.convolution.threads import count as thread_count
from convtool.convolution.tiles import Store
from convtool.convolution.types import Array, DType
from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.kernels.weights import Combination


def filtered(
    image: ArrayLike,
    kernels: Kernels,
    flipped: bool,
    *,
    mode: str = "same",
    border: str | None = None,
    cval: float = 0.0,
    padding: int | tuple[int, int] | None = None,
    stride: int | tuple[int, int] = 1,
    engine: str = "auto",
    dtype: DTypeLike | None = None,
    out: Array | None = None,
    threads: int | None = None,
    store: Store = dtypes.store,
    overwrite: bool = False,
    plan: Plan | None = None,
    combination: Combination = "magnitude",
) -> Array:
    """Validate everything and run: see :func:`convtool.convolve`.

    Parameters
    ----------
    kernels, combination
        One kernel, or a group of the same shape and what is taken of its answers.
    flipped : bool
        Whether it is a convolution.
    store : callable
        ``store(values, out)`` writes computed values into a piece of the answer, from several
        threads at once; by default they are converted to its type.
    overwrite : bool
        Whether the answer may take the image's memory, where it fits.
    plan : Plan, optional
        What `planned` says of such an image, if that is known: it is what is done.
    """
    pixels = arrays.adopt(image)
    check_image(pixels.shape, pixels.dtype)
    weights = kernels[0]
    rule = borders.resolve(default_border(border, mode, padding), cval)
    layout = layout_for(
        pixels.shape, weights, mode=mode, padding=padding, stride=stride, flipped=flipped
    )
    kernels = turned(kernels, flipped)
    shape = layout.shape + pixels.shape[2:]
    if out is not None and not isinstance(out, np.ndarray):
        raise OptionError(f"out must be an array, not {type(out).__name__}")
    answer_type = dtypes.output_type(
        pixels.dtype, out.dtype if dtype is None and out is not None else dtype
    )
    workers = thread_count(threads)
    if out is not None:
        check_out(out, shape, answer_type)
    answer = _place(out, pixels, kernels, layout, answer_type, overwrite)
    if answer is None:
        answer = np.empty(shape, answer_type)
    chosen = None
    if plan is not None:
        chosen, workers = plan.chosen, workers_for(plan, workers)
    run(pixels, kernels, layout, rule, answer, engine, workers, store, chosen, combination)
    if out is None:
        return answer
    if answer is not out and answer is not pixels:
        np.copyto(out, answer)
    return out


def _place(
    out: Array | None,
    pixels: Array,
    kernels: Kernels,
    layout: Geometry,
    answer_type: DType,
    overwrite: bool,
) -> Array | None:
    """Return where an answer is made: ``pixels`` for their own memory, None for a new array."""
    if out is None:
        over = overwrite and pixels.flags.c_contiguous
    elif any(np.may_share_memory(out, kernel) for kernel in kernels):
        return None
    elif not np.may_share_memory(out, pixels):
        return out
    else:
        over = _lie_alike(out, pixels)
    over = over and pixels.flags.writeable
    fits = over and in_place.fits(pixels.shape, pixels.dtype, answer_type, layout)
    return pixels if fits else None


def _lie_alike(out: Array, pixels: Array) -> bool:
    """Return whether both begin at one place in memory, and their pixels lie as far apart."""
    start = pixels.__array_interface__["data"]
    return out.__array_interface__["data"] == start and out.strides == pixels.strides


def planned(
    shape: tuple[int, ...],
    dtype: DTypeLike,
    kernels: Kernels,
    flipped: bool,
    *,
    mode: str = "same",
    border: str | None = None,
    padding: int | tuple[int, int] | None = None,
    stride: int | tuple[int, int] = 1,
    engine: str = "auto",
    out_dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> Plan:
    """Return the plan of `filtered`, for one kernel or for a group whose answers are combined.

    Parameters are those of :func:`convtool.plan` and of `filtered`.
    """
    try:
        image_type = np.dtype(dtype)
    except TypeError as error:
        raise PixelTypeError(f"dtype {dtype!r} is not a NumPy type") from error
    if not isinstance(shape, tuple | list):
        raise ShapeError(f"an image has shape (H, W) or (H, W, C), not {shape!r}")
    check_image(tuple(shape), image_type)
    borders.resolve(default_border(border, mode, padding), 0.0)
    layout = layout_for(
        tuple(shape), kernels[0], mode=mode, padding=padding, stride=stride, flipped=flipped
    )
    answer_type = dtypes.output_type(image_type, out_dtype)
    how = (turned(kernels, flipped), layout, engine, thread_count(threads))
    return choose(request_for(tuple(shape), image_type, answer_type, *how))
