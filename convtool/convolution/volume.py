"""Volumes filtered by three-dimensional kernels, and arrays along one axis: validate, plan, run."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from convtool.convolution import borders, calibration, dtypes
from convtool.convolution import volume_windows as windows
from convtool.convolution.engines.jit import volume as compiled
from convtool.convolution.geometry import Axis
from convtool.convolution.planner import Plan
from convtool.convolution.run import workers_for
from convtool.convolution.threads import count as thread_count
from convtool.convolution.threads import for_each
from convtool.convolution.types import Array, DType
from convtool.convolution.volume_fft import by_transforms, tiling
from convtool.convolution.volume_layout import Axes, Triple, layout
from convtool.convolution.volume_plan import Part, Problem, VolumePlan, choose
from convtool.errors import KernelError, OptionError, PixelTypeError, ShapeError, check_choice

Rules = tuple[str, str, str]


class _Task(NamedTuple):
    """A volume that is validated and planned."""

    pixels: Array
    """Shape (D, H, W, C)."""
    kernel: Array
    """Not to be flipped any more."""
    axes: Axes
    rules: Rules
    cval: float
    working: DType
    chosen: VolumePlan
    threads: int

    @property
    def guarded(self) -> bool:
        """Whether weights of zero may meet NaN or inf."""
        floats = self.pixels.dtype.kind == "f" or not math.isfinite(self.cval)
        return floats and not bool(np.all(self.kernel))


def _check(pixels: Array, kernel: Array) -> None:
    dtypes.check_image_type(pixels.dtype)
    if pixels.ndim not in (3, 4):
        raise ShapeError(f"a volume has shape (D, H, W) or (D, H, W, C), not {pixels.shape}")
    if 0 in pixels.shape:
        raise ShapeError(f"the volume is empty: its shape is {pixels.shape}")
    if kernel.ndim != 3 or 0 in kernel.shape:
        raise KernelError(f"a kernel for volumes has shape (KD, KH, KW), not {kernel.shape}")
    if not np.isfinite(kernel).all():
        raise KernelError("the kernel has weights that are not finite")


def _triple(shape: Sequence[int]) -> Triple:
    return shape[0], shape[1], shape[2]


def _readable(pixels: Array, working: DType) -> Array:
    """Return a volume with rows side by side, of a type that compiled code knows."""
    if pixels.dtype.kind == "f" and pixels.dtype.itemsize == 2:
        pixels = pixels.astype(working)
    if pixels.dtype == np.bool_:
        pixels = pixels.view(np.uint8)
    return pixels if _is_packed(pixels) and pixels.dtype.isnative else _packed(pixels)


def _packed(pixels: Array) -> Array:
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))


def _is_packed(volume: Array) -> bool:
    """Return whether each row's scalars lie side by side, rows any whole number of them apart."""
    size, channels = volume.itemsize, volume.shape[3]
    side_by_side = volume.strides[2] == size * channels and (
        channels == 1 or volume.strides[3] == size
    )
    apart = volume.strides[0] % size == 0 and volume.strides[1] % size == 0
    return side_by_side and apart and volume.flags.aligned


def _compiled_run(task: _Task, out: Array) -> None:
    """Filter by compiled code: at once, or part by part of the kernel, which are added up.

    Parts of a kernel with zeros have other weights there, which would carry NaN.
    """
    found = task.chosen.separated
    if found is not None and found.lines is None and task.guarded and not _is_finite(task):
        found = None
    if found is None or len(found.parts) == 1:
        _compiled_part(task, None if found is None else found.parts[0], out)
        return
    made = out if out.dtype == task.working else np.empty(out.shape, task.working)
    another = np.empty(out.shape, task.working)
    _compiled_part(task, found.parts[0], made)
    for part in found.parts[1:]:
        _compiled_part(task, part, another)
        for_each(lambda plane: _add(another[plane], made[plane]), range(len(made)), task.threads)
    if made is not out:
        for_each(lambda plane: dtypes.store(made[plane], out[plane]), range(len(out)), task.threads)


