"""The public functions: validate, plan, run."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from convtool.convolution import borders, dtypes, engines, planner, startup, tiles
from convtool.convolution.engines import Array, DType
from convtool.convolution.geometry import Geometry, geometry
from convtool.convolution.planner import Plan, Problem
from convtool.convolution.threads import count as thread_count
from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.kernels.spec import as_kernel

LARGEST_FACTORED = 256
"""Kernels longer than this on both sides are planned as if they had full rank."""


@lru_cache(maxsize=64)
def _rank(weights: bytes, shape: tuple[int, int], working: DType) -> int:
    if min(shape) > LARGEST_FACTORED:
        return min(shape)
    return engines.rank_for(np.frombuffer(weights).reshape(shape), working)


def _split_engine(engine: str) -> tuple[str, int | None]:
    """Split ``separable:rank=2`` into the engine's name and the rank asked for."""
    name, _, rest = engine.partition(":")
    if name != "auto":
        engines.entry(name)
    if not rest:
        return name, None
    key, _, value = rest.partition("=")
    if key != "rank" or not value.isdigit() or int(value) < 1:
        raise OptionError(f"engine {engine!r}: after the colon comes rank=N with N at least 1")
    if name == "auto" or not engines.entry(name).takes_rank:
        takers = [e.name for e in engines.ENGINES.values() if e.takes_rank]
        raise OptionError(f"engine {name!r} takes no rank; {' and '.join(takers)} do")
    return name, int(value)


def _problem(
    image_shape: tuple[int, ...],
    working: DType,
    kernel: NDArray[np.float64],
    layout: Geometry,
    workers: int,
    finite: bool = True,
) -> Problem:
    return Problem(
        outputs=(layout.rows.dense, layout.columns.dense),
        channels=image_shape[2] if len(image_shape) == 3 else 1,
        kernel_shape=(kernel.shape[0], kernel.shape[1]),
        taps=int(np.count_nonzero(kernel)),
        rank=_rank(kernel.tobytes(), (kernel.shape[0], kernel.shape[1]), working),
        itemsize=working.itemsize,
        threads=workers,
        finite=finite,
    )


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) not in (2, 3):
        hint = "; a signal is an image of one row: signal[None, :]" if len(shape) == 1 else ""
        raise ShapeError(f"an image has shape (H, W) or (H, W, C), not {shape}{hint}")
    if 0 in shape:
        raise ShapeError(f"the image is empty: its shape is {shape}")


def _as_image(image: ArrayLike) -> Array:
    if isinstance(image, np.ma.MaskedArray):
        raise PixelTypeError("a masked array cannot be filtered; fill it first: image.filled(0)")
    try:
        pixels = np.asarray(image)
    except ValueError as error:
        raise ShapeError(f"the image is not a rectangular array: {error}") from error
    dtypes.check_image_type(pixels.dtype)
    _check_shape(pixels.shape)
    return pixels


def _is_finite(pixels: Array) -> bool:
    """Return whether no pixel is NaN or inf (a sum that overflows counts as not finite)."""
    if pixels.dtype.kind != "f":
        return True
    with np.errstate(all="ignore"):
        return bool(np.isfinite(pixels.sum()))


def _default_border(border: str | None, mode: str, padding: object) -> str:
    if border is not None:
        return border
    return "constant" if mode == "full" and padding is None else "reflect"


def _run(
    pixels: Array,
    weights: NDArray[np.float64],
    layout: Geometry,
    rule: tuple[str, float],
    out: Array,
    engine: str,
    workers: int,
) -> None:
    working = dtypes.working_type(pixels.dtype, out.dtype, weights)
    name, rank = _split_engine(engine)
    problem = _problem(pixels.shape, working, weights, layout, workers)
    waits = startup.seconds()
    chosen = planner.choose(problem, waits, engine=name)
    if name == "auto" and not planner.keeps_nonfinite(chosen, problem):
        finite = _is_finite(pixels) and bool(np.isfinite(rule[1]))
        if not finite:
            problem = _problem(pixels.shape, working, weights, layout, workers, finite)
            chosen = planner.choose(problem, waits, engine=name)
    cube = pixels.shape + (1,) * (3 - pixels.ndim)
    prepare = engines.load(chosen.engine)
    correlator = prepare(
        weights,
        working,
        (layout.rows.dense, layout.columns.dense, cube[2]),
        rank if rank is not None else chosen.rank,
        workers,
    )
    tiles.run(
        correlator,
        tiles.Source(pixels.reshape(cube), rule[0], rule[1], working),
        (weights.shape[0], weights.shape[1]),
        layout,
        out.reshape(out.shape + (1,) * (3 - out.ndim)),
        1 if engines.entry(chosen.engine).own_threads else workers,
    )


