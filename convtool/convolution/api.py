"""The public functions."""

from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from convtool import arrays
from convtool.convolution import deferred
from convtool.convolution.dimensions import (
    OF_PICTURES,
    Convolution,
    described,
    is_picture,
    made,
    plan_for,
    remembered,
    weights_of,
)
from convtool.convolution.pictures import filtered, planned
from convtool.convolution.planner import Plan
from convtool.convolution.prepared import Options
from convtool.convolution.types import Array, Border, DType, Engine, Mode
from convtool.errors import OptionError, PixelTypeError, ShapeError

__all__ = [
    "ConvolveOptions",
    "PreparedConvolution",
    "convolve",
    "correlate",
    "filtered",
    "plan",
    "planned",
    "prepare",
]


def _convolved(
    image: ArrayLike, kernel: ArrayLike | str, given: tuple[Any, ...], out: Array | None
) -> Array:
    """Convolve an array: by what is remembered of such calls, or by what is made for this one.

    ``given`` is what `Options` are made of.
    """
    if out is None and type(image) is np.ndarray:
        ready = remembered(image, kernel, given)
        if ready is not None:
            return ready(image)
    convolver = deferred.convolver(image)
    if convolver is not None:
        lazy: Array = convolver(image, kernel, Options(*given), out)
        return lazy
    pixels, options = arrays.adopt(image), Options(*given)
    weights = weights_of(kernel, pixels.ndim, options)
    if out is not None and is_picture(pixels.shape, pixels.dtype, weights, options):
        how = {name: getattr(options, name) for name in OF_PICTURES}
        return filtered(pixels, (weights,), options.flipped, **how, out=out)
    return made(pixels.shape, pixels.dtype, weights, options)(pixels, out)


def convolve(
    image: ArrayLike,
    kernel: ArrayLike | str,
    *,
    mode: Mode = "same",
    border: Border | Sequence[Border] | None = None,
    cval: complex = 0.0,
    padding: int | Sequence[int] | None = None,
    stride: int | Sequence[int] = 1,
    origin: int | Sequence[int] = 0,
    delta: complex = 0.0,
    axis: int | None = None,
    axes: int | Sequence[int] | None = None,
    channel_axis: int | None = None,
    engine: Engine = "auto",
    dtype: DTypeLike | None = None,
    out: Array | None = None,
    threads: int | None = None,
) -> Array:
    """Convolve an array with a kernel of one, two or three dimensions (the kernel is flipped).

    Parameters
    ----------
    image : array_like
        Numbers of any type: a picture (H, W) or (H, W, C), a signal (N,), a volume (D, H, W), or
        a batch of them. Each channel is filtered on its own. A Dask array is filtered lazily, as
        by :func:`convtool.distributed.convolve`.
    kernel : array_like, shape (K,), (KH, KW) or (KD, KH, KW), or str
        Finite weights, or the text of one: ``"gaussian:sigma=2"`` (see :func:`convtool.kernel`).
        A kernel of one dimension needs ``axis``, unless the image is a signal.
    mode : {'same', 'valid', 'full'}
        ``same``: the image's size, as ``scipy.ndimage.convolve``. ``valid``: where the kernel lies
        inside the image, (H - KH + 1, W - KW + 1). ``full``: wherever they meet,
        (H + KH - 1, W + KW - 1). The latter two as ``scipy.signal.convolve2d`` and ``np.convolve``.
    border : str or sequence of str, optional
        What lies beyond the edge, in scipy.ndimage's names: ``reflect`` (dcba|abcd|dcba; the
        default), ``mirror`` (dcb|abcd|cba), ``nearest``, ``wrap``, ``constant``; or in others':
        ``symmetric``, ``reflect-101``, ``replicate``, ``edge``, ``zero``. Mode ``full`` takes
        ``constant`` unless told otherwise, as ``scipy.signal.convolve2d`` does. One, or one for
        each axis of the kernel.
    cval : float
        The value beyond the edge for ``constant``, in units of the image. Complex for complex
        images.
    padding : int or sequence of int, optional
        Pixels (vertical, horizontal) that ``border`` adds on each side before a ``valid``
        convolution; it takes the place of ``mode``.
    stride : int or sequence of int
        Every S-th row and column of the stride-1 answer is kept, starting at the first.
    origin : int or sequence of int
        By how many pixels the kernel is moved in mode ``same``, with scipy.ndimage's signs: from
        ``-(K // 2)`` to ``(K - 1) // 2``.
    delta : float
        Added to the answer before it is converted to ``dtype``; OpenCV's word.
    axis : int, optional
        The axis that a kernel of one dimension lies on; all others number signals.
    axes : int or sequence of int, optional
        The axes that the kernel's axes lie on, in their order: ``axes=(1, 2)`` for a batch
        (N, H, W). All other axes number images, which are convolved in one go on all cores.
    channel_axis : int, optional
        The axis of channels; the kernel lies on all others. By default the last axis holds
        channels if it has at most 4 and all others are larger; where that leaves a doubt, one of
        ``channel_axis`` and ``axes`` is needed.
    engine : str
        ``auto`` or a name of :func:`convtool.engines`. ``separable:rank=2`` insists on a rank.
    dtype : dtype, optional
        Type of the answer: by default float64 for float64 images, else float32; complex where
        image or kernel is. Integer types are rounded half to even and saturate, they never wrap;
        NaN becomes 0 there.
    out : ndarray, optional
        Where to write the answer; its type is the answer's. It may be the image itself, which then
        takes little more memory than the image.
    threads : int, optional
        By default ``CONVTOOL_NUM_THREADS``, else all cores that the process may use. The answer
        does not depend on it.

    Returns
    -------
    ndarray
        Axes as the image's, (H', W') or (H', W', C) for a picture; in units of the image times
        those of the kernel.

    Raises
    ------
    KernelError
        If the kernel is not of finite numbers and of one to three dimensions.
    ShapeError
        If the image's shape leaves open which axes the kernel lies on, or no output is left.
    PixelTypeError
        If the image is of objects, text or extended precision.
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

    Complex images and kernels are convolved by parts, as in scipy.ndimage: a part that is NaN makes
    NaN only of what it is multiplied with.

    Signals differ from ``np.convolve`` in three points. Mode ``same`` here has the length of the
    signal and a border, as ``scipy.ndimage.convolve1d``; ``np.convolve`` returns the length of the
    longer operand, takes zeros beyond the edge, and centres kernels of even length one sample
    earlier: ``border="constant", origin=-1`` gives the same for those. Mode ``valid`` does not swap
    the two where the kernel is longer than the signal, but raises an error. Integers come back as
    float32 unless ``dtype`` says otherwise.

    Examples
    --------
    >>> image = np.array([[94, 50, 221], [98, 109, 50], [49, 213, 91]])
    >>> kernel = [[2, 2, 1], [1, 0, -2], [-2, 2, 2]]
    >>> float(convolve(image, kernel, mode="valid")[0, 0])
    357.0
    >>> convolve(image.astype(np.uint8), "box", dtype=np.uint8)[1, 1]
    np.uint8(108)
    >>> convolve([1.0, 2.0, 4.0], [1, -1], mode="full")
    array([ 1.,  1.,  2., -4.])
    >>> convolve(np.ones((10, 32, 32)), "box:size=5", axes=(1, 2), mode="valid").shape
    (10, 28, 28)
    """
    given = (
        True,
        mode,
        border,
        cval,
        padding,
        stride,
        engine,
        dtype,
        threads,
        axis,
        axes,
        channel_axis,
        origin,
        delta,
    )
    return _convolved(image, kernel, given, out)


