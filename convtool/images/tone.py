"""Tone: how computed values become pixels, and colours become grey.

Everything about depth and range is here. Values are in the units of the picture they were computed
from: 0 to 255, 0 to 65535, 0 to 1.0 for floats, or those of another of `PIXEL_TYPES`.
"""

from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.convolution.threads import count, for_each
from convtool.errors import check_choice
from convtool.images.image import PIXEL_TYPES, Pixels, PixelType, peak_of, type_of
from convtool.records import Record

Values = NDArray[Any]
"""An array of float32 or float64 values in the units of a picture."""

LUMA = (0.299, 0.587, 0.114)
"""The shares of red, green and blue in grey (ITU-R BT.601-7, section 2.5.1)."""

OUTPUT_DEPTHS: dict[str, str | None] = {
    "keep": None,
    "8": "uint8",
    "16": "uint16",
    "float": "float32",
    "float32": "float32",
}
"""The words for the depth of an output, and the type each makes."""

_STRIP_BYTES = 1 << 18


class Fit(Record):
    """How values are moved before they are stored: ``(v - base) · gain``, perhaps of ``abs(v)``."""

    base: float = 0.0
    gain: float = 1.0
    absolute: bool = False


class Extent:
    """The smallest and largest of values that come piece by piece, NaN and inf aside.

    Examples
    --------
    >>> extent = Extent()
    >>> for piece in ([3.0, np.nan], [5.0, 13.0]):
    ...     extent.add(np.array(piece))
    >>> extent.stretched(100.0)
    Fit(base=3.0, gain=10.0, absolute=False)
    """

    def __init__(self, low: float = np.inf, high: float = -np.inf) -> None:
        self.low, self.high = low, high

    def add(self, values: Values) -> None:
        """Take more values into account."""
        low, high = float(values.min()), float(values.max())
        if not np.isfinite(high - low):
            finite = values[np.isfinite(values)]
            if not finite.size:
                return
            low, high = float(finite.min()), float(finite.max())
        self.low, self.high = min(self.low, low), max(self.high, high)

    def stretched(self, peak: float) -> Fit:
        """Return the map that sends the smallest value to 0 and the largest to ``peak``."""
        low, high = (self.low, self.high) if self.low <= self.high else (0.0, 0.0)
        return Fit(base=low, gain=peak / (high - low) if high > low else 0.0)


def _stretch(values: Values, peak: float) -> Fit:
    extent = Extent()
    extent.add(values)
    return extent.stretched(peak)


FIXED_RANGES: dict[str, Callable[[float], Fit]] = {
    "clip": lambda peak: Fit(),
    "abs": lambda peak: Fit(absolute=True),
    "offset": lambda peak: Fit(base=-peak / 2),
}
"""The ranges that move each value alike, whatever the others are; from white's value."""

MEASURED_RANGES: dict[str, Callable[[Values, float], Fit]] = {"stretch": _stretch}
"""The ranges that must see all values first; from those and white's value."""

RANGES = (*FIXED_RANGES, *MEASURED_RANGES)
"""How negative and overflowing values reach the output's range, all ending in a clip: as they are;
their magnitudes; half the peak added; smallest to largest (NaN and inf aside) onto 0 to peak."""


class Toned(Record, eq=False):
    """Pixels in the output's type."""

    pixels: Pixels
    """Of the output's type."""
    clipped: int = 0
    """How many values lay outside the output's range."""
    nans: int = 0
    """How many values were NaN and became 0; those in floats stay and are not counted."""


def to_working(pixels: Pixels) -> Values:
    """Return pixels as floats in their own units, in the type that holds them exactly.

    Examples
    --------
    >>> to_working(np.array([[0, 255]], np.uint8))
    array([[  0., 255.]], dtype=float32)
    """
    return pixels.astype(working_dtype(pixels.dtype), copy=False)


def working_dtype(dtype: np.dtype[Any] | PixelType) -> np.dtype[Any]:
    """Return the float type that pixels of a type are computed in."""
    return np.dtype(type_of(dtype).working)