def _filter(
    image: ArrayLike,
    kernel: ArrayLike | str,
    flipped: bool,
    mode: str,
    border: str | None,
    cval: float,
    padding: int | tuple[int, int] | None,
    stride: int | tuple[int, int],
    engine: str,
    dtype: DTypeLike | None,
    out: Array | None,
    threads: int | None,
) -> Array:
    pixels = _as_image(image)
    weights = as_kernel(kernel)
    rule = borders.resolve(_default_border(border, mode, padding), cval)
    layout = geometry(
        (pixels.shape[0], pixels.shape[1]),
        (weights.shape[0], weights.shape[1]),
        mode=mode,
        padding=padding,
        stride=stride,
        flipped=flipped,
    )
    if flipped:
        weights = np.ascontiguousarray(weights[::-1, ::-1])
    shape = layout.shape + pixels.shape[2:]
    answer_type = dtypes.output_type(
        pixels.dtype, out.dtype if dtype is None and out is not None else dtype
    )
    workers = thread_count(threads)
    if out is None:
        answer = np.empty(shape, answer_type)
    else:
        _check_out(out, shape, answer_type)
        answer = np.empty(shape, answer_type) if np.may_share_memory(out, pixels) else out
    _run(pixels, weights, layout, rule, answer, engine, workers)
    if out is not None and answer is not out:
        np.copyto(out, answer)
        return out
    return answer


def _check_out(out: Array, shape: tuple[int, ...], dtype: DType) -> None:
    if not isinstance(out, np.ndarray):
        raise OptionError(f"out must be an array, not {type(out).__name__}")
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
        Where to write the answer; its type is the answer's. It may be the image itself.
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
    or inf further than the kernel's non-zero weights reach.

    Examples
    --------
    >>> image = np.array([[94, 50, 221], [98, 109, 50], [49, 213, 91]])
    >>> kernel = [[2, 2, 1], [1, 0, -2], [-2, 2, 2]]
    >>> float(convolve(image, kernel, mode="valid")[0, 0])
    357.0
    >>> convolve(image.astype(np.uint8), "box", dtype=np.uint8)[1, 1]
    np.uint8(108)
    """
    return _filter(
        image, kernel, True, mode, border, cval, padding, stride, engine, dtype, out, threads
    )


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
    return _filter(
        image, kernel, False, mode, border, cval, padding, stride, engine, dtype, out, threads
    )


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
    threads: int | None = None,
) -> Plan:
    """Return which engine :func:`convolve` would take in this process now, and why.

    Parameters
    ----------
    shape : tuple of int
        (H, W) or (H, W, C) of the image.
    dtype : dtype
        Its type.
    kernel, mode, border, padding, stride, engine, threads
        As for :func:`convolve`.

    Returns
    -------
    Plan
        Its engine, rank, costs (seconds for each engine, starting it included) and reason.

    Raises
    ------
    KernelError, ShapeError, PixelTypeError, OptionError
        As :func:`convolve` does.

    Examples
    --------
    >>> sorted(plan((480, 640), "uint8", "sobel-vertical").costs)
    ['direct', 'fft', 'numba', 'opencv', 'scipy', 'separable']
    """
    image_type = np.dtype(dtype)
    dtypes.check_image_type(image_type)
    _check_shape(tuple(shape))
    borders.resolve(_default_border(border, mode, padding), 0.0)
    weights = as_kernel(kernel)
    layout = geometry(
        (shape[0], shape[1]),
        (weights.shape[0], weights.shape[1]),
        mode=mode,
        padding=padding,
        stride=stride,
    )
    working = dtypes.working_type(image_type, dtypes.output_type(image_type, None), weights)
    problem = _problem(tuple(shape), working, weights, layout, thread_count(threads))
    return planner.choose(problem, startup.seconds(), engine=_split_engine(engine)[0])