def correlate(
    image: ArrayLike,
    kernel: ArrayLike | str,
    *,
    mode: Mode = "same",
    border: Border | Sequence[Border] | None = None,
    cval: complex = 0.0,
    padding: int | Sequence[int] | None = None,
    stride: int | Sequence[int] = 1,
    origin: int | Sequence[int] = 0,
    delta: complex = 0.0,
    axis: int | None = None,
    axes: int | Sequence[int] | None = None,
    channel_axis: int | None = None,
    engine: Engine = "auto",
    dtype: DTypeLike | None = None,
    out: Array | None = None,
    threads: int | None = None,
) -> Array:
    """Correlate an array with a kernel: :func:`convolve` with the kernel as it is, not flipped.

    Parameters, returns and errors are those of :func:`convolve`. The window of an even kernel in
    mode ``same`` starts ``K // 2`` pixels before its output, as in ``scipy.ndimage.correlate``.
    The conjugate of a complex kernel is taken, as there and in ``np.correlate``.

    Examples
    --------
    >>> image = np.array([[94, 50, 221], [98, 109, 50], [49, 213, 91]])
    >>> kernel = [[2, 2, 1], [1, 0, -2], [-2, 2, 2]]
    >>> float(correlate(image, kernel, mode="valid")[0, 0])
    1017.0
    """
    given = (
        False,
        mode,
        border,
        cval,
        padding,
        stride,
        engine,
        dtype,
        threads,
        axis,
        axes,
        channel_axis,
        origin,
        delta,
    )
    return _convolved(image, kernel, given, out)


class ConvolveOptions(TypedDict, total=False):
    """What :func:`prepare` takes: the options of :func:`convolve`."""

    mode: Mode
    border: Border | Sequence[Border] | None
    cval: complex
    padding: int | Sequence[int] | None
    stride: int | Sequence[int]
    origin: int | Sequence[int]
    delta: complex
    axis: int | None
    axes: int | Sequence[int] | None
    channel_axis: int | None
    engine: Engine
    out_dtype: DTypeLike | None
    threads: int | None