def _is_finite(task: _Task) -> bool:
    """Return whether all that windows read is finite."""
    planes = (bool(np.isfinite(plane).all()) for plane in task.pixels)
    return math.isfinite(task.cval) and all(planes)


def _add(more: Array, out: Array) -> None:
    with np.errstate(invalid="ignore", over="ignore"):
        out += more


def _compiled_part(task: _Task, part: Part | None, out: Array) -> None:
    compiled.filter_volume(
        _readable(task.pixels, task.working),
        task.kernel,
        None if part is None else compiled.Passes(*part),
        task.axes,
        task.rules,
        task.cval,
        out,
        task.working,
        task.guarded,
        task.threads,
    )


def _plainly(task: _Task) -> windows.Correlate:
    """Return the correlation weight by weight, by compiled code where there is any.

    That computes in float64, as transforms do, since so many products are added up.
    """
    if "numba" not in calibration.load().engines:
        return windows.direct(task.kernel, task.working)
    double = np.dtype(np.float64)

    def run(window: Array, out: Array) -> None:
        sizes = zip(window.shape, task.kernel.shape, out.shape, strict=False)
        depth, height, width = (Axis(size, taps, 0, count, 1) for size, taps, count in sizes)
        made = np.empty(out.shape, double)
        compiled.filter_volume(
            _readable(window, double),
            task.kernel,
            None,
            (depth, height, width),
            ("nearest", "nearest", "nearest"),
            0.0,
            made,
            double,
            True,
            task.threads,
        )
        out[...] = made

    return run


def _correlator(task: _Task) -> windows.Correlate:
    engine, working = task.chosen.plan.engine, task.working
    if engine == "separable":
        assert task.chosen.separated is not None
        assert task.chosen.separated.lines is not None
        return windows.by_lines(task.chosen.separated.lines, working)
    if engine == "scipy":
        return windows.by_scipy(task.kernel, working)
    if engine == "fft":
        return by_transforms(task.kernel, task.axes, task.threads, _plainly(task))
    return windows.direct(task.kernel, working)


def _run(task: _Task, out: Array, delta: float) -> None:
    """Filter into ``out``, through an array of the working type where compiled code cannot."""
    on_threads = task.chosen.plan.engine == "numba"
    written = out.dtype == task.working or (on_threads and out.dtype in compiled.WRITES)
    made = out
    if delta or not written or not _is_packed(out):
        made = np.empty(out.shape, task.working)
    if on_threads:
        _compiled_run(task, made)
    else:
        padded = windows.Padded(task.pixels, task.axes, task.rules, task.cval, task.working)
        by_boxes = task.chosen.plan.engine == "fft"
        tile = tuple(tiling(axis).outputs for axis in task.axes) if by_boxes else None
        windows.run(_correlator(task), padded, task.axes, made, tile)
    if made is out:
        return

    def finish(plane: int) -> None:
        if delta:
            made[plane] += task.working.type(delta)
        dtypes.store(made[plane], out[plane])

    for_each(finish, range(len(out)), task.threads)


