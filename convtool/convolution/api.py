"""The public functions: validate, plan, run."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from convtool import arrays
from convtool.convolution import borders, dtypes, in_place
from convtool.convolution.geometry import Geometry
from convtool.convolution.planner import Plan
from convtool.convolution.prepared import (
    Options,
    check_image,
    default_border,
    layout_for,
    remembered,
    turned,
)
from convtool.convolution.run import Kernels, choose, request_for, run, workers_for
from convtool.convolution.threads import count as thread_count
from convtool.convolution.tiles import Store
from convtool.convolution.types import Array, DType
from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.kernels.argument import as_kernel
from convtool.kernels.weights import Combination


def _as_image(image: ArrayLike) -> Array:
    pixels = arrays.adopt(image)
    check_image(pixels.shape, pixels.dtype)
    return pixels


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
    """Validate everything and run: what all public functions do; see :func:`convolve`.

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
    pixels = _as_image(image)
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
        _check_out(out, shape, answer_type)
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


def _filtered_by_one(
    image: ArrayLike, kernel: ArrayLike | str, options: Options, out: Array | None
) -> Array:
    """Filter an image by one kernel: by what is remembered of such calls, or by `filtered`."""
    if out is None and type(image) is np.ndarray:
        ready = remembered(image, kernel, options, lambda: as_kernel(kernel))
        if ready is not None:
            return ready(image)
    how = options._asdict()
    return filtered(image, (as_kernel(kernel),), how.pop("flipped"), **how, out=out)


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


def _check_out(out: Array, shape: tuple[int, ...], dtype: DType) -> None:
    if out.shape != shape:
        raise ShapeError(f"out has shape {out.shape}, the answer {shape}")
    if out.dtype != dtype:
        raise OptionError(f"out has type {out.dtype}, the answer {dtype}")
    if not out.flags.writeable:
        raise OptionError("out is read-only")


def convolve(
    image: ArrayLike,
    kernel: ArrayLike | str,
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
) -> Array:
    """Convolve an image with a kernel (the kernel is flipped).

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C)
        Real pixels of any type; each channel is filtered on its own.
    kernel : array_like, shape (KH, KW), or str
        Finite weights, or the text of one: ``"gaussian:sigma=2"`` (see :func:`convtool.kernel`).
    mode : {'same', 'valid', 'full'}
        ``same``: the image's size, as ``scipy.ndimage.convolve``. ``valid``: where the kernel lies
        inside the image, (H - KH + 1, W - KW + 1). ``full``: wherever they meet,
        (H + KH - 1, W + KW - 1). The latter two as ``scipy.signal.convolve2d``.
    border : str, optional
        What lies beyond the edge, in scipy.ndimage's names: ``reflect`` (dcba|abcd|dcba; the
        default), ``mirror`` (dcb|abcd|cba), ``nearest``, ``wrap``, ``constant``; or in others':
        ``symmetric``, ``reflect-101``, ``replicate``, ``edge``, ``zero``. Mode ``full`` takes
        ``constant`` unless told otherwise, as ``scipy.signal.convolve2d`` does.
    cval : float
        The value beyond the edge for ``constant``, in units of the image.
    padding : int or (int, int), optional
        Pixels (vertical, horizontal) that ``border`` adds on each side before a ``valid``
        convolution; it takes the place of ``mode``.
    stride : int or (int, int)
        Every S-th row and column of the stride-1 answer is kept, starting at the first.
    engine : str
        ``auto`` or a name of :func:`convtool.engines`. ``separable:rank=2`` insists on a rank.
    dtype : dtype, optional
        Type of the answer: by default float64 for float64 images, else float32. Integer types are
        rounded half to even and saturate, they never wrap; NaN becomes 0 there.
    out : ndarray, optional
        Where to write the answer; its type is the answer's. It may be the image itself, which then
        takes little more memory than the image.
    threads : int, optional
        By default ``CONVTOOL_NUM_THREADS``, else all cores that the process may use. The answer
        does not depend on it.

    Returns
    -------
    ndarray, shape (H', W') or (H', W', C)
        In units of the image times those of the kernel.

    Raises
    ------
    KernelError
        If the kernel is not a matrix of finite numbers.
    ShapeError
        If the image is not of that shape, or no output is left.
    PixelTypeError
        If the image is complex, of objects, text or extended precision.
    OptionError
        If another option is not one of those above.
    EngineError
        If the engine asked for cannot do it.

    Notes
    -----
    float64 images are computed in float64, float32 images and integers of up to 16 bits in
    float32, longer integers in float64. Of the engines that ``auto`` may choose, none spreads NaN
    or inf further than the kernel's non-zero weights reach. The error of a float32 answer is at
    most 1e-5 times the sum of its products' magnitudes, plus 1e-6 times the image's mean magnitude
    times the sum of the weights' magnitudes; of a float64 answer 1e-12 and 1e-13 times these.

    Examples
    --------
    >>> image = np.array([[94, 50, 221], [98, 109, 50], [49, 213, 91]])
    >>> kernel = [[2, 2, 1], [1, 0, -2], [-2, 2, 2]]
    >>> float(convolve(image, kernel, mode="valid")[0, 0])
    357.0
    >>> convolve(image.astype(np.uint8), "box", dtype=np.uint8)[1, 1]
    np.uint8(108)
    """
    options = Options(True, mode, border, cval, padding, stride, engine, dtype, threads)
    return _filtered_by_one(image, kernel, options, out)


