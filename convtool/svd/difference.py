"""Compare two pictures, channel by channel."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.errors import OptionError, ShapeError
from convtool.images.image import Image, Pixels
from convtool.images.tone import OUTPUT_DEPTHS, finish
from convtool.records import Record
from convtool.svd.metrics import decibels, mse, peak_for, ssim

NAMES = {
    1: ("gray",),
    3: ("red", "green", "blue"),
}
"""The names of grey and of colours, by their number; other channels are bands."""

ALL = "all"


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
    page: int = 1
    """The page of that pixel, 1 for the first."""


def differences(a: Image, b: Image, peak: float | None = None, page: int = 1) -> list[Difference]:
    """Compare two pictures: over all channels, then in each of several channels.

    Parameters
    ----------
    a, b : Image
        Pictures of one size, depth and number of channels.
    peak : float, optional
        The largest possible value; by default that of `peak_for` for `a`.
    page : int
        The page that they are of their files.

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
    peak = peak_for([a]).value if peak is None else peak
    first, second = (np.atleast_3d(_wide(image.pixels)) for image in (a, b))
    whole = [_difference(ALL, first, second, peak, page)]
    if a.channels == 1:
        return whole
    return whole + [
        _difference(name, first[:, :, c : c + 1], second[:, :, c : c + 1], peak, page)
        for c, name in enumerate(channel_names(a))
    ]


def channel_names(image: Image) -> tuple[str, ...]:
    """Return the names of a picture's channels.

    Examples
    --------
    >>> channel_names(Image(np.zeros((1, 1, 2), np.uint8), has_alpha=True))
    ('gray', 'alpha')
    >>> channel_names(Image(np.zeros((1, 1, 2), np.uint8)))
    ('band 1', 'band 2')
    """
    count = image.channels - image.has_alpha
    names = NAMES.get(count) or tuple(f"band {number}" for number in range(1, count + 1))
    return (*names, "alpha") if image.has_alpha else names


def over_pages(pages: Sequence[tuple[Image, list[Difference]]], peak: float) -> list[Difference]:
    """Sum up the differences of all pages of two files.

    Parameters
    ----------
    pages : sequence of (Image, list of Difference)
        Each page, and its differences from the other file's page.
    peak : float
        The largest possible value.

    Returns
    -------
    list of Difference
        As for one page. Squared errors are averaged over all pixels of all pages and SSIM over
        pages, ``largest`` is that of all pages.
    """
    names = dict.fromkeys(one.channel for _, found in pages for one in found)
    return [_summed(name, pages, peak) for name in names]


def _summed(name: str, pages: Sequence[tuple[Image, list[Difference]]], peak: float) -> Difference:
    there = [
        (one, image.height * image.width * (image.channels if name == ALL else 1))
        for image, found in pages
        for one in found
        if one.channel == name
    ]
    total = sum(size for _, size in there)
    error = sum(one.mse * size for one, size in there) / total
    worst = max((one for one, _ in there), key=lambda one: one.largest)
    similar = sum(one.ssim for one, _ in there) / len(there)
    return Difference(
        name, error, _level(error, peak), similar, worst.largest, worst.where, worst.page
    )


def magnitude(a: Image, b: Image, white: float) -> Pixels:
    """Return the absolute difference of two pictures, as a picture of the same type.

    Parameters
    ----------
    a, b : Image
        Pictures of one size, depth and number of channels. Alpha is opaque in the result.
    white : float
        The difference that becomes the type's largest value; others are in proportion.

    Examples
    --------
    >>> a, b = (Image(np.array([levels], np.uint8)) for levels in ([5, 7], [9, 8]))
    >>> magnitude(a, b, 4)
    array([[255,  64]], dtype=uint8)
    """
    _check(a, b)
    gap = _gap(a, b)
    gap /= white
    gap *= a.peak
    if a.has_alpha:
        gap[..., -1] = a.peak
    return finish(gap, source=a.type).pixels


def largest_shown(pairs: Sequence[tuple[Image, Image]]) -> float | None:
    """Return the largest finite difference of colours over all pages; None if none differs.

    Examples
    --------
    >>> a, b = (Image(np.array([levels], np.uint8)) for levels in ([5, 7], [9, 8]))
    >>> largest_shown([(a, b)]), largest_shown([(a, a)])
    (4.0, None)
    """
    largest = 0.0
    for a, b in pairs:
        _check(a, b)
        gap = _gap(a, b)[..., : a.channels - 1] if a.has_alpha else _gap(a, b)
        largest = max(largest, float(gap.max(initial=0.0, where=np.isfinite(gap))))
    return largest or None


def _gap(a: Image, b: Image) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # of infinities
        return np.asarray(np.abs(_wide(a.pixels) - _wide(b.pixels)))


def _check(a: Image, b: Image) -> None:
    if (a.height, a.width) != (b.height, b.width):
        raise ShapeError(
            f"pictures of {a.width}×{a.height} and {b.width}×{b.height} pixels; give equal sizes"
        )
    if channel_names(a) != channel_names(b):
        raise ShapeError(
            f"pictures of {a.channels} and {b.channels} channels ({', '.join(channel_names(a))}; "
            f"{', '.join(channel_names(b))}); give both grey or both colour, both with alpha or "
            "both without"
        )
    if a.depth != b.depth:
        depth = next((one.depth for one in (a, b) if one.depth in OUTPUT_DEPTHS), "float")
        raise OptionError(
            f"pictures of depth {a.depth} and {b.depth}; convert one to the other's first, "
            f"for example by: convtool filter -k identity --depth {depth}"
        )


def _wide(pixels: Pixels) -> NDArray[np.float64]:
    return pixels.astype(np.float64)


def _level(error: float, peak: float) -> float:
    return decibels(error, peak) if np.isfinite(error) else -np.inf


def _difference(name: str, a: NDArray[Any], b: NDArray[Any], peak: float, page: int) -> Difference:
    same = np.isnan(a) & np.isnan(b)
    with np.errstate(invalid="ignore"):
        gap = np.where(same | (a == b), 0.0, np.abs(a - b))
    gap[np.isnan(gap)] = np.inf
    row, column, _ = np.unravel_index(int(gap.argmax()), gap.shape)
    largest = float(gap.max())
    error = mse(np.zeros_like(gap), gap) if np.isfinite(largest) else np.inf
    similar = (
        ssim(np.where(same, 0.0, a), np.where(same, 0.0, b), peak) if np.isfinite(largest) else 0.0
    )
    return Difference(
        name, error, _level(error, peak), similar, largest, (int(row), int(column)), page
    )