def volume_plan(
    shape: tuple[int, ...],
    dtype: DTypeLike,
    kernel: Array,
    flipped: bool,
    *,
    mode: str = "same",
    engine: str = "auto",
    out_dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> Plan:
    """Return which engine `volume_filtered` takes, and why.

    Parameters
    ----------
    shape : tuple of int
        (D, H, W) of the volume, or (D, H, W, C).
    dtype : dtype
        Its type.
    kernel : ndarray, shape (KD, KH, KW)
        Weights of float64.
    flipped, mode, engine, threads
        As for `volume_filtered`.
    out_dtype : dtype, optional
        Type of the answer.

    Examples
    --------
    >>> volume_plan((64, 64, 64), "float32", np.ones((5, 5, 5)), True).rank
    1
    """
    image = np.dtype(dtype)
    axes = layout(_triple(shape), _triple(kernel.shape), mode=mode, flipped=flipped)
    working = dtypes.working_type(image, dtypes.output_type(image, out_dtype), kernel)
    weights = kernel[::-1, ::-1, ::-1] if flipped else kernel
    channels = shape[3] if len(shape) == 4 else 1
    problem = Problem(axes, channels, np.ascontiguousarray(weights), image, working)
    return choose(problem, calibration.load(), thread_count(threads), engine).plan


def volume_filtered(
    pixels: Array,
    kernel: Array,
    flipped: bool,
    *,
    mode: str = "same",
    borders: tuple[str, str, str] = ("reflect", "reflect", "reflect"),
    cval: float = 0.0,
    origin: tuple[int, int, int] = (0, 0, 0),
    delta: float = 0.0,
    engine: str = "auto",
    dtype: DTypeLike | None = None,
    out: Array | None = None,
    threads: int | None = None,
) -> Array:
    """Filter a volume by a kernel of three dimensions.

    Kernels of rank 1 (box, Gaussian, Sobel) are done by their lines, one axis after the other;
    others weight by weight, or by FFT where they are large.

    Parameters
    ----------
    pixels : ndarray, shape (D, H, W) or (D, H, W, C)
        Real voxels of any type; each channel is filtered on its own.
    kernel : ndarray, shape (KD, KH, KW)
        Finite weights.
    flipped : bool
        Whether it is a convolution.
    mode, cval, engine, dtype, threads
        As for :func:`convtool.convolve`; of its engines, ``numba-fft`` and ``opencv`` filter no
        volumes.
    borders : tuple of str
        What lies beyond the edge along each axis, in scipy.ndimage's names.
    origin : tuple of int
        Moves the windows along each axis, as in ``scipy.ndimage``.
    delta : float
        Is added to each value before it is converted to the answer's type.
    out : ndarray, optional
        Where to write the answer; it may share memory with the volume.

    Returns
    -------
    ndarray, shape (D', H', W') or (D', H', W', C)
        float64 for float64 volumes, else float32, unless ``dtype`` or ``out`` says otherwise;
        integers are rounded half to even and saturate.

    Raises
    ------
    ShapeError
        If the volume is not of that shape, or no output is left.
    KernelError
        If the kernel is not of that shape, or not finite.
    PixelTypeError, OptionError, EngineError
        As for :func:`convtool.convolve`.

    Notes
    -----
    NaN and inf spread only as far as the kernel's non-zero weights reach. The answer does not
    depend on the number of threads.

    Examples
    --------
    >>> volume = np.zeros((3, 3, 3))
    >>> volume[1, 1, 1] = 27
    >>> volume_filtered(volume, np.full((3, 3, 3), 1 / 27), True)[0, 0]
    array([1., 1., 1.])
    """
    _check(pixels, kernel)
    rules, value = _resolved(borders, cval)
    axes = layout(
        _triple(pixels.shape), _triple(kernel.shape), mode=mode, flipped=flipped, origin=origin
    )
    shape = tuple(axis.dense for axis in axes) + pixels.shape[3:]
    answer_type = _answer_type(pixels.dtype, dtype, out, shape)
    weights = np.ascontiguousarray(kernel[::-1, ::-1, ::-1] if flipped else kernel, np.float64)
    working = dtypes.working_type(pixels.dtype, answer_type, weights)
    volume = pixels if pixels.ndim == 4 else pixels[..., None]
    workers = thread_count(threads)
    problem = Problem(axes, volume.shape[3], weights, pixels.dtype, working)
    chosen = choose(problem, calibration.load(), workers, engine)
    apart = out is None or not any(np.may_share_memory(out, one) for one in (pixels, weights))
    answer = out if out is not None and apart else np.empty(shape, answer_type)
    workers = workers_for(chosen.plan, workers)
    task = _Task(volume, weights, axes, rules, value, chosen.working, chosen, workers)
    _run(task, answer if answer.ndim == 4 else answer[..., None], delta)
    if out is None or answer is out:
        return answer
    np.copyto(out, answer)
    return out


def _resolved(names: Sequence[str], cval: float) -> tuple[Rules, float]:
    """Return the borders' rules and the value outside the volume, checked."""
    if len(names) != 3:
        raise OptionError(f"borders must name three, one for each axis, not {names!r}")
    for name in names:
        check_choice("border", name, borders.RULES)
    _, value = borders.resolve(names[0], cval)
    return (names[0], names[1], names[2]), value


def _answer_type(
    image: DType, dtype: DTypeLike | None, out: Array | None, shape: tuple[int, ...]
) -> DType:
    """Return the answer's type, which ``out`` must have."""
    if out is not None and not isinstance(out, np.ndarray):
        raise OptionError(f"out must be an array, not {type(out).__name__}")
    wanted = out.dtype if dtype is None and out is not None else dtype
    answer = dtypes.output_type(image, wanted)
    if out is not None:
        if out.shape != shape:
            raise ShapeError(f"out has shape {out.shape}, the answer {shape}")
        if out.dtype != answer:
            raise OptionError(f"out has type {out.dtype}, the answer {answer}")
        if not out.flags.writeable:
            raise OptionError("out is read-only")
    return answer


def lines_filtered(
    array: Array,
    taps: ArrayLike,
    axis: int,
    *,
    flipped: bool,
    border: str = "reflect",
    cval: float = 0.0,
    origin: int = 0,
    delta: float = 0.0,
    engine: str = "auto",
    dtype: DTypeLike | None = None,
    out: Array | None = None,
    threads: int | None = None,
) -> Array:
    """Filter an array of any dimension along one axis.

    Parameters
    ----------
    array : ndarray, at least of one dimension
        Real values of any type.
    taps : array_like, shape (K,)
        Finite weights.
    axis : int
        The axis that they lie along.
    flipped : bool
        Whether it is a convolution.
    border, cval, origin, delta, engine, dtype, out, threads
        As for `volume_filtered`.

    Returns
    -------
    ndarray
        Of the array's shape: what ``scipy.ndimage.correlate1d`` or ``convolve1d`` gives, in the
        types of `volume_filtered`.

    Raises
    ------
    ShapeError
        If the array is empty or has no such axis.
    KernelError
        If the weights are not a line of finite numbers.

    Examples
    --------
    >>> lines_filtered(np.array([[1.0, 2, 4, 8]]), [1, -1], 1, flipped=True)
    array([[1., 2., 4., 0.]])
    """
    weights = np.asarray(taps)
    if weights.dtype.kind not in "buif" or weights.ndim != 1 or not weights.size:
        raise KernelError(f"taps must be a line of real numbers, not of shape {weights.shape}")
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "buif":
        raise PixelTypeError("the array must be one of NumPy's, of real numbers")
    if not -array.ndim <= axis < array.ndim:
        raise ShapeError(f"the array has {array.ndim} axes; there is no axis {axis}")
    if 0 in array.shape:
        raise ShapeError(f"the array is empty: its shape is {array.shape}")
    answer_type = _answer_type(array.dtype, dtype, out, array.shape)
    shape, place = _as_volume(array.shape, axis % array.ndim)
    rules, shifts, sizes = ["nearest"] * 3, [0] * 3, [1] * 3
    rules[place], shifts[place], sizes[place] = border, origin, weights.size
    target = None
    if out is not None and out.flags.c_contiguous and not np.may_share_memory(out, array):
        target = out.reshape(shape)
    made = volume_filtered(
        np.ascontiguousarray(array).reshape(shape),
        weights.astype(np.float64).reshape(sizes),
        flipped,
        borders=(rules[0], rules[1], rules[2]),
        cval=cval,
        origin=_triple(shifts),
        delta=delta,
        engine=engine,
        dtype=answer_type,
        out=target,
        threads=threads,
    )
    if out is None:
        return made.reshape(array.shape)
    if target is None:
        np.copyto(out, made.reshape(array.shape))
    return out


def _as_volume(shape: tuple[int, ...], axis: int) -> tuple[Triple, int]:
    """Return an array's shape as that of a volume, and which of its axes the given one is.

    Rows of the volume are as long as they can be, so that vectors run along them.
    """
    before, size, after = math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
    if after == 1:
        return (1, before, size), 2
    if before > 1:
        return (before, size, after), 1
    return (size, after // shape[-1], shape[-1]), 0
