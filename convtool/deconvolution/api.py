"""The public functions: validate, choose, run, and report the lost frequencies."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convtool.arrays import adopt
from convtool.convolution import borders, dtypes
from convtool.convolution.prepared import check_image
from convtool.deconvolution.blur import Blur, Plane
from convtool.deconvolution.richardson_lucy import richardson_lucy
from convtool.deconvolution.spectrum import Spectrum
from convtool.deconvolution.wiener import wiener
from convtool.errors import KernelError, NonFiniteError, OptionError, check_choice
from convtool.kernels.argument import as_kernel
from convtool.kernels.weights import Weights
from convtool.records import Record

METHODS = {
    "wiener": "one step: least squares, rough answers cost the more the more noise there is",
    "richardson-lucy": "iterations: the likeliest picture of photon counts, never negative",
}
"""Names of the methods and what each does."""

ITERATIONS = 30
"""Of Richardson and Lucy's, unless told otherwise."""

_FLOAT_ROUNDING = 16


class Options(Record):
    """The options of `deconvolve`, as they were given."""

    method: str = "wiener"
    noise: float | None = None
    balance: float | None = None
    iterations: int | None = None
    border: str = "reflect"
    cval: float = 0.0
    correlate: bool = False
    threads: int | None = None


class Restored(Record, eq=False):
    """A picture before its blur, and what is known about the way back.

    Attributes
    ----------
    values : ndarray
        float64, of the shape of the blurred picture and in its units.
    method : str
        A key of `METHODS`.
    noise : float
        The standard deviation that was reckoned with, rounding included.
    balance : float
        λ, how much a rough answer costs: it follows from the noise unless it was given.
    iterations : int or None
        Of Richardson and Lucy's.
    residual : float
        Root of the mean square of K∗x − y: how well the answer explains the blurred picture.
    lost : float
        The share, 0 to 1, of frequencies that the kernel left less of than the noise: they cannot
        come back.
    zeros : float
        The share of frequencies at which the kernel's spectrum is zero.
    """

    values: NDArray[Any]
    method: str
    noise: float
    balance: float
    iterations: int | None
    residual: float
    lost: float
    zeros: float


def deconvolve(
    image: ArrayLike,
    kernel: ArrayLike | str,
    *,
    method: str = "wiener",
    noise: float | None = None,
    balance: float | None = None,
    iterations: int | None = None,
    border: str = "reflect",
    cval: float = 0.0,
    correlate: bool = False,
    threads: int | None = None,
) -> NDArray[Any]:
    """Undo the blur of an image by a known kernel.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C)
        Real, finite pixels: what :func:`convtool.convolve` with this kernel and border gave; each
        channel is restored on its own.
    kernel : array_like, shape (KH, KW), or str
        The kernel that blurred it, as for :func:`convtool.convolve`.
    method : {'wiener', 'richardson-lucy'}
        Wiener's filter with a Laplacian prior minimises ‖K∗x − y‖² + λ‖L∗x‖². Richardson and
        Lucy's iteration finds the likeliest picture of photon counts; it takes kernels without
        negative weights, and negative pixels as 0.
    noise : float, optional
        Standard deviation of the noise, in units of the image; the rounding of its type is added.
        λ is the one that leaves as much unexplained. 0 by default.
    balance : float, optional
        λ itself, as ``skimage.restoration.wiener`` takes it, in place of the noise.
    iterations : int, optional
        Of ``richardson-lucy``, 30 by default.
    border : str
        What lay beyond the edge when it was blurred, as for :func:`convtool.convolve`.
    cval : float
        The value there for ``constant``.
    correlate : bool
        Whether it was correlated: the kernel not flipped.
    threads : int, optional
        As for :func:`convtool.convolve`.

    Returns
    -------
    ndarray, shape (H, W) or (H, W, C)
        float64 for float64, float32 for other types, in units of the image.

    Raises
    ------
    KernelError
        If the kernel is not usable, is all zeros, or has negative weights or none above 0 for
        ``richardson-lucy``.
    OptionError
        If an option has a value that it cannot have, or not with this method.
    NonFiniteError
        If the image holds NaN or infinity, which would spread everywhere.
    ShapeError, PixelTypeError
        As :func:`convtool.convolve` does.

    Notes
    -----
    With the border ``wrap`` Wiener's answer is that of ``skimage.restoration.wiener``; other
    borders are solved for, not cut off.

    Examples
    --------
    >>> import convtool
    >>> sharp = np.zeros((32, 32))
    >>> sharp[8:20, 10:24] = 1
    >>> blurred = convtool.convolve(sharp, "gaussian:sigma=1")
    >>> bool(abs(convtool.deconvolve(blurred, "gaussian:sigma=1") - sharp).max() < 1e-3)
    True
    """
    options = Options(method, noise, balance, iterations, border, cval, correlate, threads)
    pixels = adopt(image, task="restored")
    found = restore(pixels, kernel, options)
    return found.values.astype(dtypes.output_type(pixels.dtype, None), copy=False)