def correlate(
    image: ArrayLike,
    kernel: ArrayLike | str,
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
) -> Array:
    """Correlate an image with a kernel: :func:`convolve` with the kernel as it is, not flipped.

    Parameters, returns and errors are those of :func:`convolve`. The window of an even kernel in
    mode ``same`` starts ``K // 2`` pixels before its output, as in ``scipy.ndimage.correlate``.

    Examples
    --------
    >>> image = np.array([[94, 50, 221], [98, 109, 50], [49, 213, 91]])
    >>> kernel = [[2, 2, 1], [1, 0, -2], [-2, 2, 2]]
    >>> float(correlate(image, kernel, mode="valid")[0, 0])
    1017.0
    """
    options = Options(False, mode, border, cval, padding, stride, engine, dtype, threads)
    return _filtered_by_one(image, kernel, options, out)


def plan(
    shape: tuple[int, ...],
    dtype: DTypeLike,
    kernel: ArrayLike | str,
    *,
    mode: str = "same",
    border: str | None = None,
    padding: int | tuple[int, int] | None = None,
    stride: int | tuple[int, int] = 1,
    engine: str = "auto",
    out_dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> Plan:
    """Return which engine :func:`convolve` takes, and why.

    The plan depends on these parameters, on the calibration and on what is installed, not on what
    the process has done before.

    Parameters
    ----------
    shape : tuple of int
        (H, W) or (H, W, C) of the image.
    dtype : dtype
        Its type.
    kernel, mode, border, padding, stride, engine, threads
        As for :func:`convolve`.
    out_dtype : dtype, optional
        Type of the answer: what :func:`convolve` takes as ``dtype``.

    Returns
    -------
    Plan
        Its engine, rank, costs (seconds for each engine) and reason.

    Raises
    ------
    KernelError, ShapeError, PixelTypeError, OptionError
        As :func:`convolve` does.

    Examples
    --------
    >>> sorted(plan((480, 640), "uint8", "sobel-vertical").costs)
    ['direct', 'fft', 'numba', 'numba-fft', 'opencv', 'scipy', 'separable']
    """
    return planned(
        shape,
        dtype,
        (as_kernel(kernel),),
        True,
        mode=mode,
        border=border,
        padding=padding,
        stride=stride,
        engine=engine,
        out_dtype=out_dtype,
        threads=threads,
    )


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

    Parameters are those of `plan` and of `filtered`.
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