def to_gray(pixels: Pixels, *, threads: int | None = None) -> Values:
    """Return the luma of colours, 0.299 R + 0.587 G + 0.114 B.

    Parameters
    ----------
    pixels : ndarray, shape (H, W, 3)
        Colours of any type.
    threads : int, optional
        How many threads work.

    Returns
    -------
    ndarray, shape (H, W)
        Of the type that the pixels are computed in, in their units, not rounded.

    Examples
    --------
    >>> to_gray(np.array([[[255, 0, 0]]], np.uint8)).round(3)
    array([[76.245]], dtype=float32)
    """
    dtype = working_dtype(pixels.dtype)
    gray = np.empty(pixels.shape[:2], dtype)
    weights = np.array(LUMA, dtype)

    def strip(rows: slice) -> None:
        np.matmul(to_working(pixels[rows]), weights, out=gray[rows])

    _in_strips(strip, gray, threads)
    return gray


def output_type(depth: str, source: np.dtype[Any] | PixelType) -> PixelType:
    """Return the type of pixels of a depth, for a picture made from pixels of type ``source``.

    Raises
    ------
    OptionError
        If the depth is none of `OUTPUT_DEPTHS`.

    Examples
    --------
    >>> output_type("float", np.dtype("uint8")).name
    'float32'
    """
    check_choice("depth", depth, OUTPUT_DEPTHS)
    name, own = OUTPUT_DEPTHS[depth], type_of(source)
    if name is None or (depth == "float" and not own.is_integer):
        return own
    return PIXEL_TYPES[name]


def fit_for(range: str, values: Values, peak: float) -> Fit:
    """Return how a range moves values, given those and white's value.

    Raises
    ------
    OptionError
        If there is no such range.

    Examples
    --------
    >>> fit_for("stretch", np.array([-1.0, 4.0]), 255.0)
    Fit(base=-1.0, gain=51.0, absolute=False)
    """
    check_choice("range", range, RANGES)
    fixed = FIXED_RANGES.get(range)
    return fixed(peak) if fixed else MEASURED_RANGES[range](values, peak)


def moved(values: Values, fit: Fit, ratio: float = 1.0) -> Values:
    """Return values as a fit moves them, scaled from one peak to another, not rounded.

    Examples
    --------
    >>> moved(np.array([-2.0, 3.0]), Fit(absolute=True), 257.0)
    array([514., 771.])
    """
    answer = values.copy()
    with np.errstate(all="ignore"):
        _move(answer, fit, ratio)
    return answer


def finish(
    values: Values,
    *,
    source: np.dtype[Any] | PixelType,
    depth: str = "keep",
    range: str = "clip",
    fit: Fit | None = None,
    missing: float | None = None,
    threads: int | None = None,
) -> Toned:
    """Turn computed values into pixels.

    Parameters
    ----------
    values : ndarray of float32 or float64
        In the units of the picture that they were computed from; not changed.
    source : dtype or PixelType
        The type of that picture's pixels.
    depth : {'keep', '8', '16', 'float'}
        The depth of the result. From one depth to another white stays white: 255, 65535 and 1.0
        are the same, so that 8 bits become 16 by the factor 257.
    range : {'clip', 'abs', 'offset', 'stretch'}
        How values below 0 or above white are treated, see `RANGES`.
    fit : Fit, optional
        How values are moved, in place of what the range says.
    missing : float, optional
        What NaN becomes, instead of 0 in integers and itself in floats.
    threads : int, optional
        How many threads work.

    Returns
    -------
    Toned
        Pixels of the shape of ``values``. Integers are rounded half to even and saturate, NaN
        becomes 0 in them; floats hold everything, so that nothing is clipped there.

    Raises
    ------
    OptionError
        If there is no such depth or range.

    Examples
    --------
    >>> edges = np.array([[-300.0, 2.5, 254.7]])
    >>> finish(edges, source=np.dtype("uint8")).pixels
    array([[  0,   2, 255]], dtype=uint8)
    >>> finish(edges, source=np.dtype("uint8"), depth="16", range="abs").pixels
    array([[65535,   642, 65458]], dtype=uint16)
    """
    fit = fit or fit_for(range, values, peak_of(source))
    finisher = Finisher(source, output_type(depth, source), fit, missing=missing)
    pixels = np.empty(values.shape, finisher.dtype)
    _in_strips(lambda rows: finisher(values[rows].copy(), pixels[rows]), values, threads)
    return Toned(pixels, finisher.clipped, finisher.nans)


