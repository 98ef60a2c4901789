"""NaN and infinity in pictures of floats: kept, filled from their neighbours, or refused.

References
----------
H. Knutsson, C.-F. Westin, "Normalized and differential convolution", CVPR 1993, section 3: each
window's answer is divided by the weight of what is known in it. ``astropy.convolution.convolve``
does so by default (``nan_treatment="interpolate"``).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from convtool.errors import NonFiniteError
from convtool.images.image import Pixels
from convtool.images.tone import Values, to_working
from convtool.kernels.spec import KernelSpec, parse

RULES = ("keep", "fill", "refuse")
"""What becomes of NaN and infinity: they stay, and spread as far as the kernel reaches; they are
filled from the pixels around them; or a picture with any is refused."""

_NAMES = {2: "LA", 3: "RGB", 4: "RGBA"}

_ROUNDING = 64
"""Sums of weights that differ by less than this many times the type's precision are equal."""


def missing(values: Pixels) -> NDArray[np.bool_] | None:
    """Return where values are NaN or infinite; None where none is.

    Examples
    --------
    >>> missing(np.array([[1.0, np.nan]])), missing(np.array([[1, 2]]))
    (array([[False,  True]]), None)
    """
    if values.dtype.kind != "f":
        return None
    holes: NDArray[np.bool_] = ~np.isfinite(values)
    return holes if bool(holes.any()) else None


def marked(pixels: Pixels, nodata: float | None) -> Pixels:
    """Return pixels with NaN in the place of a value that stands for missing ones.

    Examples
    --------
    >>> marked(np.array([[5, -9999]], np.int16), -9999.0)
    array([[ 5., nan]])
    """
    if nodata is None:
        return pixels
    value = pixels.dtype.type(nodata) if pixels.dtype.kind == "f" else nodata
    holes, values = pixels == value, to_working(pixels)
    return np.where(holes, values.dtype.type(np.nan), values)


def counted(
    pixels: Pixels,
    rows: NDArray[np.intp] | None = None,
    columns: NDArray[np.intp] | None = None,
    nodata: float | None = None,
) -> str:
    """Say how many pixels are not finite and where the first is; nothing if all are.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, C)
        The pixels of a picture, or of a part of it.
    rows, columns : ndarray of int, optional
        Where each row and column of a part lies in the picture.
    nodata : float, optional
        A value that stands for missing ones, which count.

    Examples
    --------
    >>> counted(np.array([[7, -9]], np.int16), nodata=-9.0)
    '1 value is NaN, infinite or nodata, the first (-9) at x 1, y 0'
    >>> counted(np.array([[1.0, np.nan]]))
    '1 value is NaN or infinite, the first (nan) at x 1, y 0'
    """
    holes = missing(pixels if nodata is None else marked(pixels, nodata))
    if holes is None:
        return ""
    count = int(np.count_nonzero(holes))
    y, x, *channel = (int(n) for n in np.unravel_index(int(holes.argmax()), holes.shape))
    place = x if columns is None else columns[x], y if rows is None else rows[y]
    where = "x {}, y {}".format(*place)
    if channel:
        names = _NAMES.get(pixels.shape[-1], "")
        where += f", channel {names[channel[0]] if names else channel[0] + 1}"
    values = "1 value is" if count == 1 else f"{count} values are"
    kinds = "NaN or infinite" if nodata is None else "NaN, infinite or nodata"
    return f"{values} {kinds}, the first ({pixels[y, x, *channel]}) at {where}"


def refuse(
    pixels: Pixels,
    rows: NDArray[np.intp] | None = None,
    columns: NDArray[np.intp] | None = None,
) -> None:
    """Refuse pixels of which any is not finite.

    Parameters
    ----------
    pixels, rows, columns
        As for `counted`.

    Raises
    ------
    NonFiniteError
        It says how many, and where the first is.
    """
    found = counted(pixels, rows, columns)
    if found:
        raise NonFiniteError(f"{found}; use `nan='fill'` or keep")


def averages(spec: KernelSpec) -> bool:
    """Tell whether a kernel is a weighted mean, whose answer part of its window can give.

    Examples
    --------
    >>> averages(parse("gaussian")), averages(parse("sharpen-5"))
    (True, False)
    """
    weights = spec.weights
    return not spec.is_group and bool(weights.min() >= 0 and weights.sum() > 0)


def normalised(
    convolve: Callable[[Values, float], Values],
    values: Values,
    holes: NDArray[np.bool_],
    total: float,
    cval: float,
) -> Values:
    """Convolve what is known: each window's mean of its known pixels, times the kernel's sum.

    Parameters
    ----------
    convolve : callable
        ``convolve(values, cval)`` applies the kernel, with a value beyond the edge.
    values : ndarray
        The values.
    holes : ndarray of bool
        Which of them are missing.
    total : float
        The sum of the kernel's weights, none of which is negative.
    cval : float
        The value beyond the edge, where the border is a constant; it counts as known.

    Returns
    -------
    ndarray
        As without holes where a window has none, and NaN where it knows no pixel.

    Examples
    --------
    >>> from convtool.convolution.api import convolve
    >>> row, box = np.array([[1.0, np.nan, 3.0, 3.0, 9.0]]), np.ones((1, 3))
    >>> def mean(values, cval):
    ...     return convolve(values, box, border="nearest", cval=cval)
    >>> normalised(mean, row, np.isnan(row), 3.0, 0.0)
    array([[ 3.,  6.,  9., 15., 21.]])
    """
    answer = convolve(np.where(holes, values.dtype.type(0), values), cval)
    gap = convolve(holes.astype(values.dtype), 0.0)
    known, nothing = total - gap, _ROUNDING * np.finfo(answer.dtype).eps * total
    with np.errstate(all="ignore"):
        filled = np.where(known > nothing, answer * (total / known), np.nan)
    return np.where(gap > nothing, filled, answer).astype(answer.dtype, copy=False)


def replaced(values: Pixels) -> Pixels:
    """Put a mean of the known pixels around it in the place of each missing one.

    Parameters
    ----------
    values : ndarray, shape (H, W) or (H, W, C)
        Each channel is filled on its own.

    Returns
    -------
    ndarray
        The values themselves where none is missing, else a copy. The mean is weighted by a
        Gaussian of one pixel; where that reaches no known pixel, of twice as many, and so on. A
        channel of which no value is known stays as it is.

    Examples
    --------
    >>> replaced(np.array([[1.0, 1.0, 1.0], [3.0, np.inf, 3.0]])).round(2)
    array([[1.  , 1.  , 1.  ],
           [3.  , 1.95, 3.  ]])
    """
    holes = missing(values)
    if holes is None:
        return values
    answer, sigma = values.copy(), 1
    hopeless = holes.all(axis=(0, 1))
    while bool((holes & ~hopeless).any()) and sigma < 2 * max(values.shape):
        answer[holes] = _mean_of_known(answer, holes, sigma)[holes]
        holes, sigma = ~np.isfinite(answer), 2 * sigma
    return answer


def _mean_of_known(values: Values, holes: NDArray[np.bool_], sigma: int) -> Values:
    from convtool.convolution.api import convolve

    weights = parse(f"gaussian:sigma={sigma}").weights
    known = np.where(holes, values.dtype.type(0), values)

    def spread(plane: Values) -> Values:
        """Sum the weighted neighbours of each pixel."""
        return convolve(plane, weights, border="constant")

    sums, seen = spread(known), spread((~holes).astype(values.dtype))
    with np.errstate(all="ignore"):
        return np.where(seen > _ROUNDING * np.finfo(seen.dtype).eps, sums / seen, np.nan)
