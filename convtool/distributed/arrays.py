"""Lazy convolution of Dask arrays: validated, and done by blocks that suit the kernel."""

import math
from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, DTypeLike

from convtool.arrays import check_type
from convtool.convolution.axes import kernel_axes
from convtool.convolution.dimensions import is_picture, weights_of
from convtool.convolution.prepared import Options
from convtool.convolution.types import Border, Engine, Mode
from convtool.distributed.padded import filtered_by_padding
from convtool.distributed.planes import filtered_by_blocks
from convtool.errors import OptionError, PixelTypeError, ShapeError
from convtool.extras import need


def filtered(image: Any, kernel: ArrayLike | str, options: Options, out: object = None) -> Any:
    """Convolve a Dask array: what the public functions do; see :func:`convolve`.

    Parameters
    ----------
    options : Options
        The options, as they were given.
    out : None
        There is no array to write to before the answer is computed.
    """
    need("cluster", "dask")
    import dask.array

    if not isinstance(image, dask.array.Array):
        raise PixelTypeError(
            f"a Dask array is needed, not {type(image).__name__}; "
            "dask.array.from_array(image, chunks=2048) makes one"
        )
    if out is not None:
        raise OptionError("out cannot be written yet: a Dask array is computed later; leave it out")
    if any(map(math.isnan, image.shape)):
        raise ShapeError("the image's shape is unknown; call image.compute_chunk_sizes()")
    check_type(image.dtype)
    if 0 in image.shape:
        raise ShapeError(f"the image is empty: its shape is {image.shape}")
    weights = weights_of(kernel, image.ndim, options)
    if is_picture(image.shape, image.dtype, weights, options):
        return filtered_by_blocks(image, weights, options)
    given = (options.axis, options.axes, options.channel_axis)
    where = kernel_axes(image.shape, weights.ndim, *given)
    return filtered_by_padding(image, weights, where, options)


def convolve(
    image: Any,
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
    threads: int | None = None,
) -> Any:
    """Convolve a Dask array with a kernel (the kernel is flipped), lazily.

    :func:`convtool.convolve` does the same for a Dask array.

    Parameters
    ----------
    image : dask.array.Array
        As for :func:`convtool.convolve`, in blocks of any sizes.
    kernel, mode, border, cval, padding, stride, origin, delta
        As for :func:`convtool.convolve`.
    axis, axes, channel_axis, engine, dtype
        As for :func:`convtool.convolve`.
    threads : int, optional
        Threads of each block; 1 by default, as Dask runs several blocks at once.

    Returns
    -------
    dask.array.Array
        The result of :func:`convtool.convolve` on the whole image. Its blocks are the image's;
        blocks shorter than the halo are merged with their neighbours.

    Raises
    ------
    OptionError
        If Dask is missing, or as :func:`convtool.convolve` does.
    PixelTypeError
        If the image is not a Dask array, or as :func:`convtool.convolve` does.
    ShapeError, KernelError, EngineError
        As :func:`convtool.convolve` does; also if the image's shape is unknown.

    Notes
    -----
    A block's task reads its own block and the halo from its neighbours, beyond the image's edges by
    the border's rule. All blocks of a picture, (H, W) or (H, W, C), use the plan of
    :func:`convtool.plan` for the whole image; with ``engine="auto"``, blocks with NaN or inf are
    planned separately. Where the kernel lies on other axes, or has one dimension or three, or there
    are several borders, ``origin``, ``delta`` or complex numbers, each block is planned by itself.

    For pictures the engines ``direct``, ``separable`` and ``scipy`` give bit-identical results to
    the whole image, and so does ``numba`` except for its running sums (kernels of 25 or more equal
    weights), which restart in every block. Those, ``fft``, whose tiles are placed differently, and
    ``opencv``, which sums the last columns in another order, differ in the last bits: within 4e-6
    (float32) or 1e-13 (float64) of max|image| · sum|kernel|.

    Examples
    --------
    >>> import dask.array
    >>> image = dask.array.ones((4000, 6000), chunks=1000, dtype="uint8")
    >>> blurred = convolve(image, "gaussian:sigma=3", border="mirror")
    >>> blurred.shape, blurred.numblocks, blurred.dtype
    ((4000, 6000), (4, 6), dtype('float32'))
    """
    options = Options(
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
    return filtered(image, kernel, options)


def correlate(
    image: Any,
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
    threads: int | None = None,
) -> Any:
    """Correlate a Dask array with a kernel (the kernel is not flipped), lazily.

    Parameters, returns and errors are those of :func:`convolve`; the anchor of an even kernel is
    that of :func:`convtool.correlate`.

    Examples
    --------
    >>> import dask.array
    >>> image = dask.array.arange(12, chunks=5, dtype="float32").reshape(3, 4)
    >>> correlate(image, [[0, 0, 1]], border="constant").compute()[0]
    array([1., 2., 3., 0.], dtype=float32)
    """
    options = Options(
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
    return filtered(image, kernel, options)
