"""Compare two pictures, channel by channel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.errors import OptionError, ShapeError
from convtool.images.image import Image, Pixels
from convtool.records import Record
from convtool.svd.metrics import decibels, mse, ssim

NAMES = {
    1: ("gray",),
    2: ("gray", "alpha"),
    3: ("red", "green", "blue"),
    4: ("red", "green", "blue", "alpha"),
}


class Difference(Record):
    """Error metrics of two pictures, for one channel or all."""

    channel: str
    """``all`` or the channel's name."""
    mse: float
    psnr: float
    ssim: float
    """Mean-square error in squared pixel units; PSNR in dB; structural similarity."""
    largest: float
    """The largest absolute difference, in pixel units."""
    where: tuple[int, int]
    """(row, column) of the first pixel with the largest difference."""


def differences(a: Image, b: Image) -> list[Difference]:
    """Compare two pictures: over all channels, then in each of several channels.

    Parameters
    ----------
    a, b : Image
        Pictures of one size, depth and number of channels.

    Returns
    -------
    list of Difference
        NaN counts as the largest possible difference, except where both pictures have NaN.

    Raises
    ------
    ShapeError, OptionError
        If size, channels or depth differ.

    Examples
    --------
    >>> a, b = (Image(np.array([[0, level]], np.uint8)) for level in (9, 5))
    >>> (one,) = differences(a, b)
    >>> one.mse, one.largest, one.where
    (8.0, 4.0, (0, 1))
    """
    _check(a, b)
    first, second = (np.atleast_3d(_wide(image.pixels)) for image in (a, b))
    whole = [_difference("all", first, second, a.peak)]
    if a.channels == 1:
        return whole
    named = zip(NAMES[a.channels], range(a.channels), strict=True)
    return whole + [
        _difference(name, first[:, :, c : c + 1], second[:, :, c : c + 1], a.peak)
        for name, c in named
    ]


def magnitude(a: Image, b: Image) -> Pixels:
    """Return the absolute difference of two pictures, as a picture of the same type.

    Examples
    --------
    >>> a, b = (Image(np.array([[level]], np.uint8)) for level in (5, 9))
    >>> magnitude(a, b)
    array([[4]], dtype=uint8)
    """
    _check(a, b)
    gap: NDArray[np.float64] = np.abs(_wide(a.pixels) - _wide(b.pixels))
    if a.has_alpha:
        gap[..., -1] = a.peak
    return gap.astype(a.pixels.dtype)


def _check(a: Image, b: Image) -> None:
    if (a.height, a.width) != (b.height, b.width):
        raise ShapeError(
            f"pictures of {a.width}×{a.height} and {b.width}×{b.height} pixels; give equal sizes"
        )
    if a.channels != b.channels:
        raise ShapeError(
            f"pictures of {a.channels} and {b.channels} channels; give both grey or both colour, "
            "both with alpha or both without"
        )
    if a.depth != b.depth:
        raise OptionError(
            f"pictures of depth {a.depth} and {b.depth}; convert one to the other's first, "
            f"for example by: convtool filter -k identity --depth {a.depth}"
        )


def _wide(pixels: Pixels) -> NDArray[np.float64]:
    return pixels.astype(np.float64)


def _difference(name: str, a: NDArray[Any], b: NDArray[Any], peak: float) -> Difference:
    same = np.isnan(a) & np.isnan(b)
    with np.errstate(invalid="ignore"):
        gap = np.where(same | (a == b), 0.0, np.abs(a - b))
    gap[np.isnan(gap)] = np.inf
    row, column, _ = np.unravel_index(int(gap.argmax()), gap.shape)
    largest = float(gap.max())
    error = mse(np.zeros_like(gap), gap) if np.isfinite(largest) else np.inf
    level = decibels(error, peak) if np.isfinite(error) else -np.inf
    similar = (
        ssim(np.where(same, 0.0, a), np.where(same, 0.0, b), peak) if np.isfinite(largest) else 0.0
    )
    return Difference(name, error, level, similar, largest, (int(row), int(column)))