def restore(image: ArrayLike, kernel: ArrayLike | str, options: Options) -> Restored:
    """Return what `deconvolve` does in float64, with what is known about it.

    Examples
    --------
    >>> found = restore(np.full((8, 8), 9, np.uint8), "box", Options())
    >>> round(found.noise, 4), float(found.values.mean().round(3))
    (0.2887, 9.0)
    """
    pixels = adopt(image, task="restored")
    check_image(pixels.shape, pixels.dtype)
    weights = as_kernel(kernel)
    check_method(weights, options)
    rule, outside = borders.resolve(options.border, options.cval)
    values = pixels.astype(np.float64)
    if not np.isfinite(values).all():
        raise NonFiniteError(
            "the image holds NaN or infinity, and a deconvolution would spread them everywhere; "
            "fill them first: convtool.filter_image(image, 'identity', nan='fill')"
        )
    shape = pixels.shape[0], pixels.shape[1]
    blur = Blur(weights, shape, rule, outside, not options.correlate, options.threads)
    planes = [np.ascontiguousarray(plane) for plane in _planes(values)]
    total = math.hypot(options.noise or 0.0, rounding_of(pixels))
    spectrum = Spectrum(planes, blur)
    chosen = spectrum.balance_for(total) if options.balance is None else options.balance
    times = None
    if options.method == "wiener":
        made = wiener(planes, blur, spectrum, chosen)
    else:
        times = ITERATIONS if options.iterations is None else options.iterations
        made = richardson_lucy(planes, blur, times)
    errors = [blur.forward(x) - y for x, y in zip(made, planes, strict=True)]
    residual = math.sqrt(sum(float(np.square(one).mean()) for one in errors) / len(errors))
    answer = np.stack(made, axis=2).reshape(pixels.shape)
    lost, zeros = spectrum.lost(chosen), spectrum.zeros()
    return Restored(answer, options.method, total, chosen, times, residual, lost, zeros)


def check_method(kernel: Weights, options: Options) -> None:
    """Check what can be without a picture.

    Raises
    ------
    OptionError, KernelError
        As `deconvolve` does.
    """
    method, noise, balance = options.method, options.noise, options.balance
    iterations = options.iterations
    check_choice("method", method, METHODS)
    if noise is not None and not (math.isfinite(noise) and noise >= 0):
        raise OptionError(f"noise must be a standard deviation, 0 or more, not {noise}")
    if balance is not None and not (math.isfinite(balance) and balance > 0):
        raise OptionError(f"balance must be a finite number above 0, not {balance}")
    if balance is not None and (noise is not None or method != "wiener"):
        other = "the noise" if noise is not None else f"method {method}"
        raise OptionError(f"balance is Wiener's own and follows from the noise; leave {other} out")
    if iterations is not None and method != "richardson-lucy":
        raise OptionError(f"iterations are of method richardson-lucy; {method} takes one step")
    if iterations is not None and (int(iterations) != iterations or iterations < 1):
        raise OptionError(f"iterations must be a whole number above 0, not {iterations}")
    if not kernel.any():
        raise KernelError("a kernel of zeros leaves nothing to restore; give the one that blurred")
    if method == "richardson-lucy" and (kernel < 0).any():
        total = " and sums to 0" if abs(kernel.sum()) < 1e-9 * np.abs(kernel).sum() else ""
        raise KernelError(
            f"the kernel has negative weights{total}: richardson-lucy undoes blurs, whose weights "
            "are 0 or more; use method wiener"
        )


def rounding_of(pixels: NDArray[Any]) -> float:
    """Return the standard deviation of what was rounded off when pixels were stored.

    Examples
    --------
    >>> round(rounding_of(np.zeros(1, np.uint16)), 4)
    0.2887
    """
    if pixels.dtype.kind in "biu":
        return 1 / math.sqrt(12)
    unit = float(np.finfo(pixels.dtype).eps) * float(np.abs(pixels).max())
    return unit / math.sqrt(12) if pixels.dtype == np.float16 else _FLOAT_ROUNDING * unit


def _planes(values: NDArray[np.float64]) -> list[Plane]:
    cube = values.reshape(*values.shape[:2], -1)
    return [cube[:, :, channel] for channel in range(cube.shape[2])]