class PreparedConvolution:
    """What :func:`prepare` returns: call it with images of one shape and type.

    Attributes
    ----------
    shape : tuple of int
        The answer's shape.
    dtype : dtype
        The answer's type.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: DType, flipped: bool, ready: Convolution
    ) -> None:
        self._image_shape, self._image_dtype, self._ready = shape, dtype, ready
        self._name = "convolution" if flipped else "correlation"
        self.shape, self.dtype = ready.shape, ready.dtype

    def __repr__(self) -> str:
        given = f"{self._image_shape} {self._image_dtype}"
        return f"<prepared {self._name}: {given} to {self.shape} {self.dtype}>"

    def __call__(self, image: ArrayLike, out: Array | None = None) -> Array:
        """Return the answer for an image.

        Parameters
        ----------
        image : array_like
            Of the shape and type that were given to :func:`prepare`; fastest where C-contiguous.
        out : ndarray, optional
            Where to write the answer, of its ``shape`` and ``dtype``.

        Raises
        ------
        ShapeError, PixelTypeError
            If the image is of another shape or type.
        OptionError
            If ``out`` is no array of the answer's type that can be written to.
        """
        pixels = image if type(image) is np.ndarray else arrays.adopt(image)
        if pixels.shape != self._image_shape:
            raise ShapeError(f"prepared for images of {self._image_shape}, not {pixels.shape}")
        if pixels.dtype != self._image_dtype:
            raise PixelTypeError(f"prepared for pixels of {self._image_dtype}, not {pixels.dtype}")
        return self._ready(pixels, out)


def prepare(
    kernel: ArrayLike | str,
    shape: Sequence[int],
    dtype: DTypeLike,
    *,
    flipped: bool = True,
    **options: Unpack[ConvolveOptions],
) -> PreparedConvolution:
    """Prepare a convolution for many images of one shape and type, to be called in a loop.

    A call does what :func:`convolve` does and costs at most a few microseconds beside the
    arithmetic: kernel and options are validated and the engine is planned here, once, for the
    threads and the calibration of this moment.

    Parameters
    ----------
    kernel
        As for :func:`convolve`.
    shape : sequence of int
        The images' shape.
    dtype : dtype
        Their type.
    flipped : bool
        True prepares a convolution, False a correlation.
    **options
        Those of :func:`convolve`, but for ``out``; the answer's type is ``out_dtype``.

    Returns
    -------
    callable
        ``(image, out=None) -> ndarray``, with the answer's ``shape`` and ``dtype``.

    Raises
    ------
    KernelError, ShapeError, PixelTypeError, OptionError, EngineError
        As :func:`convolve` does.

    Examples
    --------
    >>> smooth = prepare("gaussian:sigma=1", (32, 32), np.float32)
    >>> smooth(np.ones((32, 32), np.float32)).shape
    (32, 32)
    """
    sizes, image_type = described(shape, dtype)
    unknown = options.keys() - ConvolveOptions.__annotations__.keys()
    if unknown:
        valid = ", ".join(ConvolveOptions.__annotations__)
        raise OptionError(f"prepare has no option {min(unknown)!r}; it takes flipped, {valid}")
    known: dict[str, Any] = dict(options)
    known["dtype"] = known.pop("out_dtype", None)
    everything = Options(bool(flipped), **known)
    weights = weights_of(kernel, len(sizes), everything)
    ready = made(sizes, image_type, weights, everything)
    return PreparedConvolution(sizes, image_type, everything.flipped, ready)


def plan(
    shape: Sequence[int],
    dtype: DTypeLike,
    kernel: ArrayLike | str,
    *,
    mode: Mode = "same",
    border: Border | Sequence[Border] | None = None,
    padding: int | Sequence[int] | None = None,
    stride: int | Sequence[int] = 1,
    axis: int | None = None,
    axes: int | Sequence[int] | None = None,
    channel_axis: int | None = None,
    engine: Engine = "auto",
    out_dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> Plan:
    """Return which engine :func:`convolve` takes, and why.

    The plan depends on these parameters, on the calibration and on what is installed, not on what
    the process has done before.

    Parameters
    ----------
    shape : sequence of int
        The image's shape. Of a batch, one image is planned.
    dtype : dtype
        Its type.
    kernel, mode, border, padding, stride, axis, axes, channel_axis, engine, threads
        As for :func:`convolve`, the kernel of one or two dimensions and real.
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
    sizes, image_type = described(shape, dtype)
    options = Options(
        True,
        mode,
        border,
        0.0,
        padding,
        stride,
        engine,
        out_dtype,
        threads,
        axis,
        axes,
        channel_axis,
    )
    return plan_for(sizes, image_type, weights_of(kernel, len(sizes), options), options)