class Finisher:
    """Turns computed values into pixels, piece by piece, and counts what does not fit.

    Several threads may call it at once.

    Parameters
    ----------
    source, dtype : dtype or PixelType
        The type of the pixels that the values were computed from, and of those to make.
    fit : Fit
        How the values are moved.
    bias : float
        Added to the values before that.
    missing : float, optional
        What NaN becomes, which is not counted then.

    Attributes
    ----------
    clipped, nans : int
        How many values lay outside the range so far, and how many were NaN; as in `Toned`.

    Examples
    --------
    >>> finisher, pixels = Finisher(np.dtype("uint8"), np.dtype("uint8"), Fit()), np.zeros(3, "u1")
    >>> finisher(np.array([-4.0, 2.6, 300.0]), pixels)
    >>> pixels.tolist(), finisher.clipped
    ([0, 3, 255], 2)
    """

    def __init__(
        self,
        source: np.dtype[Any] | PixelType,
        dtype: np.dtype[Any] | PixelType,
        fit: Fit,
        bias: float = 0.0,
        missing: float | None = None,
    ) -> None:
        self._type = type_of(dtype)
        self.dtype, self.clipped, self.nans = self._type.dtype, 0, 0
        self._fit, self._bias, self._missing = fit, bias, missing
        self._ratio = self._type.peak / peak_of(source)
        self._lock = Lock()

    def __call__(self, values: Values, out: Pixels) -> None:
        """Write values, which are changed, into pixels of the same shape."""
        with np.errstate(all="ignore"):
            if self._bias:
                values += self._bias
            _move(values, self._fit, self._ratio)
            if self._missing is not None:
                np.copyto(values, self._missing, where=np.isnan(values))
            if self._type.is_integer:
                clipped, nans = _to_integers(values, self._type)
                with self._lock:
                    self.clipped += clipped
                    self.nans += nans
            np.copyto(out, values, casting="unsafe")


def _move(values: Values, fit: Fit, ratio: float) -> None:
    """Move values in place, and scale them from one peak to another."""
    if fit.absolute:
        np.abs(values, out=values)
    if fit.base:
        values -= fit.base
    if fit.gain != 1:
        values *= fit.gain
    if ratio > 1:
        values *= ratio
    elif ratio < 1:
        values /= 1 / ratio


def _to_integers(values: Values, kind: PixelType) -> tuple[int, int]:
    """Round and saturate in place; return how many values were outside, and how many NaN."""
    np.rint(values, out=values)
    smallest, largest = values.min(), values.max()
    if smallest >= kind.low and largest <= kind.peak:
        return 0, 0
    nans = 0
    if np.isnan(smallest):
        undefined = np.isnan(values)
        nans = int(np.count_nonzero(undefined))
        values[undefined] = 0
    clipped = int(np.count_nonzero(values < kind.low) + np.count_nonzero(values > kind.peak))
    np.clip(values, kind.low, kind.peak, out=values)
    return clipped, nans


def _in_strips(task: Callable[[slice], None], like: Pixels, threads: int | None) -> None:
    """Call a task on strips of rows that fit a processor's cache, on several threads."""
    height = like.shape[0]
    rows = max(1, _STRIP_BYTES * height // max(1, like.nbytes))
    tops = range(0, height, rows)
    for_each(lambda top: task(slice(top, top + rows)), tops, min(count(threads), len(tops)))
